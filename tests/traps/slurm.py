"""A real slurmrestd as a trap needs it: asked as anybody may ask, and through our client with what stands between."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from sandboxlib import slurm_cluster
from sandboxlib.paths import Paths
from sandboxlib.slurm_suites import SUITES
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.dialects.dialect import time_text
from slurmjob_operator.slurm.http import SlurmrestdServer
from slurmjob_operator.slurm.request import JobRequest
from slurmjob_operator.slurm.token import SlurmToken, parse_token

SCRIPT: Final = "#!/bin/sh\ntrue\n"
LONGEST_SECONDS: Final = 30.0
Body = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Slurm:
    """One of the three. `name` is that of this test's jobs."""

    paths: Paths
    suite: str
    name: str = field(default_factory=lambda: f"trap-{secrets.token_hex(4)}")

    @property
    def version(self) -> str:
        """The newest API version that it serves."""
        return SUITES[self.suite].api_versions[0]

    @property
    def url(self) -> str:
        return slurm_cluster.rest_url(self.paths, self.suite)

    def token(self, user: str = "alice", *, good: bool = True) -> str:
        text = slurm_cluster.token(self.paths, self.suite, user=user, lifespan=600)
        return text if good else f"{text[:-6]}AAAAAA"

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Body | None = None,
        user: str = "alice",
        token: str | None = None,
        content_type: str = "application/json",
        url: str | None = None,
    ) -> httpx.Response:
        """One request as anybody could send it."""
        return httpx.request(
            method,
            f"{url or self.url}/{path}",
            content=None if body is None else json.dumps(body).encode(),
            headers={
                "X-SLURM-USER-NAME": user,
                "X-SLURM-USER-TOKEN": token or self.token(user),
                **({} if body is None else {"Content-Type": content_type}),
            },
            timeout=25.0,
        )

    def submit(self, job: Body, *, version: str | None = None, **how: Any) -> httpx.Response:
        """Submit a held job with these keys beside the ones that each needs."""
        return self.ask("POST", f"slurm/{version or self.version}/job/submit", body=self.body(job), **how)

    def body(self, job: Body) -> Body:
        """The body of a held submission."""
        environment: Any = {"PATH": "/bin"} if self.version == "v0.0.38" else ["PATH=/bin"]
        base = {"name": self.name, "current_working_directory": "/tmp", "environment": environment, "hold": True}  # noqa: S108 - of the node
        return {"script": SCRIPT, "job": {**base, **job}}

    def request(self, **options: Any) -> JobRequest:
        """A small job for the port, with parsed values of options."""
        return JobRequest(script=SCRIPT, name=self.name, chdir="/tmp", environment={"PATH": "/bin"}, options=options)  # noqa: S108 - of the node

    @asynccontextmanager
    async def port(
        self,
        user: str = "alice",
        *,
        good: bool = True,
        version: str | None = None,
        between: Callable[[httpx.Request], Awaitable[httpx.Response | None]] | None = None,
    ) -> AsyncIterator[SlurmrestdClient]:
        """Our client, on the newest version unless told another. `between` sees each request before it leaves, may
        change it, and may answer in its place."""
        transport = None if between is None else Between(between)
        server = SlurmrestdServer(self.url, allow_plain_http=True, transport=transport)
        token = self.parsed(self.token(user, good=good))
        port = SlurmrestdClient(server, token, api_version=version or self.version)
        try:
            yield port
        finally:
            await server.close()
            if transport is not None:
                await transport.aclose()

    def accounted(self, filtered: str) -> list[Body]:
        """What slurmdbd lists of this test's jobs for a window of the last hour, by one of its times."""
        since = time_text(int(time.time()) - 3600)
        reply = self.ask("GET", f"slurmdb/{self.version}/jobs?job_name={self.name}&{filtered}={since}")
        found: list[Body] = reply.json()["jobs"]
        return found

    def parsed(self, text: str) -> SlurmToken:
        return parse_token(text.encode())

    def inside(self, *argv: str) -> str:
        """A command inside the cluster, as root."""
        done = subprocess.run(
            slurm_cluster.exec_argv(self.paths, self.suite, argv), capture_output=True, text=True, check=False
        )
        return done.stdout

    def until(self, what: Callable[[], Any]) -> Any:
        """Ask again until it is so."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while not (found := what()):
            assert time.monotonic() < deadline, "it did not come to that"
            time.sleep(0.2)
        return found

    def clean(self) -> None:
        """Cancel what is left of this test's jobs."""
        self.inside("scancel", f"--name={self.name}")


class Between(httpx.AsyncBaseTransport):
    """Stands before slurmrestd."""

    def __init__(self, look: Callable[[httpx.Request], Awaitable[httpx.Response | None]]) -> None:
        self._look = look
        self._real = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._look(request) or await self._real.handle_async_request(request)

    async def aclose(self) -> None:
        await self._real.aclose()


def changed(request: httpx.Request, job: Mapping[str, Any]) -> None:
    """Put keys into the job of a submission that is on its way."""
    body = json.loads(request.content)
    body["job"].update(job)
    content = json.dumps(body).encode()
    request.headers["Content-Length"] = str(len(content))
    request.stream = httpx.ByteStream(content)
