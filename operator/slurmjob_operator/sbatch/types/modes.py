"""Words that say how: opening files, profiling, accounting, starting again, limits and environments."""

from __future__ import annotations

import re
from typing import Any, Final

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.types.words import LONGEST, ONE_LINE, checked_type, one_line
from slurmjob_operator.sbatch.value import Json, Release, ValueType

OPEN_MODES: Final = {"a": "append", "t": "truncate"}
OPEN_MODE_RULE: Final = 'must be "append" or "truncate"'

PROFILES: Final = ("energy", "lustre", "network", "task")
PROFILE_RULE: Final = f"must be a list, with commas, of {', '.join(PROFILES)}, or all, or none"

LIMITS: Final = frozenset({"AS", "CORE", "CPU", "DATA", "FSIZE", "MEMLOCK", "NOFILE", "NPROC", "RSS", "STACK"})
LIMITS_RULE: Final = f"must be ALL, NONE, or a list, with commas, of {', '.join(sorted(LIMITS))}"

FREQUENCY_RULE: Final = (
    "must be a number of seconds or a list, with commas, of task=SECONDS, energy=…, network=… and filesystem=…, e.g. "
    '"task=30,energy=0"'
)

EXPEDITE: Final = "expedite"
EXPEDITED: Final = Release(26, 5)
REQUEUE_RULE: Final = 'must be "true" or "false"; from 26.05 on also "expedite"'

LOGIN_RULE: Final = 'must be "true" or "false", or, before 26.05, a number of seconds, S or L'

EXPORT_RULE: Final = "must be ALL, NONE, NIL or a list, with commas, of variables, each with or without =VALUE"

_FREQUENCY = re.compile(r"(?:.*(?:task|energy|network|filesystem)=)?\s*\+?[0-9].*", re.IGNORECASE | re.ASCII)
_LOGIN = re.compile(r"(?:\s*[+-]?[0-9]+)?(?:[sl].*)?", re.IGNORECASE | re.ASCII)
_EXPORTED = re.compile(r"""(?:"[^"]*(?:"|$)|'[^']*(?:'|$)|[^,"'])+""")


def _open_mode(text: str, release: Release) -> str:
    """The first letter decides."""
    del release
    mode = OPEN_MODES.get(text[:1].lower())
    if mode is None:
        raise InvalidValue(text, OPEN_MODE_RULE)
    return mode


OPEN_MODE: Final = checked_type(
    "open mode",
    rule=OPEN_MODE_RULE,
    check=_open_mode,
    examples=("append", "truncate", "a", "T"),
    wrong=("", "x", "write"),
)


def _profile(text: str, release: Release) -> tuple[str, ...]:
    """The words that stand anywhere in the text; () where `none` does."""
    del release
    wanted = one_line(text, rule=PROFILE_RULE).lower()
    if "none" in wanted:
        return ()
    found = tuple(word for word in PROFILES if word in wanted or "all" in wanted)
    if not found:
        raise InvalidValue(text, PROFILE_RULE)
    return found


PROFILE: Final = ValueType(
    name="profile",
    json=Json.STRING,
    rule=PROFILE_RULE,
    parse=_profile,
    show=lambda value: ",".join(value) or "none",
    schema={"maxLength": LONGEST, "pattern": ONE_LINE},
    examples=("task", "energy,task", "ALL", "none", "task,none", "task+energy"),
    wrong=("", "foo", "cpu"),
)


def _limits(text: str, release: Release) -> str:
    """In capitals, as sbatch wants them; empty means ALL."""
    del release
    words = [word.removeprefix("RLIMIT_") for word in re.split(r"[,\s]+", text) if word]
    if words not in (["ALL"], ["NONE"]) and not LIMITS.issuperset(words):
        raise InvalidValue(text, LIMITS_RULE)
    return ",".join(words) or "ALL"


RESOURCE_LIMITS: Final = checked_type(
    "resource limits",
    rule=LIMITS_RULE,
    check=_limits,
    examples=("ALL", "NONE", "NOFILE,STACK", "RLIMIT_CORE"),
    wrong=("all", "none", "FOO", "NOFILE,FOO"),
)


def _frequency(text: str, release: Release) -> str:
    """What follows a number is not looked at. slurmctld refuses what is longer than the cluster's own."""
    del release
    if not all(_FREQUENCY.fullmatch(part) for part in text.split(",") if part):
        raise InvalidValue(text, FREQUENCY_RULE)
    return text


FREQUENCY: Final = checked_type(
    "sampling frequency",
    rule=FREQUENCY_RULE,
    check=_frequency,
    examples=("30", "task=30,energy=0", "5,network=10", "1.5", ""),
    wrong=("x", "task=x", "foo=1", "task=", "-1"),
)


def _requeue(text: str, release: Release) -> bool | str:
    """`expedite`: started again at once after a node's failure, ahead of the queue."""
    if text.lower() == EXPEDITE and release >= EXPEDITED:
        return EXPEDITE
    if text not in {"", "true", "false"}:
        raise InvalidValue(text, REQUEUE_RULE)
    return text != "false"


def _shown_requeue(value: Any) -> str:
    return EXPEDITE if value == EXPEDITE else str(value).lower()


REQUEUE: Final = ValueType(
    name="requeue",
    json=Json.BOOLEAN,
    rule=REQUEUE_RULE,
    parse=_requeue,
    show=_shown_requeue,
    schema={},
    examples=("true", "false"),
    wrong=("yes", "1", "x"),
)


def _login(text: str, release: Release) -> bool:
    """Older sbatch take how long to wait and which shell to ask, and do nothing with it for a batch job."""
    if text in {"true", "false"}:
        return text == "true"
    if release >= EXPEDITED or not _LOGIN.fullmatch(text):
        raise InvalidValue(text, LOGIN_RULE)
    return True


LOGIN: Final = ValueType(
    name="login environment",
    json=Json.BOOLEAN,
    rule=LOGIN_RULE,
    parse=_login,
    show=lambda value: str(value).lower(),
    schema={},
    examples=("true", "false"),
    wrong=("x", "yes", "3x", "1.5"),
)


def _export(text: str, release: Release) -> tuple[str, ...]:
    """Its words. Commas in quotes do not separate; the quotes stay part of the value."""
    del release
    return tuple(_EXPORTED.findall(one_line(text, rule=EXPORT_RULE, longest=EXPORT_LONGEST)))


EXPORT_LONGEST: Final = 131072

EXPORT: Final = ValueType(
    name="exported variables",
    json=Json.STRING,
    rule=EXPORT_RULE,
    parse=_export,
    show=lambda value: ",".join(value),
    schema={"maxLength": EXPORT_LONGEST, "pattern": ONE_LINE},
    examples=("ALL", "NONE", "A=1,B", "ALL,OMP_NUM_THREADS=8", "A='1,2',B=x", ""),
    wrong=("a\x00b", "A=1\nB=2"),
)
