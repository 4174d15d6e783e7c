"""What one request of ours costs beside the same request by bare httpx: time from first to last byte, and CPU of ours.

Both ask the same slurmrestd for the same held job, over a connection that is kept, one request at a time, in turns of
a block each, so that what else the machine does meets both. Bare is httpx.AsyncClient.get and json.loads of the
answer; ours has the turn among tenants, the circuit, the check of who answers, and the record that is made of it.

    python -m bench.overhead [--requests 4000] [--suite forky]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

import httpx

from bench.keeping import keep
from sandboxlib import slurm_cluster
from sandboxlib.cli import main as sandbox
from sandboxlib.paths import Paths, default_paths
from sandboxlib.slurm_suites import SUITES
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.http import SlurmrestdServer
from slurmjob_operator.slurm.request import JobRequest
from slurmjob_operator.slurm.token import parse_token

BLOCK = 100


@dataclass(frozen=True, kw_only=True)
class Way:
    """Milliseconds of a request: the median, and CPU of this process."""

    name: str
    median_ms: float
    cpu_ms: float


async def _block(work: Callable[[], Awaitable[object]]) -> tuple[list[float], float]:
    times, cpu = [], time.process_time()
    for _ in range(BLOCK):
        began = time.perf_counter()
        await work()
        times.append(time.perf_counter() - began)
    return times, time.process_time() - cpu


async def _compared(ways: dict[str, Callable[[], Awaitable[object]]], *, blocks: int) -> list[Way]:
    times: dict[str, list[float]] = {name: [] for name in ways}
    cpu = dict.fromkeys(ways, 0.0)
    for _ in range(blocks):
        for name, work in ways.items():
            found, spent = await _block(work)
            times[name] += found
            cpu[name] += spent
    return [
        Way(
            name=name,
            median_ms=round(1000 * statistics.median(times[name]), 3),
            cpu_ms=round(1000 * cpu[name] / (blocks * BLOCK), 3),
        )
        for name in ways
    ]


async def _run(paths: Paths, suite: str, *, blocks: int) -> list[Way]:
    url, version = slurm_cluster.rest_url(paths, suite), SUITES[suite].api_versions[0]
    token = parse_token(slurm_cluster.token(paths, suite, user="alice", lifespan=6000).encode())
    server = SlurmrestdServer(url, allow_plain_http=True)
    port = SlurmrestdClient(server, token, api_version=version)
    await port.info()
    request = JobRequest(script="#!/bin/sh\n", name="bench", chdir="/tmp", environment={"PATH": "/bin"})  # noqa: S108 - of the node
    job_id = (await port.submit_held(request, comment="bench")).job_id
    headers = {"X-SLURM-USER-NAME": token.user, "X-SLURM-USER-TOKEN": token.reveal(), "Accept": "application/json"}
    async with httpx.AsyncClient(headers=headers, trust_env=False) as client:

        async def bare() -> None:
            reply = await client.get(f"{url}/slurm/{version}/job/{job_id}")
            if json.loads(reply.content)["jobs"][0]["job_id"] != job_id:
                raise RuntimeError("not the job that was asked for")

        async def ours() -> None:
            if (await port.job(job_id)).job_id != job_id:
                raise RuntimeError("not the job that was asked for")

        try:
            await _compared({"bare": bare, "ours": ours}, blocks=1)
            return await _compared({"bare": bare, "ours": ours}, blocks=blocks)
        finally:
            await port.cancel(job_id)
            await server.close()


def main() -> int:
    """Measure, print, and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--suite", choices=list(SUITES), default="forky")
    flags = parser.parse_args()
    if sandbox(["up", "--slurm", flags.suite]) != 0:
        return 1
    ways = asyncio.run(_run(default_paths(), flags.suite, blocks=max(1, flags.requests // (2 * BLOCK))))
    bare, ours = ways
    for way in ways:
        print(f"{way.name:5} {way.median_ms:.2f} ms, {way.cpu_ms:.2f} ms CPU a request")
    ratio = {"median": round(ours.median_ms / bare.median_ms, 3), "cpu": round(ours.cpu_ms / bare.cpu_ms, 3)}
    print(f"ours to bare: {ratio['median']} of the time, {ratio['cpu']} of the CPU")
    found = [asdict(way) for way in ways]
    keep("overhead", suite=flags.suite, requests=flags.requests, ways=found, ratio=ratio)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
