"""From a directive's line to words: quotes, escapes and comments, as sbatch has them, which is not as a shell does."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from slurmjob_operator.sbatch.errors import InvalidScript
from slurmjob_operator.sbatch.lines import SPACE, Line
from slurmjob_operator.sbatch.value import R24_11, Release

_SPACES: Final = re.compile(rf"[{SPACE}]*")
_SEPARATOR: Final = re.compile(rf"(hetjob|packjob)(?=[{SPACE}]|\Z)", re.IGNORECASE | re.ASCII)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)


def _pieces(not_escapable: str) -> re.Pattern[str]:
    """What words are made of. A backslash that escapes nothing is dropped; one before a quote's end escapes it, in
    single quotes too."""
    return re.compile(
        rf"""(?P<plain>[^{SPACE}"'\\#]+)
        |\\(?P<escaped>[^{not_escapable}])
        |(?P<dropped>\\)
        |"(?P<double>[^"\\]*+(?:\\.[^"\\]*+)*+)"
        |'(?P<single>[^'\\]*+(?:\\.[^'\\]*+)*+)'""",
        re.VERBOSE | re.DOTALL,
    )


_BEFORE_R24_11: Final = _pieces(SPACE)
_FROM_R24_11: Final = _pieces(SPACE.replace(" ", ""))


class Words(NamedTuple):
    """The words of a line. `separator`: the word that a line which separates the components of a heterogeneous job
    begins with, `hetjob` or `packjob`; such a line has no other words."""

    texts: tuple[str, ...]
    separator: str | None = None


def words(line: Line, *, release: Release) -> Words:
    """Split what follows `#SBATCH`.

    A `#` outside quotes ends the line, within a word too. So does a word of nothing, as `""`, and a `hetjob` that is
    not the first word. Raises `InvalidScript` for a colon at the start of a word and for a quote without its end.
    """
    pieces = _FROM_R24_11 if release >= R24_11 else _BEFORE_R24_11
    found: list[str] = []
    at = _after_spaces(line.text, 0)
    while at < len(line.text):
        if line.text[at] == ":":
            raise InvalidScript("a word must not begin with a colon outside quotes", line=line.number, value=":")
        if separator := _SEPARATOR.match(line.text, at):
            return Words(tuple(found), None if found else separator[1].lower())
        word, at = _word(line, at, pieces)
        if not word:
            break
        found.append(word)
        at = _after_spaces(line.text, at)
    return Words(tuple(found))


def _word(line: Line, start: int, pieces: re.Pattern[str]) -> tuple[str, int]:
    """The word that starts there, and where it ends; nothing where a comment starts."""
    word: list[str] = []
    at = start
    while at < len(line.text) and line.text[at] not in SPACE and line.text[at] != "#":
        piece = pieces.match(line.text, at)
        if piece is None:
            raise InvalidScript("a quote must end on the line it begins on", line=line.number, value=line.text[at:])
        word.append(_meant(piece))
        at = piece.end()
    if line.text[at : at + 1] == "#":
        at = len(line.text)
    return "".join(word), at


def _meant(piece: re.Match[str]) -> str:
    match piece.lastgroup:
        case "double" | "single":
            return _ESCAPE.sub(r"\1", piece[piece.lastgroup])
        case "dropped":
            return ""
        case kind:
            return piece[kind or 0]


def _after_spaces(text: str, at: int) -> int:
    spaces = _SPACES.match(text, at)
    return spaces.end() if spaces else at
