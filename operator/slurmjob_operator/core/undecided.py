"""What to do when nobody knows how an attempt ended, or whether it began: a person decides, or the policy, never we.

- *Lost*: Slurm is up and has no record of the job, in several reads over ten minutes.
- *Unproven*: for half an hour the job under the recorded id could not be told from a stranger's.
- *Rolled back*: slurmctld has lost its newest state; the job is held again although it may have begun (TRAP F5).
- *Unconfirmed*: several submissions ended without an answer, and no job of them is found.

A retry is a new attempt, never a second release of the same job; it is counted like every other.
"""

from __future__ import annotations

from slurmjob_operator.api.conditions import EventReason, Reason
from slurmjob_operator.core import attempts, progress
from slurmjob_operator.core.attempts import Verdict, Word
from slurmjob_operator.core.decision import Cancel, Decision, EventNote, Search
from slurmjob_operator.core.ending import end_by_word
from slurmjob_operator.core.identity import is_of_this_attempt, never_ran
from slurmjob_operator.core.view import Facts, JobView

UNKNOWN_JOB_RECHECK_SECONDS = 30.0
BACKLOG_RECHECK_SECONDS = 5.0
"""slurmctld hands its backlog over within seconds once slurmdbd is back (measured: 13 to 15 s)."""

UNKNOWN_OUTCOME_RECHECK_SECONDS = 300.0
LOST_SECONDS = 600
LOST_READS = 3
UNPROVEN_SECONDS = 1800


def end_not_told(facts: Facts) -> str:
    """Why slurmdbd does not tell the end of a job that slurmctld does not know."""
    if not facts.connection.accounting:
        return "there is no slurmdbd"
    if facts.backlog:
        return "slurmdbd has not yet heard all that slurmctld has to tell"
    return "slurmdbd has no record of its end"


def is_lost(view: JobView, facts: Facts, now: float) -> bool:
    """Not seen in several reads over ten minutes, and slurmctld has told slurmdbd, where there is one, all that it
    knows. What status says of it already stands until the job is seen."""
    heard = facts.backlog == 0 or not facts.connection.accounting
    said_before = attempts.unknown_reason(view.status) is Reason.JOB_RECORD_LOST
    since = facts.missing_since
    long_ago = since is not None and now - since >= LOST_SECONDS
    return heard and (said_before or (long_ago and facts.missing_reads >= LOST_READS))


def is_long_unproven(view: JobView, facts: Facts, now: float) -> bool:
    """Half an hour without a proof that the job under the recorded id is ours or a stranger's."""
    said_before = attempts.unknown_reason(view.status) is Reason.IDENTITY_UNPROVEN
    since = facts.missing_since
    return said_before or (since is not None and now - since >= UNPROVEN_SECONDS)


def undecided(view: JobView, facts: Facts, now: float, *, reason: Reason, message: str) -> Decision:
    """Say so, and wait for a word."""
    if attempts.unknown_reason(view.status) is not reason:
        status = progress.unknown(view, reason=reason, message=message + attempts.ASK, now=now)
        note = EventNote(reason=EventReason.OUTCOME_UNKNOWN, message=message, warning=True)
        return Decision(status=status, events=(note,))
    word = attempts.word(view)
    again = word is not None and word.verdict is Verdict.RETRY
    if again and facts.search is None:
        return Decision(status=view.status, action=Search())
    found = next((r for r in facts.search or () if is_of_this_attempt(view, r) and not never_ran(r)), None)
    if again and found is not None:
        message = f"{message} A retry waits: Slurm job {found.job_id} of this attempt is found."
    if word is None or (again and found is not None):
        status = progress.unknown(view, reason=reason, message=message + attempts.ASK, now=now)
        return Decision(status=status, recheck_at=now + UNKNOWN_OUTCOME_RECHECK_SECONDS)
    return end_by_word(view, word, now)


def rolled_back(view: JobView, now: float, *, message: str) -> Decision:
    """Unlike a lost job this one is there, held: whatever the word is, it is cancelled first."""
    reason = Reason.STATE_ROLLED_BACK
    status = progress.unknown(view, reason=reason, message=message + attempts.ASK, now=now)
    if attempts.unknown_reason(view.status) is not reason:
        note = EventNote(reason=EventReason.OUTCOME_UNKNOWN, message=message, warning=True)
        return Decision(status=status, events=(note,))
    if attempts.word(view) is None:
        return Decision(status=status, recheck_at=now + UNKNOWN_JOB_RECHECK_SECONDS)
    return Decision(status=status, action=Cancel(view.recorded_id))


def word_after_roll_back(view: JobView) -> Word | None:
    """The word on a rolled-back job that was cancelled because of it."""
    return attempts.word(view) if attempts.unknown_reason(view.status) is Reason.STATE_ROLLED_BACK else None
