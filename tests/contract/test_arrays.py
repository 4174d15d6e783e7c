"""What `SlurmPort` promises of arrays of jobs, in memory and over each API version of the real one."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from sandboxlib import slurm_config
from sandboxlib.slurm_suites import SUITES
from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.core.states import is_over
from slurmjob_operator.sbatch.index_sets import IndexSet, union
from slurmjob_operator.sbatch.types.times import TimeLimit
from slurmjob_operator.slurm.errors import RefusedForNow
from slurmjob_operator.slurm.following import TaskStates
from tests.contract.conftest import LONGEST_SECONDS, MEMORY, NEWEST, Contract
from tests.real.cluster import SUITE

ARRAY = "0-2,5%3"
INDEXES = IndexSet.parse("0-2,5")


async def _held(contract: Contract, kind: str = "job", *, array: str = ARRAY) -> int:
    return await contract.held(kind, options={"time": TimeLimit(minutes=5), "array": array})


def _named(record: JobRecord) -> IndexSet:
    return union(part.indexes for part in record.parts if part.indexes is not None)


def _running(record: JobRecord) -> frozenset[int]:
    return frozenset(part.job_id for part in record.parts if part.states == {"RUNNING"})


def _all(what: Callable[[JobRecord], bool]) -> Callable[[JobRecord], bool]:
    return lambda record: all(what(part) for part in record.parts) and len(_named(record)) == len(INDEXES)


async def test_held_it_is_one_record_of_all_tasks(contract: Contract) -> None:
    array_id = await _held(contract)
    record = await contract.port.job(array_id)
    assert (record.job_id, record.array_id, len(record.parts)) == (array_id, array_id, 1)
    assert record.waits_held
    assert _named(record) == INDEXES
    assert record.stdout_path == f"/home/alice/slurm-{array_id}_%a.out"
    assert TaskStates.of_record(record) == (await contract.port.tasks({array_id: ()}))[array_id]


@NEWEST
async def test_released_all_tasks_run_and_end(contract: Contract) -> None:
    """On 22.05 the answer to the release calls it failed (TRAP H3)."""
    array_id = await _held(contract)
    await contract.port.release(array_id, comment="[note] released")
    record = await contract.until(array_id, _all(lambda part: part.states == {"COMPLETED"}))
    assert {part.comment for part in record.parts} == {"[note] released"}
    assert len({part.job_id for part in record.parts}) == len(INDEXES)
    assert all(part.began_at is not None for part in record.parts)
    told = await _until_accounted(contract, array_id)
    assert {str(part.indexes) for part in told} == {"0", "1", "2", "5"}
    assert {(part.user, part.array_id, part.exit_code) for part in told} == {("alice", array_id, 0)}


async def _until_accounted(contract: Contract, array_id: int) -> tuple[JobRecord, ...]:
    """Once slurmdbd tells the end of each task."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while True:
        told = await contract.port.accounting(array_id)
        if union(part.indexes for part in told if part.indexes and part.states == {"COMPLETED"}) == INDEXES:
            return told
        assert time.monotonic() < deadline, told
        await contract.cluster.turn()


async def test_states_of_tasks_tell_that_something_changed(contract: Contract) -> None:
    """Rows of jobs/state name a task that runs by its own id, and no array (TRAP H2)."""
    first, second = await _held(contract, "long"), await _held(contract, "long", array="7")
    await contract.port.release(first, comment="note")
    record = await contract.until(first, lambda record: len(_running(record)) == 3)
    asked = {first: _running(record), second: frozenset[int]()}
    expected = {first: TaskStates.of_record(record), second: TaskStates.of_record(await contract.port.job(second))}
    assert await contract.port.tasks(asked) == expected
    assert expected[first] != expected[second]
    await contract.port.cancel(first)
    await contract.until(first, lambda record: all(is_over(part.states) for part in record.parts))
    seen = await contract.port.tasks(asked)
    assert seen[second] == expected[second]
    assert seen[first] != expected[first]
    assert not seen[first].alive
    assert seen[second].alive


