"""What a slurmrestd of 22.05 is: its version, its cluster's name, and whether it refused or was silent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest

from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.errors import CredentialsRejected, NotSupported, SlurmError, Unavailable
from tests.unit.slurm.answers import client, error

META = {"Slurm": {"version": {"major": 22, "micro": 8, "minor": 5}, "release": "22.05.8"}}
NOT_SERVED = httpx.Response(404, text="Unable find requested URL.")
Body = dict[str, Any]
DOCUMENT: Body = {
    "paths": {
        "/slurm/v0.0.9/ping": {},
        "/slurm/v0.0.37/diag": {},
        "/slurm/v0.0.37/ping": {},
        "/slurmdb/v0.0.36/jobs": {},
        "/openapi/v3": {},
        "/slurm/<script>/ping": {},
    }
}


def _daemon(
    bodies: dict[str, Body], *, served: str = "v0.0.38", document: bool = False
) -> Callable[[httpx.Request], httpx.Response]:
    """Answers by path; an answer with errors is one of 22.05: 500 of slurmctld's plug-in, 200 of slurmdbd's."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/openapi/v3":
            return httpx.Response(200, json=DOCUMENT) if document else NOT_SERVED
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


async def test_a_slurmdbd_that_is_away_leaves_the_name_open() -> None:
    away = {"clusters": [], "errors": [error(7000, "Failed connecting to slurmdbd")]}
    info = await _port({"diag": DIAG, "job/1": NOTHING, "clusters": away}).info()
    assert (info.cluster_name, info.named) == ("unknown", False)


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


@pytest.mark.parametrize("wanted", ["Auto", "v0.0.39"])
async def test_where_nothing_is_in_common_the_message_says_what_is_served(wanted: str) -> None:
    """By slurmrestd's document, that is long: every connection together ask for it once in ten minutes."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return _daemon({}, served="v0.0.37", document=True)(request)

    port = client(answer, api_version=wanted)
    for _ in range(3):
        with pytest.raises(NotSupported, match=r"asked for \(v0\.0\.3.*\); it serves v0\.0\.37, v0\.0\.9$"):
            await port.info()
    assert asked.count("/openapi/v3") == 1


@pytest.mark.parametrize(
    "document",
    [
        NOT_SERVED,
        httpx.Response(200, json={"paths": ["/slurm/v0.0.50/ping"]}),
        httpx.Response(200, text="<html>"),
        httpx.Response(401, json={"errors": [error(1007)]}),
    ],
)
async def test_a_document_that_says_nothing_adds_nothing(document: httpx.Response) -> None:
    port = client(lambda r: document if r.url.path == "/openapi/v3" else NOT_SERVED, api_version="Auto")
    with pytest.raises(NotSupported, match=r"v0\.0\.45\)$"):
        await port.info()


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


# --- What was found out holds no more -------------------------------------------------------------------------------

JOB: Body = {"job_id": 7, "user_name": "alice", "name": "j", "job_state": ["RUNNING"]}


def _meta(release: str) -> Body:
    return {"meta": {"slurm": {"cluster": "campus", "release": release}}}


async def _asked_about(later: httpx.Response) -> bool:
    """A slurmrestd of 26.05.5 was found, and then answers so: whether that is told."""
    found = httpx.Response(200, json={**_meta("26.05.5"), "statistics": {}})
    answers = [found, httpx.Response(200, json=_meta("26.05.5")), later]
    port = client(lambda _request: answers.pop(0))
    assert not port.outdated
    await port.info()
    assert not port.outdated
    with suppress(SlurmError):
        await port.job(7)
    return port.outdated


@pytest.mark.parametrize(
    ("later", "told"),
    [
        (httpx.Response(200, json={**_meta("26.05.5"), "jobs": [JOB]}), False),
        (httpx.Response(200, json={**_meta("26.11.0"), "jobs": [JOB]}), True),
        (httpx.Response(404, json={**_meta("26.11.0"), "errors": [error(2017)]}), True),
        (httpx.Response(404, json={**_meta("26.05.5"), "errors": [error(2017)]}), False),
        (httpx.Response(200, json={"jobs": [JOB]}), False),
        (NOT_SERVED, True),
        (httpx.Response(502, text="bad gateway"), False),
    ],
)
async def test_another_release_or_a_version_that_is_gone_is_told(later: httpx.Response, told: bool) -> None:
    assert await _asked_about(later) is told


async def test_a_slurm_without_slurmdbd_is_not_asked_anew_all_the_time() -> None:
    """That it serves no path of slurmdbd's is what was found out, and no news."""
    port = _port({"diag": DIAG})
    await port.info()
    assert not port.outdated


async def test_the_old_spelling_of_a_release_is_read_too() -> None:
    bodies = {"diag": DIAG, "job/1": NOTHING, "clusters": {"clusters": ONE}, "job/7": {"meta": META, "jobs": []}}
    port = _port(bodies)
    await port.info()
    with suppress(SlurmError):
        await port.job(7)
    assert not port.outdated
    bodies["job/7"] = {"meta": {"Slurm": {"release": "22.05.11"}}, "jobs": []}
    with suppress(SlurmError):
        await port.job(7)
    assert port.outdated


# --- Searching where slurmdbd does not filter by user ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "associations", "asked"),
    [
        ("plain", ["aero"], {"job_name": "plain"}),
        ("a,b", ["aero", "cfd", "aero"], {"account": "aero,cfd"}),
        ("a[1-3]", [], {}),
    ],
)
async def test_jobs_are_asked_for_by_name_or_else_by_account(
    name: str, associations: list[str], asked: dict[str, str]
) -> None:
    """A site that keeps no associations has no accounts: an empty filter would find nothing there."""
    seen: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.split("/", 3)[3]
        if path == "jobs":
            seen.append(dict(request.url.params))
        rows = [{"account": account} for account in associations]
        bodies: dict[str, Body] = {"diag": DIAG, "associations": {"associations": rows}, "jobs": NOTHING}
        return httpx.Response(200, json={"errors": [], **bodies[path]})

    assert await client(answer, api_version="v0.0.38").search(name=name, since=100) == ()
    assert seen == [{"submit_time": "uts100", "skip_steps": "true", **asked}]
