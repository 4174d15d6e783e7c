"""Lists of conditions: what moves `lastTransitionTime`, and what becomes of those beside it."""

from __future__ import annotations

import re

import pytest

from slurmjob_operator.api.conditions import ConditionType, EventReason, Reason
from slurmjob_operator.api.status import Condition
from slurmjob_operator.core import conditions as edit

THEN, NOW = 1_800_000_000.0, 1_800_000_060.0
THEN_TEXT, NOW_TEXT = "2027-01-15T08:00:00Z", "2027-01-15T08:01:00Z"
SYNCED, READY = ConditionType.SYNCED, ConditionType.READY


def _both() -> tuple[Condition, ...]:
    conditions = edit.put((), SYNCED, True, reason=Reason.POLL_SUCCEEDED, now=THEN)
    return edit.put(conditions, READY, False, reason=Reason.TOKEN_EXPIRED, message="expired", now=THEN)


@pytest.mark.parametrize(("status", "text"), [(True, "True"), (False, "False"), (None, "Unknown")])
def test_a_new_condition(status: bool | None, text: str) -> None:
    (condition,) = edit.put((), READY, status, reason=Reason.CONNECTED, message="m", now=NOW)
    assert condition == Condition(
        type="Ready", status=text, reason="Connected", message="m", last_transition_time=NOW_TEXT
    )
    assert type(condition.type) is str, "written as it is, without the enumeration"
    assert type(condition.reason) is str


@pytest.mark.parametrize(
    ("status", "reason", "message", "since"),
    [
        (False, Reason.TOKEN_EXPIRED, "expired", THEN_TEXT),
        (False, Reason.TOKEN_EXPIRED, "another message", THEN_TEXT),
        (False, Reason.INVALID_TOKEN, "expired", THEN_TEXT),
        (True, Reason.CONNECTED, "", NOW_TEXT),
        (None, Reason.NOT_CHECKED, "", NOW_TEXT),
    ],
)
def test_the_time_moves_only_with_the_status(status: bool | None, reason: Reason, message: str, since: str) -> None:
    changed = edit.put(_both(), READY, status, reason=reason, message=message, now=NOW)
    found = edit.find(changed, READY)
    assert found is not None
    assert (found.reason, found.message, found.last_transition_time) == (reason, message, since)
    assert [condition.type for condition in changed] == ["Synced", "Ready"], "the order stays"
    assert changed[0] == _both()[0]


def test_the_same_again_is_equal() -> None:
    again = edit.put(_both(), READY, False, reason=Reason.TOKEN_EXPIRED, message="expired", now=NOW)
    assert again == _both(), "an equal status is not written"


@pytest.mark.parametrize("length", [0, 1024, 1025, 100_000])
def test_messages_are_cut(length: int) -> None:
    (condition,) = edit.put((), READY, False, reason=Reason.TOKEN_EXPIRED, message="x" * length, now=NOW)
    assert len(condition.message) == min(length, 1024)


def test_find_and_is_true() -> None:
    conditions = _both()
    assert edit.is_true(conditions, SYNCED)
    assert not edit.is_true(conditions, READY)
    assert not edit.is_true(conditions, ConditionType.FINISHED)
    assert edit.find(conditions, ConditionType.FINISHED) is None
    unknown = edit.put((), READY, None, reason=Reason.NOT_CHECKED, now=NOW)
    assert not edit.is_true(unknown, READY)


@pytest.mark.parametrize(
    ("kinds", "left"),
    [
        ((), ["Synced", "Ready"]),
        ((SYNCED,), ["Ready"]),
        ((SYNCED, READY), []),
        ((ConditionType.STALLED,), ["Synced", "Ready"]),
    ],
)
def test_drop(kinds: tuple[ConditionType, ...], left: list[str]) -> None:
    assert [condition.type for condition in edit.drop(_both(), *kinds)] == left


def test_a_condition_that_comes_back_is_new() -> None:
    conditions = edit.drop(_both(), READY)
    conditions = edit.put(conditions, READY, False, reason=Reason.TOKEN_EXPIRED, now=NOW)
    assert conditions[-1].last_transition_time == NOW_TEXT


def test_observed_speaks_of_all_and_keeps_the_rest() -> None:
    once = edit.observed(_both(), 3)
    assert [condition.observed_generation for condition in once] == [3, 3]
    assert [condition.last_transition_time for condition in once] == [THEN_TEXT, THEN_TEXT]
    again = edit.observed(once, 3)
    assert all(left is right for left, right in zip(once, again, strict=True)), "nothing new is made for nothing"


@pytest.mark.parametrize("word", [*ConditionType, *Reason, *EventReason])
def test_words_are_such_as_kubernetes_takes(word: str) -> None:
    assert re.fullmatch(r"[A-Z][A-Za-z]*", word)
    assert len(word) <= 63
