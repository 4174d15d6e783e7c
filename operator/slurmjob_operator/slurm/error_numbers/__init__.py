"""Slurm's error numbers, each with what it means for whoever asked and what to do about it.

The numbers and names are those of slurm_errno.h as the libraries of Slurm 22.05, 24.11 and 26.05 have them; a test
compares. A number may mean another thing on 22.05 (2040, 2041, 2063 to 2065); what stands here is right, or safe, for
both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from slurmjob_operator.slurm.error_numbers import daemons, elsewhere, jobs
from slurmjob_operator.slurm.error_numbers.group import ErrorNumber

TABLE: Final[Mapping[int, ErrorNumber]] = {
    row.number: row
    for groups in (daemons.GROUPS, jobs.GROUPS, elsewhere.GROUPS)
    for group in groups
    for row in group.rows()
}

NO_ERRORS: Final = frozenset({0, 115, 1900})
"""Success, one that is under way, and data that has not changed."""
