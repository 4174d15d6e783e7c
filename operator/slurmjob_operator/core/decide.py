"""The protocol: each attempt of a SlurmJob runs at most once, whatever crashes, and nothing of it is lost.

Two rules carry it. An attempt's job id is written into status once, with a resourceVersion precondition, and never
replaced; and only a recorded job is ever released. A job that was submitted and not recorded stays held and never
runs. From that follows the order of effects, each durable before the next begins:

    finalizer -> attempt opened (status) -> submitted held -> job id recorded (status) -> released -> followed
    -> attempt closed (status) -> let go, or the next attempt opened

*Unknown outcomes.* A lost answer and a killed process are one case: before anything is submitted (again), the jobs
of our user since the attempt was opened are searched for its marker, ended ones included. What is found is adopted in
whatever state it is. Nothing found, and Slurm cannot take the lost one any more: submitted again, held. After the
second lost answer of an attempt nobody goes on by himself.

*Whose job is it?* Slurm reuses ids. Every record is held against user, marker, name and submit time before it is
believed (`identity`): a stranger's job is not followed, not released, not cancelled, and ends nothing.

*Release, once.* The note `released` goes into the marker in the very update that lifts the hold, so that Slurm's state
save keeps or loses both. Held with the note: somebody holds it since, and may. Held without it: released by the
process that recorded it, or when slurmdbd, having heard all, says that it never began; else slurmctld has lost its
newest state and it may have begun: it stays held, and a person or the policy decides. Without slurmdbd the time of
the release stands in status before it, and serves instead.

*Absence is never an end.* Only a record that says so ends an attempt: a terminal base state without a flag that may
mean another run. What slurmctld has forgotten slurmdbd tells. A job that neither knows for ten minutes is lost, its
outcome unknown: never submitted again by us, unless somebody says so.

*Twins* (held, never released, owned by no attempt any more) are cancelled when they are in hand, when a search shows
them, and by the sweep.

*What remains possible:* what Slurm starts again by itself (a requeue; a second start after slurmctld lost its newest
state) is a restart of the same job id, counted, never caused by us. A site whose plug-in drops the hold lets a
job run before it is recorded: it is adopted, and a warning says so. A backup of etcd that is restored may open an
attempt anew: its jobs are found by the marker as long as Slurm or slurmdbd knows them.

`decide` is a total function over values. It takes the first rule that speaks; each rule is named by the fact it
tests. The caller writes the decision's status, then takes its action, learns from it, and asks again.

| rules | module |
|---|---|
| while no job id is recorded | `unrecorded` |
| once it is recorded | `recorded` |
| when nobody knows the outcome | `undecided` |
| how an attempt ends, and what comes after it | `ending`, `attempts` |
| the components of a heterogeneous job, seen as one | `components` |
| what a run used | `usage` |
| while the object is being deleted | `letting_go` |
| the tasks of an array, seen as one job | `arrays` |
| `spec.suspend` | `suspension` |
| held jobs that nobody owns | `sweeping` |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from slurmjob_operator.api.conditions import ConditionType
from slurmjob_operator.core import attempts, progress, recorded, suspension, unrecorded, usage
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core.decision import Cancel, Decision, RemoveFinalizer
from slurmjob_operator.core.ending import end_without_another_attempt
from slurmjob_operator.core.letting_go import decide_deletion
from slurmjob_operator.core.records import Accepted
from slurmjob_operator.core.view import Facts, JobView

Rule = Callable[[JobView, Facts, float], Decision | None]


def decide(view: JobView, facts: Facts, now: float) -> Decision:
    """What to do next about one SlurmJob. `now` is in epoch seconds."""
    if view.deleting:
        return decide_deletion(view, facts, now)
    rules = RECORDED if view.status.job_id is not None else UNRECORDED
    for rule in (*ALWAYS, *rules):
        decision = rule(view, facts, now)
        if decision is not None:
            return _with_word_of_resumption(view, decision)
    raise AssertionError("the last rule of each list always speaks")


def _with_word_of_resumption(view: JobView, decision: Decision) -> Decision:
    """Once, as the condition turns."""
    turns = not edit.is_true(decision.status.conditions, ConditionType.SUSPENDED)
    return replace(decision, events=(*suspension.resumed(view), *decision.events)) if turns else decision


def accepted_too_late(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Slurm took a submission of ours, and meanwhile another id was recorded, the template edited or the attempt
    closed: what we hold in hand is a twin, held and never recorded, and goes."""
    submission, status = facts.submission, view.status
    if not isinstance(submission, Accepted) or status.job_id == str(submission.job_id):
        return None
    wanted = (status.attempt, attempts.wanted_hash(view, facts), *_place(facts))
    awaited = status.job_id is None and facts.sent_for in (None, wanted)
    if awaited and not attempts.is_closed(status) and not edit.is_true(status.conditions, ConditionType.FINISHED):
        return None
    trouble = facts.connection.problem or facts.trouble
    if trouble is not None and now < trouble.retry_at:
        return Decision(status=status, recheck_at=trouble.retry_at)
    return Decision(status=status, action=Cancel(submission.job_id))


