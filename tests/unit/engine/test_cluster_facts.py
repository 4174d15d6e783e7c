"""What people see of the cluster in a connection's status: how often it is asked for, and when it is written."""

from __future__ import annotations

import asyncio
import logging

import pytest

from slurmjob_operator.core.cluster import ClusterFacts
from slurmjob_operator.core.times import epoch_of
from slurmjob_operator.slurm import errors as slurm_errors
from tests.fakes.slurm import MemoryPort
from tests.unit.engine.cluster import POLL, START, Cluster

pytestmark = pytest.mark.looptime
MINUTE = 61
"""A round, and what a round is longer than a minute."""


def _contact(cluster: Cluster, uid: str) -> float:
    return epoch_of(cluster.status(uid)["lastContactTime"]) - START


async def test_a_new_connection_shows_its_cluster_at_once(cluster: Cluster) -> None:
    connection = cluster.connection()
    await asyncio.sleep(1)
    status = cluster.status(connection)
    assert status["controllers"] == [{"host": "memory", "up": True}]
    assert status["nodes"] == {
        "total": 8, "cpus": 64, "idleCpus": 64, "gpus": 16, "idleGpus": 16, "problemCount": 0,
        "states": [{"state": "IDLE", "nodes": 8}], "problems": [],
    }  # fmt: skip
    assert [partition["name"] for partition in status["partitions"]] == ["debug", "gpu", "tiny"]
    assert status["partitions"][0] == {
        "name": "debug", "default": True, "state": "UP", "timeLimitSeconds": 86_400, "nodes": 6, "cpus": 48,
        "idleCpus": 48, "gpus": 12, "idleGpus": 12,
    }  # fmt: skip
    assert status["queue"] == {"pending": 0, "running": 0}
    assert status["jobs"] == {"live": 0, "states": []}
    assert cluster.reason(connection, "Ready") == "Connected"


async def test_a_running_job_and_a_drained_node_show_within_a_minute(cluster: Cluster) -> None:
    connection = cluster.connection()
    cluster.job("one")
    cluster.job("two")
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    cluster.slurm.drained["n7"] = "bad disk"
    await asyncio.sleep(MINUTE)
    status = cluster.status(connection)
    assert status["nodes"]["problems"] == [{"name": "n7", "state": "IDLE+DRAIN", "reason": "bad disk"}]
    assert {partition["name"]: partition["idleCpus"] for partition in status["partitions"]} == {
        "debug": 47, "gpu": 8, "tiny": 7,
    }  # fmt: skip
    assert status["queue"] == {"pending": 1, "running": 1}
    assert status["jobs"] == {
        "live": 2, "states": [{"state": "Pending", "jobs": 1}, {"state": "Running", "jobs": 1}],
    }  # fmt: skip


async def test_once_a_minute_and_a_write_every_ten_minutes_where_nothing_happens(cluster: Cluster) -> None:
    connection = cluster.connection()
    await asyncio.sleep(1)
    asked, writes, began = cluster.slurm.calls["facts"], cluster.kube.writes, _contact(cluster, connection)
    await asyncio.sleep(590)
    assert (cluster.slurm.calls["facts"] - asked, cluster.kube.writes) == (9, writes)
    assert _contact(cluster, connection) == began
    await asyncio.sleep(3000)
    assert cluster.slurm.calls["facts"] - asked <= 3590 / 60
    assert 5 <= cluster.kube.writes - writes <= 6, "the time of the last contact"
    assert _contact(cluster, connection) > 3000


async def test_nothing_is_asked_while_suspended_or_not_ready(cluster: Cluster) -> None:
    connection = cluster.connection()
    await asyncio.sleep(1)
    cluster.kube.edit(connection, suspend=True)
    await asyncio.sleep(1)
    before = cluster.slurm.calls["facts"]
    await asyncio.sleep(600)
    assert cluster.slurm.calls["facts"] == before
    assert cluster.status(connection)["nodes"]["total"] == 8, "what was known stays"
    cluster.slurm.slurmctld_up = False
    cluster.kube.edit(connection, suspend=False)
    await asyncio.sleep(600)
    assert cluster.slurm.calls["facts"] == before
    cluster.slurm.slurmctld_up = True
    await asyncio.sleep(60)
    assert cluster.slurm.calls["facts"] == before + 1


