"""How tasks are laid out, and which jobs share a node."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.types.counts import LARGEST, LARGEST_SHORT, whole_number
from slurmjob_operator.sbatch.value import OLDEST, Json, Release, ValueType

DISTRIBUTION_RULE: Final = (
    'must be block, cyclic, arbitrary or "plane=SIZE"; after block, cyclic or "*" may stand, with colons, the same for '
    "sockets and for cores (block, cyclic, fcyclic or *), and after a comma Pack or NoPack"
)
HINT_RULE: Final = "must be compute_bound, memory_bound, multithread or nomultithread, separated by commas"
PARTS_RULE: Final = 'must be SOCKETS[:CORES[:THREADS]], each a number, a range or "*", such as "2:8:1"'
SHARING_RULE: Final = 'must be "node", "user", "mcs" or, from 24.11 on, "topo"'
SWITCHES_RULE: Final = 'must be COUNT or COUNT@TIME, the longest wait for them, such as "1@30" (minutes)'

HINTS: Final = frozenset({"compute_bound", "memory_bound", "multithread", "nomultithread"})

_FIRST = r"(?:block|cyclic|\*)"
_NEXT = r"(?:block|cyclic|fcyclic|\*)"
_DISTRIBUTION = re.compile(
    rf"{_FIRST}(?::{_NEXT}(?::{_NEXT})?)?(?:,(?:no)?pack)?|(?:no)?pack|arbitrary|plane=(?P<size>[0-9]{{1,9}})",
    re.IGNORECASE,
)
_SHARING = {
    "": "node",
    "exclusive": "node",
    "node": "node",
    "user": "user",
    "mcs": "mcs",
    "oversubscribe": "oversubscribe",
}
_PART = re.compile(r"\*?|([0-9]{1,9})(?:-([0-9]{1,9}))?")
_CLOCK = re.compile(r"(?:([0-9]{1,9})-)?([0-9]{1,9})(?::([0-9]{1,9})(?::([0-9]{1,9}))?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """`plane`: the size of a plane, None where there are none; `arbitrary`: tasks follow the list of nodes."""

    text: str
    plane: int | None = None
    arbitrary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a node must have at least; None: any number."""

    sockets: int | None = None
    cores: int | None = None
    threads: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """At most how many switches, and for how many seconds the job waits for that; None: the cluster's longest."""

    count: int
    wait: int | None = None


def _parse_distribution(text: str, release: Release) -> Distribution:
    del release
    match = _DISTRIBUTION.fullmatch(text)
    if match is None:
        raise InvalidValue(text, DISTRIBUTION_RULE)
    plane = None if match["size"] is None else int(match["size"])
    if plane == 0:
        raise InvalidValue(text, f"{DISTRIBUTION_RULE}; the size of a plane is 1 at least")
    return Distribution(text=text, plane=plane, arbitrary=text.lower() == "arbitrary")


def _parse_hint(text: str, release: Release) -> tuple[str, ...]:
    del release
    words = tuple(text.lower().split(","))
    if not HINTS.issuperset(words) or len(words) > len(HINTS):
        raise InvalidValue(text, HINT_RULE)
    return words


def _parse_parts(text: str, release: Release) -> Parts:
    """Of a range only the lower end counts, and no text is no part; sbatch overlooks what follows the third part."""
    del release
    parts = [_PART.fullmatch(part) for part in text.split(":")[:3]]
    if any(part is None for part in parts):
        raise InvalidValue(text, PARTS_RULE)
    lows = [int(part[1]) if part is not None and part[1] else None for part in parts]
    if any(low is not None and not 1 <= low <= LARGEST_SHORT for low in lows):
        raise InvalidValue(text, f"{PARTS_RULE}, from 1 to {LARGEST_SHORT}")
    sockets, cores, threads = (*lows, None, None)[:3]
    return Parts(sockets=sockets, cores=cores, threads=threads)


