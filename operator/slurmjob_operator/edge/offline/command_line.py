"""The command line of `manifest`: options of sbatch, read as sbatch reads them, and among them a few of ours.

Ours count by their full names alone, and none of them is an abbreviation of one of sbatch's (a test holds that).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from slurmjob_operator.sbatch import arguments, getopt
from slurmjob_operator.sbatch.arguments import Given
from slurmjob_operator.sbatch.errors import InvalidWord, shown
from slurmjob_operator.sbatch.option import Option
from slurmjob_operator.sbatch.options import TABLE
from slurmjob_operator.sbatch.value import Release

RELEASE: Final = "slurm-release"
WITH_ARGUMENT: Final = ("name", "namespace", "connection", RELEASE)
FLAGS: Final = ("fields", "directives", "use-sbatch-environment")
COMPONENTS: Final = ":"

TWO_JOBS: Final = "separates no components here; do that in the script, by `#SBATCH hetjob`"


class InvalidCommandLine(ValueError):
    """A command line that means nothing. The text names the word and the rule."""


@dataclass(slots=True)
class CommandLine:
    """`ours` maps names to arguments, "" for a flag; `script` is the file, None where none is named,
    `arguments` are those of the script."""

    given: list[Given] = field(default_factory=list)
    ours: dict[str, str] = field(default_factory=dict)
    script: str | None = None
    arguments: tuple[str, ...] = ()


def read(words: Sequence[str], *, release: Release) -> CommandLine:
    """Options before the script, and behind it, where sbatch would pass them to the script.

    Raises `InvalidCommandLine`.
    """
    line = CommandLine()
    left, operands = list(words), list[str]()
    while left:
        given, rest, closed = _options(left, line.ours, release)
        line.given += given
        operands += rest if closed else rest[:1]
        left = [] if closed else rest[1:]
    if COMPONENTS in operands:
        raise InvalidCommandLine(f"{shown(COMPONENTS)}: {TWO_JOBS}")
    line.script, line.arguments = (operands[0], tuple(operands[1:])) if operands else (None, ())
    return line


def release_named(words: Sequence[str]) -> str | None:
    """What `--slurm-release` says: it has to be known before the rest is read."""
    for index, word in enumerate(words):
        name, equals, text = word.partition("=")
        if name == f"--{RELEASE}":
            return text if equals else next(iter(words[index + 1 :]), None)
    return None


def _options(words: list[str], ours: dict[str, str], release: Release) -> tuple[list[Given], list[str], bool]:
    """The options at the beginning, what follows them, and whether `--` stands in between.

    A word that sbatch does not know is looked up among ours, taken out, and the rest read again.
    """
    known: getopt.Grammar[Option] = arguments.grammar(release, TABLE)
    words = list(words)
    while True:
        try:
            taken = list(getopt.options(words, known))
        except InvalidWord as error:
            if not _take(words, error.index, ours):
                raise InvalidCommandLine(str(error)) from None
        else:
            given = [Given(option=one.option, text=one.text) for one in taken]
            rest = words[taken[-1].next :] if taken else words
            closed = rest[:1] == [getopt.OPTIONS_END]
            return given, rest[1:] if closed else rest, closed


def _take(words: list[str], index: int, ours: dict[str, str]) -> bool:
    """Whether the word is one of our options; it is taken out with its argument."""
    name, equals, text = words[index].removeprefix("--").partition("=")
    if not words[index].startswith("--") or name not in (*WITH_ARGUMENT, *FLAGS):
        return False
    if name in FLAGS:
        if equals:
            raise InvalidCommandLine(f"{shown(words[index])}: --{name} takes no argument")
        ours[name] = ""
    elif equals:
        ours[name] = text
    elif index + 1 < len(words):
        ours[name] = words.pop(index + 1)
    else:
        raise InvalidCommandLine(f"{shown(words[index])}: --{name} needs an argument")
    del words[index]
    return True
