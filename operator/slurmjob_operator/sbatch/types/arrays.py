"""The indexes of an array of jobs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.index_sets import IndexSet, Range, union
from slurmjob_operator.sbatch.types.words import checked_type
from slurmjob_operator.sbatch.value import NEWEST, Json, Release

LONGEST: Final = 131072
"""Bytes. slurmctld's own bound depends on MaxArraySize."""

MOST_TASKS: Final = 100_000
"""More than any cluster's MaxArraySize that we know of; what one array may cost us is bounded by it."""

RULE: Final = (
    'must be indexes and rising ranges with commas, a range with a step as in "0-30:5", and after the last one perhaps '
    '"%" and how many may run at once'
)

LONGEST_INDEX: Final = 9
"""Digits; an index of more is beyond any MaxArraySize."""

TOO_MANY: Final = f"must name at most {MOST_TASKS} indexes"

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


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """`text` as sbatch reads it: which tasks there are, and how many of them may run at once; 0: as many as there is
    room for."""

    text: str
    indexes: IndexSet
    at_once: int = 0

    def only(self, indexes: IndexSet) -> str:
        """The option's text for some of them."""
        return f"{indexes}%{self.at_once}" if self.at_once else str(indexes)


def spec_of(text: str) -> ArraySpec | None:
    """What slurmctld makes of the option (`array_task_string` of such jobs, measured on 22.05, 24.11 and 26.05); None:
    no array. Raises `InvalidValue`."""
    if not text:
        return None
    _check(text, NEWEST)
    found = union(_indexes(part.partition("%")[0], text) for part in text.split(",") if part)
    limit = text.partition("%")[2]
    if len(found) > MOST_TASKS:
        raise InvalidValue(text, TOO_MANY)
    digits = re.match(r"[0-9]{1,9}", limit)
    return ArraySpec(text=text, indexes=found, at_once=int(digits[0]) if digits else 0)


def _indexes(part: str, text: str) -> IndexSet:
    match = _RANGE.fullmatch(part)
    first, last, step = match.groups() if match else ("", None, None)
    if max(len(digits or "") for digits in (first, last, step)) > LONGEST_INDEX:
        raise InvalidValue(text, f"must have indexes of at most {LONGEST_INDEX} digits")
    low = int(first or 0)
    high = low if last is None else int(last or 0)
    width = 1 if step is None else int(step)
    if (high - low) // width >= MOST_TASKS:
        raise InvalidValue(text, TOO_MANY)
    ranges: tuple[Range, ...] = ((low, high),)
    return IndexSet(ranges) if width == 1 else IndexSet.of(range(low, high + 1, width))
