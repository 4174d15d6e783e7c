"""The statuses a SlurmJob goes through; each function is one of them.

kstatus reads them right: `Reconciling=True` is InProgress, `Stalled=True` is Failed, neither is Current.
"""

from __future__ import annotations

from dataclasses import replace

from slurmjob_operator.api.conditions import ConditionType, Reason
from slurmjob_operator.api.status import (
    MOST_COMPONENTS,
    ArrayStatus,
    Condition,
    Effective,
    SlurmJobStatus,
    SlurmView,
    Sourced,
    Usage,
)
from slurmjob_operator.core import attempts
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core.array_status import array_status, for_another_attempt, known_of
from slurmjob_operator.core.components import component_statuses
from slurmjob_operator.core.records import Accepted, JobRecord, Source
from slurmjob_operator.core.states import End, has_terminal_base, script_exit
from slurmjob_operator.core.tasks import Tasks, without
from slurmjob_operator.core.times import epoch_of, optional_rfc3339, rfc3339
from slurmjob_operator.core.view import Facts, JobView
from slurmjob_operator.core.waiting import estimated_start, explain, keep_estimate, never_starts
from slurmjob_operator.sbatch.index_sets import union

Conditions = tuple[Condition, ...]


def _base(view: JobView, *, now: float) -> Conditions:
    """What stands from the first write on: nothing submitted, nothing ended."""
    result = view.status.conditions
    if edit.find(result, ConditionType.SUBMITTED) is None:
        result = edit.put(result, ConditionType.SUBMITTED, False, reason=Reason.SUBMISSION_PENDING, now=now)
    for kind in (ConditionType.COMPLETE, ConditionType.FAILED, ConditionType.FINISHED):
        if edit.find(result, kind) is None:
            result = edit.put(result, kind, False, reason=Reason.NOT_FINISHED, now=now)
    if edit.is_true(result, ConditionType.SUSPENDED) and not view.suspend:
        result = edit.put(result, ConditionType.SUSPENDED, False, reason=Reason.JOB_RESUMED, now=now)
    return result


def _moving(conditions: Conditions, *, reason: Reason, message: str, now: float) -> Conditions:
    conditions = edit.drop(conditions, ConditionType.STALLED)
    return edit.put(conditions, ConditionType.RECONCILING, True, reason=reason, message=message, now=now)


def _stuck(conditions: Conditions, *, reason: Reason, message: str, now: float) -> Conditions:
    conditions = edit.drop(conditions, ConditionType.RECONCILING)
    return edit.put(conditions, ConditionType.STALLED, True, reason=reason, message=message, now=now)


def _synced(conditions: Conditions, *, now: float) -> Conditions:
    return edit.put(conditions, ConditionType.SYNCED, True, reason=Reason.POLL_SUCCEEDED, now=now)


def _finish(view: JobView, status: SlurmJobStatus) -> SlurmJobStatus:
    return replace(
        status,
        observed_generation=view.generation,
        conditions=edit.observed(status.conditions, view.generation),
    )


AWAY = frozenset({Reason.CLUSTER_UNREACHABLE, Reason.ACCOUNTING_UNAVAILABLE})


def _first_words(view: JobView, kind: ConditionType, reason: Reason, message: str) -> str:
    old = edit.find(view.status.conditions, kind)
    return old.message if old is not None and old.reason == reason and reason in AWAY else message


def waiting(view: JobView, *, reason: Reason, message: str, now: float) -> SlurmJobStatus:
    """Not submitted, and it may still be: the connection is missing, Slurm is away or says "not now"."""
    base = _base(view, now=now)
    message = _first_words(view, ConditionType.SUBMITTED, reason, message)
    base = edit.put(base, ConditionType.SUBMITTED, False, reason=reason, message=message, now=now)
    base = _moving(base, reason=reason, message=message, now=now)
    return _finish(view, replace(view.status, state="Waiting", active=0, succeeded=0, failed=0, conditions=base))


