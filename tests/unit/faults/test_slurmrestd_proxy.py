"""Each fault as a client sees it, and what slurmrestd heard; what is noted, and what never is."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
from aiohttp import web

from tests.faults.slurmrestd_proxy import (
    DB_JOB,
    JOB,
    STATES,
    SUBMIT,
    SlurmrestdProxy,
    empty_200,
    error_after,
    error_before,
    parse_path,
)
from tests.faults.vocabulary import (
    CutAfter,
    CutBefore,
    Delay,
    DelayAnswer,
    DropAnswer,
    Duplicate,
    Fault,
    Truncate,
)
from tests.unit.faults.far_side import TOKEN, FarSide, until

V = "v0.0.45"
SUBMIT_PATH = f"/slurm/{V}/job/submit"

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Without CAs, which take longer to load than a test."""


@pytest.fixture
def far() -> Iterator[FarSide]:
    with FarSide().up() as far:
        yield far


@pytest.fixture
def proxy(far: FarSide) -> Iterator[SlurmrestdProxy]:
    with SlurmrestdProxy(far.url) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: SlurmrestdProxy) -> Iterator[httpx.Client]:
    headers = {"X-SLURM-USER-NAME": "alice", "X-SLURM-USER-TOKEN": TOKEN}
    with httpx.Client(base_url=proxy.url, headers=headers, timeout=5.0, trust_env=False, verify=NO_TLS) as client:
        yield client


def submit(client: httpx.Client, *, timeout: float = 5.0) -> httpx.Response:
    return client.post(SUBMIT_PATH, json={"script": "canary"}, timeout=timeout)


def test_passes_on_what_it_is_given(far: FarSide, proxy: SlurmrestdProxy, client: httpx.Client) -> None:
    answer = submit(client)
    assert answer.json()["job_id"] == 101
    assert far.asked == [("POST", SUBMIT_PATH, b'{"script":"canary"}', TOKEN)]
    (record,) = proxy.records
    assert (record.method, record.endpoint, record.version) == ("POST", SUBMIT, V)
    assert (record.status, record.far_status, record.forwarded, record.fault) == (200, 200, 1, None)
    assert (record.bytes_in, record.bytes_out) == (len(SUBMIT_PATH) + 19, len(answer.content))
    assert record.job_ids == ("101",)
    assert record.seconds is not None


def test_neither_tokens_nor_scripts_are_kept(proxy: SlurmrestdProxy, client: httpx.Client) -> None:
    submit(client)
    assert TOKEN not in repr(proxy.records)
    assert "canary" not in repr(proxy.records)


def test_an_error_is_passed_on_with_its_headers(far: FarSide, proxy: SlurmrestdProxy, client: httpx.Client) -> None:
    async def refuse(request: web.BaseRequest, number: int) -> web.StreamResponse:
        return web.Response(status=511, body=b"{}", headers={"Connection": "close", "X-Said": "so"})

    far.answer = refuse
    answer = client.get(f"/slurm/{V}/diag")
    assert (answer.status_code, answer.headers["X-Said"], answer.headers["Connection"]) == (511, "so", "close")


def test_a_long_address_arrives_as_it_is(far: FarSide, proxy: SlurmrestdProxy, client: httpx.Client) -> None:
    ids = [str(number) for number in range(1000, 4000)]
    client.get(f"/slurm/{V}/jobs/state", params=[("job_id", job_id) for job_id in ids])
    assert proxy.records[0].job_ids == tuple(ids)
    assert far.asked[0][1].count("job_id=") == len(ids)


LOST: dict[str, tuple[Fault, type[Exception], int]] = {
    "cut before": (CutBefore(), httpx.ReadError, 0),
    "cut after": (CutAfter(), httpx.ReadError, 1),
    "answer dropped": (DropAnswer(), httpx.ReadTimeout, 1),
    "cut in mid air": (Truncate(5, mid_air=True), httpx.RemoteProtocolError, 1),
}


