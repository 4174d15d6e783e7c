"""Which events of a job cause a mail."""

from __future__ import annotations

from typing import Any, Final

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.value import Json, Release, ValueType

ALL: Final = ("BEGIN", "END", "FAIL", "REQUEUE", "INVALID_DEPEND", "STAGE_OUT")
EVENTS: Final = (*ALL, "TIME_LIMIT", "TIME_LIMIT_90", "TIME_LIMIT_80", "TIME_LIMIT_50", "ARRAY_TASKS")
RULE: Final = f"must be a list, with commas, of {', '.join(EVENTS)}, or ALL, or NONE"
LONGEST: Final = 1024


def _parse(text: str, release: Release) -> tuple[str, ...]:
    """Events in the order of `EVENTS`; () for none.

    NONE wins wherever it stands. Words that are not known, also for a blank, are no error beside one that is.
    """
    del release
    words = [word for word in text.upper().split(",") if word]
    if "NONE" in words:
        return ()
    found = {event for word in words for event in (ALL if word == "ALL" else (word,))}.intersection(EVENTS)
    if not found or len(text) > LONGEST:
        raise InvalidValue(text, RULE)
    return tuple(event for event in EVENTS if event in found)


def _show(value: Any) -> str:
    return ",".join(value) or "NONE"


MAIL_EVENTS: Final = ValueType(
    name="mail events",
    json=Json.STRING,
    rule=RULE,
    parse=_parse,
    show=_show,
    schema={"maxLength": LONGEST},
    examples=("END,FAIL", "all", "NONE", "TIME_LIMIT_80,ARRAY_TASKS", "END, FAIL", "BAD,NONE", ",END,,FAIL"),
    wrong=("", ",", "BAD", "BAD,WORSE", "end;fail", " END", "TIME_LIMIT_95", "NONESUCH"),
)
