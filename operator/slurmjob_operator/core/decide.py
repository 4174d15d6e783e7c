"""The rules of one attempt, once.

Two rules carry it: an attempt's job id is written into status once, with a resourceVersion precondition, and
never replaced; and only a recorded job is ever released. A job that was submitted and not recorded stays
held and never runs. From that follows the order of effects, each durable before the next begins:

    finalizer -> attempt opened (status) -> submitted held -> job id recorded (status) -> released -> followed

`decide` is a total function over values. It takes the first rule that speaks; each rule is named by the fact
it tests. The caller writes the decision's status, then takes its action, learns from it, and asks again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from slurmjob_operator.api.conditions import ConditionType, EventReason, Reason
from slurmjob_operator.api.status import SlurmJobStatus
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core import marker, progress
from slurmjob_operator.core.decision import (
    AddFinalizer,
    Cancel,
    Decision,
    EventNote,
    ReadAccounting,
    ReadJob,
    Release,
    RemoveFinalizer,
    Search,
    Submit,
)
from slurmjob_operator.core.identity import Identity, identify
from slurmjob_operator.core.letting_go import decide_deletion
from slurmjob_operator.core.records import Accepted, JobRecord
from slurmjob_operator.core.states import is_over
from slurmjob_operator.core.view import Deferral, Facts, JobView, NotKnown, Rejection, Trouble, Unconfirmed

Rule = Callable[[JobView, Facts, float], Decision | None]

LATE_SUBMISSION_SECONDS = 15
"""A frozen slurmctld makes a job up to MessageTimeout (10 s) after the answer was lost (TRAP F1)."""

MOST_UNCONFIRMED = 2
"""Submissions of one attempt that may end with an unknown outcome before we stop and ask."""

UNKNOWN_JOB_RECHECK_SECONDS = 30.0


def decide(view: JobView, facts: Facts, now: float) -> Decision:
    """What to do next about one SlurmJob. `now` is in epoch seconds."""
    if view.deleting:
        return decide_deletion(view, facts, now)
    rules = RECORDED if view.status.job_id is not None else UNRECORDED
    for rule in (*FINISHED, *rules):
        decision = rule(view, facts, now)
        if decision is not None:
            return decision
    raise AssertionError("the last rule of each list always speaks")


# --- Finished ---------------------------------------------------------------------------------------------


def finished(view: JobView, _facts: Facts, _now: float) -> Decision | None:
    """The end stands in status: let the object go, and never touch it again."""
    if not edit.is_true(view.status.conditions, ConditionType.FINISHED):
        return None
    action = RemoveFinalizer() if view.has_finalizer else None
    return Decision(status=view.status, action=action)


# --- No job id recorded -----------------------------------------------------------------------------------


def template_invalid(view: JobView, facts: Facts, now: float) -> Decision | None:
    """We will not send this. What was sent before under another template is looked for once it is corrected."""
    if facts.invalid is None or isinstance(facts.submission, Accepted):
        return None
    status = progress.rejected(view, reason=Reason.INVALID_TEMPLATE, message=facts.invalid, now=now)
    note = EventNote(reason=EventReason.INVALID_SPEC, message=facts.invalid, warning=True)
    return _announce(view, status, note)


def rejected_before(view: JobView, facts: Facts, _now: float) -> Decision | None:
    """Slurm refused this very template for good, and the object has not been edited since."""
    submitted = edit.find(view.status.conditions, ConditionType.SUBMITTED)
    if submitted is None or submitted.reason != Reason.SUBMISSION_REJECTED:
        return None
    same = view.status.observed_generation == view.generation
    return Decision(status=view.status) if same and not isinstance(facts.submission, Accepted) else None


def connection_unusable(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Nothing can be asked or sent now."""
    return _wait(view, facts.connection.problem, now)


def slurm_in_trouble(view: JobView, facts: Facts, now: float) -> Decision | None:
    """The last request failed; it is tried again later."""
    trouble = facts.trouble
    return _wait(view, trouble, now) if trouble is not None and now < trouble.retry_at else None


def _wait(view: JobView, trouble: Trouble | None, now: float) -> Decision | None:
    if trouble is None:
        return None
    status = progress.waiting(view, reason=trouble.reason, message=trouble.message, now=now)
    return Decision(status=status, recheck_at=trouble.retry_at)


def without_finalizer(view: JobView, _facts: Facts, _now: float) -> Decision | None:
    """Before anything exists in Slurm, make sure that we are asked before the object goes."""
    return None if view.has_finalizer else Decision(status=view.status, action=AddFinalizer())