def _parse_sharing(text: str, release: Release) -> str:
    word = text.lower()
    if word == "topo" and release > OLDEST:
        return word
    if word not in _SHARING:
        raise InvalidValue(text, SHARING_RULE)
    return _SHARING[word]


def _parse_switches(text: str, release: Release) -> Switches:
    """sbatch overlooks a time that it cannot read."""
    del release
    count, _, wait = text.partition("@")
    try:
        number = whole_number(count, least=1, largest=LARGEST, rule=SWITCHES_RULE)
    except InvalidValue:
        raise InvalidValue(text, SWITCHES_RULE) from None
    return Switches(count=number, wait=_seconds(wait))


def _seconds(text: str) -> int | None:
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    days, *clock = match.groups()
    numbers = [int(part) for part in clock if part is not None]
    if days is not None:
        hours, minutes, seconds = (*numbers, 0, 0)[:3]
        total = ((int(days) * 24 + hours) * 60 + minutes) * 60 + seconds
    else:
        hours, minutes, seconds = {1: (0, *numbers, 0), 2: (0, *numbers), 3: tuple(numbers)}[len(numbers)]
        total = (hours * 60 + minutes) * 60 + seconds
    return total if total <= LARGEST else None


def _show_distribution(value: Any) -> str:
    return str(value.text)


def _show_hint(value: Any) -> str:
    return ",".join(value)


def _show_parts(value: Any) -> str:
    return ":".join("*" if part is None else str(part) for part in (value.sockets, value.cores, value.threads))


def _show_switches(value: Any) -> str:
    return str(value.count) if value.wait is None else f"{value.count}@{value.wait // 60}:{value.wait % 60}"


DISTRIBUTION: Final = ValueType(
    name="distribution",
    json=Json.STRING,
    rule=DISTRIBUTION_RULE,
    parse=_parse_distribution,
    show=_show_distribution,
    schema={"maxLength": 64},
    examples=("block", "cyclic:block:fcyclic", "plane=4", "block,NoPack", "*:cyclic", "arbitrary", "Pack", "*"),
    wrong=(
        "",
        "foo",
        "fcyclic",
        "plane",
        "plane=0",
        "plane:4",
        "plane=4,pack",
        "block:foo",
        "bl",
        "unknown",
        "a:b:c:d",
    ),
)
HINT: Final = ValueType(
    name="hint",
    json=Json.STRING,
    rule=HINT_RULE,
    parse=_parse_hint,
    show=_show_hint,
    schema={"maxLength": 64},
    examples=(
        "nomultithread",
        "multithread",
        "compute_bound",
        "memory_bound",
        "NoMultiThread",
        "compute_bound,memory_bound",
    ),
    wrong=("", "foo", "help", "nomultithread,", "no multithread"),
)
PARTS: Final = ValueType(
    name="parts of a node",
    json=Json.INT_OR_STRING,
    rule=PARTS_RULE,
    parse=_parse_parts,
    show=_show_parts,
    schema={"maxLength": 64},
    examples=("2", "1:2", "2:4:1", "*:2:1", "1-2:1-4:1-2", "*", "1:2:1:1", ""),
    wrong=("a", "1:b", "-1", "0", "1:2:x", "2.5", "99999:1"),
)
SHARING: Final = ValueType(
    name="sharing",
    json=Json.STRING,
    rule=SHARING_RULE,
    parse=_parse_sharing,
    show=str,
    schema={"maxLength": 16},
    examples=("node", "user", "mcs", "exclusive", "USER"),
    wrong=("yes", "true", "nodes", "no", "foo"),
)
SWITCHES: Final = ValueType(
    name="switches",
    json=Json.INT_OR_STRING,
    rule=SWITCHES_RULE,
    parse=_parse_switches,
    show=_show_switches,
    schema={"maxLength": 64},
    examples=("2", "2@60", "2@1:30", "1@1:00:00", "1@1-0", "2@0", "2@"),
    wrong=("", "0", "-1", "@60", "a", "1.5", "2k"),
)
