"""Tolerant reading of slurmrestd's values: objects with `set`, bare numbers, nulls, strings for numbers.

Nothing here raises, whatever the value is, and what comes out can be written: texts are valid Unicode, numbers and
times are of a size that Kubernetes and a calendar take.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from slurmjob_operator.slurm.token import redact

_WHOLE = re.compile(r"\s*-?[0-9]{1,20}\s*")

NO_VALUE = frozenset({4294967294, 4294967295, 18446744073709551614, 18446744073709551615})
"""Slurm's NO_VAL and INFINITE where they leak as plain numbers."""

MOST: Final = 2**63
"""Numbers are below it, and above its negative."""
MOST_COUNT: Final = 2**31
MOST_ID: Final = 2**32
LAST_TIME: Final = 253_402_300_799
"""The end of the year 9999, in epoch seconds."""
LONGEST_TEXT: Final = 1024
LONGEST_PATH: Final = 8192
MOST_WORDS: Final = 16
MOST_STATUS: Final = 0xFFFF

UNREADABLE: Final = "UNREADABLE"
"""Stands for a state or flag that is no text: a job in it has not ended, whatever else is said."""


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
    if not -MOST < value < MOST:  # infinities and what is no number, too
        return None
    return int(value)


def count(value: Any) -> int | None:
    """A number of things, or of minutes: not negative, of 31 bits."""
    found = number(value)
    return found if found is not None and 0 <= found < MOST_COUNT else None


def job_id(value: Any) -> int | None:
    """The id of a job: a whole number above 0, never one that was made whole."""
    found = number(value)
    whole = not isinstance(value, float) or value.is_integer()
    return found if found is not None and whole and 0 < found < MOST_ID else None


def time(value: Any) -> int | None:
    """A time in epoch seconds; 0 means not set."""
    found = number(value)
    return found if found is not None and 0 < found <= LAST_TIME else None


def infinite(value: Any) -> bool:
    """Whether the value is said to be without limit."""
    return isinstance(value, Mapping) and value.get("infinite") is True


def text(value: Any, *, most: int = LONGEST_TEXT) -> str | None:
    """A non-empty text, of so many characters at most. Halves of characters, which JSON can say and nobody can write,
    become question marks; a token does not come back."""
    return redact(_whole(value[:most])) if isinstance(value, str) and value else None


def _whole(text: str) -> str:
    return text if text.isascii() else text.encode(errors="replace").decode()


def path(value: Any) -> str | None:
    """The same for what may be longer: names of files, lists of hosts."""
    return text(value, most=LONGEST_PATH)


def said(value: Any) -> str:
    """What a user has named or written, to the letter: a text, or a number that stands for one; else nothing."""
    if isinstance(value, int) and not isinstance(value, bool):
        return "" if number(value) is None else str(value)
    return _whole(value) if isinstance(value, str) and len(value) <= LONGEST_PATH else ""


def words(value: Any) -> frozenset[str]:
    """Job states: a list, or one text, perhaps with blanks, commas or plus signs."""
    if isinstance(value, str):
        value = value.replace(",", " ").replace("+", " ").split()
    if not isinstance(value, list | tuple):
        return frozenset()
    if len(value) > MOST_WORDS:
        value = [*value[: MOST_WORDS - 1], UNREADABLE]
    return frozenset(UNREADABLE if (state := text(word)) is None else state.upper() for word in value if word)


def mapping(value: Any) -> Mapping[str, Any]:
    """An object, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def errors(value: Any) -> list[Mapping[str, Any]]:
    """The errors of an answer, or its warnings: objects, also where there is one alone, or just its text. Nothing that
    stands there is overlooked: an error that cannot be read is one."""
    items = value if isinstance(value, list) else [value]
    return [item if isinstance(item, Mapping) else {"description": said(item)} for item in items if item]


def wait_status(value: Any) -> tuple[int | None, int | None]:
    """A process' status as wait(2) gives it, as (exit code, signal): one of them is None."""
    status = number(value)
    if status is None or not 0 <= status <= MOST_STATUS:
        return None, None
    signal = status & 0x7F
    return (None, signal) if signal else (status >> 8 & 0xFF, None)
