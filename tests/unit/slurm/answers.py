"""A client whose slurmrestd answers what a test says, in the shapes of the real one."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import jwt

from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.http import SlurmrestdServer
from slurmjob_operator.slurm.token import parse_token

TOKEN = parse_token(jwt.encode({"exp": 4_102_444_800, "sun": "alice"}, "k" * 64).encode())
META = {"slurm": {"cluster": "campus", "release": "26.05.5"}}

Answer = Callable[[httpx.Request], httpx.Response] | Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]


def client(answer: Answer, *, api_version: str = "v0.0.45") -> SlurmrestdClient:
    server = SlurmrestdServer("https://slurm", allow_plain_http=False, transport=httpx.MockTransport(answer))
    return SlurmrestdClient(server, TOKEN, api_version=api_version)


def always(status: int, body: Any) -> SlurmrestdClient:
    return client(lambda _request: httpx.Response(status, json=body))


def page(status: int) -> SlurmrestdClient:
    """A page of something that is not Slurm: a proxy, a login."""
    return client(lambda _request: httpx.Response(status, html="<html>no</html>"))


def error(number: int, text: str = "words") -> dict[str, Any]:
    return {"error_number": number, "error": text, "description": text, "source": "x"}
