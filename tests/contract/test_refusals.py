"""What the real daemons refuse, each refusal provoked: Slurm's number, what we make of it, and the words for people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final

import pytest
import pytest_asyncio

from sandboxlib import slurm_cluster
from sandboxlib.paths import Paths
from slurmjob_operator.core.records import ClusterInfo
from slurmjob_operator.sbatch.options import TABLE as OPTIONS
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.error_numbers import TABLE
from slurmjob_operator.slurm.errors import JobNotFound, Refused, RefusedForNow, SlurmError
from slurmjob_operator.slurm.http import SlurmrestdServer
from slurmjob_operator.slurm.request import JobRequest, Target
from slurmjob_operator.slurm.token import parse_token
from tests.contract.conftest import RealCluster
from tests.real.cluster import SUITE
from tests.real.releases import Differs, expected
from tests.slurm_errors import copies

UNKNOWN_ID: Final = 60_000_000

REFUSED: Final[Mapping[str, tuple[dict[str, str], int]]] = {
    "partition": ({"partition": "nope"}, 2000),
    "account": ({"account": "nope"}, 2045),
    "QOS": ({"qos": "nope"}, 2066),
    "time limit": ({"time": "5", "time-min": "20"}, 2124),
    "array": ({"array": "0-99999999"}, 2081),
    "licence": ({"licenses": "nosuch:1"}, 2048),
    "reservation": ({"reservation": "nosuch"}, 2053),
    "node name": ({"nodelist": "nosuch"}, 2018),
    "features": ({"constraint": "nosuch"}, 2029),
    "nice": ({"nice": "-50"}, 2123),
    "gres": ({"gres": "nosuch:1"}, 9001 if SUITE == "bookworm" else 2072),
    **({} if SUITE == "bookworm" else {"dependency": ({"dependency": f"afterok:{UNKNOWN_ID}"}, 2038)}),
    **({} if SUITE == "bookworm" else {"deadline": ({"deadline": "now+1minute", "time": "5"}, 2051)}),
}
"""What is asked for, and the number of the refusal; 22.05 takes some of it and drops it."""

TAKEN: Final[Mapping[str, dict[str, str]]] = {
    "too many nodes": {"nodes": "500"},
    "too much memory": {"mem": "999G"},
    "longer than the partition allows": {"time": "30"},
}
"""Where slurm.conf does not enforce a partition's limits, these wait with a reason."""


@dataclass
class Users:
    """Two users of one real cluster."""

    alice: SlurmrestdClient
    bob: SlurmrestdClient
    info: ClusterInfo

    async def submit(self, options: Mapping[str, str]) -> int:
        """As alice, held; the job's id."""
        release = Target.of(release=self.info.release, api_version=self.info.api_version).release
        parsed = {name: OPTIONS[name].type.parse(text, release) for name, text in options.items()}  # type: ignore[union-attr]  # all have one
        request = JobRequest(
            script="#!/bin/sh\ntrue\n",
            name="refused",
            chdir="/home/alice",
            environment={"PATH": "/usr/bin:/bin"},
            options=parsed,
        )
        return (await self.alice.submit_held(request, comment="of a contract test")).job_id


@pytest_asyncio.fixture
async def users(sandbox: Paths) -> AsyncIterator[Users]:
    server = SlurmrestdServer(slurm_cluster.rest_url(sandbox, SUITE), allow_plain_http=True)
    cluster = RealCluster(paths=sandbox, server=server, api_version=expected(Differs.VERSION))

    def port(user: str) -> SlurmrestdClient:
        token = slurm_cluster.token(cluster.paths, SUITE, user=user, lifespan=600)
        return SlurmrestdClient(server, parse_token(token.encode()), api_version=cluster.api_version)

    alice, bob = port("alice"), port("bob")
    info = await alice.info()
    await bob.info()
    yield Users(alice=alice, bob=bob, info=info)
    await server.close()


def told(error: SlurmError, number: int) -> None:
    """It is that error, in Slurm's own words as this release has them, with what to do."""
    assert error.code == number
    words = copies.known(copies.SUITES[SUITE])[number][1]
    assert words.lower().strip() in str(error).lower()
    assert f"[Slurm error {number}]: {TABLE[number].advice}" in str(error)


@pytest.mark.parametrize(("options", "number"), REFUSED.values(), ids=REFUSED)
async def test_a_submission_that_is_refused_for_good(users: Users, options: dict[str, str], number: int) -> None:
    with pytest.raises(Refused) as refusal:
        await users.submit(options)
    assert type(refusal.value) is Refused
    told(refusal.value, number)


async def test_a_dependency_is_never_dropped(users: Users) -> None:
    """Slurm 22.05 would drop it and run the job (measured), so there it is found out before."""
    known = await users.submit({})
    with pytest.raises(Refused) as refusal:
        await users.submit({"dependency": f"afterany:{known},afterok:{UNKNOWN_ID}"})
    assert refusal.value.code == 2038
    if SUITE == "bookworm":
        assert f"slurmctld does not know job {UNKNOWN_ID}" in str(refusal.value)
    waits = await users.submit({"dependency": f"afterany:{known}"})
    for job_id in (waits, known):
        await users.alice.cancel(job_id)


@pytest.mark.parametrize("options", TAKEN.values(), ids=TAKEN)
async def test_what_waits_instead_of_being_refused(users: Users, options: dict[str, str]) -> None:
    job_id = await users.submit(options)
    record = await users.alice.job(job_id)
    await users.alice.cancel(job_id)
    assert record.states == {"PENDING"}
    assert record.held


async def test_a_limit_of_an_account_passes(users: Users) -> None:
    with pytest.raises(RefusedForNow) as refusal:
        await _too_many(users)
    told(refusal.value, 2050)


async def _too_many(users: Users) -> None:
    """The account has room for two jobs."""
    made = []
    try:
        for _ in range(3):
            made.append(await users.submit({"account": "limited"}))
    finally:
        for job_id in made:
            await users.alice.cancel(job_id)


async def test_a_job_that_nobody_knows(users: Users) -> None:
    for asked in (users.alice.job(UNKNOWN_ID), users.alice.release(UNKNOWN_ID, comment="x")):
        with pytest.raises(JobNotFound) as failure:
            await asked
        told(failure.value, 2017)
    await users.alice.cancel(UNKNOWN_ID)


async def test_somebody_elses_job_and_one_that_has_ended(users: Users) -> None:
    job_id = await users.submit({})
    with pytest.raises(Refused) as refusal:
        await users.bob.release(job_id, comment="mine now")
    told(refusal.value, 2010)
    with pytest.raises(Refused) as refusal:
        await users.bob.cancel(job_id)
    told(refusal.value, 2002)
    assert (await users.alice.job(job_id)).states == {"PENDING"}
    await users.alice.cancel(job_id)
    with pytest.raises(Refused) as refusal:
        await users.alice.release(job_id, comment="too late")
    told(refusal.value, 2084)
    await users.alice.cancel(job_id)
