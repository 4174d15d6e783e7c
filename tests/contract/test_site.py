"""A site's job_submit plug-in, as all releases let it speak: what it refuses, changes and says."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sandboxlib import slurm_cluster, slurm_site
from sandboxlib.paths import Paths
from sandboxlib.slurm_site import Site
from sandboxlib.slurm_suites import SUITES
from slurmjob_operator.core.records import Accepted, JobRecord
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.errors import Refused, RefusedForNow, SlurmError
from slurmjob_operator.slurm.http import SlurmrestdServer
from slurmjob_operator.slurm.request import JobRequest
from slurmjob_operator.slurm.token import parse_token
from tests.real.cluster import SUITE

pytestmark = pytest.mark.alone

LUA = Path(__file__).with_name("site.lua")
REFUSALS: dict[str, tuple[type[SlurmError], type[SlurmError], int]] = {
    "error": (Refused, Refused, -1),
    "errorsays": (Refused, Refused, -1),
    "account": (Refused, Refused, 2045),
    "limit": (RefusedForNow, SlurmError, 2050),
    "odd": (Refused, Refused, 12345),
}
"""What is refused at submission and at an update, and Slurm's number of it."""


@pytest.fixture(scope="module", params=SUITES[SUITE].api_versions)
def version(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module", autouse=True)
def site(sandbox: Paths) -> Iterator[Paths]:
    """slurmctld asks the plug-in."""
    with slurm_site.applied(sandbox, SUITE, Site(job_submit=LUA.read_text())):
        yield sandbox


@asynccontextmanager
async def connected(paths: Paths, version: str) -> AsyncIterator[SlurmrestdClient]:
    server = SlurmrestdServer(slurm_cluster.rest_url(paths, SUITE), allow_plain_http=True)
    token = parse_token(slurm_cluster.token(paths, SUITE, user="alice", lifespan=600).encode())
    try:
        yield SlurmrestdClient(server, token, api_version=version)
    finally:
        await server.close()


async def submitted(port: SlurmrestdClient, mode: str, when: str) -> Accepted:
    request = JobRequest(
        script="#!/bin/sh\nsleep 60\n",
        name=f"site-{mode}-{when}-{secrets.token_hex(4)}",
        chdir="/home/alice",
        environment={"PATH": "/usr/bin:/bin"},
        options={},
    )
    return await port.submit_held(request, comment="[marker]")


@pytest.mark.parametrize("mode", REFUSALS)
async def test_a_refused_submission_is_refused(site: Paths, version: str, mode: str) -> None:
    """And no job is left of it. slurmrestd keeps back what the site says to the user of a refusal (measured)."""
    kind, _, number = REFUSALS[mode]
    async with connected(site, version) as port:
        with pytest.raises(kind) as refusal:
            await submitted(port, mode, "submit")
    assert refusal.value.code == number
    assert ("job_submit plug-in" in str(refusal.value)) == (number in (-1, 12345))
    assert "The site says" not in str(refusal.value)


@pytest.mark.parametrize("mode", REFUSALS)
async def test_a_refused_release_is_refused(site: Paths, version: str, mode: str) -> None:
    """The job is as it was: held, with its comment."""
    _, kind, number = REFUSALS[mode]
    async with connected(site, version) as port:
        job_id = (await submitted(port, mode, "modify")).job_id
        with pytest.raises(kind) as refusal:
            await port.release(job_id, comment="[marker] released")
        record = await port.job(job_id)
        await port.cancel(job_id)
    assert refusal.value.code == number
    assert (record.held, record.comment) == (True, "[marker]")


async def test_what_the_site_says_of_an_accepted_job_is_kept(site: Paths, version: str) -> None:
    async with connected(site, version) as port:
        accepted = await submitted(port, "says", "submit")
        await port.cancel(accepted.job_id)
    assert accepted.messages == ("Please use QOS low",)


async def _after(paths: Paths, version: str, mode: str, when: str) -> JobRecord:
    """The job as it is after it was submitted, and released where that is what the site changes."""
    async with connected(paths, version) as port:
        job_id = (await submitted(port, mode, when)).job_id
        if when == "modify":
            await port.release(job_id, comment="[marker] released")
        record = await port.job(job_id)
        await port.cancel(job_id)
    return record


async def test_what_the_site_changes_at_submission(site: Paths, version: str) -> None:
    record = await _after(site, version, "comment", "submit")
    assert (record.held, record.comment) == (True, "rewritten by the site")
    record = await _after(site, version, "partition", "submit")
    assert (record.held, record.comment, record.partition) == (True, "[marker]", "gpu")
    record = await _after(site, version, "unhold", "submit")
    assert (record.held, record.comment) == (False, "[marker]")


async def test_what_the_site_changes_at_the_release(site: Paths, version: str) -> None:
    """All of it is answered as a success: only reading back tells."""
    record = await _after(site, version, "says", "modify")
    assert (record.held, record.comment) == (False, "[marker] released")
    record = await _after(site, version, "comment", "modify")
    assert (record.held, record.comment) == (False, "rewritten by the site")
    record = await _after(site, version, "hold", "modify")
    assert (record.held, record.comment) == (True, "[marker] released")
