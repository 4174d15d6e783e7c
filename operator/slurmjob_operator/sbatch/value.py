"""What a value of an option is: how it is read, printed, and written down in a schema."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple


class Release(NamedTuple):
    """A release of Slurm: `Release(22, 5)`."""

    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.year}.{self.month:02}"


OLDEST: Final = Release(22, 5)
R24_11: Final = Release(24, 11)
NEWEST: Final = Release(26, 5)


class Json(StrEnum):
    """How a value stands in a manifest."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    INT_OR_STRING = "int-or-string"
    STRING = "string"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueType:
    """The values of some options.

    `parse` makes a value of sbatch's text for it, as sbatch of that release reads it, or raises `InvalidValue`;
    `show` prints a value so that `parse` gives it again. `rule` is the sentence for values that are refused.
    `schema` holds the bounds for the API server (`maxLength`, `pattern`, `minimum` …), never narrower than `parse`.
    `examples` are texts that all releases take; `wrong` are texts that all refuse.
    """

    name: str
    json: Json
    rule: str
    parse: Callable[[str, Release], Any]
    show: Callable[[Any], str]
    schema: dict[str, Any]
    examples: tuple[str, ...]
    wrong: tuple[str, ...] = ()
