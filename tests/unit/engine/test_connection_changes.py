"""A connection under what operations do to it: suspended, renewed, another cluster, a token near its end."""

from __future__ import annotations

import asyncio
from typing import Any

import jwt
import pytest

from slurmjob_operator.api.conditions import ConditionType, Reason
from slurmjob_operator.api.status import SlurmConnectionStatus
from slurmjob_operator.engine import connecting
from slurmjob_operator.engine.problems import NotConnected
from slurmjob_operator.slurm.errors import Unavailable
from tests.fakes.slurm import MemoryPort
from tests.unit.engine.cluster import POLL, Cluster
from tests.unit.engine.test_connecting import NOW, World, connection, said, token

DAY = 86400
READY, EXPIRING = ConditionType.READY, ConditionType.CREDENTIALS_EXPIRING


@pytest.fixture
def world() -> World:
    world = World()
    world.kube.secrets["ns", "token"] = {"SLURM_JWT": token()}
    return world


# --- Suspended ------------------------------------------------------------------------------------------------


async def test_suspended_nothing_is_opened(world: World) -> None:
    problem = await world.problem(connection(suspend=True))
    assert problem.reason is Reason.SUSPENDED
    assert world.opened == []
    status = connecting.not_ready(SlurmConnectionStatus(), problem, generation=1, now=NOW)
    kinds = said(status)
    assert kinds[READY] == ("False", Reason.SUSPENDED)
    assert not {ConditionType.STALLED, ConditionType.RECONCILING} & kinds.keys(), "it is as it is wanted"


@pytest.mark.looptime
async def test_suspended_and_resumed_under_a_living_job(cluster: Cluster) -> None:
    uid, job = cluster.connection(), cluster.job()
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    await asyncio.sleep(2 * POLL)
    cluster.kube.edit(uid, suspend=True)
    await asyncio.sleep(1)
    calls = dict(cluster.slurm.calls)
    cluster.slurm.end(1)
    await asyncio.sleep(10 * POLL)
    assert dict(cluster.slurm.calls) == calls, "nothing is asked"
    assert cluster.status(job)["state"] == "Running", "what was last known"
    assert cluster.reason(uid, "Ready") == "Suspended"
    cluster.kube.edit(uid, suspend=False)
    await asyncio.sleep(2 * POLL)
    assert cluster.status(job)["state"] == "Complete"


# --- Another cluster ------------------------------------------------------------------------------------------


def known(name: str | None, *, generation: int = 1, **spec: Any) -> dict[str, Any]:
    status = {"clusterName": name, "clusterNameGeneration": generation, "user": "alice"}
    return {**connection(**spec), "status": status}


@pytest.mark.parametrize(
    ("body", "good"),
    [
        (known("memory"), True),
        (known("other"), False),
        (known("other", generation=0), True),
        (known("other", clusterName="memory"), False),
        (known("other", generation=0, clusterName="memory"), True),
        (known("memory", clusterName="other"), False),
        (known(None), True),
        (known("unknown"), True),
    ],
    ids=["same", "another", "edited since", "named, not edited", "named", "not the named one", "first", "nameless"],
)
async def test_another_cluster_under_a_known_address_is_asked_about(
    world: World, body: dict[str, Any], good: bool
) -> None:
    if good:
        assert (await world.connect(body)).info.cluster_name == "memory"
        return
    problem = await world.problem(body)
    assert problem.reason is Reason.CLUSTER_CHANGED
    assert "memory" in problem.message


@pytest.mark.looptime
async def test_a_replaced_cluster_is_left_alone_until_it_is_named(cluster: Cluster) -> None:
    uid, old = cluster.connection(), cluster.job("old")
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    await asyncio.sleep(2 * POLL)
    cluster.slurm.name, cluster.slurm.release = "other", "26.11.0"
    cluster.slurm.jobs.clear()
    await asyncio.sleep(20 * POLL)
    assert cluster.reason(uid, "Ready") == "ClusterChanged"
    new = cluster.job("new")
    await asyncio.sleep(20 * POLL)
    assert cluster.slurm.jobs == {}, "nothing is submitted there"
    cluster.kube.edit(uid, clusterName="other")
    await asyncio.sleep(3 * POLL)
    assert cluster.reason(uid, "Ready") == "Connected"
    assert cluster.status(new)["clusterName"] == "other"
    assert cluster.reason(old, "Synced") == "ConnectionChanged"
    assert cluster.status(old)["state"] == "Running", "what was last known: absence is no end"


# --- Renewed --------------------------------------------------------------------------------------------------


