"""Which lines of a script count, as sbatch has it (the same on 22.05, 24.11 and 26.05)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from slurmjob_operator.sbatch.errors import InvalidScript

SPACE: Final = " \t\n\v\f\r"
"""What C's isspace() calls white space; a no-break space is none."""

SBATCH: Final = "#SBATCH"
PBS: Final = "#PBS"
BSUB: Final = "#BSUB"

FOREIGN_REACH: Final = 100
"""Lines of `#PBS` and `#BSUB` count until more than so many lines that are no comments have gone by, blank ones too."""

BYTE_ORDER_MARK: Final = "\ufeff"


class Line(NamedTuple):
    """A line, or what follows the `#SBATCH` on it. `number` counts from 1."""

    number: int
    text: str


def check(script: str) -> None:
    """Raise `InvalidScript` for a script that sbatch does not send, whatever its lines say."""
    if not script.strip(SPACE):
        raise InvalidScript("is empty")
    if script.startswith(BYTE_ORDER_MARK):
        raise InvalidScript("must not start with a byte order mark: its first two bytes must be `#!`", line=1)
    if not script.startswith("#!"):
        raise InvalidScript("must start with `#!` and the path of an interpreter, as in `#!/bin/bash`", line=1)
    if (at := script.find("\0")) >= 0:
        raise InvalidScript("must not hold a NUL character", line=_number(script, at))
    if (at := script.find("\r\n")) >= 0:
        raise InvalidScript(r"must end its lines with \n, not with \r\n as DOS does", line=_number(script, at))


def directives(script: str) -> Iterator[Line]:
    """What follows `#SBATCH` on the lines that start with it, down to the first command.

    Blank lines and comments stop nothing, indented ones neither; an indented `#SBATCH` is such a comment.
    """
    for line in numbered(script):
        if line.text.startswith(SBATCH):
            yield Line(line.number, line.text[len(SBATCH) :])
        elif ends_header(line.text):
            return


def foreign(script: str, magic: str) -> Iterator[Line]:
    """What follows `#PBS` or `#BSUB` on the lines that start with it, among the commands too, and in here-documents."""
    others = 0
    for line in numbered(script) if magic in script else ():
        if line.text.startswith(magic):
            yield Line(line.number, line.text[len(magic) :])
        elif not line.text.startswith("#"):
            others += 1
            if others > FOREIGN_REACH:
                return


def numbered(script: str) -> Iterator[Line]:
    """The lines of a script without their ends, read one by one: a header is short, a script may be long."""
    start, number = 0, 1
    while start < len(script):
        end = script.find("\n", start)
        end = len(script) if end < 0 else end
        yield Line(number, script[start:end])
        start, number = end + 1, number + 1


def ends_header(line: str) -> bool:
    """Whether this is a command: neither blank nor a comment."""
    return line.lstrip(SPACE)[:1] not in {"", "#"}


def _number(script: str, at: int) -> int:
    return script.count("\n", 0, at) + 1