@pytest.mark.parametrize("case", LOST)
def test_the_answer_is_lost(case: str, far: FarSide, proxy: SlurmrestdProxy, client: httpx.Client) -> None:
    fault, error, heard = LOST[case]
    armed = proxy.arm(fault, method="POST", endpoint=SUBMIT)
    with pytest.raises(error):
        submit(client, timeout=0.3)
    assert len(far.asked) == heard
    until(lambda: proxy.records[0].seconds is not None)
    (record,) = proxy.records
    assert (record.fault, record.forwarded, armed.fired) == (fault, heard, 1)
    assert record.status == (200 if case == "cut in mid air" else None)
    assert record.job_ids == (("101",) if heard else ())
    assert submit(client).json()["job_id"] == 101 + heard  # it strikes once


SAID: dict[str, tuple[Fault, int, bytes, int]] = {
    "truncated": (Truncate(5), 200, b'{"job', 1),
    "error before": (error_before(503, b"busy"), 503, b"busy", 0),
    "error after": (error_after(), 502, b"", 1),
    "empty before": (empty_200(), 200, b'{"jobs": [], "errors": [], "warnings": []}', 0),
    "nothing at all, after": (empty_200(after=True, body=b""), 200, b"", 1),
}


@pytest.mark.parametrize("case", SAID)
def test_the_answer_is_another(case: str, far: FarSide, proxy: SlurmrestdProxy, client: httpx.Client) -> None:
    fault, status, body, heard = SAID[case]
    proxy.arm(fault)
    answer = submit(client)
    assert (answer.status_code, answer.content, len(far.asked)) == (status, body, heard)
    (record,) = proxy.records
    assert (record.status, record.bytes_out, record.forwarded) == (status, len(body), heard)
    assert record.far_status == (200 if heard else None)


def test_a_duplicate_takes_effect_twice(far: FarSide, proxy: SlurmrestdProxy, client: httpx.Client) -> None:
    proxy.arm(Duplicate(), endpoint=SUBMIT)
    assert submit(client).json()["job_id"] == 102
    (record,) = proxy.records
    assert (record.job_ids, record.forwarded, len(far.asked)) == (("101", "102"), 2, 2)
    assert [asked[:3] for asked in far.asked] == [("POST", SUBMIT_PATH, b'{"script":"canary"}')] * 2


def test_a_delayed_request_takes_effect_after_the_client_has_gone(
    far: FarSide, proxy: SlurmrestdProxy, client: httpx.Client
) -> None:
    proxy.arm(Delay(2))
    with pytest.raises(httpx.ReadTimeout):
        submit(client, timeout=0.5)
    assert far.asked == []
    until(lambda: len(far.asked) == 1)


def test_a_delayed_answer_comes_after_the_effect(far: FarSide, proxy: SlurmrestdProxy, client: httpx.Client) -> None:
    proxy.arm(DelayAnswer(2))
    with pytest.raises(httpx.ReadTimeout):
        submit(client, timeout=0.5)
    assert len(far.asked) == 1


def test_strikes_the_nth_of_those_that_match(proxy: SlurmrestdProxy, client: httpx.Client) -> None:
    armed = proxy.arm(error_before(), method="GET", endpoint=(JOB, STATES), nth=2, times=2)
    never = proxy.arm(CutBefore(), endpoint=DB_JOB)
    statuses = []
    for _ in range(4):
        statuses.append(client.get(f"/slurm/{V}/job/7").status_code)
        assert client.delete(f"/slurm/{V}/job/7").status_code == 200
    assert statuses == [200, 503, 503, 200]
    assert armed.fired == 2
    assert proxy.unfired == (never,)
    with pytest.raises(TimeoutError, match="fired 0 times"):
        never.wait(seconds=0.01)


def test_for_ever_until_disarmed(proxy: SlurmrestdProxy, client: httpx.Client) -> None:
    proxy.arm(error_before(), times=None)
    assert {submit(client).status_code for _ in range(5)} == {503}
    proxy.disarm()
    assert submit(client).status_code == 200


