"""Which answers of a slurmrestd, or of whoever stands before it, count in its circuit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import Enum

import httpx
import pytest

from slurmjob_operator.slurm import http
from slurmjob_operator.slurm.circuit import FAILURES
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.errors import SlurmError
from slurmjob_operator.slurm.http import SlurmrestdServer
from slurmjob_operator.slurm.request import JobRequest
from slurmjob_operator.slurm.shared import Shared
from tests.unit.slurm.answers import META, TOKEN, Answer, error

AWAY = 1800
NO_PARTITION = 2000
UNSPECIFIED = -1
HUNG_UP = 5005


class Verdict(Enum):
    """What an answer says of slurmrestd and of slurmctld behind it."""

    WELL = "well"
    AWAY = "away"
    NOTHING = "nothing"


async def read(port: SlurmrestdClient) -> None:
    await port.job(7)


async def submit(port: SlurmrestdClient) -> None:
    request = JobRequest(
        name="wing", chdir="/home/alice", script="#!/bin/sh\n", environment={"PATH": "/bin"}, options={}
    )
    await port.submit_held(request, comment="[marker]")


async def release(port: SlurmrestdClient) -> None:
    await port.release(7, comment="[marker]")


async def cancel(port: SlurmrestdClient) -> None:
    await port.cancel(7)


async def account(port: SlurmrestdClient) -> None:
    await port.accounting(7)


async def look(port: SlurmrestdClient) -> None:
    await port.facts()


Operation = Callable[[SlurmrestdClient], Awaitable[None]]
EVERY_ONE: tuple[Operation, ...] = (read, submit, release, cancel, account)


async def verdict(operation: Operation, answer: Answer) -> Verdict:
    """Of a request to a server whose circuit the next failure opens."""
    shared = Shared()
    for _ in range(FAILURES - 1):
        attempt = shared.circuit.begin()
        attempt.failed = True
        shared.circuit.end(attempt)
    transport = httpx.MockTransport(answer)
    server = SlurmrestdServer("https://slurm", allow_plain_http=False, shared=shared, transport=transport)
    with suppress(SlurmError):
        await operation(SlurmrestdClient(server, TOKEN, api_version="v0.0.45"))
    await server.close()
    if shared.circuit.is_open:
        return Verdict.AWAY
    return Verdict.NOTHING if shared.circuit.failing else Verdict.WELL


def says(status: int, number: int) -> Answer:
    return lambda _request: httpx.Response(status, json={"meta": META, "errors": [error(number)]})


def page(status: int) -> Answer:
    """Of somebody who is not Slurm."""
    return lambda _request: httpx.Response(status, html="<html>no</html>")


def fails(kind: type[httpx.TransportError]) -> Answer:
    def answer(_request: httpx.Request) -> httpx.Response:
        raise kind("no")

    return answer


def name(value: object) -> str | None:
    return getattr(value, "__name__", None) if callable(value) else None


@pytest.mark.parametrize(
    ("operation", "status", "number", "expected"),
    [
        (read, 500, AWAY, Verdict.AWAY),
        (read, 500, UNSPECIFIED, Verdict.AWAY),
        (read, 500, HUNG_UP, Verdict.NOTHING),
        (read, 404, 2017, Verdict.WELL),
        (submit, 500, AWAY, Verdict.AWAY),
        (submit, 500, UNSPECIFIED, Verdict.NOTHING),
        (submit, 500, HUNG_UP, Verdict.NOTHING),
        (submit, 500, NO_PARTITION, Verdict.WELL),
        (release, 500, AWAY, Verdict.AWAY),
        (look, 500, AWAY, Verdict.AWAY),
        (look, 500, UNSPECIFIED, Verdict.AWAY),
        (release, 500, UNSPECIFIED, Verdict.NOTHING),
        (cancel, 500, AWAY, Verdict.AWAY),
        (cancel, 500, 2021, Verdict.WELL),
        (account, 500, AWAY, Verdict.WELL),
        (account, 500, UNSPECIFIED, Verdict.WELL),
    ],
    ids=name,
)
async def test_slurms_own_numbers(operation: Operation, status: int, number: int, expected: Verdict) -> None:
    """slurmdbd is not slurmctld: whatever is with it, slurmrestd has answered."""
    assert await verdict(operation, says(status, number)) is expected


@pytest.mark.parametrize("number", [UNSPECIFIED, 2002])
async def test_what_is_not_shown_to_this_user_is_no_outage(number: int) -> None:
    refused = []

    def answer(request: httpx.Request) -> httpx.Response:
        what = request.url.path.rpartition("/")[2]
        if what not in ("nodes", "partitions"):
            return httpx.Response(200, json={"meta": META, "errors": []})
        refused.append(what)
        return httpx.Response(500, json={"meta": META, "errors": [error(number)]})

    assert await verdict(look, answer) is Verdict.WELL
    assert sorted(refused) == ["nodes", "partitions"]


@pytest.mark.parametrize("operation", EVERY_ONE, ids=name)
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (page(200), Verdict.WELL),
        (page(302), Verdict.NOTHING),
        (page(404), Verdict.NOTHING),
        (page(429), Verdict.NOTHING),
        (page(502), Verdict.AWAY),
        (page(503), Verdict.AWAY),
        (fails(httpx.ConnectError), Verdict.AWAY),
        (fails(httpx.ReadTimeout), Verdict.AWAY),
        (fails(httpx.RemoteProtocolError), Verdict.AWAY),
    ],
    ids=["200", "302", "404", "429", "502", "503", "refused", "silent", "cut"],
)
async def test_what_is_not_slurms(operation: Operation, answer: Answer, expected: Verdict) -> None:
    assert await verdict(operation, answer) is expected


@pytest.mark.parametrize("operation", EVERY_ONE, ids=name)
async def test_an_answer_that_is_too_large_tells_nothing(operation: Operation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_ANSWER", 10)
    assert await verdict(operation, page(200)) is Verdict.NOTHING
