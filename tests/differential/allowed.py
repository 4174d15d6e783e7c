"""Differences from sbatch that are allowed, each with its reason. All others fail a test, and so does a row that no
script needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tests.differential.differences import Difference

AT_MOST: Final = 15

OLD: Final = ("v0.0.38",)
EVERY: Final = ("bookworm", "trixie", "forky")
MIDDLE: Final = ("v0.0.40", "v0.0.41")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`field`, `ours` and `theirs` are patterns for all of the text; `versions` those of the API, none: all."""

    name: str
    reason: str
    suites: tuple[str, ...]
    field: str
    versions: tuple[str, ...] = ()
    ours: str = ".*"
    theirs: str = ".*"

    def speaks_of(self, suite: str, version: str) -> bool:
        """Whether the row is about this release and version."""
        return suite in self.suites and (not self.versions or version in self.versions)

    def allows(self, found: Difference, *, suite: str, version: str) -> bool:
        """Whether this row explains it."""
        pairs = ((self.field, found.field), (self.ours, found.ours), (self.theirs, found.theirs))
        return self.speaks_of(suite, version) and all(
            re.fullmatch(pattern, text, re.DOTALL) is not None for pattern, text in pairs
        )


ROWS: Final[tuple[Row, ...]] = (
    Row(
        name="oom-kill-step",
        reason="these versions have no key for it, and slurmrestd sets 0 where sbatch leaves it to the cluster",
        suites=("trixie",),
        versions=MIDDLE,
        field=r"(\d\.)?scontrol\.OOMKillStep",
        ours="0",
        theirs="absent",
    ),
    Row(
        name="gres",
        reason="slurmrestd of 22.05 checks generic resources as sbatch does, and says only that it cannot parse",
        suites=("bookworm",),
        field="outcome",
        ours=r"refused, (slurmrestd: 400|SubmissionRejected:) .*Failure during parsing.*",
        theirs=r"refused, (slurmctld: Invalid (generic resource|GRES)|options that do not go together).*",
    ),
    Row(
        name="empty-name",
        reason="a job whose answer was lost is found again by its name, so where it is empty it is the SlurmJob's",
        suites=EVERY,
        field=r"(\d\.)?(scontrol\.JobName|rest\.name)",
        theirs="",
    ),
    Row(
        name="both-ends-of-a-bad-dependency",
        reason="`--kill-on-invalid-dep` twice, with yes and with no: sbatch sets both flags, and only one can be meant",
        suites=EVERY,
        field=r"(\d\.)?(rest\.flags|scontrol\.KillOI?n?InvalidDependent)",
        theirs=r".*(KILL_INV\w*,.*NO_KILL_INV\w*|YesKill|Yes,Kill|No).*",
    ),
    Row(
        name="begin-after-deadline",
        reason="sbatch compares the two by the clock, as slurmctld does from 24.11 on; that of 22.05 does not",
        suites=("bookworm",),
        field="outcome",
        ours="accepted",
        theirs=".*Incompatible begin and deadline.*",
    ),
    Row(
        name="unknown-dependency",
        reason="22.05 drops a dependency on a job that slurmctld does not know, and the job would run at once",
        suites=("bookworm",),
        field="outcome",
        ours=r"refused, .*does not know job.*",
        theirs="accepted",
    ),
    Row(
        name="gpus-of-a-task-overlooked",
        reason="from 24.11 on sbatch overlooks what it cannot read there, and the job would have no GPUs",
        suites=("trixie", "forky"),
        field="outcome",
        ours=r"refused, bad value .*--gpus-per-task.*",
        theirs="accepted",
    ),
)


def explaining(found: Difference, *, suite: str, version: str) -> Row | None:
    """The first row that allows it."""
    return next((row for row in ROWS if row.allows(found, suite=suite, version=version)), None)
