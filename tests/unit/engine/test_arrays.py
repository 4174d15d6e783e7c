"""An array of jobs from its submission to its end, in memory."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.kube.port import Kind
from tests.unit.engine.cluster import POLL, Cluster

pytestmark = [pytest.mark.looptime]

SETTLED = 3 * POLL
"""Seconds in which whatever changed is seen."""
PROGRESS = 45
"""Seconds in which the progress of an array is written."""


def _array(cluster: Cluster, array: str = "0-3", **spec: Any) -> str:
    template = {"script": "#!/bin/sh\n", "chdir": "/x", "array": array}
    made = {"connectionRef": {"name": "campus"}, "template": template, **spec}
    uid: str = cluster.kube.create(Kind.SLURM_JOB, namespace="ns", name="job", spec=made)["metadata"]["uid"]
    return uid


def _tasks(cluster: Cluster) -> dict[int, JobRecord]:
    """By index those that have a record of their own."""
    named = ((job.indexes, job) for job in cluster.slurm.jobs.values() if job.indexes is not None)
    return {next(iter(indexes)): job for indexes, job in named if len(indexes) == 1}


async def _begun(cluster: Cluster, uid: str, *, tasks: int) -> int:
    """So many tasks run; the array's id."""
    await asyncio.sleep(1)
    array_id = int(cluster.status(uid)["jobId"])
    for _ in range(tasks):
        assert cluster.slurm.start(array_id)
    await asyncio.sleep(SETTLED)
    return array_id


def _counts(cluster: Cluster, uid: str) -> tuple[int, ...]:
    array = cluster.status(uid)["array"]
    return tuple(array[name] for name in ("total", "pending", "running", "succeeded", "failed"))


async def test_from_its_submission_to_its_end(cluster: Cluster) -> None:
    cluster.connection()
    uid = _array(cluster)
    await asyncio.sleep(1)
    status = cluster.status(uid)
    assert _counts(cluster, uid) == (4, 4, 0, 0, 0)
    assert status["array"]["progress"] == "0/4"
    array_id = await _begun(cluster, uid, tasks=2)
    assert _counts(cluster, uid) == (4, 2, 2, 0, 0)
    assert cluster.status(uid)["state"] == "Running"
    assert cluster.slurm.end(_tasks(cluster)[0].job_id)
    await asyncio.sleep(PROGRESS)
    assert _counts(cluster, uid) == (4, 2, 1, 1, 0)
    assert cluster.status(uid)["array"]["succeededIndexes"] == "0"
    cluster.slurm.start(array_id)
    cluster.slurm.start(array_id)
    for task in _tasks(cluster).values():
        cluster.slurm.end(task.job_id)
    await asyncio.sleep(SETTLED)
    status = cluster.status(uid)
    assert (status["state"], status["succeeded"], status["array"]["progress"]) == ("Complete", 1, "4/4")
    assert status["array"]["succeededIndexes"] == "0-3"
    assert status["stdoutPath"] == f"/x/slurm-{array_id}_%a.out"
    assert cluster.slurm.executions.total() == 4


async def test_failures_are_grouped_and_only_failed_tasks_run_again(cluster: Cluster) -> None:
    cluster.connection()
    uid = _array(cluster, "0-5%3", backoffLimit=1)
    array_id = await _begun(cluster, uid, tasks=6)
    ends = {0: ("COMPLETED", 0), 1: ("FAILED", 3), 2: ("CANCELLED", 0), 3: ("FAILED", 3), 4: ("FAILED", 4)}
    for index, (state, code) in {**ends, 5: ("COMPLETED", 0)}.items():
        cluster.slurm.end(_tasks(cluster)[index].job_id, state, code)
    await asyncio.sleep(PROGRESS)
    status = cluster.status(uid)
    assert (status["attempt"], status["state"]) == (2, "Pending")
    assert status["attempts"][0]["reason"] == "NonZeroExitCode"
    assert cluster.slurm.requests[int(status["jobId"])].options["array"] == "1,3-4%3"
    assert _counts(cluster, uid) == (6, 3, 0, 2, 1), "the cancelled one stays as it is"
    assert [group["indexes"] for group in status["array"]["failures"]] == ["2"]
    second = int(status["jobId"])
    assert second != array_id
    while cluster.slurm.start(second):
        pass
    for task in tuple(cluster.slurm.jobs.values()):
        cluster.slurm.end(task.job_id)
    await asyncio.sleep(SETTLED)
    status = cluster.status(uid)
    assert (status["state"], status["failed"]) == ("Failed", 1)
    assert _counts(cluster, uid) == (6, 0, 0, 5, 1)
    assert cluster.reason(uid, "Failed") == "Cancelled"


