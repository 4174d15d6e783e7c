"""Editing a list of conditions: `lastTransitionTime` moves only when `status` does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from slurmjob_operator.api.conditions import ConditionType, Reason
from slurmjob_operator.api.status import Condition
from slurmjob_operator.core.times import rfc3339

Conditions = tuple[Condition, ...]


def find(conditions: Iterable[Condition], kind: ConditionType) -> Condition | None:
    """The condition of this type, if it is there."""
    return next((condition for condition in conditions if condition.type == kind), None)


def is_true(conditions: Iterable[Condition], kind: ConditionType) -> bool:
    """Whether the condition is there and True."""
    condition = find(conditions, kind)
    return condition is not None and condition.status == "True"


def put(
    conditions: Conditions,
    kind: ConditionType,
    status: bool | None,
    *,
    reason: Reason,
    message: str = "",
    now: float,
) -> Conditions:
    """Add or change one condition; None means Unknown. The order of the list stays."""
    text = "Unknown" if status is None else str(status)
    old = find(conditions, kind)
    since = old.last_transition_time if old is not None and old.status == text else rfc3339(now)
    new = Condition(type=str(kind), status=text, reason=str(reason), message=message[:1024], last_transition_time=since)
    if old is None:
        return (*conditions, new)
    return tuple(new if condition is old else condition for condition in conditions)


def drop(conditions: Conditions, *kinds: ConditionType) -> Conditions:
    """Take conditions away: those that stand only while they are true."""
    return tuple(condition for condition in conditions if condition.type not in kinds)


def observed(conditions: Conditions, generation: int) -> Conditions:
    """Say of all conditions which generation they speak of; kubectl wait ignores older ones."""
    return tuple(
        condition if condition.observed_generation == generation else replace(condition, observed_generation=generation)
        for condition in conditions
    )
