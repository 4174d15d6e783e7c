"""Lengths of time, as sbatch reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.value import Json, Release, ValueType

LARGEST: Final = 2**31 - 1
"""Seconds: sbatch holds lengths of time in 32 bits with a sign, which is 68 years."""

TIME_RULE: Final = 'must be minutes, "MM:SS", "HH:MM:SS", "D-HH", "D-HH:MM", "D-HH:MM:SS" or "UNLIMITED"'
TOO_LONG: Final = f"{TIME_RULE}; this many seconds overflow in sbatch: at most 68 years"
LONGEST_TEXT: Final = 256

_DAYS = re.compile(r"([0-9]+)-(?:([0-9]+)(?::([0-9]+)(?::([0-9]+))?)?)?")
_CLOCK = re.compile(r"([0-9]+)(?::([0-9]+))?(?::([0-9]+))?")
_ENDLESS = frozenset({"unlimited", "infinite", "-1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimit:
    """Whole minutes as Slurm counts them (seconds round up); None means no limit at all."""

    minutes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """Seconds; None means for ever."""

    seconds: int | None


def _time_limit(text: str, release: Release) -> TimeLimit:
    """0, -1, INFINITE and UNLIMITED mean no limit, not that of the partition."""
    del release
    seconds = _seconds(text)
    if seconds is None:
        return TimeLimit(minutes=None)
    minutes = int((seconds + 59) / 60)
    if minutes < -1 or seconds + 59 > LARGEST:
        raise InvalidValue(text, TOO_LONG)
    return TimeLimit(minutes=minutes if minutes > 0 else None)


def _delay(text: str, release: Release) -> Delay:
    del release
    seconds = _seconds(text)
    if seconds is not None and seconds < 0:
        raise InvalidValue(text, TOO_LONG)
    return Delay(seconds=seconds)


def _seconds(text: str) -> int | None:
    """Seconds, which overflow as sbatch's do; None for the words that mean without end."""
    if text.lower() in _ENDLESS:
        return None
    if len(text) > LONGEST_TEXT:
        raise InvalidValue(text, TIME_RULE)
    days = _DAYS.fullmatch(text)
    if days:
        return _held(*zip((86400, 3600, 60, 1), days.groups(), strict=True))
    clock = _CLOCK.fullmatch(text)
    if not clock:
        raise InvalidValue(text, TIME_RULE)
    units = (3600, 60, 1) if clock[3] is not None else (60, 1, 0)
    return _held(*zip(units, clock.groups(), strict=True))


def _held(*parts: tuple[int, str | None]) -> int:
    """A sum in 32 bits with a sign."""
    whole = sum(unit * min(int(digits or 0), 2**63 - 1) for unit, digits in parts)
    return (whole + 2**31) % 2**32 - 2**31


def _shown_limit(value: Any) -> str:
    return "UNLIMITED" if value.minutes is None else str(value.minutes)


def _shown_delay(value: Any) -> str:
    return "UNLIMITED" if value.seconds is None else f"{value.seconds // 60}:{value.seconds % 60}"


EXAMPLES: Final = ("90", "1:30:00", "1-12", "1-", "1-00:00:00", "UNLIMITED", "infinite", "0", "-1", "99:99:99")
WRONG: Final = ("", "1h", "90m", "1.5", "5:", ":30", "1,5", "1-2-3", "1-2:", "1:2:3:4", " 5", "5 ", "+5", "\u0663")

TIME_LIMIT: Final = ValueType(
    name="time limit",
    json=Json.STRING,
    rule=TIME_RULE,
    parse=_time_limit,
    show=_shown_limit,
    schema={"maxLength": LONGEST_TEXT},
    examples=EXAMPLES,
    wrong=(*WRONG, "35791394", "4294967293"),
)

DELAY: Final = ValueType(
    name="delay",
    json=Json.STRING,
    rule=TIME_RULE,
    parse=_delay,
    show=_shown_delay,
    schema={"maxLength": LONGEST_TEXT},
    examples=EXAMPLES,
    wrong=(*WRONG, "35791395"),
)
