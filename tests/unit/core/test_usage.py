"""What a run used: the values, and that nothing waits for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slurmjob_operator.api.conditions import ConditionType
from slurmjob_operator.api.status import Usage
from slurmjob_operator.core import arrays, learning
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core.decide import decide
from slurmjob_operator.core.decision import Decision, ReadUsage, RemoveFinalizer
from slurmjob_operator.core.records import JobRecord, Spent
from slurmjob_operator.core.usage import (
    LONGEST_WAIT_SECONDS,
    MOST_TASKS_SUMMED,
    NO_SLURMDBD,
    TOO_LATE,
    TOO_MANY_TASKS,
    usage_of,
    usage_told,
)
from slurmjob_operator.core.view import Facts, JobView, UsageAnswer
from slurmjob_operator.sbatch.index_sets import IndexSet
from slurmjob_operator.sbatch.types.arrays import spec_of
from tests.unit.core.values import AWAY, CONNECTION, NOW, comment, facts, record, recorded, told, view

GIB = 2**30
START = int(NOW) - 100
SPENT = Spent(
    cpu_seconds=300.4,
    max_rss_bytes=GIB,
    total_rss_bytes=3 * GIB,
    energy_joules=5000,
    memory_bytes=4 * GIB,
    gpus=2,
    derived_exit_code=1,
)
RECORDED = view(recorded())
OVER = record({"COMPLETED"}, start_time=START, end_time=START + 100, nodes="n1", exit_code=0)
IN_SLURMDBD = told(
    {"COMPLETED"}, start_time=START, end_time=START + 100, nodes="n1", elapsed_seconds=100, cpus=4, spent=SPENT,
    comment=comment(released=True),
)  # fmt: skip
USAGE = Usage(
    elapsed_seconds=100,
    cpu_seconds=300,
    max_rss_bytes=GIB,
    gpu_seconds=200,
    energy_joules=5000,
    cpu_efficiency_percent=75,
    memory_efficiency_percent=75,
    derived_exit_code=1,
)


def at_its_end(**changes: Any) -> Facts:
    """slurmctld has told the end."""
    return facts(**{"controller": OVER, **changes})


def ended(**changes: Any) -> JobView:
    """The end stands in status; what was used was not told in time."""
    return view(decide(RECORDED, at_its_end(usage=UsageAnswer()), NOW).status, **changes)


# --- The values --------------------------------------------------------------------------------------------------


def test_all_that_slurmdbd_tells() -> None:
    assert usage_of(IN_SLURMDBD) == USAGE


@pytest.mark.parametrize(
    ("changes", "absent"),
    [
        ({"spent": None}, None),
        ({"spent": replace(SPENT, cpu_seconds=None)}, {"cpu_seconds", "cpu_efficiency_percent"}),
        ({"spent": replace(SPENT, memory_bytes=None)}, {"memory_efficiency_percent"}),
        ({"spent": replace(SPENT, max_rss_bytes=None)}, {"max_rss_bytes"}),
        ({"spent": replace(SPENT, gpus=None)}, {"gpu_seconds"}),
        ({"cpus": None}, {"cpu_efficiency_percent"}),
        ({"elapsed_seconds": None}, {"elapsed_seconds", "gpu_seconds", "cpu_efficiency_percent"}),
    ],
)
def test_what_slurm_does_not_say_is_absent(changes: dict[str, Any], absent: set[str] | None) -> None:
    found = usage_of(replace(IN_SLURMDBD, **changes))
    expected = None if absent is None else replace(USAGE, **dict.fromkeys(absent))
    assert found == expected


def test_a_run_of_no_time_has_no_efficiency() -> None:
    found = usage_of(replace(IN_SLURMDBD, elapsed_seconds=0))
    assert found == replace(USAGE, elapsed_seconds=0, gpu_seconds=0, cpu_efficiency_percent=None)


def test_while_a_step_has_not_ended_in_slurmdbd_the_sums_are_not_whole() -> None:
    """Its end may be told after the job's own: half of what was used would stand in status for good."""
    early = replace(IN_SLURMDBD, spent=replace(SPENT, cpu_seconds=3.0, steps_open=True))
    assert usage_of(early) is None
    assert usage_of(replace(IN_SLURMDBD, parts=(IN_SLURMDBD, early))) is None
    assert usage_told(RECORDED, facts(), [early]) is None


