"""What a run used, asked of slurmdbd in memory: in haste before the end is written, at leisure after it."""

from __future__ import annotations

import asyncio

import pytest

from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.slurm.errors import AccountingUnavailable
from tests.fakes.slurm import MemoryPort
from tests.unit.engine.cluster import POLL, Cluster

pytestmark = [pytest.mark.looptime]


async def _ended(cluster: Cluster) -> str:
    cluster.connection()
    uid = cluster.job()
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    await asyncio.sleep(2 * POLL)
    cluster.slurm.end(1)
    return uid


async def test_it_stands_in_the_write_of_the_end(cluster: Cluster) -> None:
    uid = await _ended(cluster)
    before = cluster.kube.writes
    await asyncio.sleep(2 * POLL)
    usage = cluster.status(uid)["usage"]
    assert usage["elapsedSeconds"] == 2 * POLL
    assert usage["maxRssBytes"] == 2**20
    assert cluster.kube.writes - before == 2, "the end, and the finalizer"


async def test_what_takes_long_has_the_time_once_the_end_is_written(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, asked = MemoryPort.accounting, []

    async def slow(self: MemoryPort, job_id: int, *, within: float | None = None) -> tuple[JobRecord, ...]:
        asked.append(within)
        if within is not None:
            raise AccountingUnavailable("it takes longer")
        return await read(self, job_id)

    monkeypatch.setattr(MemoryPort, "accounting", slow)
    uid = await _ended(cluster)
    await asyncio.sleep(3 * POLL)
    assert asked == [2.0, None]
    assert cluster.status(uid)["usage"]["elapsedSeconds"] == 2 * POLL
    assert not cluster.kube.objects[uid]["metadata"].get("finalizers")


async def test_the_object_is_let_go_without_it_at_last(cluster: Cluster) -> None:
    cluster.slurm.slurmdbd_keeps_up = False
    uid = await _ended(cluster)
    await asyncio.sleep(2 * POLL)
    assert cluster.status(uid)["state"] == "Complete"
    assert "usage" not in cluster.status(uid)
    assert cluster.kube.objects[uid]["metadata"]["finalizers"]
    await asyncio.sleep(300)
    assert "did not tell it" in cluster.status(uid)["usage"]["missing"]
    assert not cluster.kube.objects[uid]["metadata"].get("finalizers")
