"""Each fault as a client of the API server sees it; what is noted, and what never is."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from aiohttp import web

from tests.faults.kube_proxy import (
    WRITES,
    KubeProxy,
    conflict,
    expired,
    parse_path,
    refusal,
    through,
    too_many,
)
from tests.faults.vocabulary import CutAfter, CutBefore, CutWatch, Delay, DropAnswer, ErrorEvent, StaleList
from tests.unit.faults.far_side import TOKEN, FarSide, lines_of, until

OURS = "/apis/slurmjob.dev/v1alpha1"
STATUS = f"{OURS}/namespaces/ns/slurmjobs/wing/status"
WATCH = f"{OURS}/slurmjobs?watch=true&resourceVersion=7"

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Without CAs, which take longer to load than a test."""


@pytest.fixture
def far() -> Iterator[FarSide]:
    with FarSide().up() as far:
        yield far


@pytest.fixture
def proxy(far: FarSide) -> Iterator[KubeProxy]:
    with KubeProxy(far.url) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: KubeProxy) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=proxy.url, headers=headers, timeout=5.0, trust_env=False, verify=NO_TLS) as client:
        yield client


def write(client: httpx.Client, *, timeout: float = 5.0) -> httpx.Response:
    return client.patch(STATUS, json={"status": {"canary": 1}}, timeout=timeout)


def read_all(client: httpx.Client, path: str = WATCH) -> list[Any]:
    return lines_of(client.get(path).text)


# --- Requests -------------------------------------------------------------------------------------------------


def test_passes_on_what_it_is_given(far: FarSide, proxy: KubeProxy, client: httpx.Client) -> None:
    assert write(client).status_code == 200
    assert far.asked == [("PATCH", STATUS, b'{"status":{"canary":1}}', f"Bearer {TOKEN}")]
    (record,) = proxy.records
    assert (record.verb, record.group, record.resource, record.subresource) == (
        "patch",
        "slurmjob.dev",
        "slurmjobs",
        "status",
    )
    assert (record.namespace, record.name, record.status) == ("ns", "wing", 200)
    assert TOKEN not in repr(proxy.records)
    assert "canary" not in repr(proxy.records)


@pytest.mark.parametrize(("after", "heard"), [(False, 1), (True, 2)])
def test_conflict_on_the_second_write(
    after: bool, heard: int, far: FarSide, proxy: KubeProxy, client: httpx.Client
) -> None:
    proxy.arm(conflict(after=after), verb=WRITES, resource="slurmjobs", subresource="status", nth=2)
    assert client.get(f"{OURS}/namespaces/ns/slurmjobs/wing").status_code == 200
    far.asked.clear()
    assert write(client).status_code == 200
    answer = write(client)
    assert (answer.status_code, answer.json()["reason"], len(far.asked)) == (409, "Conflict", heard)
    assert write(client).status_code == 200


@pytest.mark.parametrize(("after", "heard"), [(False, 0), (True, 1)])
def test_errors(after: bool, heard: int, far: FarSide, proxy: KubeProxy, client: httpx.Client) -> None:
    proxy.arm(refusal(503, after=after))
    answer = write(client)
    assert (answer.status_code, answer.json()["code"], len(far.asked)) == (503, 503, heard)


def test_too_many(far: FarSide, proxy: KubeProxy, client: httpx.Client) -> None:
    proxy.arm(too_many(retry_after_seconds=3))
    answer = write(client)
    assert (answer.status_code, answer.headers["Retry-After"], far.asked) == (429, "3", [])


def test_the_answer_is_dropped(far: FarSide, proxy: KubeProxy, client: httpx.Client) -> None:
    proxy.arm(DropAnswer(), subresource="status")
    with pytest.raises(httpx.ReadTimeout):
        write(client, timeout=0.2)
    assert len(far.asked) == 1


