"""Slurm's lists of hosts, e.g. `n[1-8,12],login1` (man scontrol, "hostlist")."""

from __future__ import annotations

import re

_PART = re.compile(r"[^,\[\]]+(?:\[[^\]]*\][^,\[\]]*)*")
_RANGES = re.compile(r"\[([^\]]*)\]")


def matches(text: str, host: str) -> bool:
    """Whether the list holds this host."""
    return any(_holds(part, host) for part in _PART.findall(text))


def _holds(part: str, host: str) -> bool:
    ranges = _RANGES.findall(part)
    pattern = "([0-9]+)".join(re.escape(piece) for piece in _RANGES.split(part)[::2])
    match = re.fullmatch(pattern, host)
    return match is not None and all(_within(r, n) for r, n in zip(ranges, match.groups(), strict=True))


def _within(ranges: str, number: str) -> bool:
    """Leading zeros count: `n[01-08]` holds n01, not n1."""
    for piece in ranges.split(","):
        low, _, high = piece.partition("-")
        high = high or low
        same_width = not low.startswith("0") or len(number) == len(low)
        if low.isdigit() and high.isdigit() and same_width and int(low) <= int(number) <= int(high):
            return True
    return False
