"""What `SlurmPort` promises of heterogeneous jobs, in memory and over the real one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slurmjob_operator.core.components import unreleased
from slurmjob_operator.core.states import is_over
from slurmjob_operator.slurm.request import Component
from tests.contract.conftest import LONGEST_SECONDS, NEWEST, Contract


async def _held(contract: Contract, kind: str = "job") -> int:
    first = contract.request(kind)
    others = tuple(Component(request=replace(first), comment=f"of component {number}") for number in (1, 2))
    return (await contract.port.submit_held(replace(first, others=others), comment="of component 0")).job_id


async def test_held_it_is_read_whole(contract: Contract) -> None:
    job_id = await _held(contract)
    record = await contract.port.job(job_id)
    assert (record.job_id, record.held) == (job_id, True)
    assert record.states == {"PENDING"}
    assert [part.het_offset for part in record.parts] == [0, 1, 2]
    assert [part.comment for part in record.parts] == [f"of component {number}" for number in range(3)]
    assert [part.job_id for part in record.parts] == [job_id, job_id + 1, job_id + 2]
    assert (await contract.port.states([job_id]))[job_id] == {"PENDING"}
    alone = await contract.port.job(job_id + 1)
    assert (alone.job_id, alone.het_id, alone.het_offset) == (job_id + 1, job_id, 1)


async def test_found_as_one_job(contract: Contract) -> None:
    """slurmdbd lists each component by itself until the job begins."""
    job_id, name = await _held(contract), contract.request().name
    deadline = contract.cluster.now() + LONGEST_SECONDS
    while not (found := await contract.port.search(name=name, since=contract.began - 2)):
        assert contract.cluster.now() < deadline
        await contract.cluster.turn()
    assert [record.job_id for record in found] == [job_id]
    held = await contract.port.held_jobs(since=contract.began - 2, known=())
    assert [record.job_id for record in held if record.name == name] == [job_id]
    held = await contract.port.held_jobs(since=contract.began - 2, known=(job_id,))
    assert [record.job_id for record in held if record.name == name] == [], "nor any component of it"


async def test_cancelled_none_of_it_is_left(contract: Contract) -> None:
    job_id = await _held(contract)
    await contract.port.cancel(job_id)
    record = await contract.until(job_id, lambda record: is_over(record.states))
    assert {min(part.states) for part in record.parts} == {"CANCELLED"}


@NEWEST
@pytest.mark.timeout(120)
async def test_released_component_by_component_it_runs_to_its_end(contract: Contract) -> None:
    """It begins with the backfill pass alone, up to half a minute later."""
    job_id = await _held(contract, "exit3")
    await contract.port.release(job_id, comment="[note]")
    half = await contract.port.job(job_id)
    for part in unreleased(half.parts):
        await contract.port.release(part.job_id, comment="[note]")
    whole = await contract.port.job(job_id)
    assert not whole.held
    record = await contract.until(job_id, lambda record: is_over(record.states))
    assert record.states == {"FAILED"}
    assert {part.exit_code for part in record.parts} == {3}
    told = await contract.until_accounted(job_id, lambda record: is_over(record.states))
    assert told.het_id == job_id
    assert {part.het_offset for part in await contract.port.accounting(job_id)} == {0, 1, 2}
