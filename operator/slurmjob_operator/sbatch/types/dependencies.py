"""Jobs of Slurm that a job waits for."""

from __future__ import annotations

import re
from typing import Final

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.types.words import checked_type
from slurmjob_operator.sbatch.value import Release

LONGEST: Final = 131072
"""Bytes that slurmctld takes."""

RULE: Final = (
    'must be "singleton", a job\'s id, or TYPE:JOBID[:JOBID…] with after, afterany, afterburstbuffer, aftercorr, '
    "afternotok or afterok, several with commas (all must be fulfilled) or question marks (one is enough)"
)

_JOB = r"\s*[0-9]+(?:_(?:[0-9]+|\*))?(?:\+0*[1-9][0-9]*)?(?:\([^)]*\))?"
_ONE = re.compile(
    rf"singleton|(?:after(?:any|burstbuffer|corr|notok|ok)?|expand)(?::{_JOB})+", re.IGNORECASE | re.ASCII
)
_BARE_ID = re.compile(r"\s*[0-9]+(?:_[0-9]+)?", re.ASCII)


_ID = re.compile(r"(?:^|:)\s*([0-9]{1,10})", re.ASCII)


def job_ids(text: str) -> tuple[int, ...]:
    """The jobs that a dependency names, each once, of arrays the array's id."""
    return tuple(dict.fromkeys(int(found) for part in re.split(r"[,?]", text) for found in _ID.findall(part)))


def _check(text: str, release: Release) -> str:
    """Slurm's own syntax. Which jobs there are, and whether the two separators go together, slurmctld knows."""
    del release
    if text and not _BARE_ID.fullmatch(text) and not all(_ONE.fullmatch(part) for part in re.split(r"[,?]", text)):
        raise InvalidValue(text, RULE)
    return text


DEPENDENCY: Final = checked_type(
    "dependency",
    rule=RULE,
    check=_check,
    examples=("singleton", "1234", "afterok:1234", "AfterAny:1:2_3,afternotok:3_*", "after:12+10?singleton", ""),
    wrong=("afterok", "afterok:", "afterok:x", "after:1+0", "afterok:1,", " afterok:1", "never:1", "1:2", "singletonx"),
    longest=LONGEST,
)
"""Empty means none."""
