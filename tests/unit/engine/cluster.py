"""An engine under a clock of its own, and all that is outside of it in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt

from slurmjob_operator.api.connection import SlurmConnectionSpec
from slurmjob_operator.engine.engine import Engine
from slurmjob_operator.engine.ports import Outside
from slurmjob_operator.kube.port import Kind
from slurmjob_operator.slurm.credentials import Credentials
from slurmjob_operator.slurm.port import SlurmPort
from tests.fakes.kube import InMemoryKube
from tests.fakes.slurm import InMemorySlurm

START = 1_800_000_000.0
POLL = 10


def now() -> float:
    """Seconds since the epoch, by the loop's clock."""
    return START + asyncio.get_running_loop().time()


@dataclass
class Cluster:
    """All that is outside of the engine, and an engine that its watches feed."""

    kube: InMemoryKube = field(default_factory=lambda: InMemoryKube(now=now))
    slurm: InMemorySlurm = field(default_factory=lambda: InMemorySlurm(now=now))
    opened: list[str] = field(default_factory=list)
    engine: Engine | None = None

    async def open(self, spec: SlurmConnectionSpec, credentials: Credentials, *, name: str) -> SlurmPort:
        self.opened.append(spec.servers[0].url)
        return self.slurm.port(credentials.token.user)

    async def close(self) -> None:
        return

    async def start(self) -> None:
        """A new process: it lists, then watches. Connections come first, as the worst of both orders."""
        if self.engine is not None:
            await self.engine.close()
        outside = Outside(
            kube=self.kube,
            slurm=self,
            installation="test",
            now=now,
            monotonic=asyncio.get_running_loop().time,
        )
        self.engine = Engine(outside)
        self.kube.watch = self._watch
        for body in sorted(self.kube.objects.values(), key=lambda body: str(body["kind"])):
            self._watch("ADDED", body)
            await asyncio.sleep(0.1)

    def _watch(self, event: str, body: Mapping[str, Any]) -> None:
        assert self.engine is not None
        job = body["kind"] == Kind.SLURM_JOB.value
        observe = self.engine.observe_job if job else self.engine.observe_connection
        forget = self.engine.forget_job if job else self.engine.forget_connection
        (forget if event == "DELETED" else observe)(body)

    def secret(self, *, user: str = "alice", lifespan: int = 86_400, since: float | None = None) -> None:
        begin = now() if since is None else since
        text = jwt.encode({"exp": int(begin) + lifespan, "sun": user}, "k" * 64)
        self.kube.secrets["ns", "token"] = {"SLURM_JWT": text.encode()}

    def connection(self) -> str:
        spec = {
            "servers": [{"url": "https://slurm:6820"}],
            "auth": {"jwt": {"secretKeyRef": {"name": "token"}}},
            "pollPeriodSeconds": POLL,
        }
        uid: str = self.kube.create(Kind.SLURM_CONNECTION, namespace="ns", name="campus", spec=spec)["metadata"]["uid"]
        return uid

    def job(self, name: str = "job") -> str:
        spec = {"connectionRef": {"name": "campus"}, "template": {"script": "#!/bin/sh\n", "chdir": "/x"}}
        uid: str = self.kube.create(Kind.SLURM_JOB, namespace="ns", name=name, spec=spec)["metadata"]["uid"]
        return uid

    def status(self, uid: str) -> dict[str, Any]:
        status: dict[str, Any] = self.kube.objects[uid]["status"]
        return status

    def reason(self, uid: str, kind: str) -> str | None:
        return next((str(c["reason"]) for c in self.status(uid).get("conditions", ()) if c["type"] == kind), None)

    async def end(self) -> None:
        """The process ends."""
        if self.engine is not None:
            await self.engine.close()
            self.engine = None
