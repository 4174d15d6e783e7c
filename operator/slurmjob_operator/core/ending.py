"""How an attempt ends in status: by a record, or by a word where there is none."""

from __future__ import annotations

from dataclasses import replace

from slurmjob_operator.api.conditions import ConditionType, EventReason, Reason
from slurmjob_operator.api.status import SlurmJobStatus, Usage
from slurmjob_operator.core import arrays, attempts, progress
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core.attempts import Verdict, Word
from slurmjob_operator.core.decision import Decision, EventNote
from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.core.states import End
from slurmjob_operator.core.view import JobView
from slurmjob_operator.sbatch.index_sets import LONGEST_TEXT


def end_by_record(view: JobView, record: JobRecord, now: float, *, used: Usage | None = None) -> Decision:
    """The record of a job that is over: the end, or another attempt if `backoffLimit` allows one. `used` is what is
    known of what the run used."""
    end = arrays.end_of_job(record)
    again = not end.succeeded and attempts.is_tried_again(record.states) and attempts.retries_left(view)
    if again and arrays.too_many_to_try_again(record.tasks):
        end = _not_written_down(end)
        return _told(progress.ended(view, record, end=end, used=used, now=now))
    if again:
        status = progress.retrying(view, end=end, record=record, used=used, now=now)
        reconciling = edit.find(status.conditions, ConditionType.RECONCILING)
        message = reconciling.message if reconciling else end.message
        return Decision(status=status, events=(EventNote(reason=EventReason.RETRYING, message=message, warning=True),))
    return _told(progress.ended(view, record, end=end, used=used, now=now))


def _not_written_down(end: End) -> End:
    """The next attempt would not know which tasks are left."""
    message = f"{end.message} The indexes are too many to be written down ({LONGEST_TEXT} bytes): there is no retry."
    return End(succeeded=False, reason=Reason.INDEX_SET_TOO_LARGE, message=message)


def _told(status: SlurmJobStatus) -> Decision:
    finished_condition = edit.find(status.conditions, ConditionType.FINISHED)
    message = finished_condition.message if finished_condition else ""
    reason = EventReason.COMPLETED if status.succeeded else EventReason.FAILED
    return Decision(status=status, events=(EventNote(reason=reason, message=message, warning=not status.succeeded),))


def end_by_word(view: JobView, word: Word, now: float) -> Decision:
    """What a person, or the policy, says of an attempt of unknown outcome, with the reason why it was unknown."""
    stalled = edit.find(view.status.conditions, ConditionType.STALLED)
    reason = attempts.unknown_reason(view.status) or Reason.JOB_RECORD_LOST
    message = stalled.message.removesuffix(attempts.ASK) if stalled is not None else ""
    if word.of_a_person:
        reason, message = Reason.RESOLVED, f"{message} A person says: {word.verdict.value}.".strip()
    end = End(succeeded=word.verdict is Verdict.SUCCEEDED, reason=reason, message=message)
    if word.verdict is not Verdict.RETRY:
        return end_unseen(view, end, now)
    status = progress.retrying(view, end=end, record=None, now=now)
    event = EventReason.RESOLVED if word.of_a_person else EventReason.RETRYING
    return Decision(status=status, events=(EventNote(reason=event, message=message, warning=True),))


def end_unseen(view: JobView, end: End, now: float) -> Decision:
    """An end that no record of a run tells: it never ran, or somebody says how it ended."""
    if end.reason is Reason.RESOLVED:
        reason = EventReason.RESOLVED
    else:
        reason = EventReason.COMPLETED if end.succeeded else EventReason.FAILED
    note = EventNote(reason=reason, message=end.message, warning=not end.succeeded)
    return Decision(status=progress.decided(view, end, now=now), events=(note,))


def end_without_another_attempt(view: JobView, now: float) -> Decision:
    """`backoffLimit` was lowered while the next attempt was waited for: the last one decides."""
    last = view.status.attempts[-1]
    message = f"Attempt {last.attempt} ended as {last.state}, and backoffLimit allows no other."
    ended = replace(view, status=replace(view.status, exit_code=last.exit_code, signal=last.signal))
    return end_unseen(ended, End(succeeded=False, reason=Reason(last.reason), message=message), now)


def announce(view: JobView, status: SlurmJobStatus, note: EventNote) -> Decision:
    """Post the event only when the status changes: decisions are made again and again."""
    return Decision(status=status, events=(note,) if status != view.status else ())
