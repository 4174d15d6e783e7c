"""The target `answers`: whatever slurmrestd answers, the client raises nothing but `SlurmError`, takes no record for
another job's, ends no job that was not said to have ended, and gives back what can be written into a status."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any, Final

import httpx
import jwt

from slurmjob_operator.core.records import Accepted, ClusterInfo, JobRecord
from slurmjob_operator.core.states import TERMINAL
from slurmjob_operator.core.times import rfc3339
from slurmjob_operator.slurm import calling, finding
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.discovery import AUTO
from slurmjob_operator.slurm.errors import SlurmError
from slurmjob_operator.slurm.http import SlurmrestdServer
from slurmjob_operator.slurm.request import JobRequest, Target
from slurmjob_operator.slurm.token import SlurmToken, parse_token
from tests.fuzz.mutation import TOKEN, Answer, Case, case

SINCE: Final = 1_700_000_000
MOST_REQUESTS: Final = 200
MOST_SECONDS: Final = 2.0
LONGEST_MESSAGE: Final = 30_000
LONGEST: Final = 8192
AS_WRITTEN: Final = frozenset({"user", "name", "comment", "extra"})
"""Compared with what we know, and never told again."""
OTHER_ID: Final = 8
REQUEST: Final = JobRequest(script="#!/bin/sh\n", name="recorded", chdir="/home/alice", environment={"A": "b"})

Call = Callable[[SlurmrestdClient, int], Coroutine[Any, Any, Any]]
CALLS: Final[Mapping[str, Call]] = {
    "info": lambda port, _: port.info(),
    "submit": lambda port, _: port.submit_held(REQUEST, comment="[marker]"),
    "job": lambda port, job_id: port.job(job_id),
    "states": lambda port, job_id: port.states([job_id, OTHER_ID]),
    "accounting": lambda port, job_id: port.accounting(job_id),
    "search": lambda port, _: port.search(name="recorded", since=SINCE),
    "held_jobs": lambda port, _: port.held_jobs(since=SINCE, known={OTHER_ID}),
    "release": lambda port, job_id: port.release(job_id, comment="note", priority=5),
    "cancel": lambda port, job_id: port.cancel(job_id),
    "backlog": lambda port, _: port.accounting_backlog(),
    "up_since": lambda port, _: port.up_since(),
}


def read_answers(data: bytes) -> int:
    """Let one call meet the answers that an input stands for."""
    tried = case(data)
    began = time.perf_counter()
    try:
        result = _loop().run_until_complete(_met(tried))
    except SlurmError as error:
        _expect(TOKEN not in str(error) and len(str(error)) < LONGEST_MESSAGE, "an error that cannot be told", error)
        str(error).encode()
    else:
        said = "\n".join(_plain(answer) for answer in tried.answers)
        _judge(tried, result, said)
    _expect(time.perf_counter() - began < MOST_SECONDS, "it took too long", tried.call)
    return 1


async def _met(tried: Case) -> Any:
    requests = 0

    def answer(_request: httpx.Request) -> httpx.Response:
        nonlocal requests
        requests += 1
        _expect(requests < MOST_REQUESTS, "too many requests", tried.call)
        found = tried.answers[min(requests, len(tried.answers)) - 1]
        return httpx.Response(found.status, content=found.body.encode("latin-1", "ignore"))

    server = SlurmrestdServer("https://slurm", allow_plain_http=False, transport=httpx.MockTransport(answer))
    wanted = AUTO if tried.call == "info" and tried.version == "v0.0.45" else tried.version
    port = SlurmrestdClient(server, _token(), api_version=wanted)
    return await CALLS[tried.call](port, tried.job_id)


def _judge(tried: Case, result: Any, said: str) -> None:
    match result:
        case JobRecord():
            _expect(result.job_id == tried.job_id, "another job", result)
            _judge_record(result, said)
        case tuple():
            for record in result:
                _judge_record(record, said)
                _expect(tried.call != "accounting" or record.job_id == tried.job_id, "another job", record)
                _expect(tried.call == "accounting" or record.user == "alice", "another user's", record)
        case Accepted():
            _expect(0 < result.job_id < 2**32, "no job id", result)
            _writable(result.messages)
        case Mapping():
            _expect(set(result) <= {tried.job_id, OTHER_ID}, "another job", result)
            for states in result.values():
                _not_ended(states, said)
        case ClusterInfo():
            _writable([result.cluster_name, result.release, result.api_version])
            Target.of(release=result.release, api_version=result.api_version)


def _judge_record(record: JobRecord, said: str) -> None:
    _not_ended(record.states, said)
    _expect(record.job_id > 0, "no job id", record)
    _writable(record.states)
    for field in fields(record):
        value = getattr(record, field.name)
        if isinstance(value, str) and field.name in AS_WRITTEN:
            value.encode()
        elif isinstance(value, str):
            _writable([value])
        elif isinstance(value, int) and field.name.endswith("_time"):
            rfc3339(value)
        elif isinstance(value, int):
            _expect(-1 < value < 2**38, "a number too large", (field.name, value))


def _not_ended(states: Iterable[str], said: str) -> None:
    _expect(all(state in said for state in set(states) & TERMINAL), "an end that nobody told", states)


def _writable(texts: Iterable[str]) -> None:
    for text in texts:
        text.encode()
        _expect(len(text) <= LONGEST and TOKEN not in text, "a text that cannot be written", text[:100])


def _expect(holds: bool, what: str, where: object) -> None:
    if not holds:
        raise AssertionError(f"{what}: {where}")


def _plain(answer: Answer) -> str:
    """Its words in capitals, as states are compared."""
    try:
        return json.dumps(json.loads(answer.body), ensure_ascii=False).upper()
    except (ValueError, RecursionError):
        return answer.body.upper()


@cache
def _token() -> SlurmToken:
    return parse_token(jwt.encode({"exp": 4_102_444_800, "sun": "alice"}, "k" * 64).encode())


async def _at_once(_seconds: float) -> None:
    """Nobody waits here."""


class _Impatient:
    """asyncio for modules that wait before they ask again."""

    sleep = staticmethod(_at_once)

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    for module in (calling, finding):
        vars(module)["asyncio"] = _Impatient()
    return asyncio.new_event_loop()
