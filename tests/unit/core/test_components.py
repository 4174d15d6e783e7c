"""A heterogeneous job's components, made one job; and that each is released once, and nothing that may have begun."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slurmjob_operator.api.conditions import ConditionType
from slurmjob_operator.core import learning
from slurmjob_operator.core.components import component_statuses, joined, unreleased
from slurmjob_operator.core.decide import decide
from slurmjob_operator.core.decision import Cancel, ReadAccounting, Release, RemoveFinalizer
from slurmjob_operator.core.records import JobRecord, Source
from slurmjob_operator.core.view import Facts, JobView, UsageAnswer
from tests.unit.core.values import NOW, facts, held, reason_of, record, recorded, view

START = int(NOW) - 60
RECORDED = view(recorded())


def part(offset: int, state: str = "RUNNING", **changes: Any) -> JobRecord:
    """A released component of job 7."""
    began = {} if state == "PENDING" else {"start_time": START, "nodes": f"n{offset}", "reason": None}
    return record({state}, **{"job_id": 7 + offset, "het_id": 7, "het_offset": offset, **began, **changes})


def held_part(offset: int) -> JobRecord:
    """As it was submitted."""
    return held(job_id=7 + offset, het_id=7, het_offset=offset)


def told_of(one: JobRecord) -> JobRecord:
    """As slurmdbd tells it."""
    return replace(one, source=Source.ACCOUNTING, reason=None, comment=one.comment if one.end_time else "")


def read(*parts: JobRecord, seen: JobView = RECORDED, known: Facts | None = None) -> Facts:
    return learning.job_read(known or facts(), joined(parts), view=seen, ours=True, now=NOW)


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        (("PENDING", "PENDING"), "PENDING"),
        (("RUNNING", "RUNNING"), "RUNNING"),
        (("COMPLETED", "RUNNING"), "RUNNING"),
        (("RUNNING", "FAILED"), "RUNNING"),
        (("COMPLETED", "COMPLETED"), "COMPLETED"),
        (("COMPLETED", "FAILED"), "FAILED"),
        (("CANCELLED", "COMPLETED"), "CANCELLED"),
        (("CANCELLED", "TIMEOUT"), "TIMEOUT"),
        (("NODE_FAIL", "OUT_OF_MEMORY"), "OUT_OF_MEMORY"),
    ],
)
def test_the_liveliest_counts_then_the_worst(states: tuple[str, str], whole: str) -> None:
    found = joined([part(offset, state) for offset, state in enumerate(states)])
    assert (found.job_id, found.states) == (7, {whole})


def test_what_the_whole_has() -> None:
    found = joined([part(1, nodes="n[2-3]", node_count=2, cpus=8), part(0, nodes="n1", node_count=1, cpus=2)])
    assert (found.nodes, found.node_count, found.cpus) == ("n1,n[2-3]", 3, 10)
    assert [one.het_offset for one in found.parts] == [0, 1]
    assert found.began_at == START


def test_it_is_held_as_long_as_one_component_is() -> None:
    half = joined([part(0, "PENDING"), held_part(1), held_part(2)])
    assert half.waits_held
    assert [one.job_id for one in unreleased(half.parts)] == [8, 9]
    assert not joined([part(0, "PENDING"), part(1, "PENDING")]).waits_held
    by_a_person = part(1, "PENDING", held=True)
    assert unreleased([part(0, "PENDING"), by_a_person]) == []


def test_the_rest_is_released_where_the_first_was() -> None:
    """A process may end between two components: none of the job has begun."""
    rest = (part(0, "PENDING"), held_part(1))
    assert decide(RECORDED, read(*rest, known=facts(recorded_here="7")), NOW).action == Release(7)
    another = read(*rest)
    assert decide(RECORDED, another, NOW).action == ReadAccounting(7)
    never = [told_of(replace(one, het_id=None, het_offset=None)) for one in rest[:1]]
    answered = learning.accounting_read(another, never, view=RECORDED, backlog=0)
    assert decide(RECORDED, answered, NOW).action == Release(7)


@pytest.mark.parametrize("states", [("RUNNING", "RUNNING"), ("COMPLETED", "RUNNING"), ("PENDING", "RUNNING")])
def test_held_again_after_it_began_it_stays_held(states: tuple[str, str]) -> None:
    again = read(part(0, "PENDING"), held_part(1))
    told = [told_of(part(offset, state)) for offset, state in enumerate(states)]
    decision = decide(RECORDED, learning.accounting_read(again, told, view=RECORDED, backlog=0), NOW)
    assert decision.action is None
    assert reason_of(decision, ConditionType.STALLED) == ("True", "StateRolledBack")


def test_the_end_is_that_of_all_and_by_the_worst() -> None:
    over = (part(0, "COMPLETED", exit_code=0, end_time=START + 3), part(1, "FAILED", exit_code=3, end_time=START + 5))
    ended = decide(RECORDED, read(*over, known=facts()), NOW)
    assert ended.status.end_time is None, "what it used is asked for first"
    decision = decide(RECORDED, replace(read(*over), usage=UsageAnswer()), NOW)
    assert (decision.status.state, decision.status.exit_code) == ("Failed", 3)
    assert [(one.component, one.job_id, one.state, one.exit_code) for one in decision.status.components] == [
        (0, "7", "COMPLETED", 0),
        (1, "8", "FAILED", 3),
    ]


def test_forgotten_by_slurmctld_all_components_have_to_be_over_in_slurmdbd() -> None:
    gone = learning.job_not_known(facts(), now=NOW)
    first = told_of(part(0, "COMPLETED", end_time=START + 3, exit_code=0))
    open_one = learning.accounting_read(gone, [first, told_of(part(1))], view=RECORDED, backlog=0)
    assert decide(RECORDED, open_one, NOW).status.state == "Pending"
    second = told_of(part(1, "COMPLETED", end_time=START + 3, exit_code=0))
    over = learning.accounting_read(gone, [first, second], view=RECORDED, backlog=0)
    assert decide(RECORDED, replace(over, usage=UsageAnswer()), NOW).status.state == "Complete"


@pytest.mark.parametrize(
    ("parts", "action"),
    [
        ((part(0), part(1)), Cancel(7)),
        ((part(0, "CANCELLED"), part(1)), Cancel(7)),
        ((part(0, "CANCELLED"), part(1, "CANCELLED")), RemoveFinalizer()),
    ],
)
def test_deletion_waits_for_all(parts: tuple[JobRecord, ...], action: object) -> None:
    seen = view(recorded(), deleting=True, deletion_time="2027-01-15T08:00:00Z")
    assert decide(seen, read(*parts, seen=seen), NOW).action == action


def test_a_job_of_one_has_no_components() -> None:
    assert component_statuses(record({"RUNNING"})) == ()
