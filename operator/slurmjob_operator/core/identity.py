"""Whose job is it? Slurm reuses ids, so a record is believed only when it proves to be of our attempt.

Ours: the user matches and the marker names this object and attempt; or there is no marker (sites and
administrators rewrite comments) and user, name and submit time match.
Not ours: another user, another object's marker, or submitted before the attempt was opened.
Anything else is unproven: no cancel, no release, no end.
"""

from __future__ import annotations

from enum import Enum

from slurmjob_operator.core import marker
from slurmjob_operator.core.marker import Marker
from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.core.times import epoch_of
from slurmjob_operator.core.view import JobView

CLOCK_SLACK_SECONDS = 300
"""How far our clock and slurmctld's may be apart."""


SLURMDBD_NAME_BYTES = 255


class Identity(Enum):
    """Verdict about one record."""

    OURS = "ours"
    NOT_OURS = "not ours"
    UNPROVEN = "unproven"


def marker_of(record: JobRecord) -> Marker | None:
    """The marker that tells whose job it is: in the comment, or in `extra` where a site has rewritten the comment.
    What we noted about the job stands in the comment's alone."""
    return marker.parse(record.comment) or marker.parse(record.extra)


def identify(view: JobView, record: JobRecord) -> Identity:
    """Judge a record found under the id that this object's status names."""
    status = view.status
    if status.user is not None and record.user != status.user:
        return Identity.NOT_OURS
    mark = marker_of(record)
    if mark is not None:
        same = mark.uid == view.uid and mark.attempt == status.attempt
        return Identity.OURS if same else Identity.NOT_OURS
    opened = epoch_of(status.attempt_time) if status.attempt_time else None
    if record.submit_time is None or opened is None:
        return Identity.UNPROVEN
    if record.submit_time < opened - CLOCK_SLACK_SECONDS:
        return Identity.NOT_OURS
    if not same_name(record.name, view.slurm_name):
        return Identity.UNPROVEN
    return Identity.OURS if _submit_time_matches(view, record.submit_time, record.restarts) else Identity.UNPROVEN


def _submit_time_matches(view: JobView, submit_time: int, restarts: int) -> bool:
    """A requeue moves the submit time and raises the restart count: a later time with one is the same job. Until
    Slurm's own time stands in status, ours does, by another clock."""
    if view.status.submit_time is None:
        return False
    known = epoch_of(view.status.submit_time)
    earlier_restarts = (view.status.slurm.restarts or 0) if view.status.slurm else 0
    if submit_time > known and restarts > earlier_restarts:
        return True
    told_by_slurm = view.status.slurm is not None
    return abs(submit_time - known) <= (0 if told_by_slurm else CLOCK_SLACK_SECONDS)


def same_name(kept: str, name: str) -> bool:
    """Whether a record's name is this one. slurmdbd keeps 255 bytes of a name, and a double quote as a
    backquote (measured on 26.05)."""
    wanted = name.replace('"', "`")
    cut = len(wanted.encode()) > SLURMDBD_NAME_BYTES
    return kept in (name, wanted) or (cut and len(kept.encode()) >= SLURMDBD_NAME_BYTES - 3 and wanted.startswith(kept))


def is_of_this_attempt(view: JobView, record: JobRecord) -> bool:
    """Whether a record found by a search carries the marker of the open attempt, for the template it was opened for."""
    mark = marker_of(record)
    return (
        mark is not None
        and mark.uid == view.uid
        and mark.attempt == view.status.attempt
        and mark.template_hash == view.status.template_hash
        and (view.status.user is None or record.user == view.status.user)
    )


def never_ran(record: JobRecord) -> bool:
    """Whether it was cancelled while it was held and unreleased: a twin, that says nothing about its attempt."""
    mark = marker_of(record)
    released = mark is not None and mark.released
    return "CANCELLED" in record.states and not released and record.began_at is None


RUN_AGAIN = frozenset({"BOOT_FAIL", "NODE_FAIL", "PREEMPTED", "REQUEUED"})
"""How slurmdbd closes a record of a job that Slurm starts again under the same id."""


def newest_of_ours(view: JobView, records: tuple[JobRecord, ...]) -> JobRecord | None:
    """Of slurmdbd's records of one id the newest that is ours; None: none is. A requeue makes several, a reused id
    too (TRAP F3).

    A record of the same user and name that follows one of ours that Slurm ran again is the same job, although its
    submit time is another and slurmdbd does not know its comment yet (TRAPS A2, Q3).
    """
    newest: JobRecord | None = None
    for record in sorted(records, key=lambda record: record.submit_time or 0):
        continued = newest is not None and bool(newest.states & RUN_AGAIN) and _continues(view, record)
        if identify(view, record) is Identity.OURS or continued:
            newest = record
    return newest


def _continues(view: JobView, record: JobRecord) -> bool:
    mark = marker_of(record)
    same_user = view.status.user in (None, record.user)
    return mark is None and same_user and same_name(record.name, view.slurm_name)
