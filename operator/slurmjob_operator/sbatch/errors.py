"""What sbatch would refuse.

SbatchError
├── InvalidValue        a value that its option does not take
├── InvalidWord         a word of a command line that is no option, or an option without its argument
├── InvalidScript       a script, or a line of it, that sbatch does not read
├── ConflictingOptions  options that exclude each other, or need one another
└── NotOverRest         an option that this version of slurmrestd's API cannot say
"""

from __future__ import annotations

from typing import Final

SHOWN_CHARACTERS: Final = 60


class SbatchError(ValueError):
    """The text names the option or field, the value and the rule."""


class InvalidValue(SbatchError):
    """A value that sbatch would refuse. `rule` says what it must be."""

    def __init__(self, value: str, rule: str) -> None:
        super().__init__(f"{shown(value)}: {rule}")
        self.value = value
        self.rule = rule


class InvalidWord(SbatchError):
    """A word among arguments that sbatch would refuse. `index` counts the words from 0."""

    def __init__(self, value: str, rule: str, *, index: int) -> None:
        super().__init__(f"{shown(value)}: {rule}")
        self.value = value
        self.rule = rule
        self.index = index


class InvalidScript(SbatchError):
    """A script that sbatch would refuse. `line` counts from 1; None: the script as a whole."""

    def __init__(self, rule: str, *, line: int | None = None, value: str | None = None) -> None:
        where = "script" if line is None else f"script, line {line}"
        super().__init__(f"{where}: {rule}" if value is None else f"{where}: {shown(value)}: {rule}")
        self.rule = rule
        self.line = line
        self.value = value


class ConflictingOptions(SbatchError):
    """Options that do not go together, as sbatch sees it. `option` is the one to blame, by its long name."""

    def __init__(self, option: str, rule: str, *, value: str | None = None) -> None:
        super().__init__(f"{option}: {rule}" if value is None else f"{option}: {shown(value)}: {rule}")
        self.option = option
        self.rule = rule
        self.value = value


class NotOverRest(SbatchError):
    """An option that this API version cannot say. `reason` is a sentence, and says what to do instead."""

    def __init__(self, option: str, reason: str, *, value: str | None = None) -> None:
        super().__init__(f"{option}: {reason}")
        self.option = option
        self.reason = reason
        self.value = value


def shown(value: str) -> str:
    """A value as a message shows it: quoted, control characters escaped, shortened."""
    return repr(value if len(value) <= SHOWN_CHARACTERS else f"{value[:SHOWN_CHARACTERS]}…")
