"""What it costs to follow arrays of jobs: requests, bytes and time of a poll and of a read, beside those of one job.

All is asked of the sandbox's three Slurms with the operator's own client: one job, one array of 1,000 tasks that wait,
a hundred arrays, and the records of an array of which many tasks have ended and are in slurmctld's memory. `stalls` is
the longest time for which this process did nothing else.

    python -m bench.arrays [--arrays 100] [--tasks 1000]
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from functools import partial

import httpx

from bench.keeping import keep
from sandboxlib import slurm_cluster
from sandboxlib.cli import main as sandbox
from sandboxlib.paths import Paths, default_paths
from slurmjob_operator.core.arrays import tasks_of
from slurmjob_operator.core.view import ConnectionFacts, Facts, JobView
from slurmjob_operator.sbatch.types.arrays import spec_of
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.http import SlurmrestdServer
from slurmjob_operator.slurm.request import JobRequest
from slurmjob_operator.slurm.token import parse_token

SUITES = ("bookworm", "trixie", "forky")
GLANCE_SECONDS = 0.01
TURNS = 5
MANY_TASKS = 250
"""Of each of many arrays: the sandbox's MaxJobCount is 30,000."""


class Counted(httpx.AsyncBaseTransport):
    """Counts requests, and bytes of answers."""

    def __init__(self) -> None:
        self._real = httpx.AsyncHTTPTransport()
        self.requests = self.bytes = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask, and read the answer whole."""
        answer = await self._real.handle_async_request(request)
        content = await answer.aread()
        self.requests += 1
        self.bytes += len(content)
        return httpx.Response(answer.status_code, headers=answer.headers, content=content)

    async def aclose(self) -> None:
        """Close what is below."""
        await self._real.aclose()


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one poll or read: the best of some in a row."""

    suite: str
    what: str
    requests: int
    kilobytes: float
    milliseconds: float
    stalls_milliseconds: float

    def line(self) -> str:
        """For people."""
        return (
            f"{self.suite:9} {self.what:32} {self.requests:4} requests {self.kilobytes:9.1f} kB "
            f"{self.milliseconds:8.1f} ms, stalls {self.stalls_milliseconds:6.1f} ms"
        )


class Bench:
    """One Slurm, as alice."""

    def __init__(self, paths: Paths, suite: str) -> None:
        self._suite = suite
        self._counted = Counted()
        self._paths = paths
        token = parse_token(slurm_cluster.token(paths, suite, user="alice", lifespan=6000).encode())
        url = slurm_cluster.rest_url(paths, suite)
        self._server = SlurmrestdServer(url, allow_plain_http=True, transport=self._counted)
        self.port = SlurmrestdClient(self._server, token, timeout_seconds=60.0)

    async def held(self, *, array: str = "", script: str = "true") -> int:
        """A held job, or array of jobs."""
        options = {"array": array} if array else {}
        request = JobRequest(
            script=f"#!/bin/sh\n{script}\n",
            name="bench-arrays",
            chdir="/home/alice",
            environment={"PATH": "/bin"},
            options=options,
        )
        return (await self.port.submit_held(request, comment="bench")).job_id

    def take_apart(self, array_id: int, *, tasks: int) -> None:
        """Update each task alone, as an administrator may."""
        update = f"for i in $(seq 0 {tasks - 1}); do scontrol update jobid={array_id}_$i comment=bench; done"
        argv = slurm_cluster.exec_argv(self._paths, self._suite, ("sh", "-c", update))
        subprocess.run(argv, check=True, capture_output=True)

    async def cost(self, what: str, ask: Callable[[], Awaitable[object]]) -> Cost:
        """The cheapest of some turns."""
        found = [await self._once(what, ask) for _ in range(TURNS)]
        return min(found, key=lambda cost: cost.milliseconds)

    async def _once(self, what: str, ask: Callable[[], Awaitable[object]]) -> Cost:
        self._counted.requests = self._counted.bytes = 0
        longest = [0.0]
        watch = asyncio.create_task(_watch(longest))
        await asyncio.sleep(5 * GLANCE_SECONDS)
        longest[0] = 0.0
        began = time.monotonic()
        await ask()
        took = time.monotonic() - began
        await asyncio.sleep(2 * GLANCE_SECONDS)
        watch.cancel()
        return Cost(
            suite=self._suite,
            what=what,
            requests=self._counted.requests,
            kilobytes=round(self._counted.bytes / 1000, 1),
            milliseconds=round(took * 1000, 1),
            stalls_milliseconds=round(longest[0] * 1000, 1),
        )

    async def close(self) -> None:
        """Nothing stays open."""
        await self._server.close()
        await self._counted.aclose()


async def _watch(longest: list[float]) -> None:
    while True:
        before = time.monotonic()
        await asyncio.sleep(GLANCE_SECONDS)
        longest[0] = max(longest[0], time.monotonic() - before - GLANCE_SECONDS)


async def _measure(paths: Paths, suite: str, *, arrays: int, tasks: int) -> list[Cost]:
    bench = Bench(paths, suite)
    await bench.port.info()
    text = f"0-{tasks - 1}"
    job, first = await bench.held(), await bench.held(array=text)
    found = [
        await bench.cost("poll of one job", lambda: bench.port.states([job])),
        await bench.cost(f"poll of an array of {tasks}", lambda: bench.port.tasks({first: ()})),
        await bench.cost("read of one job", lambda: bench.port.job(job)),
        await bench.cost(f"read of {tasks} that wait", lambda: bench.port.job(first)),
    ]
    many = [await bench.held(array=f"0-{MANY_TASKS - 1}") for _ in range(arrays)]
    ask = partial(bench.port.tasks, dict.fromkeys(many, ()))
    found.append(await bench.cost(f"poll of {arrays} arrays of {MANY_TASKS}", ask))
    many.append(first)
    for job_id in (job, *many):
        await bench.port.cancel(job_id)
    ended = await _ended(bench, text, tasks=tasks)
    found.append(await bench.cost(f"read of {tasks} that have ended", lambda: bench.port.job(ended)))
    await _fold(bench, ended, text)
    await bench.close()
    return found


async def _ended(bench: Bench, text: str, *, tasks: int) -> int:
    """An array whose tasks were taken apart one by one (by an update of each), and then cancelled: each has a record of
    its own, as after its run, and slurmctld remembers it for MinJobAge (10 s here)."""
    array_id = await bench.held(array=text)
    bench.take_apart(array_id, tasks=tasks)
    await bench.port.cancel(array_id)
    return array_id


async def _fold(bench: Bench, array_id: int, text: str) -> None:
    record = await bench.port.job(array_id)
    view = JobView(
        uid="u", namespace="n", name="n", generation=1, resource_version="1", connection="c", template_hash="h",
        slurm_name="bench-arrays", array=spec_of(text),
    )  # fmt: skip
    began = time.monotonic()
    tasks_of(view, Facts(connection=ConnectionFacts()), shown=record.parts)
    print(f"    folding {len(record.parts)} records: {1000 * (time.monotonic() - began):.1f} ms")


def main() -> int:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arrays", type=int, default=100)
    parser.add_argument("--tasks", type=int, default=1000)
    flags = parser.parse_args()
    for suite in SUITES:
        if sandbox(["up", "--slurm", suite]) != 0:
            return 1
    paths, found = default_paths(), []
    for suite in SUITES:
        costs = asyncio.run(_measure(paths, suite, arrays=flags.arrays, tasks=flags.tasks))
        print("\n".join(cost.line() for cost in costs))
        found += costs
    keep("arrays", arrays=flags.arrays, tasks=flags.tasks, costs=[asdict(cost) for cost in found])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