def rejected(view: JobView, *, reason: Reason, message: str, now: float) -> SlurmJobStatus:
    """Not submitted, and it will not be until somebody corrects the object."""
    base = _base(view, now=now)
    base = edit.put(base, ConditionType.SUBMITTED, False, reason=reason, message=message, now=now)
    base = _stuck(base, reason=reason, message=message, now=now)
    return _finish(view, replace(view.status, state="Rejected", active=0, succeeded=0, failed=0, conditions=base))


def opened(view: JobView, facts: Facts, *, now: float) -> SlurmJobStatus:
    """The attempt is open: from here on a submission may have happened. After a closed one it is the next."""
    again = attempts.is_closed(view.status)
    number = (view.status.attempt or 1) + int(again)
    before = _without_run(view.status) if again else view.status
    message = f"Submitting attempt {number} to Slurm." if again else "Submitting to Slurm."
    base = edit.put(_base(view, now=now), ConditionType.SUBMITTED, False, reason=Reason.SUBMISSION_PENDING, now=now)
    base = _moving(base, reason=Reason.SUBMISSION_PENDING, message=message, now=now)
    return _finish(
        view,
        replace(
            before,
            state="Submitting",
            attempt=number,
            attempt_time=rfc3339(now),
            template_hash=attempts.wanted_hash(view, facts),
            sourced=_sourced(view, facts),
            cluster_name=facts.connection.cluster_name,
            user=facts.connection.user,
            array=for_another_attempt(before.array, resumed=attempts.is_suspended(before)) if again else _array(view),
            active=0,
            succeeded=0,
            failed=0,
            conditions=base,
        ),
    )


def _array(view: JobView) -> ArrayStatus | None:
    """All tasks are still to come."""
    if view.array is None:
        return None
    return array_status(Tasks(wanted=view.array.indexes, pending=view.array.indexes))


def _sourced(view: JobView, facts: Facts) -> Sourced | None:
    """What will have to be known of the script when its ConfigMap may be another one, or gone."""
    if not view.sourced:
        return None
    if facts.sources is None:
        return view.status.sourced
    if facts.sources.script_hash is None:
        return None
    return Sourced(
        script_hash=facts.sources.script_hash,
        job_name=view.slurm_name,
        hold=view.hold or None,
        priority=view.priority,
        array=None if view.array is None else view.array.text,
    )


def _without_run(status: SlurmJobStatus) -> SlurmJobStatus:
    """Nothing of an earlier attempt's run stands beside a later attempt."""
    return replace(
        status,
        job_id=None,
        submit_time=None,
        release_time=None,
        start_time=None,
        end_time=None,
        stdout_path=None,
        stderr_path=None,
        exit_code=None,
        signal=None,
        effective=None,
        slurm=None,
        components=(),
        usage=None,
    )


def unknown(view: JobView, *, reason: Reason, message: str, now: float) -> SlurmJobStatus:
    """Nobody can tell what became of this attempt; a person has to look, or the policy says."""
    base = _base(view, now=now)
    if reason is Reason.SUBMISSION_UNCONFIRMED:
        base = edit.put(base, ConditionType.SUBMITTED, None, reason=reason, message=message, now=now)
    base = _stuck(base, reason=reason, message=message, now=now)
    return _finish(view, replace(view.status, state="Unknown", conditions=base))


def retrying(
    view: JobView, *, end: End, record: JobRecord | None, used: Usage | None = None, now: float
) -> SlurmJobStatus:
    """This attempt failed, and another one comes."""
    status = view.status if record is None else _with_record(view, record, now=now)
    kept = attempts.keep(replace(view, status=status), reason=end.reason, record=record, used=used, now=now)
    status = replace(status, state="Retrying", active=0, attempts=kept)
    due = attempts.next_attempt_at(status)
    message = (
        f"{end.message} Attempt {kept[-1].attempt + 1} of at most {_most_attempts(view)} begins at {rfc3339(due)}."
    )
    if end.reason is Reason.RESOLVED:
        message = end.message
    base = _moving(_base(view, now=now), reason=Reason.RETRY_SCHEDULED, message=message, now=now)
    return _finish(view, replace(status, conditions=_synced(base, now=now)))


