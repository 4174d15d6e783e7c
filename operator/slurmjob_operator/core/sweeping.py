"""Twins: held jobs of this installation that no attempt owns. They never run; the sweep cancels them.

A lost answer, a killed operator or two of them at once may leave one behind. A job is suspected when it is held,
has never started, carries our marker without the note `released`, and was submitted more than two minutes ago. It is a
twin when the object that its marker names is gone, or can never record this id any more. An object that may still
record it (its attempt is open, or a restored backup makes it look younger than the job) owns it.
"""

from __future__ import annotations

from collections.abc import Iterable

from slurmjob_operator.api.status import SlurmJobStatus
from slurmjob_operator.core import marker
from slurmjob_operator.core.attempts import is_closed
from slurmjob_operator.core.marker import Marker
from slurmjob_operator.core.records import JobRecord

SETTLED_SECONDS = 120
"""A job younger than that may be just about to be recorded."""


def suspects(records: Iterable[JobRecord], *, installation: str) -> tuple[tuple[JobRecord, Marker], ...]:
    """Held jobs of this installation that were never released, young ones included."""
    found = []
    for record in records:
        mark = marker.parse(record.comment)
        ours = mark is not None and mark.installation == installation and not mark.released
        if mark is not None and ours and record.waits_held and record.restarts == 0:
            found.append((record, mark))
    return tuple(found)


def is_settled(record: JobRecord, *, now: float) -> bool:
    """Whether it was submitted long enough ago (by Slurm's clock against ours)."""
    return record.submit_time is not None and now - record.submit_time >= SETTLED_SECONDS


def disowns(status: SlurmJobStatus, mark: Marker, *, job_id: int) -> bool:
    """Whether the object that the marker names can never record this job any more."""
    if status.attempt is None or status.attempt < mark.attempt or status.job_id == str(job_id):
        return False
    return status.attempt > mark.attempt or status.job_id is not None or is_closed(status)