def attempt_not_open(view: JobView, facts: Facts, now: float) -> Decision | None:
    """The intent is written before the deed, so that a crash in between is seen."""
    if view.status.attempt is not None and view.status.template_hash == view.template_hash:
        return None
    if view.status.attempt is not None and isinstance(facts.submission, Accepted):
        return None
    return Decision(status=progress.opened(view, connection=facts.connection, now=now))


def accepted_for_another_template(view: JobView, facts: Facts, _now: float) -> Decision | None:
    """The template changed while we submitted: what we hold in hand is a twin, held, never recorded."""
    if not isinstance(facts.submission, Accepted) or view.status.template_hash == view.template_hash:
        return None
    return Decision(status=view.status, action=Cancel(facts.submission.job_id))


def accepted_not_recorded(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Record the id. A conflict means that somebody else wrote: the caller reads again and asks again."""
    if not isinstance(facts.submission, Accepted):
        return None
    accepted = facts.submission
    status = progress.recorded(view, job_id=accepted.job_id, notes=accepted.messages, now=now)
    message = f"Submitted to {status.cluster_name} as job {accepted.job_id} of user {status.user}."
    return Decision(status=status, events=(EventNote(reason=EventReason.SUBMITTED, message=message),))


def refused_for_good(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Slurm will not take this template."""
    if not isinstance(facts.submission, Rejection) or facts.submission.generation != view.generation:
        return None
    message = facts.submission.message
    status = progress.rejected(view, reason=Reason.SUBMISSION_REJECTED, message=message, now=now)
    return _announce(view, status, EventNote(reason=EventReason.SUBMISSION_REJECTED, message=message, warning=True))


def refused_for_now(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Slurm may take it later."""
    submission = facts.submission
    if not isinstance(submission, Deferral) or now >= submission.until:
        return None
    status = progress.waiting(view, reason=Reason.SUBMISSION_PENDING, message=submission.message, now=now)
    return Decision(status=status, recheck_at=submission.until)


def opened_by_this_process(view: JobView, facts: Facts, _now: float) -> Decision | None:
    """Nobody can have submitted this attempt before: no need to search."""
    return Decision(status=view.status, action=Submit()) if facts.fresh else None


def not_searched(view: JobView, facts: Facts, _now: float) -> Decision | None:
    """A crash, a lost answer, a restored backup: what may have been submitted is looked for first."""
    return Decision(status=view.status, action=Search()) if facts.search is None else None


def twin_held(view: JobView, facts: Facts, _now: float) -> Decision | None:
    """A job of ours for another template is held and was never released: it never runs."""
    for record in facts.search or ():
        mark = marker.parse(record.comment)
        mine = mark is not None and mark.uid == view.uid
        if mine and mark is not None and mark.template_hash != view.status.template_hash and _is_held(record):
            return Decision(status=view.status, action=Cancel(record.job_id))
    return None


def found_by_marker(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Adopt it in whatever state it is found, running and ended included."""
    found = [record for record in facts.search or () if _is_this_attempt(view, record)]
    if not found:
        return None
    best = min(found, key=lambda record: (record.held, record.job_id))
    adopted = replace(facts, submission=Accepted(job_id=best.job_id))
    return accepted_not_recorded(view, adopted, now)


def late_submission_possible(view: JobView, facts: Facts, now: float) -> Decision | None:
    """A lost submission may still become a job: look again before another one is sent."""
    submission = facts.submission
    if not isinstance(submission, Unconfirmed):
        return None
    settled = submission.at + LATE_SUBMISSION_SECONDS
    if facts.searched_at >= settled:
        return None
    if now >= settled:
        return Decision(status=view.status, action=Search())
    message = "The answer to the submission was lost; looking for the job before another try."
    status = progress.waiting(view, reason=Reason.SUBMISSION_UNCONFIRMED, message=message, now=now)
    return Decision(status=status, recheck_at=settled)


def unconfirmed_too_often(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Submitting again and again without an answer helps nobody: stop and ask."""
    if facts.unconfirmed < MOST_UNCONFIRMED:
        return None
    message = (
        f"{facts.unconfirmed} submissions of this attempt ended without an answer, and no job of it is found. "
        "Nothing of it can run: whatever exists is held. Correct or delete this object."
    )
    return Decision(status=progress.unconfirmed(view, message=message, now=now), recheck_at=now + 300)


def nothing_found(view: JobView, _facts: Facts, _now: float) -> Decision | None:
    """No job of this attempt exists; one that appears later is held and never recorded."""
    return Decision(status=view.status, action=Submit())


# --- A job id is recorded ---------------------------------------------------------------------------------


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
    if not isinstance(submission, Accepted) or submission.job_id == _job_id(view):
        return None
    return Decision(status=view.status, action=Cancel(submission.job_id))


def not_read(view: JobView, facts: Facts, _now: float) -> Decision | None:
    """What slurmctld says now is not known."""
    return Decision(status=view.status, action=ReadJob(_job_id(view))) if facts.controller is None else None


def not_known_to_slurmctld(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Forgotten after its end (MinJobAge), or lost: slurmdbd's record decides, absence never does."""
    if not isinstance(facts.controller, NotKnown):
        return None
    if facts.accounting is None:
        return Decision(status=view.status, action=ReadAccounting(_job_id(view)))
    record = newest_of_ours(view, facts.accounting)
    if record is not None and is_over(record.states):
        return _end(view, record, now)
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
    if facts.release_refused is not None and record.start_time == record.end_time:
        status = progress.failed(view, reason=Reason.RELEASE_REFUSED, message=facts.release_refused, now=now)
        note = EventNote(reason=EventReason.FAILED, message=facts.release_refused, warning=True)
        return Decision(status=status, events=(note,))
    return _end(view, record, now)


def release_refused(view: JobView, facts: Facts, now: float) -> Decision | None:
    """A site's rules will not let it go: the held job is cancelled."""
    if facts.release_refused is None:
        return None
    if facts.cancelled_at is None:
        return Decision(status=view.status, action=Cancel(_job_id(view)))
    return Decision(status=view.status, recheck_at=now + 2)


def held_without_note(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Release it once. Held without the note is not proof that it never ran: slurmctld may have rolled back
    (TRAP F5), so only the process that recorded it and sent no release may do so unasked."""
    record = _record(facts)
    mark = marker.parse(record.comment)
    if not _is_held(record) or mark is None or mark.released:
        return None
    job_id = _job_id(view)
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
            "has lost its newest state, and the script may have begun. It stays held; a person has to decide."
        )
        return Decision(
            status=progress.rolled_back(view, message=message, now=now),
            recheck_at=now + UNKNOWN_JOB_RECHECK_SECONDS,
        )
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


FINISHED: tuple[Rule, ...] = (finished,)

UNRECORDED: tuple[Rule, ...] = (
    template_invalid,
    refused_for_good,
    rejected_before,
    connection_unusable,
    without_finalizer,
    accepted_for_another_template,
    attempt_not_open,
    accepted_not_recorded,
    refused_for_now,
    slurm_in_trouble,
    opened_by_this_process,
    not_searched,
    twin_held,
    found_by_marker,
    late_submission_possible,
    unconfirmed_too_often,
    nothing_found,
)

RECORDED: tuple[Rule, ...] = (
    not_visible,
    accepted_twin,
    not_read,
    not_known_to_slurmctld,
    not_proven_ours,
    over,
    release_refused,
    held_without_note,
    not_looked_at_by_slurm_yet,
    living,
)


def newest_of_ours(view: JobView, records: tuple[JobRecord, ...]) -> JobRecord | None:
    """Of slurmdbd's records of one id the newest that is not somebody else's. A requeue makes several, and
    a reused id too (TRAP F3)."""
    ours = [record for record in records if identify(view, record) is Identity.OURS]
    return max(ours, key=lambda record: record.submit_time or 0, default=None)


def _end(view: JobView, record: JobRecord, now: float) -> Decision:
    status = progress.ended(view, record, now=now)
    finished_condition = edit.find(status.conditions, ConditionType.FINISHED)
    message = finished_condition.message if finished_condition else ""
    reason = EventReason.COMPLETED if status.succeeded else EventReason.FAILED
    return Decision(status=status, events=(EventNote(reason=reason, message=message, warning=not status.succeeded),))


def _announce(view: JobView, status: SlurmJobStatus, note: EventNote) -> Decision:
    """Post the event only when the status changes: decisions are made again and again."""
    return Decision(status=status, events=(note,) if status != view.status else ())


def _is_this_attempt(view: JobView, record: JobRecord) -> bool:
    mark = marker.parse(record.comment)
    return (
        mark is not None
        and mark.uid == view.uid
        and mark.attempt == view.status.attempt
        and mark.template_hash == view.status.template_hash
        and (view.status.user is None or record.user == view.status.user)
    )


def _is_held(record: JobRecord) -> bool:
    return record.held and "PENDING" in record.states


def _record(facts: Facts) -> JobRecord:
    """What slurmctld says; the rules before have dealt with all other answers."""
    if not isinstance(facts.controller, JobRecord):
        raise TypeError("a rule about a record was asked without one")
    return facts.controller


def _job_id(view: JobView) -> int:
    return int(view.status.job_id or 0)
