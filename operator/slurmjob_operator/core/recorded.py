"""Rules once a job id is recorded: read it, prove that it is ours, release it once, follow it to its end."""

from __future__ import annotations

from dataclasses import replace

from slurmjob_operator.api.conditions import ConditionType, EventReason, Reason
from slurmjob_operator.core import arrays, attempts, marker, progress, suspension, usage
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core.array_status import array_status
from slurmjob_operator.core.decision import (
    Cancel,
    Decision,
    EventNote,
    ReadAccounting,
    ReadJob,
    ReadUpSince,
    ReadUsage,
    Release,
)
from slurmjob_operator.core.ending import end_by_record, end_by_word, end_unseen
from slurmjob_operator.core.identity import Identity, identify
from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.core.states import End, is_over
from slurmjob_operator.core.undecided import (
    BACKLOG_RECHECK_SECONDS,
    LOST_SECONDS,
    UNKNOWN_JOB_RECHECK_SECONDS,
    end_not_told,
    is_long_unproven,
    is_lost,
    rolled_back,
    undecided,
    word_after_roll_back,
)
from slurmjob_operator.core.view import Facts, JobView, NotKnown

RELEASE_AGAIN_SECONDS = 5.0
"""A release that did nothing is not sent again at once, nor asked about: a success without effect, as of a proxy, would
make a loop of it."""

SOON_SECONDS = 60.0
"""slurmdbd knows a job within that time, if it is there (measured: 5 s at most, on 22.05)."""


