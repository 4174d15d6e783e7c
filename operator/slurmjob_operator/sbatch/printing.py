"""From settings to `#SBATCH` lines that sbatch reads as the same again, and scripts with other lines than they had."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from slurmjob_operator.sbatch import lines
from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.option import Argument, Option
from slurmjob_operator.sbatch.options import TABLE
from slurmjob_operator.sbatch.script import FLAG_GIVEN
from slurmjob_operator.sbatch.settings import Settings
from slurmjob_operator.sbatch.value import Release

HETJOB: Final = f"{lines.SBATCH} hetjob"
FOREIGN_IGNORED: Final = f"{lines.SBATCH} --ignore-pbs"
FOREIGN: Final = (lines.PBS, lines.BSUB)

_NEEDS_NO_QUOTES: Final = re.compile(r"[A-Za-z0-9_@%+=:,./\[\]-]+")
_NEEDS_ESCAPE: Final = re.compile(r'(["\\])')
_NOT_IN_A_LINE: Final = re.compile(r"[\n\0]")


def words(settings: Settings, *, release: Release, table: Mapping[str, Option] = TABLE) -> list[str]:
    """Settings as words of a command line, without quotes: `--mem=4G`, `--hold`.

    A flag that is "false" has a word only where there is one for it (`--no-requeue`).
    """
    found = (_word(table[name], setting.text, release, table) for name, setting in settings.items())
    return [word for word in found if word is not None]


def directives(components: Sequence[Settings], *, release: Release, table: Mapping[str, Option] = TABLE) -> list[str]:
    """`#SBATCH` lines for the settings of each component of a job; most jobs have but one.

    Raises `InvalidValue` for a text that no line can hold.
    """
    printed: list[str] = []
    for count, settings in enumerate(components):
        printed += [HETJOB] if count else []
        printed += [f"{lines.SBATCH} {_quoted(word)}" for word in words(settings, release=release, table=table)]
    return printed


def with_directives(script: str, directives: Sequence[str], *, foreign_counts: bool = True) -> str:
    """The script with these lines after its first one, and no others that count. All other comments stay.

    `foreign_counts`: its `#PBS` and `#BSUB` lines are directives, and go too; else they stay, and are still ignored.
    """
    first, *others = script.split("\n")
    magic = (lines.SBATCH, *FOREIGN) if foreign_counts else (lines.SBATCH,)
    end = next((index for index, line in enumerate(others) if lines.ends_header(line)), len(others))
    header = [line for line in others[:end] if not line.startswith(magic)]
    body = [*header, *others[end:]]
    bare = "\n".join([first, *body])
    # among the commands they count as well, and may be part of a text that a command has to have as it is
    left = any(next(lines.foreign(bare, one), None) for one in FOREIGN)
    ignored = [FOREIGN_IGNORED] if left else []  # before all others: then it is for each component
    return "\n".join([first, *ignored, *directives, *body])


def _word(option: Option, text: str, release: Release, table: Mapping[str, Option]) -> str | None:
    argument = option.argument_in(release)
    if argument is not Argument.REQUIRED and text == (option.default or FLAG_GIVEN):
        return f"--{option.name}"
    opposite = next((row.name for row in table.values() if row.sets == option.name and row.default == text), None)
    if opposite is not None:
        return f"--{opposite}"
    return None if argument is Argument.NONE else f"--{option.name}={text}"


def _quoted(word: str) -> str:
    """The word so that sbatch reads it again: its value in quotes, where it has characters that mean something."""
    if _NOT_IN_A_LINE.search(word):
        raise InvalidValue(word, "a `#SBATCH` line can hold neither a line break nor a NUL character")
    name, equals, value = word.partition("=")
    if not equals or _NEEDS_NO_QUOTES.fullmatch(value):
        return word
    escaped = _NEEDS_ESCAPE.sub(r"\\\1", value)
    return f'{name}="{escaped}"'
