"""Slurm's lists of hosts, e.g. `n[1-8,12],login1` (man scontrol, "hostlist").

Whoever keeps a slurmrestd writes them, so they are read in bounded time: what is longer than lists are holds nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

LONGEST_LIST: Final = 65_536
LONGEST_NAME: Final = 64
MOST_RANGES: Final = 4
"""In one name, e.g. two in `rack[1-4]n[1-8]`."""

_RANGES = re.compile(r"\[([^\[\]]*)\]")
_NUMBER = re.compile(r"[0-9]{1,18}")

Holds = Callable[[str], bool]


def matches(text: str, host: str) -> bool:
    """Whether the list holds this host."""
    return matcher(text)(host)


def matcher(text: str) -> Holds:
    """The same for one list and many hosts."""
    parts = [_part(part) for part in _parts(text)] if len(text) <= LONGEST_LIST else []
    return lambda host: len(host) <= LONGEST_NAME and any(part(host) for part in parts)


def _parts(text: str) -> Iterator[str]:
    """Separated by commas outside of brackets."""
    begin = depth = 0
    for at, character in enumerate(text):
        if character == "," and not depth:
            yield text[begin:at]
            begin = at + 1
        depth += (character == "[") - (character == "]")
    yield text[begin:]


def _part(part: str) -> Holds:
    ranges = _RANGES.findall(part)
    if not part or len(ranges) > MOST_RANGES:
        return lambda _host: False
    pattern = re.compile("([0-9]+)".join(re.escape(piece) for piece in _RANGES.split(part)[::2]))

    def holds(host: str) -> bool:
        match = pattern.fullmatch(host)
        return match is not None and all(_within(r, n) for r, n in zip(ranges, match.groups(), strict=True))

    return holds


def _within(ranges: str, number: str) -> bool:
    """Leading zeros count: `n[01-08]` holds n01, not n1."""
    for piece in ranges.split(","):
        low, _, high = piece.partition("-")
        high = high or low
        if not all(_NUMBER.fullmatch(end) for end in (low, high, number)):
            continue
        same_width = not low.startswith("0") or len(number) == len(low)
        if same_width and int(low) <= int(number) <= int(high):
            return True
    return False