def not_visible(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Losing sight of Slurm is never an end."""
    trouble = facts.connection.problem or facts.trouble
    if trouble is None or (facts.connection.problem is None and now >= trouble.retry_at):
        return None
    status = progress.unsynced(view, reason=trouble.reason, message=trouble.message, now=now)
    return Decision(status=status, recheck_at=trouble.retry_at)


def opened_elsewhere(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Another cluster does not know the job, and another user may not touch it: neither says anything about it."""
    why = attempts.opened_elsewhere(view, facts.connection)
    if why is None:
        return None
    status = progress.unsynced(view, reason=Reason.CONNECTION_CHANGED, message=why, now=now)
    return Decision(status=status, recheck_at=now + UNKNOWN_JOB_RECHECK_SECONDS)


def not_read(view: JobView, facts: Facts, _now: float) -> Decision | None:
    """What slurmctld says now is not known."""
    return Decision(status=view.status, action=ReadJob(view.recorded_id)) if facts.controller is None else None


def not_known_to_slurmctld(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Forgotten after its end (MinJobAge), or lost: slurmdbd's record decides, absence never does."""
    if not isinstance(facts.controller, NotKnown):
        return None
    if facts.accounting is None:
        return Decision(status=view.status, action=ReadAccounting(view.recorded_id))
    record = arrays.by_slurmdbd(view, facts)
    if record is not None and is_over(record.states):
        return _end(view, facts, record, now)
    view = _with_tasks(view, facts)
    if is_lost(view, facts, now):
        message = (
            f"slurmctld has not known job {view.status.job_id} for {LOST_SECONDS // 60} minutes, and "
            f"{end_not_told(facts)}: its record is lost."
        )
        return undecided(view, facts, now, reason=Reason.JOB_RECORD_LOST, message=message)
    message = f"slurmctld does not know job {view.status.job_id} and {end_not_told(facts)}; still looking."
    status = progress.unsynced(view, reason=Reason.JOB_NOT_FOUND, message=message, now=now)
    return Decision(
        status=status, recheck_at=now + (BACKLOG_RECHECK_SECONDS if facts.backlog else UNKNOWN_JOB_RECHECK_SECONDS)
    )


def _with_tasks(view: JobView, facts: Facts) -> JobView:
    """With what is known of an array's tasks, some of whose ends are told and others not."""
    if facts.tasks is None:
        return view
    return replace(view, status=replace(view.status, array=array_status(facts.tasks)))


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
    if is_long_unproven(view, facts, now):
        return undecided(view, facts, now, reason=Reason.IDENTITY_UNPROVEN, message=message)
    status = progress.unsynced(view, reason=Reason.IDENTITY_UNPROVEN, message=message, now=now)
    return Decision(status=status, recheck_at=now + UNKNOWN_JOB_RECHECK_SECONDS)


def tasks_not_told(view: JobView, facts: Facts, _now: float) -> Decision | None:
    """slurmctld has forgotten tasks of an array that lives: how they ended slurmdbd tells."""
    if facts.tasks is None or not facts.tasks.untold or facts.accounting is not None:
        return None
    return Decision(status=view.status, action=ReadAccounting(view.recorded_id))


def over(view: JobView, facts: Facts, now: float) -> Decision | None:
    """A record says so."""
    record = _record(facts)
    if not is_over(record.states):
        return None
    if usage.is_worth_a_request(view, facts, record):
        return Decision(status=view.status, action=ReadUsage(view.recorded_id))
    return _end(view, facts, record, now)


def _end(view: JobView, facts: Facts, record: JobRecord, now: float) -> Decision:
    word = word_after_roll_back(view)
    if word is not None and record.states & {"CANCELLED"}:
        return end_by_word(view, word, now)
    refused = _why_not_released(view)
    if refused is not None and record.states & {"CANCELLED"}:
        return end_unseen(view, End(succeeded=False, reason=Reason.RELEASE_REFUSED, message=refused), now)
    used = usage.usage_at_the_end(view, facts, record)
    return suspension.end_by_suspension(view, record, now, used=used) or end_by_record(view, record, now, used=used)


def _why_not_released(view: JobView) -> str | None:
    """The site's message, if status says that the release was refused."""
    moving = edit.find(view.status.conditions, ConditionType.RECONCILING)
    return moving.message if moving is not None and moving.reason == Reason.RELEASE_REFUSED else None


def release_refused(view: JobView, facts: Facts, now: float) -> Decision | None:
    """A site's rules will not let it go: that is written, then the held job is cancelled."""
    said_before = _why_not_released(view)
    message = facts.release_refused or said_before
    if message is None or not _record(facts).waits_held:
        return None
    if said_before is None:
        return Decision(status=progress.release_refused(view, message=message, now=now))
    if facts.cancelled_at is None:
        return Decision(status=view.status, action=Cancel(view.recorded_id))
    return Decision(status=view.status, recheck_at=now + 2)


def held_without_note(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Release it once. Held without the note is not proof that it never ran: slurmctld may have rolled back
    (TRAP F5), so only the process that recorded it and sent no release may do so unasked."""
    record = _record(facts)
    mark = marker.parse(record.comment)
    if not record.waits_held or (mark is not None and mark.released):
        return None
    job_id = view.recorded_id
    if mark is None and facts.recorded_here != view.status.job_id:
        return None  # Somebody has rewritten the comment, and may hold it since: theirs to release.
    if not facts.connection.accounting:
        return _held_by_our_own_word(view, facts, now)
    if facts.recorded_here == view.status.job_id and facts.releases == 0:
        return Decision(status=view.status, action=Release(job_id))
    if view.status.start_time is not None:
        return _held_again(view, now)  # We have seen it run ourselves.
    if facts.released_at is not None and now < facts.released_at + RELEASE_AGAIN_SECONDS:
        return Decision(status=view.status, recheck_at=facts.released_at + RELEASE_AGAIN_SECONDS)
    if facts.accounting is None:
        return Decision(status=view.status, action=ReadAccounting(job_id))
    said = arrays.furthest(view, facts.accounting)
    if facts.backlog == 0 and said is not None and said.states == {"PENDING"} and not said.start_time:
        lags = facts.connection.accounting_lags
        return _held_by_uptime(view, facts, now) if lags else Decision(status=view.status, action=Release(job_id))
    if said is not None and ("PENDING" not in said.states or said.start_time):
        return _held_again(view, now)
    if said is None and facts.backlog == 0 and now - (record.submit_time or now) >= LOST_SECONDS:
        return _held_again(view, now)  # slurmdbd has heard all, long ago, and cannot tell whether it began.
    message = (
        f"Slurm job {job_id} is held, and slurmdbd does not say yet whether it has begun: it is not released before."
    )
    status = progress.unsynced(view, reason=Reason.ACCOUNTING_UNAVAILABLE, message=message, now=now)
    soon = facts.backlog or now - (record.submit_time or now) < SOON_SECONDS
    return Decision(status=status, recheck_at=now + (2 if soon else UNKNOWN_JOB_RECHECK_SECONDS))


def priority_left_out(view: JobView, said: str) -> EventNote:
    """Slurm refuses the priority that the user wants, as it does to ordinary users: the job goes without it."""
    message = f"Slurm job {view.status.job_id} is released without priority {view.priority}: {said}"
    return EventNote(reason=EventReason.PRIORITY_REFUSED, message=message, warning=True)


def _held_by_uptime(view: JobView, facts: Facts, now: float) -> Decision:
    """slurmdbd of 22.05 hears of a start seconds after it, and never if slurmctld is killed meanwhile (seen: a second
    release, and a second run). There its "pending" proves nothing but with a slurmctld that has been up since before
    the submission, and so has lost nothing: then nobody has released the job."""
    record = _record(facts)
    submitted = record.submit_time or 0
    if facts.up_since is None:
        return Decision(status=view.status, action=ReadUpSince())
    if 0 < facts.up_since < submitted and record.restarts == 0:
        return Decision(status=view.status, action=Release(view.recorded_id))
    if facts.up_since > 0 or now - submitted >= LOST_SECONDS:
        return _held_again(view, now)
    message = (
        f"Slurm job {view.recorded_id} is held, and slurmctld does not say since when it has been up: whether it has "
        "begun is not known, and it is not released before."
    )
    status = progress.unsynced(view, reason=Reason.ACCOUNTING_UNAVAILABLE, message=message, now=now)
    return Decision(status=status, recheck_at=now + UNKNOWN_JOB_RECHECK_SECONDS)


def _held_by_our_own_word(view: JobView, facts: Facts, now: float) -> Decision:
    """No slurmdbd will remember that it began, so status does, before it can begin. Who wrote that and has sent no
    release may send it; nobody else may."""
    if view.status.release_time is None:
        return Decision(status=progress.releasing(view, now=now))
    if facts.noted_here and facts.releases == 0:
        return Decision(status=view.status, action=Release(view.recorded_id))
    return _held_again(view, now)


def _held_again(view: JobView, now: float) -> Decision:
    message = (
        f"Slurm job {view.status.job_id} is held again although it had been released: slurmctld has lost its newest "
        "state, and the script may have begun. It stays held."
    )
    return rolled_back(view, now, message=message)


def not_looked_at_by_slurm_yet(view: JobView, facts: Facts, _now: float) -> Decision | None:
    """Just released, and the scheduler has not come round: most jobs start before there is more to say, so
    a status write is spared. What is recorded says already that the job is in the queue."""
    record = _record(facts)
    silent = record.states == {"PENDING"} and not record.held and (record.reason or "None") == "None"
    silent &= record.tasks is None
    synced = edit.is_true(view.status.conditions, ConditionType.SYNCED)
    if not silent or view.status.slurm is not None or not synced:
        return None
    return Decision(status=view.status) if view.status.observed_generation == view.generation else None


def living(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Follow it."""
    record = _record(facts)
    status = progress.following(view, record, now=now)
    if status.start_time is None or view.status.start_time is not None:
        untold = record.tasks is not None and bool(record.tasks.untold)
        return Decision(status=status, recheck_at=now + UNKNOWN_JOB_RECHECK_SECONDS if untold else None)
    message = f"Slurm job {record.job_id} started on {record.nodes or 'its nodes'}."
    return Decision(status=status, events=(EventNote(reason=EventReason.STARTED, message=message), *_not_held(record)))


def _not_held(record: JobRecord) -> tuple[EventNote, ...]:
    """A warning when it runs although nobody noted a release: the site lets jobs go at submission."""
    mark = marker.parse(record.comment)
    if mark is None or mark.released or mark.suspended:
        return ()
    message = (
        f"Slurm job {record.job_id} started without having been released by this operator: something at the site (a "
        "job_submit plug-in, an administrator) drops the hold. Until its id is recorded, a job that runs at once may "
        "run twice."
    )
    return (EventNote(reason=EventReason.NOT_HELD, message=message, warning=True),)


def _record(facts: Facts) -> JobRecord:
    """What slurmctld says; the rules before have dealt with all other answers."""
    if not isinstance(facts.controller, JobRecord):
        raise TypeError("a rule about a record was asked without one")
    return facts.controller
