"""GPUs and other resources that Slurm counts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.value import OLDEST, Json, Release, ValueType

GPUS_RULE: Final = 'must be COUNT or TYPE:COUNT, such as "a100:2", several separated by commas'
GRES_RULE: Final = 'must be NAME, NAME:COUNT or NAME:TYPE:COUNT, such as "gpu:a100:2,nvme", separated by commas'
PER_TASK_RULE: Final = 'must be cpu=COUNT or gres/NAME[:TYPE]=COUNT, such as "cpu=4,gres/gpu=1", separated by commas'
FLAGS_RULE: Final = "must be disable-binding or enforce-binding"
NEWER_FLAGS_RULE: Final = (
    "must be disable-binding, enforce-binding, multiple-tasks-per-sharing or one-task-per-sharing, separated by commas"
)

LONGEST: Final = 1024

NO_GRES: Final = "none"
"""As `--gres`: the same as none at all."""

_NUMBER = re.compile(r"[+-]?[0-9]+([kmgtp]?)b?", re.IGNORECASE)
_DIGITS = re.compile(r"([0-9]+)([kmgtp]?)", re.IGNORECASE)
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4, "p": 1024**5}
_GRES = re.compile(r"([^\s:=/,]+)(?:[:=]([^\n\x00,/]*))?")
_PER_TASK = re.compile(r"(cpu|(?:gres|license)/[^\s:=/,]+(?::[^\s:=/,0-9][^\s:=/,]*)?)[=:]([0-9]{1,9})", re.IGNORECASE)
_FLAGS = {
    OLDEST: frozenset({"disable-binding", "enforce-binding"}),
    None: frozenset({"disable-binding", "enforce-binding", "multiple-tasks-per-sharing", "one-task-per-sharing"}),
}


def amounts(text: str) -> dict[str, int]:
    """By type ("" where none is named) how many: `2`, `a100:2,v100:1`. What is given without a count counts as one."""
    found: dict[str, int] = {}
    for entry in filter(None, text.split(",")):
        kind, _, last = entry.replace("=", ":").rpartition(":")
        digits = _DIGITS.match(last)
        if digits is None:
            found[last] = 1
        else:
            found[kind] = int(digits[1]) * _UNITS[digits[2].lower()]
    return found


def gres_amounts(text: str) -> dict[tuple[str, str], int]:
    """Of a text for `--gres` by name and type how many: `gpu:a100:2,nvme`."""
    found: dict[tuple[str, str], int] = {}
    for entry in filter(None, text.split(",")):
        name, _, rest = entry.removeprefix("gres/").removeprefix("gres:").replace("=", ":").partition(":")
        for kind, count in amounts(rest or "1").items():
            found[name, kind] = count
    return found


def per_task(text: str) -> tuple[tuple[str, int], ...]:
    """Of a value of `--tres-per-task` the names and counts: `cpu=2,gres/gpu:a100=1`."""
    matches = [_PER_TASK.fullmatch(entry) for entry in text.split(",")]
    return tuple((match[1], int(match[2])) for match in matches if match is not None)


def _is_amount(text: str, release: Release) -> bool:
    """Whether `[TYPE:]COUNT` or `TYPE` can be read; newer releases take what 22.05 does not."""
    *kinds, last = text.split(":")
    if release == OLDEST:
        numeric = last[:1].isdigit()
        plain = len(kinds) < 2 and all(kinds)
        return plain and (_NUMBER.fullmatch(last) is not None if numeric or kinds else bool(last))
    return bool(re.match(r"[+-]?[0-9]", last)) if kinds else bool(last)


def _parse_gpus(text: str, release: Release) -> str:
    """Without entries that are empty; none at all is the same as not given. A type may have blanks in it."""
    entries = [entry for entry in text.split(",") if entry]
    readable = len(text) <= LONGEST and not re.search(r"[\n\x00]", text)
    if not readable or not all(_is_amount(entry, release) for entry in entries):
        raise InvalidValue(text, GPUS_RULE)
    return ",".join(entries)


def _parse_gres(text: str, release: Release) -> str:
    if text.lower() == NO_GRES:
        return NO_GRES
    if len(text) > LONGEST or not all(_is_gres(entry, release) for entry in text.split(",")):
        raise InvalidValue(text, GRES_RULE)
    return text


def _is_gres(entry: str, release: Release) -> bool:
    """Newer releases overlook an entry that is empty; each release knows one prefix."""
    older = release == OLDEST
    if not entry:
        return not older
    match = _GRES.fullmatch(entry.removeprefix("gres:" if older else "gres/"))
    if match is None or match[1].lower() in {NO_GRES, "help"} or (older and "=" in match[1]):
        return False
    return match[2] is None or (not (older and f"{match[1]}=" in entry) and _is_amount(match[2], release))


def _parse_per_task(text: str, release: Release) -> str:
    """Empty means none."""
    del release
    if not text:
        return text
    entries = text.split(",")
    if len(text) > LONGEST or len(per_task(text)) != len(entries) or ("cpu", 0) in per_task(text.lower()):
        raise InvalidValue(text, PER_TASK_RULE)
    return text


def _parse_flags(text: str, release: Release) -> tuple[str, ...]:
    known, rule = (_FLAGS[OLDEST], FLAGS_RULE) if release == OLDEST else (_FLAGS[None], NEWER_FLAGS_RULE)
    given = text.lower().split(",")
    words = tuple(dict.fromkeys(given if release == OLDEST else filter(None, given)))
    if not known.issuperset(words) or (release == OLDEST and len(words) > 1):
        raise InvalidValue(text, rule)
    if {"disable-binding", "enforce-binding"}.issubset(words):
        raise InvalidValue(text, "disable-binding and enforce-binding exclude each other")
    return words


def _text_type(
    name: str, rule: str, parse: Callable[[str, Release], str], *, examples: tuple[str, ...], wrong: tuple[str, ...]
) -> ValueType:
    return ValueType(
        name=name,
        json=Json.INT_OR_STRING if rule == GPUS_RULE else Json.STRING,
        rule=rule,
        parse=parse,
        show=str,
        schema={"maxLength": LONGEST},
        examples=examples,
        wrong=wrong,
    )


def _show_flags(value: Any) -> str:
    return ",".join(value)


GPUS: Final = _text_type(
    "gpus",
    GPUS_RULE,
    _parse_gpus,
    examples=("2", "0", "a100:2", "a100:1,v100:2", "2k", "a100", ""),
    wrong=("a100:", "2,a:", "a:b:c", "a\nb"),
)
GRES: Final = _text_type(
    "gres",
    GRES_RULE,
    _parse_gres,
    examples=("gpu", "gpu:2", "gpu:a100:2,widget:1", "gpu:a100", "none", "NONE"),
    wrong=("gpu:", "gpu:2:", "a b", "gpu/2", "gpu,none", "help", "license/matlab:1", "gpu:2:a100"),
)
TRES_PER_TASK: Final = _text_type(
    "tres per task",
    PER_TASK_RULE,
    _parse_per_task,
    examples=(
        "cpu=2",
        "cpu:2",
        "gres/gpu=1",
        "gres/gpu:a100=1",
        "cpu=2,gres/gpu=1",
        "gres/gpu:a100:1",
        "gres/gpu:1",
        "",
    ),
    wrong=("cpu", "cpu=0", "mem=1G", "gpu=1", "bb/x=1", "node=1", "energy=1", "gres/=1", "a b"),
)
GRES_FLAGS: Final = ValueType(
    name="gres flags",
    json=Json.STRING,
    rule=NEWER_FLAGS_RULE,
    parse=_parse_flags,
    show=_show_flags,
    schema={"maxLength": 128},
    examples=("disable-binding", "Enforce-Binding"),
    wrong=("foo", "disable-binding,enforce-binding", "allow-task-sharing"),
)
