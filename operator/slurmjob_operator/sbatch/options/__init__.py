"""The table: every option of sbatch, by its long name."""

from __future__ import annotations

from typing import Final

from slurmjob_operator.sbatch.option import Option
from slurmjob_operator.sbatch.options import (
    behaviour,
    cores,
    facilities,
    files,
    gpus,
    identity,
    memory,
    notification,
    placement,
    refused,
    scheduling,
    tasks,
    without_effect,
)

ROWS: Final[tuple[Option, ...]] = (
    *identity.ROWS,
    *scheduling.ROWS,
    *tasks.ROWS,
    *cores.ROWS,
    *memory.ROWS,
    *gpus.ROWS,
    *placement.ROWS,
    *facilities.ROWS,
    *files.ROWS,
    *notification.ROWS,
    *behaviour.ROWS,
    *without_effect.ROWS,
    *refused.ROWS,
)

TABLE: Final = {row.name: row for row in ROWS}
"""By long name."""

FIELDS: Final = {row.field: row for row in ROWS if row.field}
"""By name in `template`."""