async def test_an_array_that_is_not_known(contract: Contract) -> None:
    seen = await contract.port.tasks({60_000_000: ()})
    assert not seen[60_000_000].alive


@NEWEST
async def test_cancelled_none_of_it_lives(contract: Contract) -> None:
    array_id = await _held(contract, "long")
    await contract.port.release(array_id, comment="note")
    await contract.until(array_id, lambda record: len(_running(record)) == 3)
    await contract.port.cancel(array_id)
    record = await contract.until(array_id, _all(lambda part: is_over(part.states)))
    assert {min(part.states) for part in record.parts} == {"CANCELLED"}


async def test_found_as_one_job_while_some_of_it_runs(contract: Contract) -> None:
    array_id = await _held(contract, "long")
    name = contract.request("long").name
    found = await _found(contract, name)
    assert [(record.job_id, record.waits_held) for record in found] == [(array_id, True)]
    held = await contract.port.held_jobs(since=contract.began - 2, known=())
    assert [record.job_id for record in held if record.name == name] == [array_id]
    await contract.port.release(array_id, comment="note")
    await contract.until(array_id, lambda record: len(_running(record)) == 3)
    found = await _found(contract, name)
    assert [(record.job_id, record.waits_held, record.comment) for record in found] == [(array_id, False, "note")]


async def _found(contract: Contract, name: str) -> tuple[JobRecord, ...]:
    """22.05's slurmdbd hears of a job seconds later."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while True:
        found = await contract.port.search(name=name, since=contract.began - 2)
        if found:
            return found
        assert time.monotonic() < deadline, "it is not found"
        await contract.cluster.turn()


async def test_a_long_text_of_indexes_is_cut_and_known_all_the_same(contract: Contract) -> None:
    """slurmctld's text has 64 characters, of whatever array."""
    indexes = IndexSet.of([*range(0, 200, 7), *range(1, 300, 11)])
    array_id = await _held(contract, array=str(indexes))
    record = await contract.port.job(array_id)
    assert _named(record) == (indexes if contract.cluster.name == MEMORY else IndexSet())
    seen = (await contract.port.tasks({array_id: ()}))[array_id]
    assert seen.alive
    assert seen == (await contract.port.tasks({array_id: ()}))[array_id]
    await contract.port.cancel(array_id)
    assert (await contract.port.tasks({array_id: ()}))[array_id] != seen


@NEWEST
async def test_a_failing_task_tells_its_exit_code(contract: Contract) -> None:
    array_id = await _held(contract, "exit3", array="4")
    await contract.port.release(array_id, comment="note")
    record = await contract.until(array_id, lambda record: record.states == {"FAILED"})
    assert [(str(part.indexes), part.exit_code) for part in record.parts] == [("4", 3)]


async def _fill(contract: Contract, made: list[int]) -> None:
    for _ in range(slurm_config.MAX_JOB_COUNT // 1000 + 1):
        made.append(await _held(contract, array="0-999"))


@pytest.mark.alone
@pytest.mark.parametrize("contract", [SUITES[SUITE].api_versions[0]], indirect=True)
async def test_a_full_queue_is_a_refusal_for_now(contract: Contract) -> None:
    """MaxJobCount counts each task. Before 26.05 slurmctld answers with the system's number for "try again"."""
    made: list[int] = []
    with pytest.raises(RefusedForNow, match="MaxJobCount"):
        await _fill(contract, made)
    for array_id in made:
        await contract.port.cancel(array_id)
    deadline = time.monotonic() + LONGEST_SECONDS
    while True:  # until slurmctld has forgotten them, for whoever comes next
        try:
            await _held(contract, array="0-999")
        except RefusedForNow:
            assert time.monotonic() < deadline
            await contract.cluster.turn()
        else:
            return
