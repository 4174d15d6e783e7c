"""One cluster as the contract sees it: in memory, or real and over one API version."""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest
import pytest_asyncio

from sandboxlib import slurm_cluster
from sandboxlib.paths import Paths
from sandboxlib.slurm_suites import SUITES
from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.sbatch.types.times import TimeLimit
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.http import SlurmrestdServer
from slurmjob_operator.slurm.port import SlurmPort
from slurmjob_operator.slurm.request import JobRequest
from slurmjob_operator.slurm.token import parse_token
from tests.fakes.slurm import InMemorySlurm
from tests.real.cluster import SUITE
from tests.real.releases import Differs, expected

MEMORY = "memory"
LONGEST_SECONDS = 40.0
KINDS = ("job", "long", "exit3")


class Cluster(Protocol):
    """What a contract test needs besides the port: a scheduler that comes round, and other users."""

    api_version: str
    name: str

    def port(self, user: str, *, accepted: bool = True) -> SlurmPort: ...
    def now(self) -> int: ...
    async def turn(self) -> None: ...


@dataclass
class MemoryCluster:
    """The scheduler comes round when it is told so; a job lasts one turn, and its exit code is in its script."""

    slurm: InMemorySlurm
    api_version: str = "v0.0.45"
    name: str = MEMORY
    time: list[float] = field(default_factory=lambda: [1_800_000_000.0])

    def port(self, user: str, *, accepted: bool = True) -> SlurmPort:
        return self.slurm.port(user, accepted=accepted)

    def now(self) -> int:
        return int(self.time[0])

    async def turn(self) -> None:
        self.time[0] += 1
        for job_id, record in tuple(self.slurm.jobs.items()):
            if "RUNNING" in record.states and not record.name.startswith("long-"):
                failing = record.name.startswith("exit3-")
                self.slurm.end(job_id, "FAILED" if failing else "COMPLETED", 3 if failing else 0)
            else:
                self.slurm.start(job_id)


@dataclass
class RealCluster:
    """The sandbox's slurmrestd."""

    paths: Paths
    server: SlurmrestdServer
    api_version: str
    name: str = SUITE

    def port(self, user: str, *, accepted: bool = True) -> SlurmPort:
        text = slurm_cluster.token(self.paths, SUITE, user=user, lifespan=600)
        if not accepted:
            text = f"{text[:-6]}{secrets.token_hex(3)[:5]}A"  # another one each time: a refused one is not sent again
        return SlurmrestdClient(self.server, parse_token(text.encode()), api_version=self.api_version)

    def now(self) -> int:
        return int(time.time())

    async def turn(self) -> None:
        await asyncio.sleep(0.2)


@dataclass
class Contract:
    """The port of alice, names that no other test uses, and waiting for what must come."""

    cluster: Cluster
    port: SlurmPort
    began: int
    prefix: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    def request(self, kind: str = "job", *, script: str = "true", **changes: object) -> JobRequest:
        """A small job. Kinds that the in-memory cluster knows too: `long` runs on, `exit3` ends with code 3."""
        values: dict[str, object] = {
            "name": f"{kind}-{self.prefix}",
            "chdir": "/home/alice",
            "script": f"#!/bin/sh\n{ {'long': 'sleep 120', 'exit3': 'exit 3'}.get(kind, script) }\n",
            "environment": {"PATH": "/usr/bin:/bin"},
            "options": {"time": TimeLimit(minutes=5)},
        }
        return JobRequest(**(values | changes))  # type: ignore[arg-type]  # checked by the dataclass' users

    async def held(self, kind: str = "job", *, comment: str = "of a contract test", **changes: Any) -> int:
        accepted = await self.port.submit_held(self.request(kind, **changes), comment=comment)
        return accepted.job_id

    def expected(self, row: Differs) -> Any:
        """What this release does."""
        return expected(row)

    async def until(self, job_id: int, what: Callable[[JobRecord], bool]) -> JobRecord:
        """Read the job until it is so."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while True:
            record = await self.port.job(job_id)
            if what(record):
                return record
            assert time.monotonic() < deadline, f"it did not come to that: {record}"
            await self.cluster.turn()

    async def until_accounted(self, job_id: int, what: Callable[[JobRecord], bool]) -> JobRecord:
        """Read slurmdbd's newest record until it is so: slurmctld tells it a little later."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while True:
            records = await self.port.accounting(job_id)
            if records and what(records[-1]):
                return records[-1]
            assert time.monotonic() < deadline, f"slurmdbd did not come to that: {records}"
            await self.cluster.turn()


IN_MEMORY = [MEMORY] if SUITE == "forky" else []
"""It does what the newest release does, and is tested beside it."""


NEWEST = pytest.mark.parametrize("contract", [*IN_MEMORY, SUITES[SUITE].api_versions[0]], indirect=True)
"""For what takes long, and does not depend on the version of the API: over the newest one alone."""


@pytest_asyncio.fixture(params=[*IN_MEMORY, *SUITES[SUITE].api_versions])
async def contract(request: pytest.FixtureRequest) -> AsyncIterator[Contract]:
    """The same tests against the in-memory Slurm and against each API version of the real one."""
    if request.param == MEMORY:
        times = [1_800_000_000.0]
        memory = MemoryCluster(slurm=InMemorySlurm(now=lambda: times[0]), time=times)
        yield Contract(cluster=memory, port=memory.port("alice"), began=memory.now())
        return
    paths: Paths = request.getfixturevalue("sandbox")
    server = SlurmrestdServer(slurm_cluster.rest_url(paths, SUITE), allow_plain_http=True)
    real = RealCluster(paths=paths, server=server, api_version=request.param)
    port = real.port("alice")
    await port.info()
    made = Contract(cluster=real, port=port, began=real.now())
    yield made
    await asyncio.to_thread(_cancel_left_over, paths, made.prefix)
    await server.close()


def _cancel_left_over(paths: Paths, prefix: str) -> None:
    """As slurmctld knows them: slurmdbd, which a search asks, hears of a job later, and cores that are still taken are
    what the next test waits for."""
    for kind in KINDS:
        argv = slurm_cluster.exec_argv(paths, SUITE, ("scancel", f"--name={kind}-{prefix}"))
        subprocess.run(argv, check=True, capture_output=True)
