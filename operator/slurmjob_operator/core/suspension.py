"""`spec.suspend`: nothing of the job waits in Slurm's queue or runs, until it is false again.

| when it is set | what becomes of the job |
|---|---|
| before anything is submitted | nothing is submitted |
| it waits in Slurm | held, with the note `suspended` in the marker; it keeps its job id |
| somebody holds it in Slurm | left as it is, then and afterwards |
| it runs, or tasks of it do or did | cancelled; a new attempt when it is resumed, which does not count |
| it waits, and there is no slurmdbd | cancelled as what runs |

What is found running when it should be held is as what runs. That it is cancelled for this reason stands in status
before the cancellation is sent: the end that comes of it is told from one that somebody else wanted, also by the next
process, and also when `suspend` is false again by then.

A job under the note `suspended` is released as one that never was (`recorded.held_without_note`): the note is as old
as Slurm's state save, which may have lost a release (TRAP F5).
"""

from __future__ import annotations

from dataclasses import replace

from slurmjob_operator.api.conditions import ConditionType, EventReason, Reason
from slurmjob_operator.api.status import Usage
from slurmjob_operator.core import arrays, marker, progress
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core.cancelling import CANCEL_LOOK_SECONDS, is_to_be_sent
from slurmjob_operator.core.decision import Cancel, Decision, EventNote, Hold
from slurmjob_operator.core.records import Accepted, JobRecord
from slurmjob_operator.core.states import PENDING, has_terminal_base, liveliness
from slurmjob_operator.core.view import Facts, JobView

HOLD_AGAIN_SECONDS = 5.0
"""A hold that did nothing is not sent again at once: a success without effect would make a loop of it."""

NOT_SUBMITTED = "Nothing is submitted to Slurm: `suspend` is true."


def not_to_be_submitted(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Nothing of the attempt exists in Slurm, and nothing is to."""
    return rest(view, now) if is_kept_back(view, facts) else None


def is_kept_back(view: JobView, facts: Facts) -> bool:
    """Whether it is suspended, and nothing of the attempt can be in Slurm."""
    nothing_sent = view.status.attempt is None or facts.fresh
    return view.suspend and nothing_sent and not isinstance(facts.submission, Accepted)


def rest(view: JobView, now: float) -> Decision:
    """Until somebody resumes it. After an attempt that the suspension ended, that stays said."""
    said = edit.find(view.status.conditions, ConditionType.SUSPENDED)
    known = said is not None and said.status == "True"
    message = said.message if said is not None and known else NOT_SUBMITTED
    return _told(view, Decision(status=progress.suspended(view, message=message, now=now)))


def to_be_suspended(view: JobView, facts: Facts, now: float) -> Decision | None:
    """A job of it is in Slurm: out of the queue it goes, or it is cancelled."""
    record = facts.controller
    if not isinstance(record, JobRecord):
        return None
    if is_under_way(view):
        return _cancel(view, facts, record, now)
    if not view.suspend or has_terminal_base(record.states) or _is_rolled_back(view, record):
        return None
    if _begun(record) or _released_without_slurmdbd(facts, record):
        return Decision(status=progress.suspending(view, now=now))
    if record.waits_held:
        return _told(view, Decision(status=progress.held_for_suspension(view, record, now=now)))
    return _hold(view, facts, now)


def _is_rolled_back(view: JobView, record: JobRecord) -> bool:
    """Held without a note although it was released: slurmctld has lost its newest state (TRAP F5), and the rule about
    that has the word."""
    mark = marker.parse(record.comment)
    noted = mark is not None and (mark.released or mark.suspended)
    return record.waits_held and not noted and (view.status.release_time or view.status.start_time) is not None


def _released_without_slurmdbd(facts: Facts, record: JobRecord) -> bool:
    """Nobody but status remembers its release, and after a hold nobody could tell it from one that is to come."""
    mark = marker.parse(record.comment)
    return not facts.connection.accounting and mark is not None and mark.released and not record.waits_held


def _begun(record: JobRecord) -> bool:
    """Whether it has run, or a part of it has: the rest cannot be proven never to have begun, so it is not held."""
    tasks = record.tasks
    if tasks is not None and (tasks.running or tasks.untold or tasks.over):
        return True
    parts = record.parts if record.het_id is not None else (record,)
    return record.restarts > 0 or any(liveliness(part.states) != PENDING for part in parts)


def is_under_way(view: JobView) -> bool:
    """Whether status says that the job is cancelled because of `spec.suspend`."""
    moving = edit.find(view.status.conditions, ConditionType.RECONCILING)
    return moving is not None and moving.reason == Reason.SUSPENDING


def _cancel(view: JobView, facts: Facts, record: JobRecord, now: float) -> Decision:
    """Until the record tells the end. What ends already is waited for, on a dead node as long as that takes."""
    if not has_terminal_base(record.states) and is_to_be_sent(facts, now):
        return Decision(status=view.status, action=Cancel(view.recorded_id))
    return Decision(status=view.status, recheck_at=now + CANCEL_LOOK_SECONDS)


def _hold(view: JobView, facts: Facts, now: float) -> Decision:
    if facts.held_at is None or now - facts.held_at >= HOLD_AGAIN_SECONDS:
        return Decision(status=view.status, action=Hold(view.recorded_id))
    return Decision(status=view.status, recheck_at=facts.held_at + HOLD_AGAIN_SECONDS)


def end_by_suspension(view: JobView, record: JobRecord, now: float, *, used: Usage | None) -> Decision | None:
    """The end that our cancellation brought; None: the job came to its own end before."""
    cancelled = record.states & {"CANCELLED"}
    if record.tasks is not None:
        cancelled = frozenset(outcome.state for outcome, _ in record.tasks.ended) & {"CANCELLED"}
    if not is_under_way(view) or not cancelled or arrays.too_many_to_try_again(record.tasks):
        return None
    return _told(view, Decision(status=progress.attempt_suspended(view, record, used=used, now=now)))


def _told(view: JobView, decision: Decision) -> Decision:
    """With an event as it begins."""
    if edit.is_true(view.status.conditions, ConditionType.SUSPENDED):
        return decision
    said = edit.find(decision.status.conditions, ConditionType.SUSPENDED)
    note = EventNote(reason=EventReason.SUSPENDED, message=said.message if said is not None else "")
    return replace(decision, events=(note,))


def resumed(view: JobView) -> tuple[EventNote, ...]:
    """An event as it ends."""
    if view.suspend or not edit.is_true(view.status.conditions, ConditionType.SUSPENDED):
        return ()
    return (EventNote(reason=EventReason.RESUMED, message="`suspend` is false again."),)