@pytest.mark.parametrize(
    ("attempt", "shown", "told_of", "whole"),
    [
        (1, (), ("0", "1"), False),
        (1, (), ("0", "1", "2"), True),
        (1, (), ("0", None), True),
        (2, ("1", "2"), ("1",), False),
        (2, ("1", "2"), ("1", "2"), True),
        (2, (), ("1",), True),
    ],
)
def test_the_tasks_that_slurmdbd_has_not_heard_of_are_waited_for(
    attempt: int, shown: tuple[str, ...], told_of: tuple[str | None, ...], whole: bool
) -> None:
    """A task without a name was cancelled before it started, with all that no other record names."""
    array = view(replace(recorded(), attempt=attempt), array=spec_of("0-2"))
    parts = tuple(record({"COMPLETED"}, indexes=IndexSet.parse(one), array_id=7) for one in shown)
    known = facts(controller=replace(OVER, parts=parts))
    records = [
        replace(IN_SLURMDBD, job_id=7 + number, array_id=7, comment=comment(attempt=attempt, released=True),
                indexes=None if one is None else IndexSet.parse(one),
                **({} if one else {"states": frozenset({"CANCELLED"}), "nodes": None, "start_time": START + 100}))
        for number, one in enumerate(told_of)
    ]  # fmt: skip
    assert (usage_told(array, known, records) is not None) == whole


def test_of_an_array_all_tasks_together() -> None:
    tasks = [replace(IN_SLURMDBD, job_id=100 + i, array_id=7, indexes=IndexSet.of([i])) for i in range(3)]
    greater = replace(SPENT, max_rss_bytes=2 * GIB, total_rss_bytes=4 * GIB, derived_exit_code=0, energy_joules=None)
    tasks[1] = replace(tasks[1], elapsed_seconds=200, spent=greater)
    assert usage_of(arrays.together(tasks)) == Usage(
        elapsed_seconds=400,
        cpu_seconds=901,
        max_rss_bytes=2 * GIB,
        gpu_seconds=800,
        energy_joules=10_000,
        cpu_efficiency_percent=56,
        memory_efficiency_percent=100,
        derived_exit_code=1,
    )


# --- When it is read ---------------------------------------------------------------------------------------------


def test_slurmdbd_is_asked_once_before_the_end_is_written() -> None:
    assert decide(RECORDED, at_its_end(), NOW) == Decision(status=RECORDED.status, action=ReadUsage(7))
    answered = learning.usage_read(at_its_end(), [IN_SLURMDBD], view=RECORDED)
    status = decide(RECORDED, answered, NOW).status
    assert (status.state, status.usage, status.attempts[-1].usage) == ("Complete", USAGE, USAGE)


@pytest.mark.parametrize(
    "records",
    [
        [],
        [replace(IN_SLURMDBD, states=frozenset({"RUNNING"}), end_time=None)],
        [replace(IN_SLURMDBD, user="bob")],
        [replace(IN_SLURMDBD, comment=comment(attempt=2))],
    ],
)
def test_the_end_does_not_wait_for_it(records: list[JobRecord]) -> None:
    answered = learning.usage_read(at_its_end(), records, view=RECORDED)
    decision = decide(RECORDED, answered, NOW)
    assert (decision.status.state, decision.status.usage) == ("Complete", None)


def test_a_record_of_slurmdbd_tells_it_itself() -> None:
    gone = learning.job_not_known(facts(), now=NOW)
    asked = learning.accounting_read(gone, [IN_SLURMDBD], view=RECORDED, backlog=0)
    assert decide(RECORDED, asked, NOW).status.usage == USAGE


