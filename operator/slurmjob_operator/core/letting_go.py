"""The rules of a SlurmJob that is being deleted: nothing of it may run on unseen, and nothing may hang.

What was never submitted, is held and unreleased (cancelled first), or has ended is let go without ceremony.
A live job is cancelled, and let go when its base state is terminal; COMPLETING on a dead node is not waited for.
"""

from __future__ import annotations

from slurmjob_operator.api.conditions import ConditionType, EventReason, Reason
from slurmjob_operator.api.slurmjob import DeletionPolicy
from slurmjob_operator.core import arrays, attempts, marker, progress
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core.cancelling import CANCEL_LOOK_SECONDS, is_to_be_sent
from slurmjob_operator.core.decision import (
    Cancel,
    Decision,
    EventNote,
    ReadAccounting,
    ReadJob,
    RemoveFinalizer,
    Search,
)
from slurmjob_operator.core.identity import Identity, identify, marker_of
from slurmjob_operator.core.records import Accepted, JobRecord
from slurmjob_operator.core.states import runs_no_more
from slurmjob_operator.core.times import epoch_of
from slurmjob_operator.core.undecided import LOST_SECONDS, end_not_told
from slurmjob_operator.core.unrecorded import LATE_SUBMISSION_SECONDS
from slurmjob_operator.core.view import Deferral, Facts, JobView, NotKnown, Rejection, Trouble, Unconfirmed

LOOK_AGAIN_SECONDS = 10.0
NOTHING_LEFT_SECONDS = 600
LOOK_AT_CONNECTION_SECONDS = 30.0


def decide_deletion(view: JobView, facts: Facts, now: float) -> Decision:
    """What to do next about a SlurmJob with a deletion timestamp."""
    if not view.has_finalizer:
        return Decision(status=view.status)
    trouble = _trouble(view, facts, now)
    submission = facts.submission
    if isinstance(submission, Accepted) and submission.job_id != view.recorded_id and trouble is None:
        return Decision(status=view.status, action=Cancel(submission.job_id))  # A twin: unrecorded, so held.
    over = edit.is_true(view.status.conditions, ConditionType.FINISHED) or attempts.is_closed(view.status)
    if over or _nothing_submitted(view, facts):
        return Decision(status=view.status, action=RemoveFinalizer())
    if view.abandoned:
        return _let_go(view, why="it is annotated with slurmjob.dev/abandon")
    if trouble is not None:
        return _blocked(view, facts, trouble, now)
    if view.status.job_id is None:
        return _unrecorded(view, facts, now)
    return _recorded(view, facts, now)


def _nothing_submitted(view: JobView, facts: Facts) -> bool:
    """No attempt was opened, or all submissions of this process were answered with a no."""
    if view.status.job_id is not None:
        return False
    if isinstance(facts.submission, Accepted):
        return False
    if view.status.attempt is None or facts.fresh:
        return True
    answered = isinstance(facts.submission, Rejection | Deferral)
    return answered and facts.unconfirmed == 0 and facts.search is None


def _trouble(view: JobView, facts: Facts, now: float) -> Trouble | None:
    if facts.connection.problem is not None:
        return facts.connection.problem
    elsewhere = attempts.opened_elsewhere(view, facts.connection)
    if elsewhere is not None:
        return Trouble(reason=Reason.CONNECTION_CHANGED, message=elsewhere, retry_at=now + LOOK_AT_CONNECTION_SECONDS)
    return facts.trouble if facts.trouble is not None and now < facts.trouble.retry_at else None


def _blocked(view: JobView, facts: Facts, trouble: Trouble, now: float) -> Decision:
    """Slurm is away or the credential gone: keep trying, and say so once; not for ever."""
    if now >= _deadline(view, facts, trouble, now):
        return _let_go(view, why=trouble.message)
    recheck_at = min(trouble.retry_at, _deadline(view, facts, trouble, now))
    told = facts.blocked_told
    return _say_blocked(view, reason=trouble.reason, why=trouble.message, now=now, recheck_at=recheck_at, told=told)


def _say_blocked(
    view: JobView, *, reason: Reason, why: str, now: float, recheck_at: float, told: bool = True
) -> Decision:
    """In a condition, and in an event when that changes, and once by each process: it learns from the answer whether
    the namespace is being terminated."""
    message = f"The Slurm job cannot be cancelled now: {why}"
    status = progress.unsynced(view, reason=reason, message=message, now=now)
    note = EventNote(reason=EventReason.FINALIZER_BLOCKED, message=message, warning=True)
    return Decision(status=status, events=() if told and status == view.status else (note,), recheck_at=recheck_at)


def _let_go(view: JobView, *, why: str) -> Decision:
    """Name what may live on: nobody follows it any more."""
    job = f"Slurm job {view.status.job_id}" if view.status.job_id else "a held Slurm job, if there is one,"
    message = (
        f"{view.namespace}/{view.name} is let go although {job} of user {view.status.user} on "
        f"{view.status.cluster_name} was not cancelled: {why}"
    )
    note = EventNote(reason=EventReason.ORPHANED, message=message, warning=True, must_be_seen=True)
    return Decision(status=view.status, action=RemoveFinalizer(), events=(note,))


def _deadline(view: JobView, facts: Facts, trouble: Trouble, now: float) -> float:
    """Until when the object waits. Where its namespace is being terminated, and the Secret or the connection is gone
    already, nothing will come back, and the namespace should end."""
    since = epoch_of(view.deletion_time) if view.deletion_time else now
    longest = facts.connection.deletion_deadline_seconds
    gone = trouble.secret_gone or trouble.reason in (Reason.SECRET_NOT_FOUND, Reason.CONNECTION_NOT_FOUND)
    if gone and facts.terminating:
        return max(since, trouble.since or now) + min(longest, NOTHING_LEFT_SECONDS)
    return since + longest


