"""Lists of node names, e.g. `cn[1-8,12],login1` (man scontrol, "hostlist")."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.value import Json, Release, ValueType

RULE: Final = 'must be a list of node names such as "cn[1-4],gpu7"'
FILE_RULE: Final = (
    'must be node names; one with "/" is a file for sbatch to read, which is not read here: name the nodes'
)

MOST: Final = 65_536
"""Names in a list."""

MOST_CHARACTERS: Final = 64 * MOST
"""Of all names together."""

TOO_MANY: Final = f"{RULE}, at most {MOST} of them"

_PART = re.compile(r"(?:[^,\[\]\s]|\[[^\[\]\s]*\])+")
_RANGES = re.compile(r"\[([^\]]*)\]")
_NUMBERED = re.compile(r"(.*?)([0-9]{1,9})", re.DOTALL)
_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


def names(text: str) -> tuple[str, ...]:
    """The names of a list, in order, with repetitions. Raises `InvalidValue`."""
    found: list[str] = []
    characters = 0
    for part in _parts(text):
        expanded = _expanded(part, text)
        characters += sum(map(len, expanded))
        found += expanded
        if len(found) > MOST or characters > MOST_CHARACTERS:
            raise InvalidValue(text, TOO_MANY)
    return tuple(found)


def distinct(text: str) -> tuple[str, ...]:
    """The names of a list that was parsed, each once."""
    return tuple(dict.fromkeys(names(text)))


def folded(hosts: Sequence[str]) -> str:
    """A list as Slurm writes it, in this order: `n2,n1,n2,n3` is `n[2,1-3]`."""
    groups: list[tuple[str, list[list[str]]]] = []
    for host in hosts:
        match = _NUMBERED.fullmatch(host)
        prefix, number = (match[1], match[2]) if match is not None else (host, "")
        if not number or not groups or groups[-1][0] != prefix or not groups[-1][1][-1][-1]:
            groups.append((prefix, [[number]]))
        elif _follows(groups[-1][1][-1][-1], number):
            groups[-1][1][-1].append(number)
        else:
            groups[-1][1].append([number])
    return ",".join(f"{prefix}{_ranges(runs)}" for prefix, runs in groups)


def _follows(last: str, number: str) -> bool:
    return len(number) == len(f"{int(last) + 1:0{len(last)}}") and int(number) == int(last) + 1


def _ranges(runs: list[list[str]]) -> str:
    texts = [run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]
    return texts[0] if len(runs) == len(runs[0]) == 1 else f"[{','.join(texts)}]"


def _parts(text: str) -> Iterator[str]:
    """Split at commas outside of brackets."""
    rest = text
    while rest:
        match = _PART.match(rest)
        if match is None or rest[match.end() :][:1] not in {"", ","}:
            raise InvalidValue(text, RULE)
        yield match[0]
        rest = rest[match.end() + 1 :]


def _expanded(part: str, whole: str) -> list[str]:
    """All names of one part; several brackets multiply."""
    texts = _RANGES.split(part)
    count = 1
    for at in range(1, len(texts), 2):
        count *= sum(high - low + 1 for low, high, _ in _spans(texts[at], whole))
        if count > MOST or count * len(part) > MOST_CHARACTERS:
            raise InvalidValue(whole, TOO_MANY)
    choices = [[*_numbers(text, whole)] if at % 2 else [text] for at, text in enumerate(texts)]
    return ["".join(chosen) for chosen in itertools.product(*choices)]


def _numbers(ranges: str, whole: str) -> Iterator[str]:
    """`1-3,7` as 1, 2, 3, 7; leading zeros are kept."""
    for low, high, digits in _spans(ranges, whole):
        yield from (f"{number:0{digits}}" for number in range(low, high + 1))


def _spans(ranges: str, whole: str) -> Iterator[tuple[int, int, int]]:
    """First and last number of each range, and how many digits it is written with at the least."""
    for piece in ranges.split(","):
        match = _RANGE.fullmatch(piece)
        if match is None or int(match[1]) > int(match[2] or match[1]):
            raise InvalidValue(whole, RULE)
        yield int(match[1]), int(match[2] or match[1]), len(match[1])


def _parse(text: str, release: Release) -> str:
    """Empty means none."""
    del release
    if not text:
        return text
    stripped = text.strip()
    if "/" in stripped:
        raise InvalidValue(text, FILE_RULE)
    if not stripped or not names(stripped):
        raise InvalidValue(text, RULE)
    return ",".join(_parts(stripped))


def _show(value: Any) -> str:
    return str(value)


HOSTS: Final = ValueType(
    name="hosts",
    json=Json.STRING,
    rule=RULE,
    parse=_parse,
    show=_show,
    schema={"maxLength": 16_384},
    examples=("n1", "n1,n2", "n[1-4,7]", "rack[1-2]n[01-03]", "n1,n1", ""),
    wrong=("a b", "n[1-", "n[1-3", "n]", "n[a]", "n[3-1]", "/etc/nodes", "./nodes", "n[1-99999999]"),
)