async def test_who_has_lost_sight_says_since_when(cluster: Cluster) -> None:
    connection = cluster.connection()
    cluster.job()
    await asyncio.sleep(400)
    assert _contact(cluster, connection) < 100
    cluster.slurm.slurmctld_up = False
    await asyncio.sleep(2 * POLL)
    assert cluster.reason(connection, "Ready") == "ClusterUnreachable"
    assert 400 - MINUTE <= _contact(cluster, connection) <= 400
    writes = cluster.kube.writes
    contact = _contact(cluster, connection)
    await asyncio.sleep(600)
    assert (cluster.kube.writes, _contact(cluster, connection)) == (writes, contact)


async def test_jobs_wait_for_no_look(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(port: MemoryPort) -> ClusterFacts:
        port.cluster.calls["facts"] += 1
        await asyncio.sleep(3600)
        raise slurm_errors.Unavailable("away")

    monkeypatch.setattr(MemoryPort, "facts", hang)
    connection, job = cluster.connection(), cluster.job()
    await asyncio.sleep(1)
    assert cluster.status(job)["state"] == "Pending"
    cluster.slurm.start(1)
    await asyncio.sleep(POLL)
    assert cluster.status(job)["state"] == "Running"
    cluster.slurm.end(1)
    await asyncio.sleep(POLL)
    assert cluster.status(job)["state"] == "Complete"
    await asyncio.sleep(1000)
    assert cluster.slurm.calls["facts"] == 1, "one look at a time"
    assert cluster.reason(connection, "Ready") == "Connected"
    assert cluster.engine is not None
    assert cluster.engine.stuck() == []


@pytest.mark.parametrize(
    "fault",
    [
        slurm_errors.Unavailable("away"),
        slurm_errors.CredentialsRejected("no"),
        slurm_errors.NotSupported("what"),
        ValueError("a defect"),
    ],
)
async def test_a_look_that_fails_changes_nothing(
    cluster: Cluster, fault: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    connection, job = cluster.connection(), cluster.job()
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    await asyncio.sleep(MINUTE)
    looks, before, opened = MemoryPort.facts, cluster.kube.body(connection), len(cluster.opened)

    async def fail(port: MemoryPort) -> ClusterFacts:
        port.cluster.calls["facts"] += 1
        raise fault

    monkeypatch.setattr(MemoryPort, "facts", fail)
    caplog.clear()
    asked = cluster.slurm.calls["facts"]
    await asyncio.sleep(590)
    assert 9 <= cluster.slurm.calls["facts"] - asked <= 10, "once a minute, as ever"
    assert cluster.kube.body(connection) == before
    assert len(cluster.opened) == opened
    assert cluster.status(job)["state"] == "Running"
    told = [record.message for record in caplog.records]
    if isinstance(fault, slurm_errors.SlurmError):
        assert told == [f"connection ns/campus: the cluster's nodes and partitions are not known now: {fault}"]
    else:
        assert set(told) == {"a look of connection ns/campus at its cluster failed"}
    monkeypatch.setattr(MemoryPort, "facts", looks)
    await asyncio.sleep(MINUTE)
    assert _contact(cluster, connection) > 590


async def test_what_was_seen_by_an_edited_connection_is_not_told(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, slow = MemoryPort.facts, True

    async def look_slowly(port: MemoryPort) -> ClusterFacts:
        found = await look(port)
        if slow:
            await asyncio.sleep(5)
            found = await _of_another_cluster(port)
        return found

    async def _of_another_cluster(port: MemoryPort) -> ClusterFacts:
        port.cluster.drained["n1"] = "of the old one"
        found = await look(port)
        port.cluster.drained.clear()
        return found

    monkeypatch.setattr(MemoryPort, "facts", look_slowly)
    connection = cluster.connection()
    await asyncio.sleep(2)
    slow = False
    cluster.kube.edit(connection, servers=[{"url": "https://other:6820"}])
    for _ in range(20):
        await asyncio.sleep(1)
        assert not cluster.status(connection).get("nodes", {}).get("problems")
    assert cluster.status(connection)["nodes"]["total"] == 8, "the edited one has looked by itself"


async def test_what_another_user_saw_is_forgotten(cluster: Cluster) -> None:
    connection = cluster.connection()
    await asyncio.sleep(1)
    assert cluster.status(connection)["user"] == "alice"
    cluster.slurm.faults["facts"] = [slurm_errors.Unavailable("away")] * 5
    cluster.secret(user="bob")
    await asyncio.sleep(2 * POLL)
    status = cluster.status(connection)
    assert status["user"] == "bob"
    shown = ("nodes", "partitions", "queue", "jobs", "controllers", "lastContactTime")
    assert {name: status[name] for name in shown if status.get(name)} == {}