def _unrecorded(view: JobView, facts: Facts, now: float) -> Decision:
    """A submission may have happened: find what carries our marker, and cancel it. It is held."""
    if facts.search is None:
        return Decision(status=view.status, action=Search())
    for record in facts.search:
        mark = marker_of(record)
        if mark is None or mark.uid != view.uid or runs_no_more(record.states):
            continue
        if view.deletion_policy is DeletionPolicy.CANCEL or (record.waits_held and not mark.released):
            return _cancel_found(view, facts, job_id=record.job_id, now=now)
    if isinstance(facts.submission, Unconfirmed):
        settled = facts.submission.at + LATE_SUBMISSION_SECONDS
        if facts.searched_at < settled:
            action = Search() if now >= settled else None
            return Decision(status=view.status, action=action, recheck_at=settled)
    return Decision(status=view.status, action=RemoveFinalizer())


def _recorded(view: JobView, facts: Facts, now: float) -> Decision:
    job_id = view.recorded_id
    if facts.controller is None:
        return Decision(status=view.status, action=ReadJob(job_id))
    if isinstance(facts.controller, NotKnown):
        return _not_known(view, facts, facts.controller, now)
    record = facts.controller
    identity = identify(view, record)
    if identity is Identity.NOT_OURS:
        return _not_known(view, facts, NotKnown(since=facts.missing_since or now), now)
    if identity is Identity.UNPROVEN:
        why = f"Slurm job {job_id} cannot be proven to be this object's; it is left alone."
        since = facts.missing_since or now
        return _let_go_or_wait(view, since=since, reason=Reason.IDENTITY_UNPROVEN, why=why, now=now)
    if runs_no_more(record.states) or _no_task_lives(record):
        return Decision(status=view.status, action=RemoveFinalizer())
    mark = marker.parse(record.comment)
    unreleased = record.waits_held and mark is not None and not mark.released
    if view.deletion_policy is DeletionPolicy.ORPHAN and not unreleased:
        message = f"Slurm job {job_id} of user {record.user} runs on (deletionPolicy Orphan)."
        note = EventNote(reason=EventReason.ORPHANED, message=message)
        return Decision(status=view.status, action=RemoveFinalizer(), events=(note,))
    return _cancel(view, facts, job_id=job_id, now=now)


def _no_task_lives(record: JobRecord) -> bool:
    """Of an array slurmctld shows those that are over, and has forgotten others: how they ended is not waited for."""
    return record.tasks is not None and not record.tasks.pending and not record.tasks.running


def _cancel_found(view: JobView, facts: Facts, *, job_id: int, now: float) -> Decision:
    """Cancel what a search found; then search again, after a moment, until nothing of it lives."""
    if facts.cancelled_at is not None and now - facts.cancelled_at < CANCEL_LOOK_SECONDS:
        return Decision(status=view.status, recheck_at=facts.cancelled_at + CANCEL_LOOK_SECONDS)
    return Decision(status=view.status, action=Cancel(job_id))


def _cancel(view: JobView, facts: Facts, *, job_id: int, now: float) -> Decision:
    status = progress.cancelling(view, now=now)
    if is_to_be_sent(facts, now):
        note = EventNote(
            reason=EventReason.CANCEL_REQUESTED,
            message=f"Cancelling Slurm job {job_id}: the object is deleted.",
        )
        events = (note,) if status != view.status else ()
        return Decision(status=status, action=Cancel(job_id), events=events)
    return Decision(status=status, recheck_at=now + CANCEL_LOOK_SECONDS)


def _not_known(view: JobView, facts: Facts, unknown: NotKnown, now: float) -> Decision:
    if facts.accounting is None:
        return Decision(status=view.status, action=ReadAccounting(view.recorded_id))
    newest = arrays.by_slurmdbd(view, facts)
    if newest is not None and runs_no_more(newest.states):
        return Decision(status=view.status, action=RemoveFinalizer())
    why = f"slurmctld does not know job {view.status.job_id} and {end_not_told(facts)}."
    return _let_go_or_wait(view, since=unknown.since, reason=Reason.JOB_NOT_FOUND, why=why, now=now)


def _let_go_or_wait(view: JobView, *, since: float, reason: Reason, why: str, now: float) -> Decision:
    """Absence is no end, but an object cannot wait for ever: after ten minutes it goes, and the job is named."""
    known_lost = attempts.unknown_reason(view.status) in (Reason.JOB_RECORD_LOST, Reason.IDENTITY_UNPROVEN)
    if now - since < LOST_SECONDS and not known_lost:
        recheck_at = min(now + LOOK_AGAIN_SECONDS, since + LOST_SECONDS)
        return _say_blocked(view, reason=reason, why=why, now=now, recheck_at=recheck_at)
    message = (
        f"{view.namespace}/{view.name} is let go although Slurm job {view.status.job_id} of user {view.status.user} "
        f"on {view.status.cluster_name} was not found for {LOST_SECONDS // 60} minutes, or not proven to be its own. "
        "If it turns up again, nobody follows it."
    )
    note = EventNote(reason=EventReason.ORPHANED, message=message, warning=True, must_be_seen=True)
    return Decision(status=view.status, action=RemoveFinalizer(), events=(note,))
