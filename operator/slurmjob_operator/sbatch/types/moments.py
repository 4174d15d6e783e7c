"""Moments: what `--begin` and `--deadline` take.

What a clock says is the cluster's affair, so a moment stays text, which slurmrestd reads where it runs with the same
function as sbatch. Here it is only made sure that it will: a text that this function cannot read is no moment.
"""

from __future__ import annotations

import re
from typing import Final

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.types.words import checked_type
from slurmjob_operator.sbatch.value import R24_11, Release

RULE: Final = (
    'must be a time of day ("16:00", "4:00pm", "noon", "teatime"), a date ("2027-01-31", "2027-01-31T10:00", '
    '"01/31/27"), "today", "tomorrow", or "now" and perhaps "+COUNT" seconds, minutes, hours, days or weeks'
)

OLDEST_EPOCH: Final = 1_000_000
"""Seconds: what follows `uts` must be more."""

ELEVENSES: Final = "elevenses"
"""11:00, from 24.11 on."""

_EPOCH = re.compile(r"uts[ \t]*\+?([0-9]{1,18})", re.IGNORECASE)
_NOW = re.compile(
    r"now[ \t]*(?:[+-]\s*[0-9][0-9\s]*(?:(?:second|minute|hour|day|week)s?|$)|$)", re.IGNORECASE | re.ASCII
)
_SKIPPED = re.compile(r"[ \tT-]")
_DAY = re.compile(r"today|tomorrow", re.IGNORECASE)
_HOUR = re.compile(r"midnight|noon|elevenses|fika|teatime", re.IGNORECASE)
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?\s*(am|pm)?", re.IGNORECASE | re.ASCII)
_CALENDAR = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-([0-9]{1,2})")
_SHORT_DATE = re.compile(r"([0-9]{1,2}+)[./]?([0-9]{1,2}+)[./]?(?:[0-9]{2}|(?![0-9]))")
_BARE_DATE = re.compile(r"([0-9]{2})([0-9]{1,2}+)([0-9]{2})?")


def _check(text: str, release: Release) -> str:
    """The text; of digits alone it gets slashes, for slurmrestd would take those for seconds since 1970."""
    if not _is_epoch(text) and not _is_moment(text, release):
        raise InvalidValue(text, RULE)
    bare = _BARE_DATE.fullmatch(text)
    return "/".join(filter(None, bare.groups())) if bare else text


def _is_epoch(text: str) -> bool:
    match = _EPOCH.fullmatch(text)
    return match is not None and int(match[1]) >= OLDEST_EPOCH


def _is_moment(text: str, release: Release) -> bool:
    """Times, dates and words in any order, the last of each kind counts; at least one."""
    now = _NOW.match(text)
    place, found = (now.end(), True) if now else (0, False)
    while place < len(text):
        skipped = _SKIPPED.match(text, place)
        step = skipped or _step(text, place, release)
        if step is None:
            return False
        found = found or skipped is None
        place = step.end()
    return found


def _step(text: str, place: int, release: Release) -> re.Match[str] | None:
    word = _DAY.match(text, place) or _HOUR.match(text, place)
    if word is not None:
        return None if word[0].lower() == ELEVENSES and release < R24_11 else word
    if ":" in text[place + 1 : place + 3]:
        clock = _CLOCK.match(text, place)
        return clock if clock is not None and _good_hour(clock) else None
    date = _CALENDAR.match(text, place)
    if date is not None:
        return date if 1 <= int(date[2]) <= 31 else None
    short = _SHORT_DATE.match(text, place)
    if short is None or not 1 <= int(short[1]) <= 12 or not 1 <= int(short[2]) <= 31:
        return None
    return short


def _good_hour(clock: re.Match[str]) -> bool:
    return not clock[2] or int(clock[1]) <= 12


MOMENT: Final = checked_type(
    "moment",
    rule=RULE,
    check=_check,
    examples=(
        "now",
        "now+1hour",
        "now + 2 days",
        "16:00",
        "4:00pm",
        "12:30 am",
        "tomorrow",
        "noon tomorrow",
        "2027-01-31T10:00",
        "2027-01-31",
        "01/31/27",
        "01.31-10:00",
        "013127",
        "uts1800000000",
    ),
    wrong=(
        "",
        "soon",
        "TODAY",
        "T",
        "16",
        "1600",
        "24:00",
        "9:5",
        "3PM",
        "16:00pm",
        "13:00am",
        "now+",
        "now+3min",
        "now+1.5",
        "1800000000",
        "uts5",
        "2027-13-01",
        "27-01-31",
        "20270131",
        "01/31/2027",
        "2027-01-31T10:00Z",
    ),
)
