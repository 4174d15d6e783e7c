"""Rules once a job id is recorded: read it, prove that it is ours, release it once, follow it to its end."""

from __future__ import annotations

from dataclasses import replace

from slurmjob_operator.api.conditions import ConditionType, EventReason, Reason
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core import marker, progress
from slurmjob_operator.core.decision import Cancel, Decision, EventNote, ReadAccounting, ReadJob, Release
from slurmjob_operator.core.ending import end_by_record, end_by_word
from slurmjob_operator.core.identity import Identity, identify
from slurmjob_operator.core.records import Accepted, JobRecord
from slurmjob_operator.core.states import End, is_over
from slurmjob_operator.core.undecided import (
    LOST_SECONDS,
    UNKNOWN_JOB_RECHECK_SECONDS,
    is_lost,
    rolled_back,
    undecided,
    word_after_roll_back,
)
from slurmjob_operator.core.view import Facts, JobView, NotKnown


def not_visible(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Losing sight of Slurm is never an end."""
    trouble = facts.connection.problem or facts.trouble
    if trouble is None or (facts.connection.problem is None and now >= trouble.retry_at):
        return None
    status = progress.unsynced(view, reason=trouble.reason, message=trouble.message, now=now)
    return Decision(status=status, recheck_at=trouble.retry_at)


def accepted_twin(view: JobView, facts: Facts, _now: float) -> Decision | None:
    """Another id was recorded while we submitted: ours is held, unrecorded, and goes."""
    submission = facts.submission
    if not isinstance(submission, Accepted) or submission.job_id == view.recorded_id:
        return None
    return Decision(status=view.status, action=Cancel(submission.job_id))


def not_read(view: JobView, facts: Facts, _now: float) -> Decision | None:
    """What slurmctld says now is not known."""
    return Decision(status=view.status, action=ReadJob(view.recorded_id)) if facts.controller is None else None


def not_known_to_slurmctld(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Forgotten after its end (MinJobAge), or lost: slurmdbd's record decides, absence never does."""
    if not isinstance(facts.controller, NotKnown):
        return None
    if facts.accounting is None:
        return Decision(status=view.status, action=ReadAccounting(view.recorded_id))
    record = newest_of_ours(view, facts.accounting)
    if record is not None and is_over(record.states):
        return end_by_record(view, record, now)
    if is_lost(facts, now):
        message = (
            f"Neither slurmctld nor slurmdbd has known an end of job {view.status.job_id} for "
            f"{LOST_SECONDS // 60} minutes: its record is lost."
        )
        return undecided(view, facts, now, reason=Reason.JOB_RECORD_LOST, message=message)
    message = f"slurmctld does not know job {view.status.job_id} and slurmdbd has no record of its end; still looking."
    status = progress.unsynced(view, reason=Reason.JOB_NOT_FOUND, message=message, now=now)
    return Decision(status=status, recheck_at=now + UNKNOWN_JOB_RECHECK_SECONDS)


def not_proven_ours(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Another job may have this id: it is not followed, not released, not cancelled."""
    record = _record(facts)
    identity = identify(view, record)
    if identity is Identity.OURS:
        return None
    if identity is Identity.NOT_OURS:
        since = facts.missing_since or now
        return not_known_to_slurmctld(view, replace(facts, controller=NotKnown(since=since)), now)
    message = f"Slurm job {view.status.job_id} cannot be proven to be this object's; it is left alone."
    status = progress.unsynced(view, reason=Reason.IDENTITY_UNPROVEN, message=message, now=now)
    return Decision(status=status, recheck_at=now + UNKNOWN_JOB_RECHECK_SECONDS)


def over(view: JobView, facts: Facts, now: float) -> Decision | None:
    """A record says so."""
    record = _record(facts)
    if not is_over(record.states):
        return None
    word = word_after_roll_back(view)
    if word is not None:
        return end_by_word(view, word, now)
    if facts.release_refused is not None and record.start_time == record.end_time:
        return end_by_word(
            view, End(succeeded=False, reason=Reason.RELEASE_REFUSED, message=facts.release_refused), now
        )
    return end_by_record(view, record, now)


def release_refused(view: JobView, facts: Facts, now: float) -> Decision | None:
    """A site's rules will not let it go: the held job is cancelled."""
    if facts.release_refused is None:
        return None
    if facts.cancelled_at is None:
        return Decision(status=view.status, action=Cancel(view.recorded_id))
    return Decision(status=view.status, recheck_at=now + 2)


def held_without_note(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Release it once. Held without the note is not proof that it never ran: slurmctld may have rolled back
    (TRAP F5), so only the process that recorded it and sent no release may do so unasked."""
    record = _record(facts)
    mark = marker.parse(record.comment)
    if not record.waits_held or mark is None or mark.released:
        return None
    job_id = view.recorded_id
    if facts.recorded_here == view.status.job_id and facts.releases == 0:
        return Decision(status=view.status, action=Release(job_id))
    if facts.accounting is None:
        return Decision(status=view.status, action=ReadAccounting(job_id))
    said = newest_of_ours(view, facts.accounting)
    if facts.backlog == 0 and said is not None and said.states == {"PENDING"} and not said.start_time:
        return Decision(status=view.status, action=Release(job_id))
    if said is not None and "PENDING" not in said.states:
        message = (
            f"Slurm job {job_id} is held again although slurmdbd says {' '.join(sorted(said.states))}: slurmctld "
            "has lost its newest state, and the script may have begun. It stays held."
        )
        return rolled_back(view, now, message=message)
    status = progress.following(view, record, now=now)
    return Decision(status=status, recheck_at=now + 2)


def not_looked_at_by_slurm_yet(view: JobView, facts: Facts, _now: float) -> Decision | None:
    """Just released, and the scheduler has not come round: most jobs start before there is more to say, so
    a status write is spared. What is recorded says already that the job is in the queue."""
    record = _record(facts)
    silent = record.states == {"PENDING"} and not record.held and (record.reason or "None") == "None"
    synced = edit.is_true(view.status.conditions, ConditionType.SYNCED)
    if not silent or view.status.slurm is not None or not synced:
        return None
    return Decision(status=view.status) if view.status.observed_generation == view.generation else None


def living(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Follow it."""
    record = _record(facts)
    status = progress.following(view, record, now=now)
    if status.start_time is not None and view.status.start_time is None:
        message = f"Slurm job {record.job_id} started on {record.nodes or 'its nodes'}."
        return Decision(status=status, events=(EventNote(reason=EventReason.STARTED, message=message),))
    return Decision(status=status)


def newest_of_ours(view: JobView, records: tuple[JobRecord, ...]) -> JobRecord | None:
    """Of slurmdbd's records of one id the newest that is not somebody else's. A requeue makes several, and
    a reused id too (TRAP F3)."""
    ours = [record for record in records if identify(view, record) is Identity.OURS]
    return max(ours, key=lambda record: record.submit_time or 0, default=None)


def _record(facts: Facts) -> JobRecord:
    """What slurmctld says; the rules before have dealt with all other answers."""
    if not isinstance(facts.controller, JobRecord):
        raise TypeError("a rule about a record was asked without one")
    return facts.controller
