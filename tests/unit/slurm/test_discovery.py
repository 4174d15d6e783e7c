"""What a slurmrestd of 22.05 is: its version, its cluster's name, and whether it refused or was silent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.errors import CredentialsRejected, NotSupported, Unavailable
from tests.unit.slurm.answers import client, error

META = {"Slurm": {"version": {"major": 22, "micro": 8, "minor": 5}, "release": "22.05.8"}}
NOT_SERVED = httpx.Response(404, text="Unable find requested URL.")
Body = dict[str, Any]


def _daemon(bodies: dict[str, Body], *, served: str = "v0.0.38") -> Callable[[httpx.Request], httpx.Response]:
    """Answers by path; an answer with errors is one of 22.05: 500 of slurmctld's plug-in, 200 of slurmdbd's."""

    def answer(request: httpx.Request) -> httpx.Response:
        _, plugin, version, path = request.url.path.split("/", 3)
        if version != served or (plugin == "slurmdb" and path not in bodies and "job/1" not in bodies):
            return NOT_SERVED
        body = bodies[path]
        return httpx.Response(500 if body.get("errors") and plugin == "slurm" else 200, json={"errors": [], **body})

    return answer


def _port(bodies: dict[str, Body], *, served: str = "v0.0.38") -> SlurmrestdClient:
    return client(_daemon(bodies, served=served), api_version="Auto")


DIAG: Body = {"meta": META, "statistics": {"dbd_agent_queue_size": 0}}
NOTHING: Body = {"jobs": [], "errors": [error(9003, "Nothing found with query")]}
ONE = [{"name": "campus", "nodes": "n[1-8]"}]


async def test_one_cluster_in_slurmdbd_is_it() -> None:
    info = await _port({"diag": DIAG, "job/1": NOTHING, "clusters": {"clusters": ONE}}).info()
    assert (info.cluster_name, info.release, info.api_version) == ("campus", "22.05.8", "v0.0.38")
    assert (info.accounting, info.knows_extra) == (True, False)


@pytest.mark.parametrize(
    ("clusters", "name"),
    [
        ([*ONE, {"name": "other", "nodes": "m[1-8]"}], "campus"),
        ([*ONE, {"name": "twin", "nodes": "n[1-9]"}], "unknown"),
        ([{"name": "other", "nodes": "m[1-8]"}, {"name": "third", "nodes": "x1"}], "unknown"),
        ([], "unknown"),
    ],
)
async def test_of_several_clusters_it_is_the_one_with_these_nodes(clusters: list[Body], name: str) -> None:
    nodes = {"nodes": [{"name": "n1"}, {"name": "n8"}]}
    port = _port({"diag": DIAG, "job/1": NOTHING, "clusters": {"clusters": clusters}, "nodes": nodes})
    assert (await port.info()).cluster_name == name


async def test_without_slurmdbd_nobody_names_the_cluster() -> None:
    info = await _port({"diag": DIAG}).info()
    assert (info.cluster_name, info.accounting) == ("unknown", False)


async def test_trap_j1_on_22_05_a_refused_token_looks_like_silence_and_slurmdbd_tells() -> None:
    silent = {"errors": [error(-1, "Unspecified error")], "statistics": {}}
    refused = {"jobs": [], "errors": [error(1007, "Protocol authentication error")]}
    with pytest.raises(CredentialsRejected):
        await _port({"diag": silent, "job/1": refused}).info()
    with pytest.raises(Unavailable):
        await _port({"diag": silent, "job/1": NOTHING}).info()
    with pytest.raises(Unavailable):
        await _port({"diag": silent, "job/1": {"jobs": [], "errors": [error(7000, "slurmdbd is away")]}}).info()


async def test_trap_j1_a_connection_that_was_hung_up_is_no_refusal_when_slurmdbd_takes_the_token() -> None:
    hung_up = {"errors": [error(5005, "Zero Bytes were transmitted or received")], "statistics": {}}
    with pytest.raises(Unavailable):
        await _port({"diag": hung_up, "job/1": NOTHING}).info()
    with pytest.raises(CredentialsRejected):
        await client(lambda _r: httpx.Response(500, json=hung_up), api_version="v0.0.38").info()


async def test_trap_v1_the_newest_version_of_both_families_is_found() -> None:
    assert (await _port({"diag": DIAG, "job/1": NOTHING}, served="v0.0.42").info()).api_version == "v0.0.42"
    with pytest.raises(NotSupported, match=r"v0\.0\.38 to v0\.0\.45"):
        await _port({"diag": DIAG}, served="v0.0.37").info()


async def test_a_version_without_a_daemon_is_spoken_only_where_it_is_named() -> None:
    with pytest.raises(NotSupported):
        await _port({"diag": DIAG, "job/1": NOTHING}, served="v0.0.39").info()
    named = {"meta": {"slurm": {"release": "23.11.4", "cluster": "c"}}}
    port = client(_daemon({"diag": named, "job/1": NOTHING}, served="v0.0.39"), api_version="v0.0.39")
    assert (await port.info()).api_version == "v0.0.39"


async def test_v0_0_39_of_23_02_cannot_hold_a_job() -> None:
    old = {"meta": {"slurm": {"release": "23.02.7"}}}
    port = client(_daemon({"diag": old, "job/1": NOTHING}, served="v0.0.39"), api_version="v0.0.39")
    with pytest.raises(NotSupported, match=r"v0\.0\.39 of Slurm 23\.02\.7 cannot submit a job held"):
        await port.info()
