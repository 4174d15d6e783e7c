"""What rows say of arrays of jobs: of which array, and which of its tasks, they are.

slurmctld cuts the text of indexes after 64 characters, with three dots; slurmdbd gives a mask of bits, whole (measured
on 22.05, 24.11 and 26.05).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from slurmjob_operator.sbatch.errors import SbatchError
from slurmjob_operator.sbatch.index_sets import IndexSet
from slurmjob_operator.sbatch.types.arrays import MOST_TASKS, spec_of
from slurmjob_operator.slurm.dialects import reading

LONGEST_MASK: Final = 1_250_000
"""Hexadecimal digits: bits of indexes up to five million, above the largest MaxArraySize."""

NO_INDEX: Final = "4294967294"
"""What Slurm writes for `%a` in the file names of tasks that have not started."""

_MASK = re.compile(r"0x[0-9A-Fa-f]+", re.ASCII)


def controller_indexes(raw: Mapping[str, Any]) -> IndexSet | None:
    """Of a job of job/{id} or jobs."""
    index = reading.count(raw.get("array_task_id"))
    if index is not None:
        return IndexSet.of([index])
    text = raw.get("array_task_string")
    try:
        spec = spec_of(text) if isinstance(text, str) else None
    except SbatchError:
        return None
    return None if spec is None else spec.indexes


def accounting_indexes(array: Mapping[str, Any]) -> IndexSet | None:
    """Of the object `array` of a job of slurmdb/job(s)."""
    index = reading.count(array.get("task_id"))
    if index is not None:
        return IndexSet.of([index])
    text = array.get("task")
    if not isinstance(text, str) or len(text) > LONGEST_MASK or not _MASK.fullmatch(text):
        return None
    bits = f"{int(text, 16):b}"[::-1]
    if bits.count("1") > MOST_TASKS:
        return None
    return IndexSet.of(index for index, bit in enumerate(bits) if bit == "1")


def of_all_tasks(path: str | None) -> str | None:
    """A file's name with the pattern for the index put back."""
    return None if path is None else path.replace(NO_INDEX, "%a")
