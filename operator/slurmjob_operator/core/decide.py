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

from slurmjob_operator.api.conditions import ConditionType
from slurmjob_operator.core import attempts, progress, recorded, unrecorded
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core.decision import Cancel, Decision, RemoveFinalizer
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
            return decision
    raise AssertionError("the last rule of each list always speaks")


def accepted_too_late(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Slurm took a submission of ours, and meanwhile another id was recorded, the template edited or the attempt
    closed: what we hold in hand is a twin, held and never recorded, and goes."""
    submission, status = facts.submission, view.status
    if not isinstance(submission, Accepted) or status.job_id == str(submission.job_id):
        return None
    awaited = status.job_id is None and facts.sent_for in (None, (status.attempt, view.template_hash, status.user))
    if awaited and not attempts.is_closed(status) and not edit.is_true(status.conditions, ConditionType.FINISHED):
        return None
    trouble = facts.connection.problem or facts.trouble
    if trouble is not None and now < trouble.retry_at:
        return Decision(status=status, recheck_at=trouble.retry_at)
    return Decision(status=status, action=Cancel(submission.job_id))


def finished(view: JobView, _facts: Facts, _now: float) -> Decision | None:
    """The end stands in status: let the object go, and never touch it again."""
    if not edit.is_true(view.status.conditions, ConditionType.FINISHED):
        return None
    action = RemoveFinalizer() if view.has_finalizer else None
    return Decision(status=view.status, action=action)


def attempt_closed(view: JobView, facts: Facts, now: float) -> Decision | None:
    """The attempt is over and another one comes, after a while."""
    if not attempts.is_closed(view.status):
        return None
    due = attempts.next_attempt_at(view.status)
    problem = facts.connection.problem
    if now < due or problem is not None:
        return Decision(status=view.status, recheck_at=max(due, problem.retry_at) if problem is not None else due)
    return Decision(status=progress.opened(view, connection=facts.connection, now=now))


ALWAYS: tuple[Rule, ...] = (accepted_too_late, finished, attempt_closed)

UNRECORDED: tuple[Rule, ...] = (
    unrecorded.template_invalid,
    unrecorded.refused_for_good,
    unrecorded.rejected_before,
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
    recorded.not_read,
    recorded.not_known_to_slurmctld,
    recorded.not_proven_ours,
    recorded.over,
    recorded.release_refused,
    recorded.held_without_note,
    recorded.not_looked_at_by_slurm_yet,
    recorded.living,
)
