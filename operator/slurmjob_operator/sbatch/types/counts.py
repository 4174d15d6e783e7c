"""Whole numbers: tasks, CPUs, cores, threads."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.value import Json, Release, ValueType

LARGEST: Final = 2**31 - 2
"""The largest count that all releases take; sbatch holds them in 32 bits with a sign."""

LARGEST_SHORT: Final = 2**16 - 3
"""Above it Slurm's 16-bit counters have meanings of their own (INFINITE, NO_VAL); sbatch cuts larger ones off."""

_NUMBER = re.compile(r"\s*\+?([0-9]{1,18})")
"""As strtol reads it: white space before it and a sign are fine, nothing may follow."""


def whole_number(text: str, *, least: int, largest: int, rule: str) -> int:
    """A number as sbatch reads it. Raises `InvalidValue` with `rule`."""
    match = _NUMBER.fullmatch(text)
    if match is None or not least <= int(match[1]) <= largest:
        raise InvalidValue(text, rule)
    return int(match[1])


def _reader(*, least: int, largest: int, rule: str) -> Callable[[str, Release], int]:
    """Where 0 is a number, no text is 0 too."""

    def parse(text: str, release: Release) -> int:
        del release
        if not text and least == 0:
            return 0
        return whole_number(text, least=least, largest=largest, rule=rule)

    return parse


def _count_type(name: str, *, least: int, largest: int, examples: tuple[str, ...] = ("16", "05")) -> ValueType:
    rule = f"must be a whole number from {least} to {largest}"
    return ValueType(
        name=name,
        json=Json.INTEGER,
        rule=rule,
        parse=_reader(least=least, largest=largest, rule=rule),
        show=shown,
        schema={"minimum": least, "maximum": largest},
        examples=(str(least), *examples),
        wrong=(*([""] if least else []), "-1", "1.5", "two", "2k", "=2", "2-4", "0x4", "3 ", "*", str(largest + 2)),
    )


def shown(value: Any) -> str:
    """A number in digits."""
    return str(value)


COUNT: Final = _count_type("count", least=1, largest=LARGEST)
SHORT_COUNT: Final = _count_type("short count", least=1, largest=LARGEST_SHORT)
"""A count that Slurm holds in 16 bits."""
SHORT_OR_NONE: Final = _count_type("short count or 0", least=0, largest=LARGEST_SHORT)
SPECIALIZED: Final = _count_type("specialized cores", least=0, largest=2**16 - 3)
"""Above 2**15 it is a number of threads: the 16th bit says so, here as for sbatch."""
SPECIALIZED_THREADS: Final = _count_type("specialized threads", least=1, largest=2**15 - 1)
