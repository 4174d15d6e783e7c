"""A SlurmJob that is being deleted: what is cancelled, what is waited for, when it goes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slurmjob_operator.api.conditions import ConditionType, EventReason, Reason
from slurmjob_operator.api.slurmjob import DeletionPolicy
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core import learning
from slurmjob_operator.core.cancelling import CANCEL_AGAIN_SECONDS
from slurmjob_operator.core.decide import decide
from slurmjob_operator.core.decision import (
    Action,
    Cancel,
    ReadAccounting,
    ReadJob,
    RemoveFinalizer,
    Search,
)
from slurmjob_operator.core.letting_go import LOOK_AGAIN_SECONDS
from slurmjob_operator.core.records import Accepted
from slurmjob_operator.core.times import rfc3339
from slurmjob_operator.core.undecided import LOST_SECONDS
from slurmjob_operator.core.view import ConnectionFacts, Facts, JobView, NotKnown, Rejection, Trouble, Unconfirmed
from tests.unit.core.test_decide import AWAY, ENDED, HELD, KNOWN, NEW, NOW, OPEN, RECORDED, RELEASED, RUNNING

GOING = replace(RECORDED, deleting=True)
OPENED = replace(OPEN, deleting=True)
ORPHAN = replace(GOING, deletion_policy=DeletionPolicy.ORPHAN)
GO = RemoveFinalizer()


@pytest.mark.parametrize(
    ("name", "view", "facts", "action"),
    [
        ("not ours to hold", replace(GOING, has_finalizer=False), KNOWN, None),
        ("no attempt was opened", replace(NEW, deleting=True), KNOWN, GO),
        ("opened here, nothing sent", OPENED, replace(KNOWN, fresh=True), GO),
        ("refused here", OPENED, replace(KNOWN, submission=Rejection(message="no", generation=1)), GO),
        ("opened, nothing known", OPENED, KNOWN, Search()),
        ("opened, nothing found", OPENED, replace(KNOWN, search=()), GO),
        ("opened, found held", OPENED, replace(KNOWN, search=(HELD,)), Cancel(7)),
        ("opened, found running", OPENED, replace(KNOWN, search=(RUNNING,)), Cancel(7)),
        ("opened, found ended", OPENED, replace(KNOWN, search=(ENDED,)), GO),
        ("opened, accepted", OPENED, replace(KNOWN, submission=Accepted(job_id=9)), Cancel(9)),
        ("opened, answer lost just now", OPENED,
         replace(KNOWN, submission=Unconfirmed(at=NOW), search=(), searched_at=NOW), None),
        ("recorded, not read", GOING, KNOWN, ReadJob(7)),
        ("held", GOING, replace(KNOWN, controller=HELD), Cancel(7)),
        ("waits", GOING, replace(KNOWN, controller=RELEASED), Cancel(7)),
        ("runs", GOING, replace(KNOWN, controller=RUNNING), Cancel(7)),
        ("runs, cancelled just now", GOING, replace(KNOWN, controller=RUNNING, cancelled_at=NOW - 1), None),
        ("runs, cancelled long ago", GOING,
         replace(KNOWN, controller=RUNNING, cancelled_at=NOW - CANCEL_AGAIN_SECONDS), Cancel(7)),
        ("COMPLETING on a dead node is not waited for", GOING,
         replace(KNOWN, controller=replace(ENDED, states=frozenset({"CANCELLED", "COMPLETING"}))), GO),
        ("ended", GOING, replace(KNOWN, controller=ENDED), GO),
        ("forgotten by slurmctld", GOING, replace(KNOWN, controller=NotKnown(since=NOW)), ReadAccounting(7)),
        ("forgotten, slurmdbd knows the end", GOING,
         replace(KNOWN, controller=NotKnown(since=NOW), accounting=(ENDED,)), GO),
        ("forgotten, no end known", GOING, replace(KNOWN, controller=NotKnown(since=NOW), accounting=(RUNNING,)), None),
        ("forgotten for long", GOING,
         replace(KNOWN, controller=NotKnown(since=NOW - LOST_SECONDS), accounting=()), GO),
        ("a stranger's under our id", GOING, replace(KNOWN, controller=replace(RUNNING, user="bob", comment="")),
         ReadAccounting(7)),
        ("unproven", GOING, replace(KNOWN, controller=replace(RUNNING, comment="", name="x")), None),
        ("Slurm is away", GOING, replace(KNOWN, trouble=AWAY), None),
        ("orphan, runs", ORPHAN, replace(KNOWN, controller=RUNNING), GO),
        ("orphan, waits", ORPHAN, replace(KNOWN, controller=RELEASED), GO),
        ("orphan, never released", ORPHAN, replace(KNOWN, controller=HELD), Cancel(7)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_next_action(name: str, view: JobView, facts: Facts, action: Action | None) -> None:
    assert decide(view, facts, NOW).action == action


def test_blocked_is_said_once() -> None:
    problem = Trouble(reason=Reason.TOKEN_EXPIRED, message="expired", retry_at=NOW + 10)
    facts = Facts(connection=ConnectionFacts(user="alice", cluster_name="campus", problem=problem))
    first = decide(GOING, facts, NOW)
    assert [note.reason for note in first.events] == [EventReason.FINALIZER_BLOCKED]
    assert first.recheck_at == NOW + 10
    told = replace(GOING, status=first.status)
    second = decide(told, replace(facts, blocked_told=True), NOW + 1)
    assert (second.status, second.events) == (first.status, ())
    assert decide(told, facts, NOW + 1).events == first.events, (
        "each process once: so it learns of a namespace that goes"
    )


@pytest.mark.parametrize("reason", [Reason.SECRET_NOT_FOUND, Reason.CONNECTION_NOT_FOUND])
def test_ten_minutes_only_where_the_namespace_goes_too(reason: Reason) -> None:
    """Counted from when the credential was found to be gone: a restart, or a renewed Secret, lets nothing go."""
    problem = Trouble(reason=reason, message="gone", retry_at=NOW + 10, since=NOW)
    facts = Facts(connection=ConnectionFacts(user="alice", cluster_name="campus", problem=problem))
    old = replace(GOING, deletion_time=rfc3339(NOW - 3600))
    assert decide(old, replace(facts, terminating=True), NOW + 599).action is None
    assert decide(old, replace(facts, terminating=True), NOW + 600).action == GO
    assert decide(old, facts, NOW + 600).action is None
    assert decide(old, facts, NOW - 3600 + 86400).action == GO


def test_a_connection_that_leads_elsewhere_lets_nothing_go() -> None:
    connection = ConnectionFacts(user="alice", cluster_name="another")
    for going in (GOING, replace(GOING, status=replace(GOING.status, job_id=None))):
        decision = decide(going, Facts(connection=connection, controller=NotKnown(since=0), accounting=()), NOW)
        assert decision.action is None
        synced = edit.find(decision.status.conditions, ConditionType.SYNCED)
        assert synced is not None
        assert synced.reason == Reason.CONNECTION_CHANGED
        assert "another as user alice now; attempt 1 was opened on campus as alice" in synced.message


def test_a_refused_cancellation_is_asked_for_again_without_another_event() -> None:
    first = decide(GOING, replace(KNOWN, controller=RUNNING), NOW)
    again = decide(replace(GOING, status=first.status), replace(KNOWN, controller=RUNNING), NOW + 10)
    assert (again.action, again.events) == (first.action, ())


@pytest.mark.parametrize("change", [{"user": "bob", "comment": ""}, {"comment": "", "name": "x"}])
def test_another_job_under_our_id_does_not_hold_the_object_for_ever(change: dict[str, str]) -> None:
    facts = replace(KNOWN, controller=replace(RUNNING, **change), accounting=(), missing_since=NOW - LOST_SECONDS)
    assert decide(GOING, facts, NOW).action == GO
    waiting = decide(GOING, replace(facts, missing_since=NOW - 1), NOW)
    assert (waiting.action, waiting.recheck_at) == (None, NOW + LOOK_AGAIN_SECONDS)


@pytest.mark.parametrize(
    ("facts", "reason", "why"),
    [
        (replace(KNOWN, controller=NotKnown(since=NOW), accounting=()), Reason.JOB_NOT_FOUND,
         "slurmctld does not know job 7 and slurmdbd has no record of its end."),
        (replace(KNOWN, controller=NotKnown(since=NOW), accounting=(), backlog=3), Reason.JOB_NOT_FOUND,
         "slurmctld does not know job 7 and slurmdbd has not yet heard all that slurmctld has to tell."),
        (replace(KNOWN, controller=replace(RUNNING, comment="", name="x")), Reason.IDENTITY_UNPROVEN,
         "Slurm job 7 cannot be proven to be this object's; it is left alone."),
    ],
)  # fmt: skip
def test_whoever_waits_says_why_once(facts: Facts, reason: Reason, why: str) -> None:
    first = decide(GOING, facts, NOW)
    synced = edit.find(first.status.conditions, ConditionType.SYNCED)
    assert synced is not None
    assert (synced.status, synced.reason) == ("False", reason)
    assert [(note.reason, note.message) for note in first.events] == [(EventReason.FINALIZER_BLOCKED, synced.message)]
    assert synced.message == f"The Slurm job cannot be cancelled now: {why}"
    second = decide(replace(GOING, status=first.status), facts, NOW + 1)
    assert (second.status, second.events) == (first.status, ())


def test_what_can_be_cancelled_again_is_not_blocked_any_more() -> None:
    problem = Trouble(reason=Reason.CLUSTER_UNREACHABLE, message="away", retry_at=NOW + 10)
    blocked = decide(GOING, replace(KNOWN, trouble=problem), NOW)
    again = decide(replace(GOING, status=blocked.status), replace(KNOWN, controller=RUNNING), NOW + 10)
    assert again.action == Cancel(7)
    assert edit.is_true(again.status.conditions, ConditionType.SYNCED)


def test_a_twin_that_was_cancelled_is_no_cancellation_of_the_job() -> None:
    cancelled = learning.cancel_sent(replace(KNOWN, submission=Accepted(job_id=9)), 9, now=NOW)
    assert (cancelled.cancelled_at, cancelled.submission) == (None, None)
    assert decide(GOING, replace(cancelled, controller=RUNNING), NOW).action == Cancel(7)
    assert learning.cancel_sent(KNOWN, 7, now=NOW).cancelled_at == NOW


def test_what_a_search_found_is_cancelled_again_after_a_moment() -> None:
    facts = replace(KNOWN, search=(HELD,), cancelled_at=NOW - 1)
    waiting = decide(OPENED, facts, NOW)
    assert (waiting.action, waiting.recheck_at) == (None, NOW + 1)
    assert decide(OPENED, facts, NOW + 1).action == Cancel(7)


def test_what_runs_on_is_named() -> None:
    decision = decide(ORPHAN, replace(KNOWN, controller=RUNNING), NOW)
    assert [note.reason for note in decision.events] == [EventReason.ORPHANED]
    assert "Slurm job 7 of user alice runs on" in decision.events[0].message
    lost = decide(GOING, replace(KNOWN, controller=NotKnown(since=NOW - LOST_SECONDS), accounting=()), NOW)
    assert "Slurm job 7 of user alice on campus was not found" in lost.events[0].message


def test_cancelling_is_asked_for_with_one_event() -> None:
    first = decide(GOING, replace(KNOWN, controller=RUNNING), NOW)
    assert [note.reason for note in first.events] == [EventReason.CANCEL_REQUESTED]
    cancelling = replace(GOING, status=first.status)
    again = decide(cancelling, replace(KNOWN, controller=RUNNING, cancelled_at=NOW - CANCEL_AGAIN_SECONDS), NOW)
    assert again.events == ()