def _most_attempts(view: JobView) -> int:
    """Those that `spec.suspend` ended are beside the limit."""
    return view.backoff_limit + 1 + (view.status.suspended_attempts or 0)


def recorded(view: JobView, accepted: Accepted, *, notices: tuple[str, ...], now: float) -> SlurmJobStatus:
    """The job id of this attempt, written once. `notices` are sentences about options without effect."""
    job_id = accepted.job_id
    said = (f"It said: {'; '.join(accepted.messages)}",) if accepted.messages else ()
    message = " ".join((f"Slurm accepted attempt {view.status.attempt} as job {job_id}.", *said, *notices))
    base = edit.put(
        _base(view, now=now), ConditionType.SUBMITTED, True, reason=Reason.ACCEPTED, message=message, now=now
    )
    base = _moving(base, reason=Reason.PENDING_IN_QUEUE, message=f"Slurm job {job_id} is in the queue.", now=now)
    return _finish(
        view,
        replace(
            view.status,
            state="Pending",
            job_id=str(job_id),
            submit_time=rfc3339(now),
            first_submit_time=view.status.first_submit_time or rfc3339(now),
            active=1,
            conditions=_synced(base, now=now),
        ),
    )


def following(view: JobView, record: JobRecord, *, now: float) -> SlurmJobStatus:
    """The job lives: say what it does, in Slurm's words and in ours."""
    state, reason, message = _describe(record)
    status = _with_record(view, record, now=now)
    tell = _stuck if reason is Reason.NEVER_STARTS else _moving
    conditions = tell(_base(view, now=now), reason=reason, message=message, now=now)
    return _finish(view, replace(status, state=state, active=1, conditions=_synced(conditions, now=now)))


def ended(view: JobView, record: JobRecord, *, end: End, used: Usage | None = None, now: float) -> SlurmJobStatus:
    """The job has ended, because a record says so. `used` is what is known of what the run used."""
    exit_code, signal = script_exit(record)
    status = _with_record(view, record, now=now)
    end_time = optional_rfc3339(record.end_time) or rfc3339(now)
    return _finish(
        view,
        replace(
            status,
            state="Complete" if end.succeeded else "Failed",
            active=0,
            usage=used,
            attempts=attempts.keep(view, reason=end.reason, record=record, used=used, now=now),
            succeeded=int(end.succeeded),
            failed=int(not end.succeeded),
            end_time=end_time,
            completion_time=end_time if end.succeeded else None,
            exit_code=exit_code,
            signal=signal,
            conditions=_final(_base(view, now=now), end, now=now),
        ),
    )


def _final(conditions: Conditions, end: End, *, now: float) -> Conditions:
    kind = ConditionType.COMPLETE if end.succeeded else ConditionType.FAILED
    conditions = edit.drop(conditions, ConditionType.RECONCILING, ConditionType.STALLED)
    if edit.is_true(conditions, ConditionType.SUSPENDED):
        conditions = edit.put(conditions, ConditionType.SUSPENDED, False, reason=end.reason, now=now)
    conditions = edit.put(conditions, kind, True, reason=end.reason, message=end.message, now=now)
    conditions = edit.put(conditions, ConditionType.FINISHED, True, reason=end.reason, message=end.message, now=now)
    if not end.succeeded:
        conditions = _stuck(conditions, reason=end.reason, message=end.message, now=now)
    return _synced(conditions, now=now)


def decided(view: JobView, end: End, *, now: float) -> SlurmJobStatus:
    """The end without a record of a run: it never ran, or a person or the policy says how it ended."""
    end_time = rfc3339(now)
    return _finish(
        view,
        replace(
            view.status,
            state="Complete" if end.succeeded else "Failed",
            active=0,
            attempts=attempts.keep(view, reason=end.reason, record=None, now=now),
            succeeded=int(end.succeeded),
            failed=int(not end.succeeded),
            end_time=end_time,
            completion_time=end_time if end.succeeded else None,
            conditions=_final(_base(view, now=now), end, now=now),
        ),
    )


