"""The statuses a SlurmJob goes through: which fields mirror Slurm's record, which stay, what people are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slurmjob_operator.api.conditions import ConditionType, EventReason, Reason
from slurmjob_operator.api.status import Effective, SlurmJobStatus, SlurmView
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core import progress
from slurmjob_operator.core.decide import decide
from slurmjob_operator.core.records import Accepted, JobRecord
from slurmjob_operator.core.states import End, end_of
from slurmjob_operator.core.times import rfc3339
from slurmjob_operator.core.view import Deferral, JobView, Rejection, Unconfirmed
from tests.unit.core.values import (
    AWAY,
    NOW,
    OPENED,
    OTHER_HASH,
    assert_only,
    ended,
    facts,
    held,
    opened,
    reason_of,
    record,
    recorded,
    rejected,
    running,
    told,
    view,
    written,
)

START = int(NOW) - 30
LATER = int(NOW) + 86_400


def _ended(before: JobView, over: JobRecord) -> SlurmJobStatus:
    return progress.ended(before, over, end=end_of(over), now=NOW)


def follow(status: SlurmJobStatus, states: set[str], **changes: Any) -> SlurmJobStatus:
    return progress.following(view(status), record(states, **changes), now=NOW)


# --- Opening --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [None, opened(), rejected()])
def test_an_attempt_is_opened_for_a_template_at_a_time(status: SlurmJobStatus | None) -> None:
    decision = decide(view(status, template_hash=OTHER_HASH, generation=3), facts(search=()), NOW)
    after = decision.status
    assert decision.action is None, "the intent is durable before the deed"
    assert (after.state, after.attempt, after.attempt_time) == ("Submitting", 1, rfc3339(NOW))
    assert (after.template_hash, after.user, after.cluster_name) == (OTHER_HASH, "alice", "campus")
    assert (after.observed_generation, after.job_id) == (3, None)
    assert reason_of(decision, ConditionType.RECONCILING) == ("True", Reason.SUBMISSION_PENDING)
    assert reason_of(decision, ConditionType.STALLED) is None


# --- Following ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("states", "changes", "state", "reason", "message"),
    [
        ({"PENDING"}, {}, "Pending", Reason.PENDING_IN_QUEUE, "Slurm job 7 waits: Priority"),
        ({"PENDING"}, {"held": True, "reason": "JobHeldAdmin"}, "Held", Reason.HELD, "an administrator holds it"),
        ({"PENDING", "REQUEUED"}, {}, "Pending", Reason.PENDING_IN_QUEUE, "waits"),
        ({"RUNNING"}, {}, "Running", Reason.RUNNING, "Slurm job 7 is running."),
        ({"RUNNING"}, {"nodes": "cn[1-2]"}, "Running", Reason.RUNNING, "Slurm job 7 is running on cn[1-2]."),
        ({"RUNNING", "CONFIGURING"}, {}, "Running", Reason.RUNNING, "is running"),
        ({"RUNNING", "COMPLETING"}, {}, "Completing", Reason.COMPLETING, "Slurm job 7 is ending."),
        ({"PENDING", "COMPLETING"}, {}, "Completing", Reason.COMPLETING, "then it is in the queue again"),
        ({"PENDING", "SPECIAL_EXIT"}, {"held": True}, "Held", Reason.HELD, "waits"),
        ({"COMPLETED", "COMPLETING"}, {}, "Completing", Reason.COMPLETING, "Slurm job 7 is ending."),
        ({"CANCELLED", "A_FLAG_OF_TOMORROW"}, {}, "Completing", Reason.COMPLETING, "is ending"),
        ({"SUSPENDED"}, {}, "Suspended", Reason.SUSPENDED_IN_SLURM, "Slurm job 7 is suspended in Slurm."),
        ({"A_STATE_OF_TOMORROW"}, {}, "Pending", Reason.PENDING_IN_QUEUE, "waits"),
    ],
)
def test_following(states: set[str], changes: dict[str, Any], state: str, reason: Reason, message: str) -> None:
    status = follow(recorded(), states, **changes)
    moving = edit.find(status.conditions, ConditionType.RECONCILING)
    assert moving is not None
    assert (status.state, status.active, moving.reason) == (state, 1, reason)
    assert message in moving.message
    assert status.slurm is not None
    assert status.slurm.states == tuple(sorted(states))
    assert edit.is_true(status.conditions, ConditionType.SYNCED)
    assert not edit.is_true(status.conditions, ConditionType.FINISHED)


def test_what_slurm_really_applied() -> None:
    status = follow(
        recorded(), {"RUNNING"}, start_time=START, account="aero", partition="cpu", qos="normal",
        time_limit_seconds=3600, node_count=4, cpus=256, nodes="cn[1-4]", restarts=2,
        stdout_path="/o", stderr_path="/e",
    )  # fmt: skip
    assert status.effective == Effective(
        account="aero", partition="cpu", qos="normal", time_limit_seconds=3600, nodes=4, cpus=256
    )
    assert status.slurm == SlurmView(states=("RUNNING",), reason="Priority", restarts=2, nodes="cn[1-4]")
    assert (status.start_time, status.stdout_path, status.stderr_path) == (rfc3339(START), "/o", "/e")
    assert status.submit_time == rfc3339(OPENED + 10)


def test_a_pending_job_has_an_estimate_and_no_start() -> None:
    """Also one that ran before and was requeued: its nodes and its start are those of another run."""
    status = follow(running(), {"PENDING"}, start_time=LATER, nodes="cn1", restarts=1)
    assert status.start_time is None
    assert status.slurm is not None
    assert (status.slurm.estimated_start_time, status.slurm.nodes, status.slurm.restarts) == (rfc3339(LATER), None, 1)


@pytest.mark.parametrize(("moved", "kept"), [(600, True), (-8000, True), (9000, False), (-9000, False)])
def test_an_estimate_that_hardly_moved_is_not_written_again(moved: int, kept: bool) -> None:
    before = follow(recorded(), {"PENDING"}, start_time=LATER)
    after = follow(before, {"PENDING"}, start_time=LATER + moved)
    assert after.slurm is not None
    assert (after.slurm.estimated_start_time == rfc3339(LATER)) is kept


def test_what_a_record_does_not_say_stays() -> None:
    before = follow(recorded(), {"RUNNING"}, start_time=START, stdout_path="/o", stderr_path="/e", restarts=2)
    after = progress.following(view(before), told({"RUNNING"}, submit_time=None), now=NOW)
    assert (after.start_time, after.submit_time) == (before.start_time, before.submit_time)
    assert (after.stdout_path, after.stderr_path) == ("/o", "/e")
    assert after.slurm is not None
    assert (after.slurm.reason, after.slurm.restarts) == ("Priority", 2), "slurmdbd knows neither"


def test_the_start_is_told_once() -> None:
    seen = view(recorded())
    known = facts(controller=record({"RUNNING"}, start_time=START, nodes="cn1"))
    decision = decide(seen, known, NOW)
    assert [(n.reason, n.message, n.warning) for n in decision.events] == [
        (EventReason.STARTED, "Slurm job 7 started on cn1.", False)
    ]
    assert_only(decide(written(seen, decision), known, NOW + 9), written(seen, decision), None)


def test_a_write_is_spared_for_a_job_that_was_just_released() -> None:
    known = facts(controller=record(reason="None"))
    assert_only(decide(view(recorded()), known, NOW), view(recorded()), None)
    edited = decide(view(recorded(), generation=2), known, NOW)
    assert edited.status.observed_generation == 2, "an edit is answered all the same"
    unsynced = progress.unsynced(view(recorded()), reason=Reason.CLUSTER_UNREACHABLE, message="away", now=NOW)
    assert reason_of(decide(view(unsynced), known, NOW), ConditionType.SYNCED) == ("True", Reason.POLL_SUCCEEDED)


# --- Ends -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("states", "changes", "state", "counters", "code", "signal"),
    [
        ({"COMPLETED"}, {"exit_code": 0}, "Complete", (0, 1, 0), 0, None),
        ({"COMPLETED"}, {"exit_code": 0, "signal": 0}, "Complete", (0, 1, 0), 0, None),
        ({"FAILED"}, {"exit_code": 3}, "Failed", (0, 0, 1), 3, None),
        ({"FAILED"}, {"exit_code": 0, "signal": 9}, "Failed", (0, 0, 1), None, 9),
        ({"TIMEOUT"}, {"exit_code": 0}, "Failed", (0, 0, 1), None, None),
        ({"CANCELLED"}, {}, "Failed", (0, 0, 1), None, None),
    ],
)
def test_ended(
    states: set[str],
    changes: dict[str, Any],
    state: str,
    counters: tuple[int, int, int],
    code: int | None,
    signal: int | None,
) -> None:
    status = _ended(view(running()), record(states, end_time=START + 9, **changes))
    succeeded = state == "Complete"
    assert (status.state, (status.active, status.succeeded, status.failed)) == (state, counters)
    assert (status.exit_code, status.signal) == (code, signal)
    assert status.end_time == rfc3339(START + 9)
    assert status.completion_time == (status.end_time if succeeded else None)
    assert edit.is_true(status.conditions, ConditionType.COMPLETE) is succeeded
    assert edit.is_true(status.conditions, ConditionType.FAILED) is not succeeded
    assert edit.is_true(status.conditions, ConditionType.FINISHED)
    assert edit.is_true(status.conditions, ConditionType.STALLED) is not succeeded, "kstatus reads Failed"
    assert edit.find(status.conditions, ConditionType.RECONCILING) is None


def test_what_was_removed_before_it_ran_has_no_start() -> None:
    """Slurm gives the time of its end as that of its start, and no nodes."""
    ended = _ended(view(recorded()), record({"CANCELLED"}, start_time=START, end_time=START))
    assert ended.start_time is None
    assert ended.attempts[-1].start_time is None
    brief = record({"COMPLETED"}, start_time=START, end_time=START, nodes="n1")
    assert _ended(view(recorded()), brief).start_time == rfc3339(START)


def test_an_end_without_a_time_ends_now() -> None:
    assert _ended(view(running()), record({"FAILED"})).end_time == rfc3339(NOW)


@pytest.mark.parametrize(
    ("states", "reason", "warning"), [("COMPLETED", "Completed", False), ("TIMEOUT", "Failed", True)]
)
def test_an_end_is_told(states: str, reason: str, warning: bool) -> None:
    decision = decide(view(running()), facts(controller=record({states})), NOW)
    (note,) = decision.events
    finished = edit.find(decision.status.conditions, ConditionType.FINISHED)
    assert finished is not None
    assert (note.reason, note.message, note.warning) == (f"SlurmJob{reason}", finished.message, warning)


def test_a_failure_that_never_ran() -> None:
    status = progress.decided(
        view(recorded()), End(succeeded=False, reason=Reason.RELEASE_REFUSED, message="the site says no"), now=NOW
    )
    assert (status.state, status.failed, status.end_time) == ("Failed", 1, rfc3339(NOW))
    assert (status.start_time, status.completion_time) == (None, None)


# --- What is kept ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [recorded(), running(), ended()])
def test_losing_sight_changes_nothing_but_what_it_says(status: SlurmJobStatus) -> None:
    after = progress.unsynced(view(status), reason=Reason.CLUSTER_UNREACHABLE, message="away", now=NOW)
    assert replace(after, conditions=()) == replace(status, conditions=())
    changed = set(after.conditions) - set(status.conditions)
    assert {(c.type, c.status, c.reason) for c in changed} == {("Synced", "False", "ClusterUnreachable")}


def test_the_first_submit_time_is_never_moved() -> None:
    status = replace(opened(), first_submit_time="2026-01-01T00:00:00Z")
    after = decide(view(status), facts(submission=Accepted(job_id=7)), NOW).status
    assert (after.job_id, after.first_submit_time) == ("7", "2026-01-01T00:00:00Z")
    assert after.submit_time == rfc3339(NOW)


def test_slurms_words_at_submission_are_repeated() -> None:
    status = progress.recorded(view(opened()), Accepted(job_id=7, messages=("hi", "ho")), notices=(), now=NOW)
    submitted = edit.find(status.conditions, ConditionType.SUBMITTED)
    assert submitted is not None
    assert submitted.message == "Slurm accepted attempt 1 as job 7. It said: hi; ho"


# --- When to look again ---------------------------------------------------------------------------------------


def test_times_to_look_again() -> None:
    sent = NOW - 5
    lost = facts(submission=Unconfirmed(at=sent), unconfirmed=1, search=(), searched_at=sent + 1)
    asked = decide(view(opened()), replace(lost, searched_at=sent + 15, unconfirmed=2), NOW).status
    refused = progress.release_refused(view(recorded()), message="no", now=NOW)
    for seen, known, at in [
        (view(opened()), facts(submission=Deferral(message="full", until=NOW + 9)), NOW + 9),
        (view(opened()), facts(trouble=AWAY), AWAY.retry_at),
        (view(opened()), lost, sent + 15),
        (view(asked), replace(lost, searched_at=sent + 15, unconfirmed=2), NOW + 300),
        (view(recorded()), facts(trouble=AWAY), AWAY.retry_at),
        (view(recorded()), facts(controller=held(), accounting=(), backlog=0), NOW + 2),
        (view(refused), facts(controller=held(), cancelled_at=NOW), NOW + 2),
        (view(recorded()), facts(controller=record({"RUNNING"}, name="x", comment="")), NOW + 30),
        (view(recorded()), facts(controller=record({"RUNNING"})), None),
        (view(rejected()), facts(), None),
    ]:
        decision = decide(seen, known, NOW)
        assert (decision.action, decision.recheck_at) == (None, at), known


def test_a_refusal_is_told_once() -> None:
    seen = view(opened())
    for known, reason in [
        (facts(submission=Rejection(message="no", generation=1)), EventReason.SUBMISSION_REJECTED),
        (facts(invalid="no"), EventReason.INVALID_SPEC),
    ]:
        decision = decide(seen, known, NOW)
        assert [(note.reason, note.message, note.warning) for note in decision.events] == [(reason, "no", True)]
        assert_only(decide(written(seen, decision), known, NOW + 60), written(seen, decision), None)
