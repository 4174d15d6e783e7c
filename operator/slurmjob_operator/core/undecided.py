"""What to do when nobody knows how an attempt ended, or whether it began: a person decides, or the policy, never we.

- *Lost*: Slurm is up and has no record of the job, in several reads over ten minutes.
- *Rolled back*: slurmctld has lost its newest state; the job is held again although it may have begun (TRAP F5).
- *Unconfirmed*: several submissions ended without an answer, and no job of them is found.
"""

from __future__ import annotations

from slurmjob_operator.api.conditions import ConditionType, EventReason, Reason
from slurmjob_operator.core import attempts, progress
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core.attempts import Verdict
from slurmjob_operator.core.decision import Cancel, Decision, EventNote, Release, Search
from slurmjob_operator.core.ending import end_by_word
from slurmjob_operator.core.identity import is_of_this_attempt
from slurmjob_operator.core.states import End
from slurmjob_operator.core.view import Facts, JobView

UNKNOWN_JOB_RECHECK_SECONDS = 30.0
UNKNOWN_OUTCOME_RECHECK_SECONDS = 300.0
LOST_SECONDS = 600
LOST_READS = 3

ASK = (
    " A person has to decide: annotate this object with slurmjob.dev/resolve: ATTEMPT/succeeded, ATTEMPT/failed or "
    "ATTEMPT/retry."
)


def is_lost(facts: Facts, now: float) -> bool:
    """Not seen in several reads over ten minutes, and slurmctld has told slurmdbd all that it knows."""
    since = facts.missing_since
    long_ago = since is not None and now - since >= LOST_SECONDS
    return long_ago and facts.missing_reads >= LOST_READS and facts.backlog == 0


def rolled_back(view: JobView, now: float, *, message: str) -> Decision:
    """Unlike a lost job this one is there, held. To retry is to release it; any other word cancels it first."""
    reason = Reason.STATE_ROLLED_BACK
    status = progress.unknown(view, reason=reason, message=message + ASK, now=now)
    if status != view.status:
        note = EventNote(reason=EventReason.OUTCOME_UNKNOWN, message=message, warning=True)
        return Decision(status=status, events=(note,))
    verdict = attempts.word_of_a_person(view) or attempts.word_of_the_policy(view)
    if verdict is None:
        return Decision(status=status, recheck_at=now + UNKNOWN_JOB_RECHECK_SECONDS)
    act = Release if verdict is Verdict.RETRY else Cancel
    return Decision(status=status, action=act(view.recorded_id))


def word_after_roll_back(view: JobView) -> End | None:
    """The end of a rolled-back job that was cancelled because a person, or the policy, said how it ended."""
    stalled = edit.find(view.status.conditions, ConditionType.STALLED)
    if stalled is None or stalled.reason != Reason.STATE_ROLLED_BACK:
        return None
    person = attempts.word_of_a_person(view)
    verdict = person or attempts.word_of_the_policy(view)
    if verdict not in (Verdict.SUCCEEDED, Verdict.FAILED):
        return None
    reason = Reason.STATE_ROLLED_BACK if person is None else Reason.RESOLVED
    said = "" if person is None else f" A person says: {person.value}."
    message = stalled.message.removesuffix(ASK) + said
    return End(succeeded=verdict is Verdict.SUCCEEDED, reason=reason, message=message)


def undecided(view: JobView, facts: Facts, now: float, *, reason: Reason, message: str) -> Decision:
    """Nobody knows how the attempt ended, or whether it began: a person decides, or the policy, never we."""
    person = attempts.word_of_a_person(view)
    verdict = person or attempts.word_of_the_policy(view)
    if verdict is Verdict.RETRY and facts.search is None:
        return Decision(status=view.status, action=Search())
    found = any(is_of_this_attempt(view, record) for record in facts.search or ())
    if verdict is None or (verdict is Verdict.RETRY and found):
        status = progress.unknown(view, reason=reason, message=message + ASK, now=now)
        note = EventNote(reason=EventReason.OUTCOME_UNKNOWN, message=message, warning=True)
        events = (note,) if status != view.status else ()
        return Decision(status=status, events=events, recheck_at=now + UNKNOWN_OUTCOME_RECHECK_SECONDS)
    if person is not None:
        reason, message = Reason.RESOLVED, f"{message} A person says: {person.value}."
    end = End(succeeded=verdict is Verdict.SUCCEEDED, reason=reason, message=message)
    if verdict is not Verdict.RETRY:
        return end_by_word(view, end, now)
    status = progress.retrying(view, end=end, record=None, now=now)
    return Decision(status=status, events=(EventNote(reason=EventReason.RETRYING, message=message, warning=True),))
