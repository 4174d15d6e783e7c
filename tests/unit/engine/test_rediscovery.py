"""slurmrestd is another one than it was when the connection found out what it is: Slurm was upgraded."""

from __future__ import annotations

import asyncio

import pytest

from slurmjob_operator.slurm import errors as slurm_errors
from tests.unit.engine.cluster import POLL, Cluster

pytestmark = pytest.mark.looptime


@pytest.fixture
def cluster(cluster: Cluster) -> Cluster:
    """Of a release that will be upgraded."""
    cluster.slurm.release, cluster.slurm.api_version = "24.11.5", "v0.0.42"
    return cluster


def _upgrade(cluster: Cluster, api_version: str = "v0.0.45") -> None:
    """In no time: nobody sees that slurmrestd was away."""
    cluster.slurm.release, cluster.slurm.api_version = "26.05.5", api_version


def _events(cluster: Cluster) -> list[str]:
    return [event.reason for event in cluster.kube.events]


async def test_another_release_that_speaks_as_before_is_seen_at_the_next_poll(cluster: Cluster) -> None:
    connection, job = cluster.connection(), cluster.job()
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    await asyncio.sleep(POLL)
    _upgrade(cluster, "v0.0.42")
    await asyncio.sleep(POLL + 1)
    assert (cluster.status(connection)["slurmVersion"], len(cluster.opened)) == ("26.05.5", 2)
    assert cluster.reason(job, "Synced") == "PollSucceeded"
    assert "SlurmConnectionNotReady" not in _events(cluster)
    await asyncio.sleep(600)
    assert len(cluster.opened) == 2


async def test_a_version_that_is_gone_is_replaced_before_anybody_is_alarmed(cluster: Cluster) -> None:
    connection, job = cluster.connection(), cluster.job()
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    await asyncio.sleep(POLL)
    _upgrade(cluster)
    await asyncio.sleep(POLL + 1)
    assert cluster.status(connection)["apiVersion"] == "v0.0.45"
    assert "SlurmConnectionNotReady" not in _events(cluster)
    cluster.slurm.end(1)
    await asyncio.sleep(POLL + 1)
    assert cluster.status(job)["state"] == "Complete"


async def test_with_no_live_job_the_first_new_one_finds_out(cluster: Cluster) -> None:
    """Nothing polls; the token is good for a day."""
    connection = cluster.connection()
    await asyncio.sleep(60)
    _upgrade(cluster)
    job = cluster.job()
    await asyncio.sleep(15)
    assert cluster.status(connection)["apiVersion"] == "v0.0.45"
    assert cluster.status(job)["state"] == "Pending"
    assert list(cluster.slurm.jobs) == [1]


async def test_with_no_job_at_all_the_sweep_finds_out(cluster: Cluster) -> None:
    connection = cluster.connection()
    await asyncio.sleep(60)
    _upgrade(cluster)
    await asyncio.sleep(3600)
    assert cluster.status(connection)["slurmVersion"] == "26.05.5"


async def test_what_is_deleted_meanwhile_is_cancelled(cluster: Cluster) -> None:
    cluster.connection()
    job = cluster.job()
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    await asyncio.sleep(POLL)
    _upgrade(cluster)
    cluster.kube.delete(job)
    await asyncio.sleep(2 * POLL)
    assert cluster.slurm.jobs[1].states == {"CANCELLED"}
    assert job not in cluster.kube.objects


async def test_a_version_that_nobody_serves_any_more_ends_no_job(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the connection is pinned to it. It says so, and jobs go on when it is served, or the pin is lifted."""
    connection, running, waits = cluster.connection(), cluster.job("running"), cluster.job("waits")
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    await asyncio.sleep(POLL)
    nobody = [slurm_errors.NotSupported("this slurmrestd serves none of the API versions asked for (v0.0.40)")]
    _upgrade(cluster)
    cluster.slurm.faults = {"info": nobody * 10_000}
    unsent = cluster.job("unsent")
    await asyncio.sleep(3600)
    assert cluster.reason(connection, "Ready") == cluster.reason(connection, "Stalled") == "UnsupportedServer"
    assert _events(cluster).count("SlurmConnectionNotReady") == 1
    assert [cluster.status(uid)["state"] for uid in (running, waits, unsent)] == ["Running", "Pending", "Waiting"]
    assert [cluster.reason(uid, "Synced") for uid in (running, waits)] == ["UnsupportedServer"] * 2
    assert cluster.reason(unsent, "Submitted") == "UnsupportedServer"
    cluster.slurm.faults.clear()
    cluster.kube.edit(connection, apiVersion="Auto")
    for job_id in (1, 2, 3):
        cluster.slurm.start(job_id)
        cluster.slurm.end(job_id)
        await asyncio.sleep(2 * POLL)
    cluster.slurm.start(3)
    cluster.slurm.end(3)
    await asyncio.sleep(2 * POLL)
    assert [cluster.status(uid)["state"] for uid in (running, waits, unsent)] == ["Complete"] * 3
    assert cluster.slurm.executions == {1: 1, 2: 1, 3: 1}


async def test_two_releases_behind_one_address_are_not_asked_all_the_time(cluster: Cluster) -> None:
    """While a site replaces one slurmrestd after the other."""
    cluster.connection()
    job = cluster.job()
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    for number in range(60):
        cluster.slurm.release = ("24.11.5", "26.05.5")[number % 2]
        await asyncio.sleep(POLL)
    assert cluster.status(job)["state"] == "Running"
    assert len(cluster.opened) <= 12, "once a minute, not at each poll"
    assert "SlurmConnectionNotReady" not in _events(cluster)


async def test_a_version_that_comes_and_goes_is_found_again(cluster: Cluster) -> None:
    """The same with an API version of its own each: the one that was found answers every other time."""
    connection, job = cluster.connection(), cluster.job()
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    for number in range(600):
        cluster.slurm.api_version = ("v0.0.42", "v0.0.45")[number % 2]
        await asyncio.sleep(1)
    assert cluster.status(job)["state"] == "Running"
    cluster.slurm.end(1)
    await asyncio.sleep(120)
    assert cluster.reason(connection, "Ready") == "Connected"
    assert cluster.status(job)["state"] == "Complete"
