"""Record what real slurmrestd answer, as seeds of the target `answers`: `python -m tests.fuzz.record` on a sandbox that
has all three Slurms. No request is kept, so no token is; long lists are cut.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import httpx

from sandboxlib import slurm_cluster
from sandboxlib.paths import Paths, default_paths
from sandboxlib.slurm_suites import SUITES
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.errors import SlurmError
from slurmjob_operator.slurm.http import SlurmrestdServer
from slurmjob_operator.slurm.request import JobRequest
from slurmjob_operator.slurm.token import parse_token

FOLDER: Final = Path(__file__).parent / "recorded"
LONGEST_LIST: Final = 3
UNKNOWN_ID: Final = 60_000_000
LEFT_OUT: Final = frozenset(
    {"rpcs_by_message_type", "rpcs_by_user", "pending_rpcs", "pending_rpcs_by_hostlist", "steps", "job_resources"}
)
"""Long, and nothing that is read."""


def cut(value: Any) -> Any:
    """The same without what is long."""
    if isinstance(value, dict):
        named = {**value, "hostname": "controller"} if "hostname" in value else value
        return {key: cut(item) for key, item in named.items() if key not in LEFT_OUT}
    if isinstance(value, list):
        return [cut(item) for item in value[:LONGEST_LIST]]
    return value


class Recorder(httpx.AsyncBaseTransport):
    """Passes requests on, and keeps the answers to the call that is under way."""

    def __init__(self) -> None:
        self._next = httpx.AsyncHTTPTransport()
        self.answers: list[dict[str, Any]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._next.handle_async_request(request)
        content = await response.aread()
        try:
            body = cut(json.loads(content))
        except ValueError:
            body = content.decode()
        self.answers.append({"status": response.status_code, "body": body})
        return httpx.Response(response.status_code, content=content)


async def recorded(paths: Paths, suite: str, version: str) -> list[dict[str, Any]]:
    """Each call of the port with the answers that it got."""
    recorder = Recorder()
    server = SlurmrestdServer(slurm_cluster.rest_url(paths, suite), allow_plain_http=True, transport=recorder)
    token = parse_token(slurm_cluster.token(paths, suite, user="alice", lifespan=600).encode())
    port = SlurmrestdClient(server, token, api_version=version)
    calls: list[dict[str, Any]] = []

    async def keep(call: str, begun: Callable[[], Awaitable[Any]], *, job_id: int = 7) -> Any:
        recorder.answers = []
        try:
            result = await begun()
        except SlurmError:
            result = None
        calls.append({"call": call, "job_id": job_id, "answers": recorder.answers})
        return result

    request = JobRequest(
        script="#!/bin/sh\nsleep 1; exit 3\n",
        name="recorded",
        chdir="/home/alice",
        environment={"PATH": "/usr/bin:/bin"},
    )
    began = int(time.time()) - 60
    await keep("info", port.info)
    accepted = await keep("submit", lambda: port.submit_held(request, comment="[marker]"))
    job_id = accepted.job_id
    await keep("job", lambda: port.job(job_id), job_id=job_id)
    await keep("states", lambda: port.states([job_id]), job_id=job_id)
    await asyncio.sleep(2)
    await keep("search", lambda: port.search(name="recorded", since=began))
    await keep("held_jobs", lambda: port.held_jobs(since=began, known=()))
    await keep("release", lambda: port.release(job_id, comment="note"), job_id=job_id)
    for _ in range(60):
        await asyncio.sleep(0.5)
        if (await keep("job", lambda: port.job(job_id), job_id=job_id)).states == {"FAILED"}:
            break
        calls.pop()
    await asyncio.sleep(2)
    await keep("accounting", lambda: port.accounting(job_id), job_id=job_id)
    await keep("release", lambda: port.release(job_id, comment="note"), job_id=job_id)
    await keep("cancel", lambda: port.cancel(job_id), job_id=job_id)
    for name, call in (("job", port.job), ("accounting", port.accounting), ("cancel", port.cancel)):
        await keep(name, lambda call=call: call(UNKNOWN_ID), job_id=UNKNOWN_ID)  # type: ignore[misc]  # bound at once
    refused = JobRequest(**{**_fields(request), "options": {"partition": "nope"}})
    await keep("submit", lambda: port.submit_held(refused, comment="x"))
    await keep("backlog", port.accounting_backlog)
    await keep("up_since", port.up_since)
    await server.close()
    return calls


def _fields(request: JobRequest) -> dict[str, Any]:
    return {name: getattr(request, name) for name in ("script", "name", "chdir", "environment", "options")}


def main() -> None:
    """One file for each release."""
    paths = default_paths()
    for suite in SUITES.values():
        versions = {suite.api_versions[0], suite.api_versions[-1]}
        calls = {version: asyncio.run(recorded(paths, suite.name, version)) for version in sorted(versions)}
        text = json.dumps(calls, separators=(",", ":"), sort_keys=True)
        (FOLDER / f"{suite.release}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
