"""Numbers that sbatch reads without looking at what follows them."""

from __future__ import annotations

import re
from typing import Any, Final

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.types.words import shown_as_is
from slurmjob_operator.sbatch.value import Json, Release, ValueType

DEFAULT_NICE: Final = 100
LARGEST_NICE: Final = 2_147_483_645
TOP: Final = 4_294_967_293
"""The priority that stands for the front of the queue."""

NICE_RULE: Final = f"must be a whole number between -{LARGEST_NICE} and {LARGEST_NICE}"
PRIORITY_RULE: Final = f'must be a whole number between 0 and {TOP}, or "TOP"'
BIT_RULE: Final = "must be 0 or 1"

_LEADING = re.compile(r"\s*([+-]?[0-9]+)", re.ASCII)
_WHOLE = re.compile(r"\s*[+-]?[0-9]{0,20}", re.ASCII)
LONGEST: Final = 256
"""Characters."""


def _leading(text: str) -> int:
    """The number that a text starts with, or 0: a word is 0 as well."""
    match = _LEADING.match(text[:LONGEST])
    return int(match[1]) if match else 0


def _nice(text: str, release: Release) -> int:
    del release
    value = _leading(text) if text else DEFAULT_NICE
    if len(text) > LONGEST or abs(value) > LARGEST_NICE:
        raise InvalidValue(text, NICE_RULE)
    return value


def _priority(text: str, release: Release) -> int:
    del release
    value = TOP if text.upper() == "TOP" else _leading(text)
    if len(text) > LONGEST or not 0 <= value <= TOP:
        raise InvalidValue(text, PRIORITY_RULE)
    return value


def _shown_priority(value: Any) -> str:
    return "TOP" if value == TOP else str(value)


NICE: Final = ValueType(
    name="nice",
    json=Json.INTEGER,
    rule=NICE_RULE,
    parse=_nice,
    show=shown_as_is,
    schema={"minimum": -LARGEST_NICE, "maximum": LARGEST_NICE},
    examples=("100", "0", "-5", "+7", "1.5", "much", ""),
    wrong=("2147483646", "-2147483646", "100000000000"),
)
"""A word is 0 to sbatch."""

PRIORITY: Final = ValueType(
    name="priority",
    json=Json.INT_OR_STRING,
    rule=PRIORITY_RULE,
    parse=_priority,
    show=_shown_priority,
    schema={"maxLength": LONGEST},
    examples=("500", "0", "TOP", "top", "4294967293"),
    wrong=("-1", "4294967294", "99999999999"),
)
"""0 is held, and so is a word."""


def _bit_type(name: str, *, empty: int) -> ValueType:
    """0 or 1; `empty` is what nothing at all means."""

    def parse(text: str, release: Release) -> int:
        del release
        value = _leading(text) if _WHOLE.fullmatch(text) else -1
        if value not in {0, 1}:
            raise InvalidValue(text, BIT_RULE)
        return value if text else empty

    return ValueType(
        name=name,
        json=Json.INTEGER,
        rule=BIT_RULE,
        parse=parse,
        show=shown_as_is,
        schema={"minimum": 0, "maximum": 1},
        examples=("0", "1", "01", ""),
        wrong=("2", "-1", "yes", "1x"),
    )


ZERO_OR_ONE: Final = _bit_type("0 or 1", empty=0)
ONE_OR_ZERO: Final = _bit_type("1 or 0", empty=1)
