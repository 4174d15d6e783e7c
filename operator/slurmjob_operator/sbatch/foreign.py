"""`#PBS` and `#BSUB` lines of a script: sbatch reads them as if they were its own, after those of `#SBATCH`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from slurmjob_operator.sbatch import lines, tokens
from slurmjob_operator.sbatch.arguments import Given, Word, checked, read_directives
from slurmjob_operator.sbatch.errors import InvalidScript, InvalidValue
from slurmjob_operator.sbatch.foreign_options import BSUB_ROWS, MAIL_TYPE, PBS_ROWS, UMASK, ForeignOption
from slurmjob_operator.sbatch.foreign_resources import Meant, Place
from slurmjob_operator.sbatch.getopt import Grammar, Taken
from slurmjob_operator.sbatch.option import Option
from slurmjob_operator.sbatch.value import Release

LONGEST_TEXT: Final = 128 * 1024
"""Of an argument that is put together: no process could be given more."""

HIGHEST_UMASK: Final = 0o777
UMASK_IS_LOST: Final = "the umask of a job cannot be said over REST; call `umask` in the script"

_C_NUMBER: Final = re.compile(r"(?P<octal>0[0-7]*)|(?P<decimal>-?[1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """What lines of another batch system say, to each component of a heterogeneous job anew.

    `given`: what counts of them, each with the place of its text. `warnings` are sentences.
    """

    given: tuple[tuple[Given, Place], ...]
    warnings: tuple[str, ...]

    def after(self, before: Iterable[Given], *, release: Release) -> tuple[Given, ...]:
        """What they add to the options of a component. Raises `InvalidScript`."""
        texts = {one.option.name: one.text for one in before}
        return tuple(
            one if place is Place.INSTEAD else checked(_beside(texts.get(one.option.name), one, place), release)
            for one, place in self.given
        )


def read(script: str, *, release: Release, table: Mapping[str, Option]) -> Foreign:
    """Read the lines. A script with `#BSUB` lines has no `#PBS` lines for sbatch. Raises `InvalidScript`."""
    magic = lines.BSUB if next(lines.foreign(script, lines.BSUB), None) else lines.PBS
    words = _words(script, magic, release)
    said: list[tuple[Given, Place]] = []
    warnings: list[str] = []
    for one in read_directives(words, _grammar(magic, release)) if words else ():
        where = Word(f"{magic} -{one.option.short}", words[one.index].line)
        for meant in _meaning(one, where):
            if meant.option == UMASK:
                warnings += _umask(meant.text or "", where)
                continue
            given = Given(option=table[meant.option], text=meant.text, line=where.line, foreign=where.text)
            said.append((checked(given, release), meant.place))
    return Foreign(given=_counting(said), warnings=tuple(warnings))


def _counting(said: Iterable[tuple[Given, Place]]) -> tuple[tuple[Given, Place], ...]:
    """The last of each option, and one of all texts that are put together; mails count each for itself."""
    last: dict[tuple[str, str | None], tuple[Given, Place]] = {}
    for given, place in said:
        key = (given.option.name, given.text if given.option.name == MAIL_TYPE else None)
        earlier = last.pop(key, None)
        together = earlier is not None and place is not Place.INSTEAD
        last[key] = (_beside(earlier[0].text, given, place) if earlier and together else given, place)
    return tuple(last.values())


def _beside(there: str | None, given: Given, place: Place) -> Given:
    if there is None:
        return given
    text = f"{there},{given.text}" if place is Place.AFTER else f"{given.text},{there}"
    if len(text) > LONGEST_TEXT:
        raise InvalidScript(f"{given.foreign}: all texts together must be shorter", line=given.line)
    return replace(given, text=text)


def _words(script: str, magic: str, release: Release) -> list[Word]:
    words = [
        Word(text, line.number)
        for line in lines.foreign(script, magic)
        for text in tokens.words(line, release=release).texts
    ]
    return words if magic == lines.PBS else [_bsub_word(word, index) for index, word in enumerate(words)]


def _bsub_word(word: Word, index: int) -> Word:
    """`-cwd` is nothing that getopt could read. sbatch sees to that in every second word, where it expects options."""
    return Word("-c", word.line) if word.text == "-cwd" and index % 2 == 0 else word


def _grammar(magic: str, release: Release) -> Grammar[ForeignOption]:
    rows = [row for row in (PBS_ROWS if magic == lines.PBS else BSUB_ROWS) if row.since <= release]
    return Grammar(
        whose=f"{magic} that sbatch knows (`#SBATCH --ignore-pbs` leaves out all such lines)",
        short={row.short: (row, row.argument) for row in rows},
        long={name: (row, row.long_argument or row.argument) for row in rows for name in row.long},
    )


def _meaning(one: Taken[ForeignOption], where: Word) -> Iterable[Meant]:
    try:
        return one.option.meaning(one.text or "")
    except InvalidValue as error:
        raise InvalidScript(f"{where.text}: {error.rule}", line=where.line, value=error.value) from None


def _umask(text: str, where: Word) -> list[str]:
    """A warning. What is no number means nothing to sbatch, and one that is no umask is refused."""
    number = _C_NUMBER.fullmatch(text)
    if number is None:
        return []
    value = int(text, 8) if number["octal"] else int(text)
    if not 0 <= value <= HIGHEST_UMASK:
        raise InvalidScript(f"{where.text}: a umask must be a number from 0 to 0777", line=where.line, value=text)
    return [f"script, line {where.line}: {where.text}: {UMASK_IS_LOST}"]