def test_a_job_that_never_ran_used_nothing() -> None:
    cancelled = record({"CANCELLED"}, start_time=START, end_time=START)
    decision = decide(RECORDED, facts(controller=cancelled), NOW)
    assert (decision.action, decision.status.state, decision.status.usage) == (None, "Failed", None)
    assert decide(view(decision.status), facts(), NOW).action == RemoveFinalizer()


def test_what_was_not_told_in_time_is_asked_for_while_the_finalizer_stands() -> None:
    seen = ended()
    assert decide(seen, facts(), NOW + 1).action == ReadUsage(7)
    later = decide(seen, facts(usage=UsageAnswer()), NOW + 1)
    assert (later.action, later.status, later.recheck_at) == (None, seen.status, NOW + 6)
    rarely = decide(seen, facts(usage=UsageAnswer()), NOW + 100)
    assert rarely.recheck_at == NOW + 150
    told_now = decide(seen, learning.usage_read(facts(), [IN_SLURMDBD], view=seen), NOW + 2)
    assert (told_now.status.usage, told_now.status.attempts[-1].usage) == (USAGE, USAGE)
    assert decide(view(told_now.status), facts(), NOW + 3).action == RemoveFinalizer()


@pytest.mark.parametrize("changes", [{"usage": UsageAnswer()}, {"connection": replace(CONNECTION, problem=AWAY)}, {}])
def test_nobody_waits_for_ever(changes: dict[str, Any]) -> None:
    seen = ended()
    finished = edit.find(seen.status.conditions, ConditionType.FINISHED)
    assert finished is not None
    decision = decide(seen, facts(**changes), NOW + LONGEST_WAIT_SECONDS)
    assert (decision.action, decision.status.usage) == (None, Usage(missing=TOO_LATE))
    assert decide(view(decision.status), facts(), NOW).action == RemoveFinalizer()


@pytest.mark.parametrize("changes", [{"problem": AWAY}, {"cluster_name": "another"}, {"user": "bob"}])
def test_while_the_connection_is_away_or_leads_elsewhere_nobody_is_asked(changes: dict[str, Any]) -> None:
    seen = ended()
    decision = decide(seen, facts(connection=replace(CONNECTION, **changes)), NOW + 1)
    assert (decision.action, decision.recheck_at) == (None, NOW + 6)


def test_an_object_that_is_deleted_is_not_kept_for_it() -> None:
    assert decide(ended(deleting=True), facts(), NOW).action == RemoveFinalizer()


def test_without_the_finalizer_nothing_is_asked() -> None:
    seen = ended(has_finalizer=False)
    assert decide(seen, facts(), NOW) == Decision(status=seen.status)


@pytest.mark.parametrize(
    ("changes", "accounting", "missing"),
    [({}, False, NO_SLURMDBD), ({"array": spec_of(f"0-{MOST_TASKS_SUMMED}")}, True, TOO_MANY_TASKS)],
)
def test_where_nobody_will_tell_it_that_is_said_at_once(changes: Any, accounting: bool, missing: str) -> None:
    seen = replace(RECORDED, **changes)
    known = at_its_end(connection=replace(CONNECTION, accounting=accounting))
    decision = decide(seen, known, NOW)
    assert (decision.action, decision.status.state) == (None, "Complete")
    assert decision.status.usage == Usage(missing=missing)


def test_the_next_attempt_does_not_wait_for_it() -> None:
    failed = replace(OVER, states=frozenset({"FAILED"}), exit_code=3)
    again = view(recorded(), backoff_limit=1)
    between = replace(again, status=decide(again, facts(controller=failed, usage=UsageAnswer()), NOW).status)
    assert between.status.state == "Retrying"
    assert decide(between, facts(), NOW + 1).action == ReadUsage(7)
    waiting = decide(between, facts(usage=UsageAnswer()), NOW + 1)
    assert waiting.recheck_at == NOW + 6
    told_now = decide(between, facts(usage=UsageAnswer(usage=USAGE)), NOW + 2)
    assert (told_now.status.usage, told_now.status.attempts[0].usage) == (None, USAGE)
    due = decide(between, facts(), NOW + 30)
    assert (due.status.attempt, due.status.attempts[0].usage) == (2, None)
