"""The options of `#PBS` and `#BSUB` lines that sbatch knows, and what they are among its own.

Measured on 22.05, 24.11 and 26.05, whose sbatch agrees but for `-d` and `-w` of `#PBS`. What is passed over without a
word here is passed over so by sbatch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from slurmjob_operator.sbatch import foreign_resources
from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.foreign_resources import Meant, Place
from slurmjob_operator.sbatch.lines import SPACE
from slurmjob_operator.sbatch.option import Argument
from slurmjob_operator.sbatch.value import OLDEST, R24_11, Release

MAIL_TYPE: Final = "mail-type"

UMASK: Final = "umask"
"""Not an option of sbatch's own, though `#PBS -W umask=` sets it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignOption:
    """`meaning` makes sbatch's options of an argument, or raises `InvalidValue`. `long_argument`: where a long name's
    is another than a letter's."""

    short: str
    long: tuple[str, ...] = ()
    argument: Argument = Argument.REQUIRED
    long_argument: Argument | None = None
    since: Release = OLDEST
    meaning: Callable[[str], Iterable[Meant]]


def _as(name: str) -> Callable[[str], Iterable[Meant]]:
    return lambda text: [Meant(name, text)]


def _flag(name: str) -> Callable[[str], Iterable[Meant]]:
    return lambda _: [Meant(name, None)]


def _nothing(_text: str) -> Iterable[Meant]:
    return ()


_KILOBYTES: Final = re.compile(rf"[{SPACE}]*\+?([0-9]+)")
MAIL_LETTERS: Final = {"b": "BEGIN", "e": "END", "a": "FAIL"}


def _mail(text: str) -> Iterable[Meant]:
    """Letters in any case; others are passed over beside a known one."""
    letters = text.lower()
    if "n" in letters:
        return [Meant(MAIL_TYPE, "NONE")]
    events = [event for letter, event in MAIL_LETTERS.items() if letter in letters]
    if not events:
        raise InvalidValue(text, "must have one of the letters a, b, e and n")
    return [Meant(MAIL_TYPE, ",".join(events))]


def _variables(text: str) -> Iterable[Meant]:
    return [Meant("export", text, Place.AFTER)]


def _attributes(text: str) -> Iterable[Meant]:
    """`depend=` and `umask=`; others are passed over."""
    name, equals, value = text.partition("=")
    match name.lower() + equals:
        case "depend=":
            return [Meant("dependency", value)]
        case "umask=":
            return [Meant(UMASK, value)]
    return ()


def _tasks(text: str) -> Iterable[Meant]:
    """The greater one of `MIN,MAX`."""
    _, comma, greatest = text.partition(",")
    if comma and not greatest:
        raise InvalidValue(text, "must be a number of tasks, or two with a comma")
    return [Meant("ntasks", greatest if comma else text)]


def _hosts(text: str) -> Iterable[Meant]:
    return [Meant("nodelist", text.replace(" ", ","))]


def _kilobytes(text: str) -> Iterable[Meant]:
    """KB where there is no unit."""
    number = _KILOBYTES.fullmatch(text)
    return [Meant("mem-per-cpu", f"{number[1]}K" if number else text)]


PBS_ROWS: Final = (
    ForeignOption(short="a", long=("start_time",), meaning=_as("begin")),
    ForeignOption(short="A", long=("account",), meaning=_as("account")),
    ForeignOption(short="c", long=("checkpoint",), meaning=_nothing),
    ForeignOption(short="C", long=("working_dir",), meaning=_nothing),
    ForeignOption(short="d", since=R24_11, meaning=_as("chdir")),
    ForeignOption(short="e", long=("error",), meaning=_as("error")),
    ForeignOption(short="h", long=("hold",), argument=Argument.NONE, meaning=_flag("hold")),
    ForeignOption(short="I", long=("interactive",), argument=Argument.NONE, meaning=_nothing),
    ForeignOption(short="j", long=("join",), long_argument=Argument.OPTIONAL, meaning=_nothing),
    ForeignOption(short="J", long=("job_array",), meaning=_as("array")),
    ForeignOption(short="k", long=("keep",), meaning=_nothing),
    ForeignOption(short="l", long=("resource_list",), meaning=foreign_resources.meaning),
    ForeignOption(short="m", long=("mail_options",), meaning=_mail),
    ForeignOption(short="M", long=("mail_user_list",), meaning=_as("mail-user")),
    ForeignOption(short="N", long=("job_name",), meaning=_as("job-name")),
    ForeignOption(short="o", long=("out",), meaning=_as("output")),
    ForeignOption(short="p", long=("priority",), meaning=_as("nice")),
    ForeignOption(short="q", long=("destination",), meaning=_as("partition")),
    ForeignOption(short="r", long=("rerunable",), meaning=_nothing),
    ForeignOption(short="S", long=("script_path",), meaning=_nothing),
    ForeignOption(short="t", long=("array",), meaning=_as("array")),
    ForeignOption(short="u", long=("running_user",), meaning=_nothing),
    ForeignOption(short="v", long=("variable_list",), meaning=_variables),
    ForeignOption(short="V", long=("all_env",), argument=Argument.NONE, meaning=_nothing),
    ForeignOption(short="w", since=R24_11, meaning=_as("chdir")),
    ForeignOption(short="W", long=("attributes",), meaning=_attributes),
    ForeignOption(short="z", long=("no_std",), argument=Argument.NONE, meaning=_nothing),
)

BSUB_ROWS: Final = (
    ForeignOption(short="c", long=("cwd",), meaning=_as("chdir")),
    ForeignOption(short="e", long=("error_file",), meaning=_as("error")),
    ForeignOption(short="J", long=("job_name",), meaning=_as("job-name")),
    ForeignOption(short="m", long=("hostname",), meaning=_hosts),
    ForeignOption(short="M", long=("memory_limit",), meaning=_kilobytes),
    ForeignOption(short="n", meaning=_tasks),
    ForeignOption(short="o", long=("output_file",), meaning=_as("output")),
    ForeignOption(short="q", long=("queue_name",), meaning=_as("partition")),
    ForeignOption(short="W", long=("time",), meaning=_as("time")),
    ForeignOption(short="x", long=("exclusive",), argument=Argument.NONE, meaning=_flag("exclusive")),
)
