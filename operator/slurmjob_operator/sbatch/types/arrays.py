"""The indexes of an array of jobs."""

from __future__ import annotations

import re
from typing import Final

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.types.words import checked_type
from slurmjob_operator.sbatch.value import Json, Release

LONGEST: Final = 131072
"""Bytes. slurmctld's own bound depends on MaxArraySize."""

RULE: Final = (
    'must be indexes and rising ranges with commas, a range with a step as in "0-30:5", and after the last one perhaps '
    '"%" and how many may run at once'
)

_RANGE = re.compile(r"\[?\s*\+?([0-9]*)\]?(?:-\s*([0-9]*)\]?(?::\s*([0-9]*)\]?)?)?(?:%.*)?", re.ASCII)


def _check(text: str, release: Release) -> str:
    """The text, once slurmctld would take it. It takes more than it should: brackets, empty ranges, `0-` for 0."""
    del release
    if not all(_is_range(part) for part in text.split(",") if part):
        raise InvalidValue(text, RULE)
    return text


def _is_range(part: str) -> bool:
    match = _RANGE.fullmatch(part)
    if not match:
        return False
    first, last, step = match.groups()
    rising = last is None or (first != "" and _size(first) <= _size(last))
    return rising and (step is None or _size(step) > _size("0"))


def _size(digits: str) -> tuple[int, str]:
    """Greater for greater numbers, of any length; nothing is 0."""
    significant = digits.lstrip("0")
    return len(significant), significant


ARRAY: Final = checked_type(
    "array indexes",
    rule=RULE,
    check=_check,
    examples=("7", "0-99", "0-30:5", "1,3,7-9%2", "[1-3],5", "1,", "%2", "05", "3,1,1", ""),
    wrong=("3-1", "0-3:0", "a", "1 2", "1-3 ", "-1", "1-2-3", "1:2", "0x10"),
    longest=LONGEST,
    json=Json.INT_OR_STRING,
)
"""Empty means no array."""