def test_counts(proxy: KubeProxy, client: httpx.Client) -> None:
    write(client)
    client.patch(f"{OURS}/namespaces/ns/slurmjobs/wing", json={})
    client.post("/apis/events.k8s.io/v1/namespaces/ns/events", json={})
    client.get(f"{OURS}/slurmjobs")
    client.get("/api/v1/namespaces/ns/secrets/token")
    assert proxy.counts() == {
        "patch slurmjobs/status": 1,
        "patch slurmjobs": 1,
        "create events": 1,
        "list slurmjobs": 1,
        "get secrets": 1,
    }
    assert proxy.count(verb=WRITES) == 3
    assert proxy.count(verb="patch", resource="slurmjobs", subresource="") == 1
    assert proxy.count(name="wing", where=lambda record: record.namespace == "ns") == 2


# --- Lists ----------------------------------------------------------------------------------------------------


def test_a_stale_list_is_an_older_answer_to_the_same_question(
    far: FarSide, proxy: KubeProxy, client: httpx.Client
) -> None:
    def listed(query: str = "") -> int:
        return int(client.get(f"{OURS}/slurmjobs{query}").json()["job_id"])

    waiting = proxy.arm(StaleList(age=2), verb="list", resource="slurmjobs")
    assert [listed(), listed("?fieldSelector=a"), listed()] == [101, 102, 103]
    assert waiting.fired == 0
    assert listed("?fieldSelector=a") == 104
    assert listed() == 101
    assert (waiting.fired, len(far.asked)) == (1, 4)
    assert listed() == 105


def test_only_lists_of_our_own_kinds_are_kept(proxy: KubeProxy, client: httpx.Client) -> None:
    stale = proxy.arm(StaleList(), verb="list")
    client.get("/api/v1/secrets")
    client.get("/api/v1/secrets")
    assert stale.fired == 0


# --- Watches --------------------------------------------------------------------------------------------------


def test_a_watch_is_passed_on_line_by_line(far: FarSide, proxy: KubeProxy, client: httpx.Client) -> None:
    with client.stream("GET", WATCH) as response:
        lines = response.iter_lines()
        assert [json.loads(next(lines))["object"] for _ in range(3)] == [0, 1, 2]
        until(lambda: proxy.records[0].lines == 3)
        (record,) = proxy.records
        assert (record.verb, record.seconds, far.watching) == ("watch", None, 1)
    until(lambda: far.watching == 0)
    until(lambda: proxy.records[0].seconds is not None)
    assert proxy.records[0].status == 200


def test_a_watch_is_cut_after_some_lines(far: FarSide, proxy: KubeProxy, client: httpx.Client) -> None:
    proxy.arm(CutWatch(lines=2), resource="slurmjobs")
    seen = []
    with client.stream("GET", WATCH) as response, pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        seen.extend(response.iter_lines())
    until(lambda: far.watching == 0)
    assert proxy.records[0].lines == 2


def test_all_watches_are_cut_now(far: FarSide, proxy: KubeProxy, client: httpx.Client) -> None:
    with client.stream("GET", WATCH) as response:
        lines = response.iter_lines()
        assert json.loads(next(lines))["object"] == 0
        until(lambda: proxy.records[0].lines == 3)
        assert proxy.cut_watches() == 1
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            list(lines)
    until(lambda: far.watching == 0)
    assert proxy.cut_watches() == 0


def test_a_watch_is_too_old(far: FarSide, proxy: KubeProxy, client: httpx.Client) -> None:
    proxy.arm(expired(), verb="watch")
    answer = client.get(WATCH)
    assert (answer.status_code, answer.json()["reason"], far.asked) == (410, "Expired", [])


@pytest.mark.parametrize("lines", [0, 2])
def test_a_watch_becomes_too_old(lines: int, far: FarSide, proxy: KubeProxy, client: httpx.Client) -> None:
    proxy.arm(ErrorEvent(lines=lines), verb="watch")
    events = read_all(client)
    assert [event["type"] for event in events] == [*["ADDED"] * lines, "ERROR"]
    assert events[-1]["object"]["code"] == 410
    until(lambda: far.watching == 0)


def test_what_needs_a_whole_answer_does_not_strike_a_watch(proxy: KubeProxy, client: httpx.Client) -> None:
    after = proxy.arm(CutAfter(), resource="slurmjobs")
    of_watches = proxy.arm(CutWatch(), resource="slurmjobs")
    with client.stream("GET", WATCH) as response, pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        next(response.iter_lines())
    assert (after.fired, of_watches.fired) == (0, 1)