def noticed(view: JobView) -> SlurmJobStatus:
    """An edit was seen, and changes nothing now."""
    return _finish(view, view.status)


def unsynced(view: JobView, *, reason: Reason, message: str, now: float) -> SlurmJobStatus:
    """Slurm cannot be seen now: what stands in status is kept, and said to be old. The words of the first time stay:
    those of each try may differ."""
    message = _first_words(view, ConditionType.SYNCED, reason, message)
    conditions = edit.put(_base(view, now=now), ConditionType.SYNCED, False, reason=reason, message=message, now=now)
    return _finish(view, replace(view.status, conditions=conditions))


def releasing(view: JobView, *, now: float) -> SlurmJobStatus:
    """Its hold is about to be lifted."""
    return _finish(view, replace(view.status, release_time=rfc3339(now)))


def release_refused(view: JobView, *, message: str, now: float) -> SlurmJobStatus:
    """Slurm will not lift the hold: its job is about to be cancelled."""
    conditions = _moving(_base(view, now=now), reason=Reason.RELEASE_REFUSED, message=message, now=now)
    return _finish(view, replace(view.status, conditions=conditions))


def cancelling(view: JobView, *, now: float) -> SlurmJobStatus:
    """The object is being deleted, its job cancelled: Slurm can be spoken to, whatever was said before."""
    message = f"Slurm job {view.status.job_id} is being cancelled, since this object is being deleted."
    conditions = _moving(_base(view, now=now), reason=Reason.CANCELLING, message=message, now=now)
    return _finish(view, replace(view.status, state="Deleting", conditions=_synced(conditions, now=now)))


def suspended(view: JobView, *, message: str, now: float) -> SlurmJobStatus:
    """Nothing of it waits in Slurm's queue or runs, since `spec.suspend` says so. Neither moving nor stuck."""
    base = edit.drop(_base(view, now=now), ConditionType.RECONCILING, ConditionType.STALLED)
    base = edit.put(base, ConditionType.SUSPENDED, True, reason=Reason.JOB_SUSPENDED, message=message, now=now)
    return _finish(
        view, replace(view.status, state="Suspended", active=0, succeeded=0, failed=0, start_time=None, conditions=base)
    )


def held_for_suspension(view: JobView, record: JobRecord, *, now: float) -> SlurmJobStatus:
    """It stays in Slurm, held."""
    status = _with_record(view, record, now=now)
    message = f"Slurm job {record.job_id} is held in Slurm: `suspend` is true."
    told = suspended(replace(view, status=status), message=message, now=now)
    return replace(told, conditions=_synced(told.conditions, now=now))


def suspending(view: JobView, *, now: float) -> SlurmJobStatus:
    """Its job is about to be cancelled, and that is no end of the object."""
    message = f"Slurm job {view.status.job_id} is being cancelled, since `suspend` is true."
    conditions = _moving(_base(view, now=now), reason=Reason.SUSPENDING, message=message, now=now)
    return _finish(view, replace(view.status, conditions=conditions))


def attempt_suspended(view: JobView, record: JobRecord, *, used: Usage | None, now: float) -> SlurmJobStatus:
    """Its job was cancelled because of `spec.suspend`: the attempt is over, the object is not."""
    status = _with_record(view, record, now=now)
    if record.tasks is not None:
        status = replace(status, array=array_status(_without_ours(view, record.tasks)))
    kept = attempts.keep(replace(view, status=status), reason=Reason.JOB_SUSPENDED, record=record, used=used, now=now)
    closed = replace(status, attempts=kept, suspended_attempts=(status.suspended_attempts or 0) + 1)
    message = f"Slurm job {record.job_id} was cancelled: `suspend` is true. A new attempt begins when it is false."
    told = suspended(replace(view, status=closed), message=message, now=now)
    return replace(told, conditions=_synced(told.conditions, now=now))


