"""What a decision may be: a new status, one action, events; and when to look again."""

from __future__ import annotations

from dataclasses import dataclass

from slurmjob_operator.api.conditions import EventReason
from slurmjob_operator.api.status import SlurmJobStatus


@dataclass(frozen=True, slots=True)
class AddFinalizer:
    """Put our finalizer on the object, once, before anything exists in Slurm."""


@dataclass(frozen=True, slots=True)
class RemoveFinalizer:
    """Let the object go: nothing of it can run in Slurm any more, or it may run on by itself."""


@dataclass(frozen=True, slots=True)
class ReadSources:
    """Read the ConfigMaps that the template names."""


@dataclass(frozen=True, slots=True)
class Submit:
    """Submit the open attempt, held. Never sent before the opened attempt stands in status."""


@dataclass(frozen=True, slots=True)
class Search:
    """Look for jobs of this object in Slurm, by name, user and time, then by marker."""


@dataclass(frozen=True, slots=True)
class ReadJob:
    """Ask slurmctld for one job."""

    job_id: int


@dataclass(frozen=True, slots=True)
class ReadAccounting:
    """Ask slurmdbd for all records of one job id, and slurmctld for its backlog towards slurmdbd."""

    job_id: int


@dataclass(frozen=True, slots=True)
class ReadUsage:
    """Ask slurmdbd what a job used that has ended. Nothing waits for the answer but what it is about."""

    job_id: int


@dataclass(frozen=True, slots=True)
class ReadUpSince:
    """Ask slurmctld since when it has been up."""


@dataclass(frozen=True, slots=True)
class Release:
    """Lift the hold of the recorded job, with the note in the same update; where the user wants it held, note
    alone that it is in the user's hands now."""

    job_id: int


@dataclass(frozen=True, slots=True)
class Hold:
    """Take a released job that waits out of the queue, with the note `suspended` in the same update."""

    job_id: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel one job that is proven to be ours."""

    job_id: int


Action = (
    AddFinalizer
    | RemoveFinalizer
    | ReadSources
    | Submit
    | Search
    | ReadJob
    | ReadAccounting
    | ReadUsage
    | ReadUpSince
    | Release
    | Hold
    | Cancel
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventNote:
    """A Kubernetes event to post once the decision's status stands. `must_be_seen`: also when the object's
    namespace takes none any more; then in the operator's own."""

    reason: EventReason
    message: str
    warning: bool = False
    must_be_seen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do next. The status is written first; only when that succeeded, the action is taken.

    `status` equal to the view's: nothing is written. No action: rest until something new is known, or until
    `recheck_at` (epoch seconds).
    """

    status: SlurmJobStatus
    action: Action | None = None
    events: tuple[EventNote, ...] = ()
    recheck_at: float | None = None