async def test_forgotten_tasks_are_told_by_slurmdbd(cluster: Cluster) -> None:
    cluster.connection()
    uid = _array(cluster)
    array_id = await _begun(cluster, uid, tasks=3)
    for index in (0, 1):
        task = _tasks(cluster)[index].job_id
        cluster.slurm.end(task, "FAILED" if index else "COMPLETED", index)
        assert cluster.slurm.forget(task)
    await asyncio.sleep(PROGRESS)
    assert _counts(cluster, uid) == (4, 1, 1, 1, 1)
    assert cluster.status(uid)["array"]["failedIndexes"] == "1"
    assert cluster.slurm.calls["accounting"] == 1
    await asyncio.sleep(10 * POLL)
    assert cluster.slurm.calls["accounting"] == 1, "what is known is not asked again"
    cluster.slurm.start(array_id)
    for task in tuple(cluster.slurm.jobs.values()):
        cluster.slurm.end(task.job_id)
        cluster.slurm.forget(task.job_id)
    await asyncio.sleep(SETTLED)
    assert cluster.status(uid)["state"] == "Failed"
    assert _counts(cluster, uid) == (4, 0, 0, 3, 1)


async def test_a_new_process_knows_from_status_who_ended(cluster: Cluster) -> None:
    cluster.connection()
    uid = _array(cluster)
    array_id = await _begun(cluster, uid, tasks=4)
    cluster.slurm.end(_tasks(cluster)[2].job_id, "FAILED", 9)
    await asyncio.sleep(PROGRESS)
    cluster.slurm.accounting.clear()
    cluster.slurm.forget(_tasks(cluster)[2].job_id)
    await cluster.start()
    for task in tuple(cluster.slurm.jobs.values()):
        cluster.slurm.end(task.job_id)
    await asyncio.sleep(SETTLED)
    status = cluster.status(uid)
    assert (status["state"], status["exitCode"]) == ("Failed", 9)
    assert status["array"]["failures"] == [
        {"state": "FAILED", "reason": "NonZeroExitCode", "exitCode": 9, "count": 1, "indexes": "2"}
    ]
    assert cluster.slurm.executions.total() == 4
    assert array_id == int(status["jobId"])


async def test_what_nobody_tells_is_unknown_and_not_an_end(cluster: Cluster) -> None:
    cluster.connection()
    uid = _array(cluster)
    await _begun(cluster, uid, tasks=4)
    lost = _tasks(cluster)[1]
    for task in tuple(_tasks(cluster).values()):
        cluster.slurm.end(task.job_id)
    cluster.slurm.forget(lost.job_id)
    cluster.slurm.accounting.pop(lost.job_id)
    await asyncio.sleep(PROGRESS)
    status = cluster.status(uid)
    assert (status["state"], status["array"]["unknownIndexes"]) == ("Completing", "1")
    for task in tuple(cluster.slurm.jobs.values()):
        cluster.slurm.forget(task.job_id)
    await asyncio.sleep(900)
    assert cluster.status(uid)["state"] == "Unknown"
    assert cluster.reason(uid, "Stalled") == "JobRecordLost"
    assert cluster.status(uid)["array"]["unknownIndexes"] == "1"


async def test_deletion_cancels_all_of_it(cluster: Cluster) -> None:
    cluster.connection()
    uid = _array(cluster)
    await _begun(cluster, uid, tasks=2)
    cluster.kube.delete(uid)
    await asyncio.sleep(SETTLED)
    assert uid not in cluster.kube.objects
    assert {min(job.states) for job in cluster.slurm.jobs.values()} == {"CANCELLED"}


async def test_a_quiet_array_costs_one_request_a_poll(cluster: Cluster) -> None:
    cluster.connection()
    uid = _array(cluster, "0-999")
    await _begun(cluster, uid, tasks=10)
    await asyncio.sleep(1000)
    before, version = cluster.slurm.calls.copy(), cluster.kube.objects[uid]["metadata"]["resourceVersion"]
    await asyncio.sleep(600)
    spent = cluster.slurm.calls - before
    spent.pop("facts")
    assert spent == {"tasks": 600 // POLL}
    assert cluster.kube.objects[uid]["metadata"]["resourceVersion"] == version


async def test_a_change_that_is_seen_while_it_is_read_is_not_lost(cluster: Cluster) -> None:
    """A poll may tell of what came after the read that is under way."""
    cluster.connection()
    uid = _array(cluster)
    await _begun(cluster, uid, tasks=4)
    assert cluster.engine is not None
    (entry,) = cluster.engine._registry.of(("ns", "campus"))
    entry.running = True
    cluster.slurm.end(_tasks(cluster)[1].job_id)
    await asyncio.sleep(2 * POLL)
    entry.running = False
    await asyncio.sleep(PROGRESS)
    assert cluster.status(uid)["array"]["succeededIndexes"] == "1"


async def test_progress_is_written_every_half_minute_at_most(cluster: Cluster) -> None:
    cluster.connection()
    uid = _array(cluster, "0-199")
    array_id = await _begun(cluster, uid, tasks=1)
    before, writes = cluster.slurm.calls.copy(), cluster.kube.writes
    for _ in range(150):
        for task in tuple(cluster.slurm.jobs.values()):
            cluster.slurm.end(task.job_id)
        cluster.slurm.start(array_id)
        await asyncio.sleep(2)
    spent = cluster.slurm.calls - before
    assert spent["job"] <= 11
    assert cluster.kube.writes - writes <= 11
    assert cluster.status(uid)["array"]["succeeded"] > 100
