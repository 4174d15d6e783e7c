"""Scripts to be compared, and what becomes of one: a held job, or a refusal."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from tests.differential import scripts

HOME: Final = "/home/alice"
"""Where sbatch is run, and the working directory of a SlurmJob that names none."""

ENVIRONMENT: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": HOME, "USER": "alice", "LANG": "C.UTF-8"}
"""All that sbatch has as environment; no job record shows it."""

ANCHOR: Final = "@ANCHOR@"
"""In a script: the id of a held job called `anchor`, which a dependency can wait for. Others are soon fulfilled, and
slurmctld forgets them when it next looks."""

LONGEST_SLUG: Final = 48

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{,58}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A script. `name` is the file that it stands in and the SlurmJob that has it, so the job's name by default.

    `at_random`: it may hold more than one mistake, of which each side tells another.
    """

    name: str
    script: str
    at_random: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no name of a case: at most 60 small letters, digits, dots and dashes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A job was made; of an array or a heterogeneous job this is the first id. `said`: what came with the answer."""

    job_id: int
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """No job was made. `reason` is one of `tests.differential.reasons`, `text` is what was said."""

    reason: str
    text: str


Outcome = Held | Refused


def committed() -> tuple[Case, ...]:
    """All `CASES` of `tests/differential/scripts`, each named by its module and its own name."""
    names = sorted(module.name for module in pkgutil.iter_modules(scripts.__path__))
    return tuple(case for name in names for case in of_module(name))


def of_module(name: str) -> tuple[Case, ...]:
    """The cases of one module of `scripts`; none, where it has none (yet)."""
    module = importlib.import_module(f"{scripts.__name__}.{name}")
    given = [(slug(f"{name}-{case}"), script) for case, script in getattr(module, "CASES", ())]
    seen = Counter[str]()
    made = []
    for short, script in given:
        seen[short] += 1
        made.append(Case(name=short if seen[short] == 1 else f"{short}-again-{seen[short]}", script=script))
    return tuple(made)


def slug(text: str) -> str:
    """A name for a case that is near to a text."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:LONGEST_SLUG].strip("-") or "script"


def blocks(text: str) -> list[tuple[str, str]]:
    """Scripts that stand one after another, each behind a line `== name`."""
    parts = re.split(r"^== (\S+)\n", text, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))
