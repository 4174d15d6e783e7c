"""What the offline commands find wrong: one value for each finding, and how it is written."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from slurmjob_operator.edge.offline.kubectl_yaml import Path
from slurmjob_operator.sbatch.errors import SHOWN_CHARACTERS


class Level(StrEnum):
    """How bad a finding is: only errors fail a check."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A finding. `document` counts from 1 in its file; `field` is "" where it is of the whole object or document;
    `value` is None where there is none to show."""

    level: Level
    file: str
    line: int
    document: int
    kind: str
    name: str
    field: str
    value: str | None
    rule: str

    def __str__(self) -> str:
        of_what = f"{self.kind}/{self.name}" if self.name else self.kind
        parts = (of_what, self.field, self.value, self.rule)
        warning = "warning: " if self.level is Level.WARNING else ""
        where = f"{self.file}:{self.line}: document {self.document}: "
        return where + warning + ": ".join(part for part in parts if part)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def field_text(path: Path) -> str:
    """`spec.template.environment[0].name`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def value_text(value: Any) -> str | None:
    """A value as a message shows it: quoted where it is text, shortened; what holds others is not shown."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, str):
        return repr(value if len(value) <= SHOWN_CHARACTERS else f"{value[:SHOWN_CHARACTERS]}…")
    return str(value) if isinstance(value, int | float) else None
