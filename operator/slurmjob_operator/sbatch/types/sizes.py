"""Amounts of memory and disk, in MiB."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.types.counts import LARGEST_SHORT, whole_number
from slurmjob_operator.sbatch.value import Json, Release, ValueType

SIZE_RULE: Final = "must be a whole number of MiB, or one with K, M, G or T"
UPDATE_RULE: Final = f'must be MARGIN@DELAY, percent and minutes from 1 to {LARGEST_SHORT}, such as "10@5"'

LARGEST_MB: Final = 2**53
"""Numbers above it are not exact in JSON."""

LARGEST_DISK_MB: Final = 2**31 - 1
"""sbatch cuts larger ones off; slurmrestd holds the key in 32 bits with a sign."""

_SIZE = re.compile(r"\s*\+?([0-9]{1,18})(?:([KMGT])B?)?", re.IGNORECASE)
_MEBIBYTES = {"M": 1, "G": 1024, "T": 1024**2}


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryUpdate:
    """How Slurm lowers a job's memory: to what it used plus `margin` percent, `delay` minutes after its start."""

    margin: int
    delay: int


def _reader(largest: int) -> Callable[[str, Release], int]:
    """MiB; K rounds up."""

    def parse(text: str, release: Release) -> int:
        del release
        match = _SIZE.fullmatch(text)
        if match is None:
            raise InvalidValue(text, SIZE_RULE)
        number, unit = int(match[1]), (match[2] or "M").upper()
        mebibytes = -(-number // 1024) if unit == "K" else number * _MEBIBYTES[unit]
        if mebibytes > largest:
            raise InvalidValue(text, f"{SIZE_RULE}, at most {largest}M")
        return mebibytes

    return parse


def _size_type(name: str, *, largest: int) -> ValueType:
    return ValueType(
        name=name,
        json=Json.INT_OR_STRING,
        rule=SIZE_RULE,
        parse=_reader(largest),
        show=lambda value: f"{value}M",
        schema={"maxLength": 32},
        examples=("0", "500", "1025K", "4G", "1gb", "2TB"),
        wrong=("", "-1", "1.5G", "1GiB", "1Gi", "1B", "1P", "1 G", "G", "5 ", "unlimited", "9" * 18 + "T"),
    )


def _parse_update(text: str, release: Release) -> MemoryUpdate:
    del release
    parts = text.split("@")
    if len(parts) != 2:
        raise InvalidValue(text, UPDATE_RULE)
    try:
        margin, delay = (whole_number(part, least=1, largest=LARGEST_SHORT, rule=UPDATE_RULE) for part in parts)
    except InvalidValue:
        raise InvalidValue(text, UPDATE_RULE) from None
    return MemoryUpdate(margin=margin, delay=delay)


def _show_update(value: Any) -> str:
    return f"{value.margin}@{value.delay}"


SIZE: Final = _size_type("size", largest=LARGEST_MB)
DISK: Final = _size_type("disk size", largest=LARGEST_DISK_MB)
MEMORY_UPDATE: Final = ValueType(
    name="memory update",
    json=Json.STRING,
    rule=UPDATE_RULE,
    parse=_parse_update,
    show=_show_update,
    schema={"maxLength": 32},
    examples=("10@5", "101@1"),
    wrong=("", "10", "10@", "@5", "10@5m", "0@0", "a@5", "10%@5", "100@70000", "1@2@3"),
)