def _place(facts: Facts) -> tuple[str | None, str | None]:
    return facts.connection.cluster_name, facts.connection.user


def finished(view: JobView, facts: Facts, now: float) -> Decision | None:
    """The end stands in status: once it is told, or will not be, what the run used, let the object go, and never touch
    it again."""
    if not edit.is_true(view.status.conditions, ConditionType.FINISHED):
        return None
    waiting = usage.not_told_yet(view, facts, now)
    if waiting is not None:
        return waiting
    action = RemoveFinalizer() if view.has_finalizer else None
    return Decision(status=view.status, action=action)


def attempt_closed(view: JobView, facts: Facts, now: float) -> Decision | None:
    """The attempt is over and another one comes, after a while."""
    if not attempts.is_closed(view.status):
        return None
    if not attempts.retries_left(view) and view.status.attempts[-1].reason not in attempts.FOLLOWED_AT_ONCE:
        return end_without_another_attempt(view, now)
    if view.suspend:
        return _while_suspended(view, facts, now)
    due = attempts.next_attempt_at(view.status)
    problem = facts.connection.problem
    if now >= due and problem is not None:
        status = progress.unsynced(view, reason=problem.reason, message=problem.message, now=now)
        return Decision(status=status, recheck_at=problem.retry_at)
    if now < due:
        return _while_it_waits(view, facts, due, now)
    return Decision(status=progress.opened(view, facts, now=now))


def _while_suspended(view: JobView, facts: Facts, now: float) -> Decision:
    """Nothing is opened; what the last attempt used is asked for all the same."""
    decision = usage.not_told_yet(view, facts, now) or Decision(status=view.status)
    told = suspension.rest(replace(view, status=decision.status), now)
    return replace(decision, status=told.status, events=told.events)


def _while_it_waits(view: JobView, facts: Facts, due: float, now: float) -> Decision:
    """The next attempt does not wait for what the last one used."""
    decision = usage.not_told_yet(view, facts, now) or Decision(status=view.status)
    again = min(due, decision.recheck_at or due)
    return replace(decision, status=progress.noticed(replace(view, status=decision.status)), recheck_at=again)


ALWAYS: tuple[Rule, ...] = (accepted_too_late, finished, attempt_closed)

UNRECORDED: tuple[Rule, ...] = (
    unrecorded.sources_not_read,
    unrecorded.source_missing,
    unrecorded.source_changed,
    unrecorded.template_invalid,
    unrecorded.refused_for_good,
    unrecorded.rejected_before,
    suspension.not_to_be_submitted,
    unrecorded.connection_unusable,
    unrecorded.without_finalizer,
    unrecorded.attempt_not_open,
    unrecorded.accepted_not_recorded,
    unrecorded.refused_for_now,
    unrecorded.slurm_in_trouble,
    unrecorded.unconfirmed_elsewhere,
    unrecorded.opened_by_this_process,
    unrecorded.not_searched,
    unrecorded.twin_held,
    unrecorded.found_by_marker,
    unrecorded.late_submission_possible,
    unrecorded.unconfirmed_too_often,
    unrecorded.nothing_found,
)

RECORDED: tuple[Rule, ...] = (
    recorded.not_visible,
    recorded.opened_elsewhere,
    recorded.not_read,
    recorded.not_known_to_slurmctld,
    recorded.not_proven_ours,
    recorded.tasks_not_told,
    recorded.over,
    recorded.release_refused,
    suspension.to_be_suspended,
    recorded.held_without_note,
    recorded.not_looked_at_by_slurm_yet,
    recorded.living,
)
