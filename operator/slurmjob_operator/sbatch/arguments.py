"""Options on a command line, and those of a script's directives, which are one command line over all lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple, TypeVar

from slurmjob_operator.sbatch import getopt
from slurmjob_operator.sbatch.errors import InvalidScript, InvalidValue, InvalidWord
from slurmjob_operator.sbatch.getopt import Grammar, Taken
from slurmjob_operator.sbatch.option import Option
from slurmjob_operator.sbatch.options import TABLE
from slurmjob_operator.sbatch.value import Release

T = TypeVar("T")

NO_OPTION: Final = (
    "is no option, nor an option's argument; one with blanks needs quotes, and one that may be left out comes after `=`"
)
NO_WORD_OF_SBATCH: Final = "must be another word: sbatch does not know this one, which is for manifests alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An option as it was given. `text` is None where no argument was: the option's `default` stands for it.

    `line` is that of the script, from 1, or None for a command line. `foreign` is what stands there where it is another
    batch system's: `#PBS -l`.
    """

    option: Option
    text: str | None
    line: int | None = None
    foreign: str | None = None

    @property
    def where(self) -> str:
        """For messages: `script, line 3: --mem`, or `--mem` of a command line."""
        name = self.foreign or f"--{self.option.name}"
        return name if self.line is None else f"script, line {self.line}: {name}"


class Word(NamedTuple):
    """A word of a script's directives, and the line that it stands on."""

    text: str
    line: int


def read(
    words: Sequence[str], *, release: Release, table: Mapping[str, Option] = TABLE
) -> tuple[tuple[Given, ...], tuple[str, ...]]:
    """The options of a command line, and what follows them: the first word that is no option ends them.

    Raises `InvalidWord`.
    """
    taken = list(getopt.options(words, grammar(release, table)))
    return tuple(Given(option=one.option, text=one.text) for one in taken), tuple(words[getopt.end(words, taken) :])


def read_directives(words: Sequence[Word], known: Grammar[T]) -> Iterator[Taken[T]]:
    """The options of a script's directives, which are one list of arguments over all lines, one by one.

    Raises `InvalidScript` when it comes to what is wrong, also to a word that is no option: a script has none to pass
    on.
    """
    texts = [word.text for word in words]
    taken: list[Taken[T]] = []
    try:
        for one in getopt.options(texts, known):
            yield one
            taken.append(one)
    except InvalidWord as error:
        raise InvalidScript(error.rule, line=words[error.index].line, value=error.value) from None
    end = getopt.end(texts, taken)
    if end < len(words):
        raise InvalidScript(NO_OPTION, line=words[end].line, value=words[end].text)


def checked(given: Given, release: Release) -> Given:
    """The same, if its option takes the value, or takes it for now. Raises `InvalidScript`."""
    if given.text is not None:
        try:
            _check(given.option, given.text, release)
        except InvalidValue as error:
            name = given.foreign or f"--{given.option.name}"
            raise InvalidScript(f"{name}: {error}", line=given.line) from error
    return given


def _check(option: Option, text: str, release: Release) -> None:
    if text.lower() in option.ours:
        raise InvalidValue(text, NO_WORD_OF_SBATCH)
    if option.type is not None and not option.late:
        option.type.parse(text, release)


def grammar(release: Release, table: Mapping[str, Option]) -> Grammar[Option]:
    """The options of a release's sbatch."""
    return _grammar_of_table(release) if table is TABLE else _grammar(release, table)


@cache
def _grammar_of_table(release: Release) -> Grammar[Option]:
    return _grammar(release, TABLE)


def _grammar(release: Release, table: Mapping[str, Option]) -> Grammar[Option]:
    rows = [(row, row.argument_in(release)) for row in table.values() if row.known_in(release)]
    return Grammar(
        whose=f"sbatch {release}",
        short={row.short: (row, argument) for row, argument in rows if row.short},
        long={name: (row, argument) for row, argument in rows for name in (row.name, *row.aliases)},
    )
