"""The signal that a job gets before its time limit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.value import Json, Release, ValueType

DEFAULT_SECONDS: Final = 60
LARGEST_SECONDS: Final = 65535
LONGEST: Final = 64

NUMBERS: Final = {
    "HUP": 1,
    "INT": 2,
    "QUIT": 3,
    "ABRT": 6,
    "KILL": 9,
    "USR1": 10,
    "USR2": 12,
    "PIPE": 13,
    "ALRM": 14,
    "TERM": 15,
    "CHLD": 17,
    "CONT": 18,
    "STOP": 19,
    "TSTP": 20,
    "TTIN": 21,
    "TTOU": 22,
    "URG": 23,
    "XCPU": 24,
}
"""Those that sbatch knows by name."""

RULE: Final = (
    'must be a signal\'s number or one of the names HUP, INT, TERM, USR1, USR2 …, "B:" before it for the batch shell '
    'alone, "@SECONDS" after it (at most 65535)'
)

_SIGNAL = re.compile(r"(?:([RB]|RB|BR):)?([^@:]+)(?:@(?:\s*(\+?[0-9]+))?)?", re.IGNORECASE)
_NUMBER = re.compile(r"\s*[+-]?[0-9]+\s*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningSignal:
    """`seconds` before the end. `shell_only`: the batch shell gets it, not its steps. `reservation`: also before the
    end of a reservation that this job would overlap with."""

    signal: int
    seconds: int = DEFAULT_SECONDS
    shell_only: bool = False
    reservation: bool = False


def _parse(text: str, release: Release) -> WarningSignal:
    """60 seconds without `@`, 0 with nothing after it."""
    del release
    match = _SIGNAL.fullmatch(text) if len(text) <= LONGEST else None
    if not match:
        raise InvalidValue(text, RULE)
    flags = (match[1] or "").upper()
    seconds = int(match[3] or 0) if "@" in text else DEFAULT_SECONDS
    number = _number(match[2])
    if not number or seconds > LARGEST_SECONDS:
        raise InvalidValue(text, RULE)
    return WarningSignal(signal=number, seconds=seconds, shell_only="B" in flags, reservation="R" in flags)


def _number(word: str) -> int:
    """0 for what is no signal. Any number will do; Slurm holds it in 16 bits."""
    if _NUMBER.fullmatch(word):
        return max(min(int(word), 2**63 - 1), -(2**63)) & 0xFFFF
    return NUMBERS.get(word.strip().upper().removeprefix("SIG"), 0)


def _show(value: Any) -> str:
    flags = ("R" if value.reservation else "") + ("B" if value.shell_only else "")
    return f"{flags}{':' if flags else ''}{value.signal}@{value.seconds}"


WARNING_SIGNAL: Final = ValueType(
    name="signal",
    json=Json.STRING,
    rule=RULE,
    parse=_parse,
    show=_show,
    schema={"maxLength": LONGEST},
    examples=("USR1", "sigusr1", "B:USR1@120", "SIGTERM@30", "10@0", "RB:USR2@300", "USR1@", "R:10", "99", "B: INT@ 5"),
    wrong=(
        "",
        "0",
        "65536",
        "@60",
        "FOO",
        "SYS",
        "RTMIN",
        "USR1@65536",
        "USR1@x",
        "USR1@-1",
        "X:USR1",
        "BB:USR1",
        "B:",
    ),
)
