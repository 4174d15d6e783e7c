"""Tolerant reading of slurmrestd's values: objects with `set`, bare numbers, nulls, strings for numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

_WHOLE = re.compile(r"\s*-?[0-9]{1,20}\s*")

NO_VALUE = frozenset({4294967294, 4294967295, 18446744073709551614, 18446744073709551615})
"""Slurm's NO_VAL and INFINITE where they leak as plain numbers."""


def number(value: Any) -> int | None:
    """`{set, infinite, number}`, a number, or a text of one; None when it is not set (`set:false` has number 0)."""
    if isinstance(value, Mapping):
        if value.get("set") is False or value.get("infinite") is True:
            return None
        value = value.get("number")
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value in NO_VALUE:
        return None
    if not math.isfinite(value):
        return None
    return int(value)


def time(value: Any) -> int | None:
    """A time in epoch seconds; 0 means not set."""
    return number(value) or None


def infinite(value: Any) -> bool:
    """Whether the value is said to be without limit."""
    return isinstance(value, Mapping) and value.get("infinite") is True


def text(value: Any) -> str | None:
    """A non-empty text."""
    return value if isinstance(value, str) and value else None


def words(value: Any) -> frozenset[str]:
    """Job states: a list, or one text, perhaps with blanks, commas or plus signs."""
    if isinstance(value, str):
        value = value.replace(",", " ").replace("+", " ").split()
    if not isinstance(value, list | tuple):
        return frozenset()
    return frozenset(str(word).upper() for word in value if word)


def mapping(value: Any) -> Mapping[str, Any]:
    """An object, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def wait_status(value: Any) -> tuple[int | None, int | None]:
    """A process' status as wait(2) gives it, as (exit code, signal): one of them is None."""
    status = number(value)
    if status is None:
        return None, None
    signal = status & 0x7F
    return (None, signal) if signal else (status >> 8 & 0xFF, None)
