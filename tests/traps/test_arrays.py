"""TRAPS H1, H2 and H3: what is released of a heterogeneous job, how slurmrestd names the tasks of an array, and what it
says when one is released."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

import pytest

from slurmjob_operator.core import components as components_module
from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.slurm import client as client_module
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.errors import SlurmError
from slurmjob_operator.slurm.following import InOneRequest, TaskStates
from slurmjob_operator.slurm.request import Component
from tests.traps.defended import defended
from tests.traps.slurm import LONGEST_SECONDS, Slurm

Suites = Callable[[str], Slurm]
Patch = pytest.MonkeyPatch
LONG = "#!/bin/sh\nsleep 60\n"


async def _held(slurm: Slurm, port: SlurmrestdClient, *, array: str) -> int:
    request = replace(slurm.request(array=array), script=LONG)
    return (await port.submit_held(request, comment="of a trap")).job_id


async def _running(port: SlurmrestdClient, array_id: int, *, tasks: int) -> JobRecord:
    async with asyncio.timeout(LONGEST_SECONDS):
        while True:
            record = await port.job(array_id)
            if sum(part.states == {"RUNNING"} for part in record.parts) == tasks:
                return record
            await asyncio.sleep(0.2)


def by_the_arrays_id_alone(patch: Patch) -> None:
    ask = InOneRequest.tasks

    async def tasks(self: InOneRequest, arrays: Mapping[int, Collection[int]]) -> Mapping[int, TaskStates]:
        return await ask(self, dict.fromkeys(arrays, ()))

    patch.setattr(InOneRequest, "tasks", tasks)


@pytest.mark.parametrize("suite", ["trixie", "forky"])
async def test_trap_h2_rows_of_tasks_that_run_name_no_array(suite: str, slurm: Suites, monkeypatch: Patch) -> None:
    there = slurm(suite)
    async with there.port() as port:
        array_id = await _held(there, port, array="0-3%2")
        await port.release(array_id, comment="note")
        record = await _running(port, array_id, tasks=2)
        rows = there.ask("GET", f"slurm/{there.version}/jobs/state?job_id={array_id}").json()["jobs"]
        named = {row["job_id"] for row in rows if row["state"] == ["RUNNING"]}
        assert named == {f"{part.job_id}_{part.indexes}" for part in record.parts if part.states == {"RUNNING"}}
        assert not any(name.startswith(f"{array_id}_") for name in named)
        ids = tuple(part.job_id for part in record.parts)

        async def probe() -> bool:
            return (await port.tasks({array_id: ids}))[array_id] == TaskStates.of_record(record)

        await defended(monkeypatch, probe=probe, without=by_the_arrays_id_alone)


@pytest.mark.parametrize("suite", ["bookworm"])
async def test_trap_h3_a_release_of_an_array_that_is_called_failed(
    suite: str, slurm: Suites, monkeypatch: Patch
) -> None:
    there = slurm(suite)
    async with there.port() as port:
        shown = await _held(there, port, array="0-1")
        reply = there.ask("POST", f"slurm/{there.version}/job/{shown}", body={"hold": False, "comment": "note"})
        assert reply.status_code == 200
        assert "job array update" in reply.json()["errors"][0]["description"]
        assert not (await port.job(shown)).held

        async def probe() -> bool:
            array_id = await _held(there, port, array="0-1")
            try:
                await port.release(array_id, comment="note")
            except SlurmError:
                return False
            return not (await port.job(array_id)).held

        await defended(
            monkeypatch, probe=probe, without=lambda patch: patch.setattr(client_module, "ARRAY_UPDATED", "other words")
        )


def the_first_alone(patch: Patch) -> None:
    patch.setattr(components_module, "unreleased", lambda parts: [part for part in parts if part.het_offset == 0][:1])


@pytest.mark.parametrize("suite", ["trixie", "forky"])
async def test_trap_h1_a_release_of_the_first_component_releases_no_other(
    suite: str, slurm: Suites, monkeypatch: Patch
) -> None:
    """And nobody is told: the job would wait for ever."""
    there = slurm(suite)
    async with there.port() as port:

        async def probe() -> bool:
            one = there.request()
            other = Component(request=one, comment="of a trap")
            job_id = (await port.submit_held(replace(one, others=(other,)), comment="of a trap")).job_id
            for part in components_module.unreleased((await port.job(job_id)).parts):
                await port.release(part.job_id, comment="note")
            return not any(part.held for part in (await port.job(job_id)).parts)

        await defended(monkeypatch, probe=probe, without=the_first_alone)