def test_wait_is_told_from_the_other_thread(proxy: SlurmrestdProxy, client: httpx.Client) -> None:
    armed = proxy.arm(error_before(), nth=2)
    other = threading.Thread(target=lambda: [submit(client), submit(client)])
    began = time.monotonic()
    other.start()
    armed.wait(seconds=5)
    assert time.monotonic() - began < 4, "it was not told, it only looked again at the end"
    other.join()


def test_counts_and_reset(proxy: SlurmrestdProxy, client: httpx.Client) -> None:
    submit(client)
    client.get(f"/slurm/{V}/job/7")
    client.post(f"/slurm/{V}/job/7", json={"hold": False})
    assert proxy.counts() == {"POST job/submit": 1, "GET job/{id}": 1, "POST job/{id}": 1}
    assert proxy.count() == 3
    assert proxy.count(method="POST") == 2
    assert proxy.count(where=lambda record: "7" in record.job_ids) == 2
    proxy.arm(CutBefore())
    proxy.reset()
    assert (proxy.count(), proxy.unfired) == (0, ())
    assert submit(client).status_code == 200


def test_paused_requests_are_kept_and_forwarded_later(
    far: FarSide, proxy: SlurmrestdProxy, client: httpx.Client
) -> None:
    proxy.pause()
    with pytest.raises(httpx.ReadTimeout):
        submit(client, timeout=0.1)
    assert (len(far.asked), proxy.count()) == (0, 1)
    proxy.resume()
    until(lambda: len(far.asked) == 1)


def test_closing_ends_what_is_kept(far: FarSide) -> None:
    with SlurmrestdProxy(far.url) as proxy:
        proxy.pause()
        lost: list[Exception] = []

        def ask() -> None:
            try:
                httpx.get(f"{proxy.url}/slurm/{V}/diag", trust_env=False)
            except httpx.HTTPError as error:
                lost.append(error)

        other = threading.Thread(target=ask)
        other.start()
        until(lambda: proxy.count() == 1)
    other.join()
    assert len(lost) == 1
    assert far.asked == []


def test_a_far_side_that_is_away_is_a_reset(far: FarSide) -> None:
    with SlurmrestdProxy("http://127.0.0.1:1") as proxy:
        with pytest.raises(httpx.ReadError):
            httpx.get(f"{proxy.url}/slurm/{V}/diag", trust_env=False)
        until(lambda: proxy.records[0].seconds is not None)
        assert (proxy.records[0].status, proxy.records[0].far_status) == (None, None)


def test_a_port_that_is_taken_is_an_error(proxy: SlurmrestdProxy) -> None:
    port = int(proxy.url.rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"), SlurmrestdProxy(proxy.url, port=port):
        raise AssertionError("it has no port")


@pytest.mark.parametrize(("nth", "times"), [(0, 1), (1, 0)])
def test_counts_begin_at_one(proxy: SlurmrestdProxy, nth: int, times: int) -> None:
    with pytest.raises(ValueError, match="counted from 1"):
        proxy.arm(CutBefore(), nth=nth, times=times)


PATHS = {
    f"/slurm/{V}/job/submit": (V, "job/submit", ()),
    f"/slurm/{V}/job/allocate": (V, "job/allocate", ()),
    f"/slurm/{V}/job/123_4": (V, "job/{id}", ("123_4",)),
    f"/slurm/{V}/job/7/requeue": (V, "job/{id}/requeue", ("7",)),
    f"/slurm/{V}/jobs/state/": (V, "jobs/state", ()),
    f"/slurm/{V}/node/n1": (V, "node/{id}", ()),
    f"/slurm/{V}/diag": (V, "diag", ()),
    f"/slurmdb/{V}/job/9": (V, "slurmdb/job/{id}", ("9",)),
    f"/slurmdb/{V}/jobs": (V, "slurmdb/jobs", ()),
    "/openapi/v3": ("", "openapi/v3", ()),
    "/slurm": ("", "slurm", ()),
}


@pytest.mark.parametrize("path", PATHS)
def test_addresses(path: str) -> None:
    assert parse_path(path) == PATHS[path]
