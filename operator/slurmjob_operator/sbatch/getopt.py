"""From words to options as getopt_long reads them: glued letters, `--name value`, `--name=value`, abbreviations."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from slurmjob_operator.sbatch.errors import InvalidWord
from slurmjob_operator.sbatch.option import Argument

T = TypeVar("T")

OPTIONS_END: Final = "--"
SHOWN_NAMES: Final = 4
"""So many names of an ambiguous abbreviation are listed."""
MAX_NAME: Final = 40
"""Longer words are near to no name, and would take long to compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar(Generic[T]):
    """The options that there are, with their arguments: by letter and by long name. `whose` is for messages."""

    whose: str
    short: Mapping[str, tuple[T, Argument]]
    long: Mapping[str, tuple[T, Argument]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken(Generic[T]):
    """An option among words; `index` is that of the word that names it, `next` of the word after all that is its."""

    option: T
    text: str | None
    index: int
    next: int


def options(words: Sequence[str], known: Grammar[T]) -> Iterator[Taken[T]]:
    """The options among words, one by one, up to a word that is none. Raises `InvalidWord` at what is wrong."""
    index = 0
    while index < len(words) and words[index].startswith("-") and words[index] not in {"-", OPTIONS_END}:
        found = [_long(words, index, known)] if words[index].startswith("--") else _short(words, index, known)
        yield from found
        index = found[-1].next


def end(words: Sequence[str], taken: Sequence[Taken[T]]) -> int:
    """The index of the first word that is no option; a `--` that ends them is passed over."""
    end = taken[-1].next if taken else 0
    return end + 1 if end < len(words) and words[end] == OPTIONS_END else end


def _long(words: Sequence[str], index: int, known: Grammar[T]) -> Taken[T]:
    word = words[index]
    typed, equals, text = word.removeprefix("--").partition("=")
    name = typed if typed in known.long else _completed(word, typed, index, known)
    option, argument = known.long[name]
    if equals:
        if argument is Argument.NONE:
            raise InvalidWord(word, f"--{name} takes no argument", index=index)
        return Taken(option=option, text=text, index=index, next=index + 1)
    if argument is not Argument.REQUIRED:
        return Taken(option=option, text=None, index=index, next=index + 1)
    return _with_next_word(option, words, index, f"--{name}")


def _completed(word: str, typed: str, index: int, known: Grammar[T]) -> str:
    """The name that an abbreviation stands for: names of one and the same option are no choice."""
    names = sorted(name for name in known.long if name.startswith(typed))
    if not names:
        raise InvalidWord(word, f"is no option of {known.whose}{_nearest(typed, known)}", index=index)
    if len({id(known.long[name][0]) for name in names}) > 1:
        listed = ", ".join(f"--{name}" for name in names[:SHOWN_NAMES])
        more = ", …" if len(names) > SHOWN_NAMES else ""
        raise InvalidWord(word, f"is short for more than one option: {listed}{more}", index=index)
    return names[0]


def _nearest(typed: str, known: Grammar[T]) -> str:
    close = difflib.get_close_matches(typed[:MAX_NAME], known.long, n=1)
    return f"; did you mean --{close[0]}?" if close else ""


def _short(words: Sequence[str], index: int, known: Grammar[T]) -> list[Taken[T]]:
    """The letters of a word: flags, and at most one option that takes the rest of the word, or else the next word."""
    word = words[index]
    taken: list[Taken[T]] = []
    for at, letter in enumerate(word[1:], start=2):
        if letter not in known.short:
            raise InvalidWord(word, f"-{letter} is no option of {known.whose}{_meant_long(word, known)}", index=index)
        option, argument = known.short[letter]
        rest = word[at:]
        if argument is Argument.REQUIRED and not rest:
            return [*taken, _with_next_word(option, words, index, f"-{letter}")]
        if argument is not Argument.NONE:
            return [*taken, Taken(option=option, text=rest or None, index=index, next=index + 1)]
        taken.append(Taken(option=option, text=None, index=index, next=index + 1))
    return taken


def _meant_long(word: str, known: Grammar[T]) -> str:
    """A long name that was given with one dash is one of letters; say so."""
    name = word[1:].partition("=")[0]
    return f"; long options have two dashes: --{name}" if name in known.long else ""


def _with_next_word(option: T, words: Sequence[str], index: int, name: str) -> Taken[T]:
    if index + 1 == len(words):
        raise InvalidWord(words[index], f"{name} needs an argument", index=index)
    return Taken(option=option, text=words[index + 1], index=index, next=index + 2)
