"""What it costs to follow jobs on a slurmrestd without jobs/state (22.05): reads by id against whole lists.

Both ways ask the same daemon about the same held jobs, one request at a time, with the operator's own HTTP client.
CPU seconds are those of slurmrestd, slurmctld and this process; memory is slurmrestd's resident size, from a
fresh start of it, after each round.

    python -m bench.following [--jobs 3000] [--rounds 12]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.keeping import keep
from sandboxlib import slurm_cluster
from sandboxlib.cli import main as sandbox
from sandboxlib.daemons import Daemon, running_pid, start, stop
from sandboxlib.paths import Paths, default_paths
from slurmjob_operator.slurm.classify import Operation
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.http import SlurmrestdServer
from slurmjob_operator.slurm.request import JobRequest
from slurmjob_operator.slurm.token import parse_token

SUITE = "bookworm"
AT_ONCE = 8


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way of following: totals over all rounds; memory in MiB before, and after each round."""

    name: str
    wall_seconds: float
    slurmrestd_cpu_seconds: float
    slurmctld_cpu_seconds: float
    own_cpu_seconds: float
    memory_mib: list[int]

    def line(self, answers: int) -> str:
        """For people; per job and round."""
        cpu = self.slurmrestd_cpu_seconds + self.slurmctld_cpu_seconds + self.own_cpu_seconds
        rounds = " ".join(map(str, self.memory_mib[1:]))
        return (
            f"{self.name:12} {1000 * self.wall_seconds / answers:6.2f} ms, {1000 * cpu / answers:5.2f} ms CPU a job; "
            f"slurmrestd {self.memory_mib[0]} MiB, after each round {rounds}"
        )


class Cluster:
    """The sandbox's 22.05, as alice."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        token = parse_token(slurm_cluster.token(paths, SUITE, user="alice", lifespan=6000).encode())
        self.server = SlurmrestdServer(slurm_cluster.rest_url(paths, SUITE), allow_plain_http=True)
        self.port = SlurmrestdClient(self.server, token, api_version="v0.0.38", timeout_seconds=60.0)

    def daemon(self, name: str) -> Daemon:
        """One daemon of it, e.g. `slurmctld`."""
        return next(d for d in slurm_cluster.daemons(self._paths, SUITE) if d.name == f"{SUITE}-{name}")

    def cpu(self, name: str) -> float:
        """CPU seconds of a daemon so far."""
        fields = Path(f"/proc/{running_pid(self.daemon(name).pid_file)}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> int:
        """Resident MiB of slurmrestd."""
        status = Path(f"/proc/{running_pid(self.daemon('slurmrestd').pid_file)}/status").read_text().splitlines()
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS"))

    async def restart_slurmrestd(self) -> None:
        """Afresh: what it kept of earlier answers is gone."""
        await self.server.close()
        stop([self.daemon("slurmrestd")])
        start(self.daemon("slurmrestd"))

    async def submit(self, count: int) -> list[int]:
        """Held jobs; at least so many."""
        request = JobRequest(script="#!/bin/sh\n", name="bench", chdir="/tmp", environment={"PATH": "/bin"})  # noqa: S108 - of the node
        ids: list[int] = []
        while len(ids) < count:
            batch = [self.port.submit_held(request, comment="bench") for _ in range(AT_ONCE)]
            ids += [accepted.job_id for accepted in await asyncio.gather(*batch)]
        return ids

    async def cancel(self, ids: list[int]) -> None:
        """Cancel all of them."""
        for first in range(0, len(ids), AT_ONCE):
            await asyncio.gather(*(self.port.cancel(job_id) for job_id in ids[first : first + AT_ONCE]))


async def _measure(cluster: Cluster, name: str, work: Callable[[], Awaitable[None]], rounds: int) -> Way:
    await cluster.restart_slurmrestd()
    memory = [cluster.memory()]
    before = (time.monotonic(), cluster.cpu("slurmrestd"), cluster.cpu("slurmctld"), time.process_time())
    for _ in range(rounds):
        await work()
        memory.append(cluster.memory())
    after = (time.monotonic(), cluster.cpu("slurmrestd"), cluster.cpu("slurmctld"), time.process_time())
    wall, restd, ctld, own = (round(end - begin, 3) for begin, end in zip(before, after, strict=True))
    return Way(
        name=name,
        wall_seconds=wall,
        slurmrestd_cpu_seconds=restd,
        slurmctld_cpu_seconds=ctld,
        own_cpu_seconds=own,
        memory_mib=memory,
    )


async def _run(cluster: Cluster, *, jobs: int, rounds: int) -> list[Way]:
    ids = await cluster.submit(jobs)

    async def by_id() -> None:
        for job_id in ids:
            await cluster.port.job(job_id)

    async def listing() -> None:
        reply = await cluster.port._caller.send("GET", "jobs", operation=Operation.READ)
        if len((reply.body or {}).get("jobs", ())) < jobs:
            raise RuntimeError(f"slurmrestd did not list all {jobs} jobs: HTTP status {reply.status}")

    try:
        return [
            await _measure(cluster, "reads by id", by_id, rounds),
            await _measure(cluster, "lists", listing, rounds),
        ]
    finally:
        await cluster.cancel(ids)
        await cluster.restart_slurmrestd()


def main() -> int:
    """Measure, print, and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=12)
    flags = parser.parse_args()
    if sandbox(["up", "--slurm", SUITE]) != 0:
        return 1
    ways = asyncio.run(_run(Cluster(default_paths()), jobs=flags.jobs, rounds=flags.rounds))
    for way in ways:
        print(way.line(flags.jobs * flags.rounds))
    keep("following", jobs=flags.jobs, rounds=flags.rounds, ways=[asdict(way) for way in ways])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
