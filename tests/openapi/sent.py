"""The requests that the client sends, seen by a transport that answers all of them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import httpx
import jwt

from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.errors import SlurmError
from slurmjob_operator.slurm.http import SlurmrestdServer
from slurmjob_operator.slurm.token import SlurmToken, parse_token

JOB_ID: Final = 4711
ANSWER: Final[dict[str, Any]] = {
    "meta": {"Slurm": {"version": {"major": 22, "micro": 8, "minor": 5}, "release": "22.05.8"}, "slurm": {}},
    "errors": [],
    "warnings": [],
    "job_id": JOB_ID,
    "jobs": [],
    "nodes": [{"name": "n1"}],
    "clusters": [{"name": "a", "nodes": "n1"}, {"name": "b", "nodes": "n2"}],
    "associations": [{"account": "research"}],
    "statistics": {"dbd_agent_queue_size": 0},
}
"""One answer that is good for every request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request as it left. `query` are the names of its parameters."""

    method: str
    path: str
    query: tuple[str, ...]
    content_type: str | None
    body: dict[str, Any] | None


def unsigned_token(user: str = "alice") -> SlurmToken:
    """A token that parses, and that no Slurm would take."""
    text = jwt.encode({"sun": user, "exp": int(time.time()) + 600}, "not a key of any Slurm, just a text", "HS256")
    return parse_token(text.encode())


Call = Callable[[SlurmrestdClient], Awaitable[object]]


def sent(version: str, call: Call, *, slurmdbd: bool = True) -> list[Sent]:
    """All that one call of the port sends on this API version; that it then finds no job does not matter. Without
    `slurmdbd` no path of it is served, and the client knows it."""
    return asyncio.run(sending(version, call, slurmdbd=slurmdbd))


def _jobs(request: httpx.Request) -> list[dict[str, Any]]:
    """slurmctld knows each job that it is asked for by its id."""
    daemon, _, job_id = request.url.path.removeprefix("/slurm/").partition("/job/")
    known = request.method == "GET" and "/" not in daemon and job_id.isdigit()
    return [{"job_id": int(job_id), "user_name": "alice"}] if known else []


async def sending(version: str, call: Call, *, slurmdbd: bool = True) -> list[Sent]:
    """See `sent`."""
    seen: list[Sent] = []

    def answer(request: httpx.Request) -> httpx.Response:
        content = request.content
        if not slurmdbd and request.url.path.startswith("/slurmdb/"):
            return httpx.Response(404, text="not here")
        seen.append(
            Sent(
                method=request.method,
                path=request.url.path,
                query=tuple(request.url.params.keys()),
                content_type=request.headers.get("Content-Type"),
                body=json.loads(content) if content else None,
            )
        )
        return httpx.Response(200, json={**ANSWER, "jobs": _jobs(request)})

    transport = httpx.MockTransport(answer)
    server = SlurmrestdServer("http://slurm.invalid:6820", allow_plain_http=True, transport=transport)
    try:
        port = SlurmrestdClient(server, unsigned_token(), api_version=version)
        if not slurmdbd:
            await port.info()
        await call(port)
    except SlurmError:
        pass
    finally:
        await server.close()
    return seen