def _without_ours(view: JobView, tasks: Tasks) -> Tasks:
    """The tasks that were cancelled since the suspension began are to come; those that somebody cancelled before are
    not."""
    before = union(indexes for outcome, indexes in known_of(view.status.array) if outcome.state == "CANCELLED")
    now = union(indexes for outcome, indexes in tasks.ended if outcome.state == "CANCELLED")
    ours = now - before
    return replace(tasks, pending=tasks.pending | ours, ended=without(tasks.ended, ours))


def _describe(record: JobRecord) -> tuple[str, Reason, str]:
    state, reason, message = _describe_job(record)
    if record.tasks is None:
        return state, reason, message
    tasks, count = record.tasks, len(record.tasks.wanted)
    done = f"{len(tasks.over)} of {count} tasks of Slurm job {record.job_id} have ended"
    if tasks.running and reason is Reason.RUNNING:
        return state, reason, f"{done}, {len(tasks.running)} are running."
    if tasks.pending:
        return state, reason, message if len(tasks.pending) == count else f"{done}. {message}"
    untold = f"; it is not known yet how {tasks.untold.shown()} ended" if tasks.untold else ""
    return state, reason, f"{done}{untold}."


def _describe_job(record: JobRecord) -> tuple[str, Reason, str]:
    job = f"Slurm job {record.job_id}"
    if record.states >= {"PENDING", "COMPLETING"}:
        return "Completing", Reason.COMPLETING, f"{job} is ending on its nodes; then it is in the queue again."
    if record.states & {"COMPLETING"} or has_terminal_base(record.states):
        return "Completing", Reason.COMPLETING, f"{job} is ending."
    if "SUSPENDED" in record.states:
        return "Suspended", Reason.SUSPENDED_IN_SLURM, f"{job} is suspended in Slurm."
    if "RUNNING" in record.states:
        where = f" on {record.nodes}" if record.nodes else ""
        return "Running", Reason.RUNNING, f"{job} is running{where}."
    if record.held:
        return "Held", Reason.HELD, explain(record)
    if never_starts(record):
        return "Pending", Reason.NEVER_STARTS, explain(record)
    return "Pending", Reason.PENDING_IN_QUEUE, explain(record)


def _with_record(view: JobView, record: JobRecord, *, now: float) -> SlurmJobStatus:
    """The fields that mirror a record. slurmdbd knows neither reason nor restarts: keep what stood."""
    old = view.status
    pending = "PENDING" in record.states
    from_controller = record.source is Source.CONTROLLER
    old_view = old.slurm or SlurmView()
    old_estimate = epoch_of(old_view.estimated_start_time) if old_view.estimated_start_time else None
    estimate = keep_estimate(old=old_estimate, new=estimated_start(record), now=now)
    return replace(
        old,
        submit_time=optional_rfc3339(record.submit_time) or old.submit_time,
        start_time=_start_time(record, old),
        stdout_path=_first_or_newest(record, old.stdout_path, record.stdout_path),
        stderr_path=_first_or_newest(record, old.stderr_path, record.stderr_path),
        array=old.array if record.tasks is None else array_status(record.tasks),
        components=component_statuses(record)[:MOST_COMPONENTS],
        effective=Effective(
            account=record.account,
            partition=record.partition,
            qos=record.qos,
            time_limit_seconds=record.time_limit_seconds,
            nodes=record.node_count,
            cpus=record.cpus,
        ),
        slurm=SlurmView(
            states=tuple(sorted(record.states)),
            reason=record.reason if from_controller else old_view.reason,
            restarts=record.restarts if from_controller else old_view.restarts,
            nodes=None if pending else record.nodes,
            estimated_start_time=optional_rfc3339(estimate),
        ),
    )


def _start_time(record: JobRecord, old: SlurmJobStatus) -> str | None:
    """A job that is requeued begins anew; an array has begun with its first task."""
    began = optional_rfc3339(record.began_at)
    if record.tasks is None:
        return None if "PENDING" in record.states else began or old.start_time
    return min((time for time in (began, old.start_time) if time is not None), default=None)


def _first_or_newest(record: JobRecord, old: str | None, new: str | None) -> str | None:
    """Files of an array are named by the first record, that of all tasks; later ones name those of one task."""
    return new or old if record.tasks is None else old or new
