"""Attempts of unknown outcome: what is kept, whose word counts, and what stands in the way of another attempt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slurmjob_operator.api.conditions import ConditionType, EventReason, Reason
from slurmjob_operator.api.slurmjob import UnknownOutcomePolicy
from slurmjob_operator.api.status import Usage
from slurmjob_operator.core import attempts, progress
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core.decide import decide
from slurmjob_operator.core.decision import Cancel, Decision, ReadAccounting, Search
from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.core.undecided import LOST_SECONDS, UNPROVEN_SECONDS
from slurmjob_operator.core.view import Facts, JobView, NotKnown, Trouble, Unconfirmed, UsageAnswer
from tests.unit.core.test_decide import ENDED, HELD, KNOWN, NOW, OPEN, RECORDED, RELEASED, RUNNING

GONE = replace(KNOWN, controller=NotKnown(since=NOW), accounting=(), backlog=0)
LOST = replace(GONE, missing_since=NOW - LOST_SECONDS, missing_reads=3)


def _told(view: JobView, facts: Facts, now: float = NOW) -> JobView:
    """The view once status says that nobody knows."""
    return replace(view, status=decide(view, facts, now).status)


def _stalled(decision: Decision) -> str | None:
    found = edit.find(decision.status.conditions, ConditionType.STALLED)
    return None if found is None else found.reason


def test_lost_after_ten_minutes_and_three_reads_once_slurmdbd_has_heard_all() -> None:
    decision = decide(RECORDED, LOST, NOW)
    assert (decision.status.state, _stalled(decision)) == ("Unknown", Reason.JOB_RECORD_LOST)
    assert [note.reason for note in decision.events] == [EventReason.OUTCOME_UNKNOWN]
    for not_yet in (
        replace(LOST, missing_since=NOW - LOST_SECONDS + 1),
        replace(LOST, missing_reads=2),
        replace(LOST, backlog=1),
    ):
        assert _stalled(decide(RECORDED, not_yet, NOW)) is None


def test_without_slurmdbd_it_is_lost_all_the_same() -> None:
    facts = replace(LOST, backlog=None, connection=replace(LOST.connection, accounting=False))
    assert _stalled(decide(RECORDED, facts, NOW)) == Reason.JOB_RECORD_LOST


def test_after_a_restart_it_is_still_lost_and_found_again_when_it_shows() -> None:
    told = _told(RECORDED, LOST)
    assert decide(told, GONE, NOW + 1).status == told.status
    assert decide(told, KNOWN, NOW + 1).action is not None
    running = decide(told, replace(KNOWN, controller=RUNNING), NOW + 1)
    assert (running.status.state, _stalled(running)) == ("Running", None)
    ended = decide(told, replace(GONE, accounting=(ENDED,)), NOW + 1)
    assert ended.status.state == "Complete"


def test_unproven_for_half_an_hour() -> None:
    strange = replace(KNOWN, controller=replace(RUNNING, comment="", name="x"), missing_since=NOW - UNPROVEN_SECONDS)
    assert _stalled(decide(RECORDED, strange, NOW)) == Reason.IDENTITY_UNPROVEN
    assert _stalled(decide(RECORDED, replace(strange, missing_since=NOW - UNPROVEN_SECONDS + 1), NOW)) is None


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("1/succeeded", "Complete"),
        ("1/failed", "Failed"),
        ("1/retry", "Retrying"),
        ("2/failed", "Unknown"),
        ("1/maybe", "Unknown"),
        ("failed", "Unknown"),
        ("", "Unknown"),
    ],
)
def test_the_word_of_a_person(word: str, state: str) -> None:
    view = replace(_told(RECORDED, LOST), resolve=word)
    facts = replace(LOST, search=())
    decision = decide(view, facts, NOW)
    assert decision.status.state == state
    if state != "Unknown":
        assert [note.reason for note in decision.events] == [EventReason.RESOLVED]
        assert decision.status.attempts[-1].reason == Reason.RESOLVED


def test_a_word_counts_only_while_nobody_knows() -> None:
    view = replace(RECORDED, resolve="1/succeeded")
    assert decide(view, replace(KNOWN, controller=RUNNING), NOW).status.state == "Running"
    assert decide(view, GONE, NOW).status.state == "Pending"


@pytest.mark.parametrize(
    ("policy", "limit", "state"),
    [
        (UnknownOutcomePolicy.ASK, 3, "Unknown"),
        (UnknownOutcomePolicy.FAIL, 3, "Failed"),
        (UnknownOutcomePolicy.RETRY, 1, "Retrying"),
        (UnknownOutcomePolicy.RETRY, 0, "Failed"),
    ],
)
def test_the_policy(policy: UnknownOutcomePolicy, limit: int, state: str) -> None:
    view = replace(_told(RECORDED, LOST), unknown_outcome_policy=policy, backoff_limit=limit)
    assert decide(view, replace(LOST, search=()), NOW).status.state == state


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (replace(RUNNING, job_id=9), "Unknown"),
        (replace(HELD, job_id=9), "Unknown"),
        (replace(HELD, job_id=9, held=False, states=frozenset({"CANCELLED"})), "Retrying"),
        (replace(RELEASED, job_id=9, comment="somebody's own"), "Retrying"),
    ],
)
def test_a_retry_waits_for_a_fresh_search_that_finds_nothing(found: JobRecord, state: str) -> None:
    """A twin that was cancelled while it was held says nothing, and would stand in the way for ever."""
    view = replace(_told(RECORDED, LOST), resolve="1/retry")
    assert decide(view, LOST, NOW).action == Search()
    decision = decide(view, replace(LOST, search=(found,)), NOW)
    assert decision.status.state == state
    if state == "Unknown":
        stalled = edit.find(decision.status.conditions, ConditionType.STALLED)
        assert stalled is not None
        assert "Slurm job 9 of this attempt is found" in stalled.message


ROLLED_BACK = replace(KNOWN, controller=HELD, accounting=(RUNNING,), backlog=0)


@pytest.mark.parametrize("word", ["1/succeeded", "1/failed", "1/retry"])
def test_a_job_that_slurmctld_rolled_back_is_cancelled_and_never_released_again(word: str) -> None:
    view = replace(_told(RECORDED, ROLLED_BACK), resolve=word)
    assert decide(view, ROLLED_BACK, NOW).action == Cancel(7)
    cancelled = replace(HELD, held=False, states=frozenset({"CANCELLED"}))
    after = decide(view, replace(KNOWN, controller=cancelled), NOW).status
    assert after.state == {"succeeded": "Complete", "failed": "Failed", "retry": "Retrying"}[word[2:]]
    assert after.attempts[-1].job_id == "7"


def test_what_we_saw_run_is_not_released_again_whatever_slurmdbd_says() -> None:
    seen = replace(RECORDED, status=decide(RECORDED, replace(KNOWN, controller=RUNNING), NOW).status)
    waiting = replace(RUNNING, states=frozenset({"PENDING"}), start_time=None)
    decision = decide(seen, replace(KNOWN, controller=HELD, accounting=(waiting,), backlog=0), NOW)
    assert (decision.action, _stalled(decision)) == (None, Reason.STATE_ROLLED_BACK)


def test_held_and_slurmdbd_knows_nothing_of_it() -> None:
    """First it is waited for, with the true reason; after ten minutes a person is asked."""
    facts = replace(KNOWN, controller=HELD, accounting=(), backlog=0)
    assert decide(RECORDED, replace(facts, accounting=None), NOW).action == ReadAccounting(7)
    early = decide(RECORDED, facts, NOW + 61)
    assert (_stalled(early), early.recheck_at) == (None, NOW + 61 + 30)
    synced = edit.find(early.status.conditions, ConditionType.SYNCED)
    assert synced is not None
    assert synced.reason == Reason.ACCOUNTING_UNAVAILABLE
    assert _stalled(decide(RECORDED, facts, NOW + LOST_SECONDS)) == Reason.STATE_ROLLED_BACK


UNCONFIRMED = replace(KNOWN, unconfirmed=2, search=(), submission=Unconfirmed(at=NOW - 99), searched_at=NOW)


def test_an_outage_does_not_make_forget_that_a_submission_is_unconfirmed() -> None:
    told = _told(OPEN, UNCONFIRMED)
    away = Trouble(reason=Reason.CLUSTER_UNREACHABLE, message="away", retry_at=NOW + 10)
    during = _told(told, replace(KNOWN, trouble=away))
    assert attempts.unknown_reason(during.status) is Reason.SUBMISSION_UNCONFIRMED
    restarted = decide(during, replace(KNOWN, search=()), NOW + 20)
    assert (restarted.action, restarted.status.state) == (None, "Unknown")


# --- Between attempts -----------------------------------------------------------------------------------------

AT_ITS_END = replace(KNOWN, usage=UsageAnswer(usage=Usage(elapsed_seconds=2)))
FAILED = replace(ENDED, states=frozenset({"FAILED"}), exit_code=3)


def _between() -> JobView:
    view = replace(RECORDED, backoff_limit=1)
    return replace(view, status=decide(view, replace(AT_ITS_END, controller=FAILED), NOW).status)


def test_the_next_attempt_begins_when_its_time_has_come() -> None:
    between = _between()
    due = attempts.next_attempt_at(between.status)
    assert decide(between, KNOWN, due - 1) == Decision(status=between.status, recheck_at=due)
    opened = decide(between, KNOWN, due).status
    assert (opened.attempt, opened.job_id, opened.exit_code, opened.start_time) == (2, None, None, None)
    assert len(opened.attempts) == 1


def test_a_limit_that_is_lowered_meanwhile_ends_it() -> None:
    lowered = replace(_between(), backoff_limit=0, generation=2)
    status = decide(lowered, KNOWN, NOW).status
    assert (status.state, status.exit_code, status.observed_generation) == ("Failed", 3, 2)
    failed = edit.find(status.conditions, ConditionType.FAILED)
    assert failed is not None
    assert failed.reason == Reason.NON_ZERO_EXIT_CODE
    assert len(status.attempts) == 1


def test_an_edit_meanwhile_is_noticed() -> None:
    edited = replace(_between(), backoff_limit=5, generation=2)
    assert decide(edited, KNOWN, NOW).status == progress.noticed(edited)


def test_a_connection_that_is_missing_then_says_so() -> None:
    between = _between()
    due = attempts.next_attempt_at(between.status)
    problem = Trouble(reason=Reason.SECRET_NOT_FOUND, message="gone", retry_at=due + 10)
    decision = decide(between, replace(KNOWN, connection=replace(KNOWN.connection, problem=problem)), due)
    synced = edit.find(decision.status.conditions, ConditionType.SYNCED)
    assert synced is not None
    assert (synced.reason, decision.recheck_at) == (Reason.SECRET_NOT_FOUND, due + 10)
