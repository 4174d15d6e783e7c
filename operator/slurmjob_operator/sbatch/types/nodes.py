"""How many nodes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.value import OLDEST, Json, Release, ValueType

LARGEST: Final = 2**31 - 1
LONGEST: Final = 1024
"""Characters of a list."""

OLDER_RULE: Final = 'must be a number of nodes, or a range such as "2-4" that does not fall'
RULE: Final = (
    'must be a number of nodes, a range such as "2-4", one with a step ("2-16:2", without 16) or a list ("1,3-5")'
)

_RANGE = re.compile(r"\s*\+?([0-9]{1,10}[KM]?)?(?:-([0-9]{1,10}[KM]?))?\s*", re.IGNORECASE)
_UNITS = {"K": 1024, "M": 1024**2}
_STEPS = re.compile(r"([0-9]{1,9})-([0-9]{1,9}):([0-9]{1,9})")
_LISTED = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRange:
    """How many nodes at least and at most; `listed` is the text of a list or of steps, which allows only some numbers
    between them."""

    minimum: int
    maximum: int
    listed: str = ""

    @property
    def fixed(self) -> bool:
        """Whether it is one number."""
        return self.minimum == self.maximum

    def __str__(self) -> str:
        if self.listed:
            return self.listed
        return str(self.minimum) if self.fixed else f"{self.minimum}-{self.maximum}"


def _parse(text: str, release: Release) -> NodeRange:
    """`2`, `2-4`, `-4` (1 to 4), `2k` (2048), from 24.11 on also `1,3-5` and `1-15:2` (1 to 13: without the end)."""
    rule = OLDER_RULE if release == OLDEST else RULE
    if len(text) > LONGEST:
        raise InvalidValue(text, rule)
    if release > OLDEST and ("," in text or ":" in text):
        return _listed(text)
    match = _RANGE.fullmatch(text)
    if match is None or not (match[1] or match[2]):
        raise InvalidValue(text, rule)
    minimum = _number(match[1]) if match[1] else 1
    maximum = _number(match[2]) if match[2] else minimum
    if not minimum <= maximum <= LARGEST:
        raise InvalidValue(text, rule)
    return NodeRange(minimum=minimum, maximum=maximum)


def _number(text: str) -> int:
    unit = text[-1].upper()
    return int(text[:-1]) * _UNITS[unit] if unit in _UNITS else int(text)


def _listed(text: str) -> NodeRange:
    steps = _STEPS.fullmatch(text)
    if steps is not None:
        low, high, step = (int(part) for part in steps.groups())
        if not (step > 0 and low < high):
            raise InvalidValue(text, RULE)
        return NodeRange(minimum=low, maximum=range(low, high, step)[-1], listed=text)
    ranges = [_LISTED.fullmatch(piece) for piece in text.split(",")]
    found = [(int(one[1]), int(one[2] or one[1])) for one in ranges if one is not None]
    if len(found) != len(ranges) or any(low > high for low, high in found):
        raise InvalidValue(text, RULE)
    return NodeRange(minimum=min(low for low, _ in found), maximum=max(high for _, high in found), listed=text)


def _show(value: Any) -> str:
    return str(value)


NODES: Final = ValueType(
    name="nodes",
    json=Json.INT_OR_STRING,
    rule=RULE,
    parse=_parse,
    show=_show,
    schema={"maxLength": LONGEST},
    examples=("1", "2-4", "-4", "2k", "1M-2M", "0"),
    wrong=("", "-", "2-", "4-2", "2:4", "two", "1.5", "2kk", "1-15:0", "1-8*2", ",3", "2147483648"),
)
