"""`spec.suspend`, rule by rule: what is not submitted, what is held, what is cancelled, and what comes of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slurmjob_operator.api.conditions import ConditionType, EventReason, Reason
from slurmjob_operator.api.status import Attempt, SlurmJobStatus
from slurmjob_operator.core import attempts, marker, progress
from slurmjob_operator.core.array_status import known_of
from slurmjob_operator.core.decide import decide
from slurmjob_operator.core.decision import AddFinalizer, Cancel, Decision, Hold, ReadAccounting, Release, Search
from slurmjob_operator.core.records import Accepted, JobRecord
from slurmjob_operator.core.tasks import COMPLETED, Outcome, Tasks
from slurmjob_operator.core.times import rfc3339
from slurmjob_operator.core.view import ConnectionFacts, Deferral, JobView
from slurmjob_operator.sbatch.index_sets import IndexSet
from slurmjob_operator.sbatch.types.arrays import spec_of
from tests.unit.core.values import (
    AWAY,
    CONNECTION,
    NOW,
    comment,
    facts,
    held,
    opened,
    reason_of,
    record,
    recorded,
    running,
    told,
    view,
)

START = int(NOW) - 30
RUNNING = record({"RUNNING"}, start_time=START, nodes="n1")
CANCELLED = record({"CANCELLED"}, start_time=START, end_time=int(NOW) - 1, nodes="n1")


def suspended(status: SlurmJobStatus | None = None, **changes: Any) -> JobView:
    """With `suspend`, edited after what stands in status."""
    return view(status, **{"suspend": True, "generation": 2, **changes})


def noted(**changes: Any) -> JobRecord:
    """Held by us because of `suspend`."""
    mark = marker.parse(comment(released=True))
    assert mark is not None
    return held(**{"comment": mark.note_suspended().comment("mine"), **changes})


def condition(decision: Decision) -> tuple[str, str] | None:
    """Status and reason of Suspended."""
    found = next((c for c in decision.status.conditions if c.type == ConditionType.SUSPENDED), None)
    return None if found is None else (found.status, found.reason)


def said(decision: Decision) -> list[EventReason]:
    return [note.reason for note in decision.events]


def under_way() -> SlurmJobStatus:
    """Job 7 ran, and is being cancelled because of `suspend`."""
    return progress.suspending(suspended(running()), now=NOW - 5)


# --- Before a job is in Slurm ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "changes"),
    [
        (SlurmJobStatus(), {}),
        (SlurmJobStatus(), {"connection": replace(CONNECTION, problem=AWAY)}),
        (opened(), {"fresh": True}),
        (opened(), {"fresh": True, "trouble": AWAY}),
        (opened(), {"search": (), "searched_at": NOW}),
        (opened(), {"search": (), "submission": Deferral(message="full", until=NOW + 60)}),
    ],
)
def test_nothing_is_submitted(status: SlurmJobStatus, changes: dict[str, Any]) -> None:
    decision = decide(
        suspended(status, has_finalizer=False) if status.attempt is None else suspended(status), facts(**changes), NOW
    )
    assert decision.action is None
    assert (decision.status.state, decision.status.active) == ("Suspended", 0)
    assert condition(decision) == ("True", "JobSuspended")
    assert said(decision) == [EventReason.SUSPENDED]
    assert decision.status.observed_generation == 2
    types = {c.type for c in decision.status.conditions}
    assert not types & {ConditionType.RECONCILING, ConditionType.STALLED}
    again = decide(suspended(decision.status), facts(**changes), NOW + 9)
    assert (again.status, again.action, again.events) == (decision.status, None, ())


def test_what_may_have_been_submitted_is_looked_for_first() -> None:
    assert decide(suspended(opened()), facts(), NOW).action == Search()
    found = decide(suspended(opened()), facts(search=(held(),)), NOW)
    assert found.status.job_id == "7"
    accepted = decide(suspended(opened()), facts(submission=Accepted(job_id=7)), NOW)
    assert accepted.status.job_id == "7"


def test_what_is_wrong_with_the_template_is_told_all_the_same() -> None:
    assert decide(suspended(), facts(invalid="template.mem: no"), NOW).status.state == "Rejected"


def test_resumed_before_anything_was_submitted() -> None:
    status = decide(suspended(), facts(), NOW).status
    assert decide(view(status, generation=3, has_finalizer=False), facts(), NOW).action == AddFinalizer()
    decision = decide(view(status, generation=3), facts(), NOW)
    assert (decision.status.state, decision.status.attempt) == ("Submitting", 1)
    assert condition(decision) == ("False", "JobResumed")
    assert said(decision) == [EventReason.RESUMED]


# --- In the queue ------------------------------------------------------------------------------------------------


def test_what_waits_is_held() -> None:
    assert decide(suspended(recorded()), facts(controller=record()), NOW).action == Hold(7)


def test_a_hold_without_effect_is_not_repeated_at_once() -> None:
    decision = decide(suspended(recorded()), facts(controller=record(), held_at=NOW - 1), NOW)
    assert (decision.action, decision.recheck_at) == (None, NOW + 4)
    assert decide(suspended(recorded()), facts(controller=record(), held_at=NOW - 5), NOW).action == Hold(7)


@pytest.mark.parametrize("by", [noted(), held(), held(comment=comment(released=True))])
def test_held_by_whomever_it_is_suspended(by: JobRecord) -> None:
    """By us, never released, or by somebody in Slurm: nothing is changed there."""
    decision = decide(suspended(recorded()), facts(controller=by, recorded_here="7"), NOW)
    assert decision.action is None
    assert (decision.status.state, decision.status.active, decision.status.job_id) == ("Suspended", 0, "7")
    assert condition(decision) == ("True", "JobSuspended")


def test_resumed_it_is_released_as_one_that_never_was() -> None:
    """slurmctld may have lost its newest state, in which it ran (TRAP F5): slurmdbd has the word."""
    status = decide(suspended(recorded()), facts(controller=noted()), NOW).status
    resumed = view(status, generation=3)
    assert decide(resumed, facts(controller=noted(), releases=1), NOW).action == ReadAccounting(7)
    heard = facts(controller=noted(), accounting=(told(),), backlog=0)
    assert decide(resumed, heard, NOW).action == Release(7)
    ran = facts(controller=noted(), accounting=(told({"RUNNING"}, start_time=START),), backlog=0)
    assert decide(resumed, ran, NOW).status.state == "Unknown"


def test_without_slurmdbd_what_waits_is_cancelled() -> None:
    """After a hold nobody could tell a release that is to come from one that slurmctld has lost."""
    place = ConnectionFacts(user="alice", cluster_name="campus", accounting=False)
    status = progress.releasing(view(recorded()), now=NOW - 20)
    decision = decide(suspended(status), facts(connection=place, controller=record()), NOW)
    assert reason_of(decision, ConditionType.RECONCILING) == ("True", "Suspending")
    assert decide(suspended(decision.status), facts(connection=place, controller=record()), NOW).action == Cancel(7)


@pytest.mark.parametrize("accounting", [True, False])
def test_what_slurmctld_has_lost_is_no_job_to_suspend(accounting: bool) -> None:
    """It ran, and is held without a note (TRAP F5): resumed it would run again."""
    place = ConnectionFacts(user="alice", cluster_name="campus", accounting=accounting)
    status = running() if accounting else progress.releasing(view(recorded()), now=NOW - 20)
    decision = decide(suspended(status), facts(connection=place, controller=held()), NOW)
    assert decision.status.state == "Unknown"


def test_what_somebody_holds_in_slurm_stays_held_when_it_is_resumed() -> None:
    theirs = held(comment=comment(released=True))
    status = decide(suspended(recorded()), facts(controller=theirs), NOW).status
    decision = decide(view(status, generation=3), facts(controller=theirs), NOW)
    assert (decision.action, decision.status.state) == (None, "Held")
    assert condition(decision) == ("False", "JobResumed")


# --- Running -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "found",
    [RUNNING, record({"RUNNING"}, start_time=START, comment=noted().comment), record({"SUSPENDED"}, start_time=START),
     record({"CONFIGURING", "RUNNING"}), record(restarts=1)],
)  # fmt: skip
def test_what_has_begun_is_cancelled_once_status_says_why(found: JobRecord) -> None:
    first = decide(suspended(running()), facts(controller=found), NOW)
    assert first.action is None
    assert attempts.is_closed(first.status) is False
    second = decide(suspended(first.status), facts(controller=found), NOW)
    assert (second.action, second.status) == (Cancel(7), first.status)
    third = decide(suspended(first.status), facts(controller=found, cancelled_at=NOW - 1), NOW)
    assert (third.action, third.recheck_at) == (None, NOW + 2)
    later = decide(suspended(first.status), facts(controller=found, cancelled_at=NOW - 60), NOW)
    assert later.action == Cancel(7)


def test_it_is_waited_for_while_its_nodes_are_cleaned_up() -> None:
    found = facts(controller=record({"CANCELLED", "COMPLETING"}, start_time=START), cancelled_at=NOW)
    decision = decide(suspended(under_way()), found, NOW)
    assert (decision.status, decision.action) == (under_way(), None)


@pytest.mark.parametrize("wanted", [True, False])
def test_the_attempt_ends_and_the_object_does_not(wanted: bool) -> None:
    """Also when `suspend` is false again before the end is seen."""
    found = facts(connection=replace(CONNECTION, accounting=False), controller=CANCELLED)
    status = decide(suspended(under_way(), suspend=wanted), found, NOW).status
    assert (status.state, status.active, status.failed, status.suspended_attempts) == ("Suspended", 0, 0, 1)
    assert (status.attempts[-1].reason, status.attempts[-1].state) == ("JobSuspended", "CANCELLED")
    assert status.start_time is None
    resting = decide(suspended(status), found, NOW + 100)
    assert (resting.status.state, resting.action) == ("Suspended", None)
    again = decide(view(status, generation=3), found, NOW)
    assert (again.status.state, again.status.attempt, again.status.job_id) == ("Submitting", 2, None)
    assert attempts.counted_before(again.status) == 0


@pytest.mark.parametrize(("states", "code", "state"), [({"COMPLETED"}, 0, "Complete"), ({"FAILED"}, 3, "Failed")])
def test_its_own_end_comes_before(states: set[str], code: int, state: str) -> None:
    over = record(states, exit_code=code, start_time=START, end_time=int(NOW), nodes="n1")
    found = facts(connection=replace(CONNECTION, accounting=False), controller=over)
    assert decide(suspended(under_way()), found, NOW).status.state == state


def test_cancelled_by_somebody_else_while_it_is_held_it_has_failed() -> None:
    status = decide(suspended(recorded()), facts(controller=noted()), NOW).status
    over = record({"CANCELLED"}, end_time=int(NOW), comment=noted().comment)
    decision = decide(suspended(status), facts(controller=over), NOW)
    assert (decision.status.state, condition(decision)) == ("Failed", ("False", "Cancelled"))


def test_suspended_between_two_attempts_no_other_is_opened() -> None:
    failed = record({"FAILED"}, exit_code=1, start_time=START, end_time=int(NOW) - 1, nodes="n1")
    place = replace(CONNECTION, accounting=False)
    status = decide(view(running(), backoff_limit=1), facts(connection=place, controller=failed), NOW).status
    assert status.state == "Retrying"
    resting = decide(suspended(status, backoff_limit=1), facts(connection=place), NOW + 500)
    assert (resting.status.state, resting.action) == ("Suspended", None)
    again = decide(view(resting.status, backoff_limit=1, generation=3), facts(connection=place), NOW + 500)
    assert again.status.attempt == 2
    assert attempts.counted_before(again.status) == 1


def test_suspensions_make_no_retry_wait_longer() -> None:
    """The wait doubles with the attempts that count."""
    kept = tuple(
        Attempt(attempt=number, job_id="7", state="CANCELLED", reason="JobSuspended", end_time=rfc3339(NOW))
        for number in (1, 2, 3)
    )
    last = Attempt(attempt=4, job_id="8", state="FAILED", reason="NonZeroExitCode", end_time=rfc3339(NOW))
    status = SlurmJobStatus(attempt=4, suspended_attempts=3, attempts=(*kept, last))
    assert attempts.next_attempt_at(status) == NOW + attempts.FIRST_BACKOFF_SECONDS
    assert attempts.next_attempt_at(replace(status, attempts=kept)) == NOW


# --- An array ----------------------------------------------------------------------------------------------------


def _array(*, pending: str = "", running: str = "", ended: tuple[tuple[Outcome, str], ...] = ()) -> Tasks:
    return Tasks(
        wanted=IndexSet.parse("0-9"),
        pending=IndexSet.parse(pending),
        running=IndexSet.parse(running),
        ended=tuple((outcome, IndexSet.parse(text)) for outcome, text in ended),
    )


BAD = Outcome(state="FAILED", reason=Reason.NON_ZERO_EXIT_CODE, exit_code=1)
STOPPED = Outcome(state="CANCELLED", reason=Reason.CANCELLED)
ARRAY: dict[str, Any] = {"array": spec_of("0-9%2")}


@pytest.mark.parametrize(
    ("tasks", "action"),
    [(_array(pending="0-9"), Hold(7)), (_array(pending="1-9", running="0"), None),
     (_array(pending="1-9", ended=((COMPLETED, "0"),)), None)],
)  # fmt: skip
def test_of_an_array_all_or_nothing_is_held(tasks: Tasks, action: object) -> None:
    states = {"RUNNING"} if tasks.running else {"PENDING"}
    decision = decide(suspended(recorded(), **ARRAY), facts(controller=record(states, tasks=tasks), tasks=tasks), NOW)
    assert decision.action == action
    if action is None:
        assert reason_of(decision, ConditionType.RECONCILING) == ("True", "Suspending")


def test_resumed_the_tasks_that_the_suspension_ended_run_again_and_no_other() -> None:
    """Not those that succeeded, that failed by themselves, or that somebody cancelled before."""
    before = _array(pending="5-9", running="3-4", ended=((COMPLETED, "0"), (BAD, "1"), (STOPPED, "2")))
    living = record({"RUNNING"}, tasks=before, start_time=START)
    status = decide(suspended(recorded(), **ARRAY), facts(controller=living, tasks=before), NOW).status
    status = replace(status, array=progress.following(view(recorded()), living, now=NOW).array)
    after = _array(ended=((COMPLETED, "0,3"), (BAD, "1"), (STOPPED, "2,4-9")))
    over = record({"FAILED"}, tasks=after, start_time=START, end_time=int(NOW))
    place = replace(CONNECTION, accounting=False)
    closed = decide(suspended(status, **ARRAY), facts(connection=place, controller=over, tasks=after), NOW).status
    assert (closed.state, closed.suspended_attempts) == ("Suspended", 1)
    again = decide(view(closed, generation=3, **ARRAY), facts(connection=place), NOW).status
    assert again.array is not None
    assert (again.array.pending, again.array.succeeded_indexes, again.array.failed_indexes) == (6, "0,3", "1-2")
    assert {(o.state, str(i)) for o, i in known_of(again.array)} >= {("FAILED", "1"), ("CANCELLED", "2")}
