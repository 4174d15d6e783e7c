"""TRAPS R1, R2: slurmctld's own rate limiter (23.02 and newer).

slurmrestd is told to back off, sleeps for 1 s, 2 s, 3 s … and asks again: who asked it sees nothing but time, and on
26.05, with its five threads, others wait with it.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sandboxlib import slurm_cluster, slurm_site
from sandboxlib.slurm_site import RateLimit, Site
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.errors import JobNotFound, OutcomeUnknown
from slurmjob_operator.slurm.http import Manner, SlurmrestdServer
from slurmjob_operator.slurm.shared import NO_LIMITS
from slurmjob_operator.slurm.turns import Limits
from tests.traps.conftest import up
from tests.traps.defended import defended
from tests.traps.slurm import Slurm

pytestmark = pytest.mark.alone

NEWER = pytest.mark.parametrize("suite", ["trixie", "forky"], scope="module")
BUCKET = RateLimit(bucket=8, more=4)
OWN = Limits(in_flight=8, per_second=1.5)
"""Three requests of slurmctld a second: slurmrestd makes two of them to read a job (REQUEST_FED_INFO is the other)."""
READS = 12
"""Three times what the bucket holds, so that it is empty for seconds, however busy the machine is."""
SELDOM = RateLimit(bucket=2, period_seconds=10)
"""Emptied by reading one job; then nothing for the rest of the period."""


@contextmanager
def limited(suite: str, limit: RateLimit) -> Iterator[Slurm]:
    """A Slurm with such a bucket for each user, and full ones."""
    there = replace(Slurm(paths=up(suite), suite=suite), name=f"trap-{secrets.token_hex(4)}")
    with slurm_site.applied(there.paths, suite, Site(rate_limit=limit)):
        yield there
        there.clean()


def told_to_back_off(there: Slurm) -> int:
    """How often slurmctld has said so, by its log (`rl_log_freq` is 0: it tells of each)."""
    log = slurm_cluster.folder(there.paths, there.suite) / "log/slurm/slurmctld.log"
    return _count(log, "rate limit exceeded")


def _count(log: Path, words: str) -> int:
    return log.read_text().count(words)


def full(there: Slurm) -> None:
    """Wait until that bucket is full again: asked by nobody, it fills up in two seconds."""
    began = time.monotonic()
    there.until(lambda: time.monotonic() - began > BUCKET.bucket / BUCKET.more + 0.5)


@asynccontextmanager
async def port(there: Slurm, *, limits: Limits = NO_LIMITS, seconds: float = 30.0) -> AsyncIterator[SlurmrestdClient]:
    server = SlurmrestdServer(there.url, allow_plain_http=True, manner=Manner(name="campus", limits=limits))
    try:
        yield SlurmrestdClient(server, there.parsed(there.token()), api_version=there.version, timeout_seconds=seconds)
    finally:
        await server.close()


@NEWER
async def test_trap_r1_its_own_rate_limit_shows_as_time_alone(suite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def timed(there: Slurm) -> tuple[int, float]:
        began = time.monotonic()
        reply = await asyncio.to_thread(there.ask, "GET", f"slurm/{there.version}/job/1")
        return reply.status_code, time.monotonic() - began

    async def read(one: SlurmrestdClient) -> None:
        with pytest.raises(JobNotFound):
            await one.job(1)

    with limited(suite, BUCKET) as there:
        before = told_to_back_off(there)
        shown = await asyncio.gather(*(timed(there) for _ in range(READS)))
        assert {status for status, _ in shown} == {404}, "never 429: each is answered as if nothing were"
        assert max(seconds for _, seconds in shown) > 1.0
        assert told_to_back_off(there) > before

        async def probe() -> bool:
            await asyncio.to_thread(full, there)
            told = told_to_back_off(there)
            async with port(there, limits=OWN) as one:
                await asyncio.gather(*(read(one) for _ in range(READS)))
            return told_to_back_off(there) == told

        await defended(monkeypatch, probe=probe, without=without_a_rate)


def without_a_rate(patch: pytest.MonkeyPatch) -> None:
    """`limits.requestsPerSecond` of a connection does nothing."""
    patch.setattr(Limits, "bucket", lambda _self, _monotonic: None)


@NEWER
async def test_trap_r2_a_submission_that_was_given_up_becomes_a_job_later(suite: str) -> None:
    """What protects: its outcome is unknown, and it is held (the rest: TRAP F1)."""
    with limited(suite, SELDOM) as there:

        def listed() -> list[str]:
            return there.inside("squeue", "-h", "-o", "%i %r", "-n", there.name).splitlines()

        async with port(there) as patient, port(there, seconds=0.3) as hasty:
            await asyncio.to_thread(there.until, just_refilled)
            before = told_to_back_off(there)
            with pytest.raises(JobNotFound):
                await patient.job(1)
            with pytest.raises(OutcomeUnknown):
                await hasty.submit_held(there.request(), comment="[marker]")
            at_once = await asyncio.to_thread(listed)
            assert told_to_back_off(there) > before
            found = await asyncio.to_thread(there.until, listed)
        assert at_once == [], "who looks now finds nothing, and would submit it again"
        assert [line.partition(" ")[2] for line in found] == ["JobHeldUser"]


def just_refilled() -> bool:
    """Whether a period has just begun: most of it is left, with an empty bucket."""
    return time.time() % SELDOM.period_seconds < 1.0
