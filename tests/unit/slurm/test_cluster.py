"""One look at a cluster, held against answers as the real daemons gave them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from slurmjob_operator.api.cluster import ControllerOfCluster, PartitionOfCluster, QueueOfCluster
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.cluster import _node_rows, gpus_in, node_row, partition
from slurmjob_operator.slurm.errors import CredentialsRejected, Unavailable
from slurmjob_operator.slurm.http import Manner, SlurmrestdServer
from slurmjob_operator.slurm.shared import Shared
from tests.unit.slurm.answers import TOKEN, client, error


def _set(number: int) -> dict[str, Any]:
    return {"set": True, "infinite": False, "number": number}


NODE_38 = {
    "name": "n7", "state": "mixed", "state_flags": ["DRAIN"], "reason": "bad  disk\n", "gres": "gpu:2,widget:4",
    "gres_used": "gpu:1,widget:0", "cpus": 8, "alloc_cpus": 1, "idle_cpus": 7, "partitions": ["gpu"],
}  # fmt: skip
NODE_45 = {
    "name": "n7", "state": ["MIXED", "DRAIN"], "reason": "bad disk", "gres": "gpu:2,widget:4",
    "gres_used": "gpu:1,widget:0", "cpus": 8, "effective_cpus": 8, "alloc_cpus": 1, "alloc_idle_cpus": 7,
    "partitions": ["gpu"],
}  # fmt: skip
PARTITION_38 = {
    "name": "debug", "flags": ["default"], "state": "UP", "max_time_limit": 1440, "total_nodes": 6, "total_cpus": 48,
    "tres": "cpu=48,mem=48000M,node=6,billing=48,gres/gpu=12",
}  # fmt: skip
PARTITION_45: dict[str, Any] = {
    "name": "debug", "flags": ["DEFAULT"], "partition": {"state": ["UP"]}, "nodes": {"total": 6},
    "cpus": {"task_binding": [], "total": 48}, "maximums": {"time": _set(1440)},
    "tres": {"configured": "cpu=48,mem=48000M,node=6,billing=48,gres/gpu=12,gres/gpu:a100=12"},
}  # fmt: skip
DEBUG = PartitionOfCluster(name="debug", default=True, state="UP", time_limit_seconds=86_400, nodes=6, cpus=48, gpus=12)


@pytest.mark.parametrize("raw", [NODE_38, NODE_45], ids=["v0.0.38", "v0.0.45"])
def test_a_node_of_either_family(raw: Mapping[str, Any]) -> None:
    row = node_row(raw)
    assert (row.name, row.state, row.reason, row.partitions) == ("n7", "MIXED+DRAIN", "bad disk", frozenset({"gpu"}))
    assert (row.cpus, row.idle_cpus, row.gpus, row.idle_gpus) == (8, 7, 2, 1)


@pytest.mark.parametrize(
    ("raw", "cpus", "idle"),
    [
        ({"cpus": 8, "alloc_cpus": 3}, 8, 5),
        ({"cpus": _set(8), "alloc_idle_cpus": "2"}, 8, 2),
        ({"cpus": 8, "effective_cpus": 6, "alloc_idle_cpus": 8}, 6, 6),
        ({"cpus": 8, "alloc_idle_cpus": -3}, 8, 0),
        ({"cpus": None, "partitions": None, "state": None, "gres": None}, 0, 0),
        ({}, 0, 0),
    ],
)
def test_a_node_is_read_tolerantly(raw: Mapping[str, Any], cpus: int, idle: int) -> None:
    row = node_row({"name": "n1", **raw})
    assert (row.cpus, row.idle_cpus) == (cpus, idle)


@pytest.mark.parametrize(
    ("gres", "gpus"),
    [
        ("gpu:2,widget:4", 2),
        ("gpu:a100:4(S:0-1),gpu:v100:2(S:0,2)", 6),
        ("gpu:a100:2(IDX:0-1,3),shard:0", 2),
        ("gpu", 1),
        ("gpu:a100", 1),
        ("gpu:1K", 1024),
        ("shard:8,gpumem:4G", 0),
        ("(null)", 0),
        ("N/A", 0),
        ("", 0),
        (None, 0),
        ({"set": False}, 0),
    ],
)
def test_gpus_of_a_gres_text(gres: Any, gpus: int) -> None:
    assert gpus_in(gres) == gpus


@pytest.mark.parametrize("raw", [PARTITION_38, PARTITION_45], ids=["v0.0.38", "v0.0.45"])
def test_a_partition_of_either_family(raw: Mapping[str, Any]) -> None:
    assert partition(raw) == DEBUG


@pytest.mark.parametrize(
    ("raw", "field", "value"),
    [
        ({"max_time_limit": -1}, "time_limit_seconds", None),
        ({"maximums": {"time": {"set": False, "infinite": True, "number": 0}}}, "time_limit_seconds", None),
        ({"partition": {"state": ["DOWN"]}}, "state", "DOWN"),
        ({"state": None}, "state", None),
        ({}, "default", None),
        ({"flags": []}, "default", False),
        ({"tres": {"configured": "cpu=1,gres/gpu:a100=2"}}, "gpus", None),
        ({"nodes": "n[1-6]", "total_nodes": 6}, "nodes", 6),
    ],
)
def test_a_partition_is_read_tolerantly(raw: Mapping[str, Any], field: str, value: object) -> None:
    assert getattr(partition({"name": "debug", **raw}), field) == value


# --- One round ------------------------------------------------------------------------------------------------

ANSWERS: dict[str, Any] = {
    "diag": {"statistics": {"jobs_pending": 3, "jobs_running": 4, "job_states_ts": _set(1795662181)}},
    "ping": {"pings": [{"hostname": "a", "responding": True}, {"hostname": "b", "responding": False}]},
    "partitions": {"partitions": [PARTITION_45]},
    "nodes": {"nodes": [NODE_45]},
}


def _answering(answers: Mapping[str, Any], *, asked: list[str] | None = None) -> SlurmrestdClient:
    def answer(request: httpx.Request) -> httpx.Response:
        what = request.url.path.rpartition("/")[2]
        if asked is not None:
            asked.append(f"{what}?{request.url.query.decode()}".rstrip("?"))
        found = answers[what]
        status, body = found if isinstance(found, tuple) else (200, found)
        return httpx.Response(status, json=body)

    return client(answer)


async def test_a_round_is_four_requests_and_never_the_list_of_jobs() -> None:
    asked: list[str] = []
    found = await _answering(ANSWERS, asked=asked).facts()
    assert asked == ["diag", "ping", "partitions", "nodes"]
    assert found.controllers == (ControllerOfCluster(host="a", up=True), ControllerOfCluster(host="b", up=False))
    assert found.queue == QueueOfCluster(pending=3, running=4)
    assert [one.name for one in found.partitions or ()] == ["debug"]
    assert found.nodes is not None
    assert (found.nodes.total, found.nodes.problem_count) == (1, 1)


@pytest.mark.parametrize(
    ("ping", "up"),
    [
        ({"hostname": "vm", "ping": "UP", "status": 0, "mode": "primary"}, True),
        ({"hostname": "vm", "ping": "DOWN"}, False),
        ({"hostname": "vm", "pinged": "UP", "latency": 7}, True),
        ({"hostname": "vm", "pinged": "DOWN", "responding": True}, True),
        ({"hostname": "vm"}, False),
    ],
)
async def test_controllers_of_all_families(ping: Mapping[str, Any], up: bool) -> None:
    found = await _answering({**ANSWERS, "ping": {"pings": [ping, {}]}}).facts()
    assert found.controllers == (ControllerOfCluster(host="vm", up=up),)


@pytest.mark.parametrize(
    "statistics", [{}, {"jobs_pending": 0, "jobs_running": 0, "job_states_ts": 0}, {"jobs_pending": 1}]
)
async def test_what_slurmctld_has_not_counted_is_absent(statistics: Mapping[str, Any]) -> None:
    assert (await _answering({**ANSWERS, "diag": {"statistics": statistics}}).facts()).queue is None


@pytest.mark.parametrize(
    "refusal",
    [
        (500, {"errors": [error(2002, "Access/permission denied")], "nodes": []}),
        (422, {"errors": []}),
        (500, {"errors": [{"error": "Unspecified error", "errno": -1}]}),
        (500, {"errors": [error(-1, "Unspecified error")]}),
    ],
    ids=["24.11's nodes", "26.05's partitions", "22.05", "-1"],
)
async def test_private_data_hides_nodes_and_partitions_and_nothing_else(refusal: tuple[int, Any]) -> None:
    found = await _answering({**ANSWERS, "nodes": refusal, "partitions": refusal}).facts()
    assert (found.nodes, found.partitions) == (None, None)
    assert found.queue is not None


@pytest.mark.parametrize(
    ("what", "answer", "kind"),
    [
        ("diag", (500, {"errors": [error(1800, "no contact")]}), Unavailable),
        ("nodes", (500, {"errors": [error(1800, "no contact")]}), Unavailable),
        ("nodes", (502, {"errors": []}), Unavailable),
        ("partitions", (511, {"errors": [error(1007, "Protocol authentication error")]}), CredentialsRejected),
    ],
)
async def test_a_round_that_fails(what: str, answer: tuple[int, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        await _answering({**ANSWERS, what: answer}).facts()


@pytest.mark.looptime
async def test_others_have_their_turns_while_thousands_of_nodes_are_read() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    nodes = [{**NODE_45, "name": f"n{number}"} for number in range(3000)]
    rest = asyncio.create_task(others())
    found = await _node_rows(nodes)
    rest.cancel()
    assert (len(found), turns) == (3000, 12)


async def test_who_asks_again_within_the_minute_is_told_what_was_found() -> None:
    asked: list[str] = []
    port = _answering(ANSWERS, asked=asked)
    assert await port.facts() is await port.facts()
    assert len(asked) == 4


async def test_sixty_connections_of_one_user_to_one_server_share_a_round() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, json=ANSWERS[request.url.path.rpartition("/")[2]])

    shared, transport = Shared(), httpx.MockTransport(answer)

    def connection(number: int) -> SlurmrestdClient:
        server = SlurmrestdServer(
            "https://slurm",
            allow_plain_http=False,
            shared=shared,
            manner=Manner(name=f"ns{number}/campus"),
            transport=transport,
        )
        return SlurmrestdClient(server, TOKEN, api_version="v0.0.45")

    found = await asyncio.gather(*(connection(number).facts() for number in range(60)))
    assert len(asked) == 4
    assert {id(one) for one in found} == {id(found[0])}