def test_a_watch_is_cut_before_and_delayed(far: FarSide, proxy: KubeProxy, client: httpx.Client) -> None:
    proxy.arm(CutBefore(), verb="watch")
    proxy.arm(Delay(0.1), verb="watch")
    with pytest.raises(httpx.ReadError):
        client.get(WATCH)
    assert far.asked == []
    with client.stream("GET", WATCH) as response:
        assert next(response.iter_lines())
    assert proxy.records[1].fault == Delay(0.1)


def test_the_api_server_ends_a_watch(far: FarSide, proxy: KubeProxy, client: httpx.Client) -> None:
    async def refuse(request: web.BaseRequest, number: int) -> web.StreamResponse:
        return web.Response(status=410, body=b'{"code": 410}')

    far.answer = refuse
    answer = client.get(f"{OURS}/slurmjobs?watch=&watch=1")
    assert answer.status_code == 410


def test_closing_ends_watches(far: FarSide) -> None:
    with KubeProxy(far.url) as proxy:
        other = threading.Thread(target=_watch_to_the_end, args=(proxy.url,))
        other.start()
        until(lambda: bool(proxy.records) and proxy.records[0].lines == 3)
    other.join(5)
    assert not other.is_alive()


def _watch_to_the_end(url: str) -> None:
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"{url}{WATCH}", trust_env=False, timeout=30.0)


# --- Addresses and the kubeconfig -----------------------------------------------------------------------------

PATHS: dict[str, dict[str, str]] = {
    "/api/v1/namespaces": {"group": "", "resource": "namespaces"},
    "/api/v1/namespaces/ns": {"group": "", "resource": "namespaces", "name": "ns"},
    "/api/v1/namespaces/ns/status": {"group": "", "resource": "namespaces", "name": "ns", "subresource": "status"},
    "/api/v1/namespaces/ns/secrets": {"group": "", "resource": "secrets", "namespace": "ns"},
    "/api/v1/namespaces/ns/secrets/s": {"group": "", "resource": "secrets", "namespace": "ns", "name": "s"},
    STATUS: {
        "group": "slurmjob.dev",
        "resource": "slurmjobs",
        "namespace": "ns",
        "name": "wing",
        "subresource": "status",
    },
    f"{OURS}/slurmconnections": {"group": "slurmjob.dev", "resource": "slurmconnections"},
    OURS: {},
    "/api/v1": {},
    "/version": {},
}


@pytest.mark.parametrize("path", PATHS)
def test_addresses(path: str) -> None:
    assert parse_path(path) == PATHS[path]


def kubeconfig(folder: Path, user: dict[str, str]) -> Path:
    path = folder / "config"
    cluster = {"server": "https://127.0.0.1:6443", "certificate-authority": "ca.crt"}
    path.write_text(
        yaml.safe_dump(
            {
                "clusters": [
                    {"name": "other", "cluster": {"server": "https://other"}},
                    {"name": "here", "cluster": cluster},
                ],
                "users": [{"name": "operator", "user": user}],
                "contexts": [{"name": "now", "context": {"cluster": "here", "user": "operator"}}],
                "current-context": "now",
            }
        )
    )
    return path


def test_the_operators_kubeconfig_names_the_proxy(tmp_path: Path) -> None:
    source = kubeconfig(tmp_path, {"token": TOKEN})
    made = through(source, tmp_path / "made" / "config", url="http://127.0.0.1:9")
    config = yaml.safe_load(made.read_text())
    assert [item["cluster"] for item in config["clusters"]] == [
        {"server": "https://other"},
        {"server": "http://127.0.0.1:9"},
    ]
    assert config["users"] == [{"name": "operator", "user": {"token": TOKEN}}]
    assert made.stat().st_mode & 0o077 == 0


def test_a_client_certificate_does_not_pass(tmp_path: Path) -> None:
    source = kubeconfig(tmp_path, {"client-certificate": "a", "client-key": "b"})
    with pytest.raises(ValueError, match="has no token"):
        through(source, tmp_path / "made", url="http://127.0.0.1:9")