@pytest.mark.looptime
async def test_a_renewed_token_is_in_use_within_two_periods(cluster: Cluster) -> None:
    uid = cluster.connection()
    await asyncio.sleep(3 * POLL)
    before = cluster.status(uid)["tokenExpirationTime"]
    text = jwt.encode({"exp": 4_200_000_000, "sun": "alice"}, "k" * 64)
    cluster.kube.secrets["ns", "token"] = {"SLURM_JWT": text.encode()}
    await asyncio.sleep(2 * POLL)
    assert cluster.status(uid)["tokenExpirationTime"] != before


@pytest.mark.looptime
async def test_what_was_not_renewed_is_not_connected_anew(cluster: Cluster) -> None:
    cluster.connection()
    await asyncio.sleep(1)
    calls = cluster.slurm.calls["info"]
    await asyncio.sleep(20 * POLL)
    assert cluster.slurm.calls["info"] == calls


# --- A token near its end -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "lifespan", "reason"),
    [
        (8 * DAY, 30 * DAY, None),
        (2 * DAY, 30 * DAY, Reason.EXPIRES_WITHIN_A_WEEK),
        (3600, 2 * DAY, Reason.EXPIRES_WITHIN_A_DAY),
        (3600, 7200, None),
    ],
)
async def test_a_warning_before_the_end(world: World, left: int, lifespan: int, reason: Reason | None) -> None:
    """Of tokens that were made for longer: one of an hour is renewed all the time."""
    ends = int(NOW) + left
    world.kube.secrets["ns", "token"] = {"SLURM_JWT": token(exp=ends, iat=ends - lifespan)}
    connected = await world.connect()
    status = connecting.ready(SlurmConnectionStatus(), connected, generation=1, now=NOW)
    found = said(status).get(EXPIRING)
    assert found == (None if reason is None else ("True", reason))
    if reason is not None:
        refused = connecting.not_ready(status, NotConnected(Reason.TOKEN_EXPIRED, "x"), generation=1, now=NOW)
        assert EXPIRING not in said(refused)


# --- A server that does not answer ----------------------------------------------------------------------------


@pytest.mark.looptime
async def test_an_outage_shows_at_a_submission_too(cluster: Cluster) -> None:
    """No job is followed, so no poll would find it; another server of the connection may answer."""
    uid = cluster.connection()
    await asyncio.sleep(1)
    await asyncio.sleep(POLL)
    away = Unavailable("away")
    cluster.slurm.faults = {"submit_held": [away] * 50, "info": [away]}
    job = cluster.job()
    await asyncio.sleep(POLL)
    assert cluster.reason(uid, "Ready") == "ClusterUnreachable"
    assert cluster.reason(job, "Submitted") == "ClusterUnreachable"
    cluster.slurm.faults.clear()
    await asyncio.sleep(POLL)
    assert cluster.reason(uid, "Ready") == "Connected"
    assert cluster.status(job)["state"] == "Pending"


@pytest.mark.looptime
@pytest.mark.parametrize("followed", [0, 5])
async def test_one_operation_that_never_works_makes_no_storm(cluster: Cluster, followed: int) -> None:
    """Whether the connection still works is found out once a period at most, by a poll where there is one, and nobody
    else's job is read for it."""
    uid = cluster.connection()
    others = [cluster.job(f"other{number}") for number in range(followed)]
    await asyncio.sleep(1)
    for number in range(followed):
        cluster.slurm.start(number + 1)
    await asyncio.sleep(2 * POLL)
    cluster.slurm.faults = {"submit_held": [Unavailable("a proxy refuses it")] * 1000}
    for number in range(5):
        cluster.job(f"job{number}")
    before = cluster.slurm.calls.copy()
    await asyncio.sleep(10 * POLL)
    spent = cluster.slurm.calls - before
    assert (spent["states"] >= 10, spent["info"]) == (True, 0) if followed else 1 <= spent["info"] <= 11
    assert spent["job"] == 0
    assert cluster.reason(uid, "Ready") == "Connected"
    assert {cluster.status(other)["state"] for other in others} <= {"Running"}


@pytest.mark.looptime
async def test_a_server_that_seems_silent_after_each_look_is_asked_once_a_period(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when slurmdbd alone cannot be asked: connecting works, and its last request failed."""
    monkeypatch.setattr(MemoryPort, "silent", property(lambda _port: True, lambda _port, _silent: None))
    uid = cluster.connection()
    await asyncio.sleep(10 * POLL)
    assert 5 <= cluster.slurm.calls["info"] <= 11
    assert cluster.reason(uid, "Ready") == "Connected"
