"""Slurm 23.02, 23.11, 24.05, 25.05 and 25.11, held against constructed answers: they were not run."""

from __future__ import annotations

import gzip
import json
from functools import cache
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator

from slurmjob_operator.core.states import is_over
from slurmjob_operator.slurm.errors import (
    CredentialsRejected,
    JobNotFound,
    NotSupported,
    OutcomeUnknown,
    Refused,
    SlurmError,
    Unavailable,
)
from slurmjob_operator.slurm.request import JobRequest
from tests.openapi.documents import FOLDER
from tests.real.releases import NOT_RUN, NotRun
from tests.unit.slurm.answers import error
from tests.unit.slurm.other_releases import JOB_ID, UNKNOWN_ID, Daemon, answers

REQUEST = JobRequest(script="#!/bin/sh\n", name="recorded", chdir="/home/alice", environment={"A": "b"})
BAD = JobRequest(script="#!", name="x", chdir="/", environment={"A": "b"}, options={"partition": "nope"})
HELD_BY_VERSION = [
    (release, version)
    for release in NOT_RUN
    for version in release.served
    if version != "v0.0.37" and (release.name, version) != ("23.02.7", "v0.0.39")
]
"""All that can be spoken; v0.0.39 of 23.02 cannot hold a job."""
OF = {release.name[:5]: release for release in NOT_RUN}
EVERY = pytest.mark.parametrize(
    ("release", "version"), HELD_BY_VERSION, ids=lambda value: getattr(value, "name", value)
)


@pytest.mark.parametrize("release", NOT_RUN, ids=lambda release: release.name)
async def test_auto_finds_the_newest_version_that_a_daemon_was_spoken_to_in(release: NotRun) -> None:
    daemon = Daemon(release)
    info = await daemon.port().info()
    assert (info.api_version, info.release, info.accounting) == (release.found, release.name, True)
    named = release.found != "v0.0.38"
    assert info.cluster_name == ("campus" if named else "bookworm"), "before v0.0.40 slurmdbd names it"
    assert info.knows_extra is named


@EVERY
async def test_a_version_can_be_named(release: NotRun, version: str) -> None:
    assert (await Daemon(release).port(api_version=version).info()).api_version == version


@EVERY
async def test_a_held_job_from_its_submission_on(release: NotRun, version: str) -> None:
    port = Daemon(release).port(api_version=version)
    await port.info()
    assert (await port.submit_held(REQUEST, comment="[marker]")).job_id == JOB_ID
    record = await port.job(JOB_ID)
    assert (record.job_id, record.user, record.name, record.comment) == (JOB_ID, "alice", "recorded", "[marker]")
    assert (record.states, record.held, record.restarts) == ({"PENDING"}, True, 0)
    assert record.submit_time is not None
    assert (await port.states([JOB_ID]))[JOB_ID] == {"PENDING"}
    await port.release(JOB_ID, comment="note")
    await port.cancel(JOB_ID)
    assert not port.outdated


@EVERY
async def test_a_job_that_has_ended(release: NotRun, version: str) -> None:
    port = Daemon(release, ended=True).port(api_version=version)
    await port.info()
    record = await port.job(JOB_ID)
    assert is_over(record.states)
    assert (record.states, record.exit_code, record.signal) == ({"FAILED"}, 3, None)
    (told,) = await port.accounting(JOB_ID)
    assert (told.states, told.user, told.comment) == ({"FAILED"}, "alice", "note")
    assert told.exit_code == (None if version == "v0.0.38" else 3)
    assert [found.job_id for found in await port.search(name="recorded", since=1)] == [JOB_ID]


@EVERY
async def test_what_is_not_there_and_what_is_refused(release: NotRun, version: str) -> None:
    port = Daemon(release).port(api_version=version)
    await port.info()
    with pytest.raises(JobNotFound):
        await port.job(UNKNOWN_ID)
    assert await port.accounting(UNKNOWN_ID) == ()
    await port.cancel(UNKNOWN_ID)
    with pytest.raises(Refused) as refusal:
        await port.submit_held(BAD, comment="x")
    assert refusal.value.code == 2000
    assert "[Slurm error 2000]: name a partition" in str(refusal.value)


@EVERY
@pytest.mark.parametrize(("number", "kind"), [(1007, CredentialsRejected), (1800, Unavailable), (7000, Unavailable)])
async def test_errors_that_stand_beside_an_answer(
    release: NotRun, version: str, number: int, kind: type[SlurmError]
) -> None:
    """By its sources 23.11 opens a connection to slurmdbd for each request, and says 7000 beside what slurmctld said:
    while slurmdbd is away nothing is believed, and a submission that has a job id is one all the same."""
    daemon = Daemon(release, ended=True)
    port = daemon.port(api_version=version)
    await port.info()
    daemon.errors = (error(number, "words of Slurm"),)
    assert (await port.submit_held(REQUEST, comment="[marker]")).job_id == JOB_ID
    if version == "v0.0.38":
        kind = Unavailable  # slurmdbd takes the token, so it is not that
    with pytest.raises(kind):
        await port.job(JOB_ID)
    port = daemon.port(api_version=version)
    with pytest.raises(kind):
        await port.states([JOB_ID])


@pytest.mark.parametrize("release", [OF["23.11"], OF["24.05"]], ids=lambda release: release.name)
async def test_where_jobs_state_is_not_served_jobs_are_read_one_by_one(release: NotRun) -> None:
    """Slurm's release notes do not say since when v0.0.40 has it; all that has to be there is the version."""
    daemon = Daemon(release, lacks=frozenset({"jobs/state"}))
    port = daemon.port()
    await port.info()
    daemon.asked.clear()
    for _ in range(3):
        assert await port.states([JOB_ID]) == {JOB_ID: {"PENDING"}}
    assert [path.rpartition(" ")[2] for path in daemon.asked] == ["jobs/state", *[f"job/{JOB_ID}"] * 3]
    assert not port.outdated, "or it would be found out again and again"


async def test_where_jobs_state_is_not_served_it_is_not_asked_for_arrays_either() -> None:
    daemon = Daemon(OF["23.11"], lacks=frozenset({"jobs/state"}))
    port = daemon.port()
    await port.info()
    daemon.asked.clear()
    for _ in range(3):
        assert set(await port.tasks({JOB_ID: ()})) == {JOB_ID}
    assert [path.rpartition(" ")[2] for path in daemon.asked] == ["jobs/state", *[f"job/{JOB_ID}"] * 3]


# --- Another one under the same address -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("23.02", "23.11"),
        ("23.11", "24.05"),
        ("24.05", "25.05"),
        ("25.05", "25.11"),
        ("25.11", "24.05"),
        ("24.05", "23.02"),
    ],
)
async def test_an_upgrade_or_a_downgrade_shows_at_the_next_answer(before: str, after: str) -> None:
    daemon = Daemon(OF[before])
    port = daemon.port()
    await port.info()
    daemon.release = OF[after]
    try:
        record = await port.job(JOB_ID)
    except NotSupported:
        assert OF[before].found not in OF[after].served
    else:
        assert record.states == {"PENDING"}
    assert port.outdated
    info = await port.info()
    assert (info.release, info.api_version) == (OF[after].name, OF[after].found)
    assert not port.outdated
    assert (await port.job(JOB_ID)).held


async def test_a_version_that_is_named_and_gone_is_told_with_those_that_are_there() -> None:
    daemon = Daemon(OF["25.05"])
    port = daemon.port(api_version="v0.0.41")
    await port.info()
    daemon.release = OF["25.11"]
    with pytest.raises(NotSupported):
        await port.job(JOB_ID)
    with pytest.raises(NotSupported, match=r"\(v0\.0\.41\); it serves v0\.0\.44, v0\.0\.43, v0\.0\.42$"):
        await port.info()


@pytest.mark.parametrize("release", [release for release in NOT_RUN if release.found != "v0.0.38"])
async def test_what_another_cluster_says_is_no_answer(release: NotRun) -> None:
    """It has other jobs under our jobs' ids, or none; and a job that it takes is not the one that was meant."""
    daemon = Daemon(release)
    port = daemon.port()
    await port.info()
    daemon.cluster, daemon.ended = "other", True
    for asked in (port.job(JOB_ID), port.job(UNKNOWN_ID), port.accounting(UNKNOWN_ID), port.states([JOB_ID])):
        with pytest.raises(Unavailable, match="cluster other answers where campus did"):
            await asked
    for changing in (port.submit_held(REQUEST, comment="x"), port.cancel(JOB_ID), port.release(JOB_ID, comment="x")):
        with pytest.raises(OutcomeUnknown, match="cluster other answers where campus did"):
            await changing
    assert port.outdated
    assert (await port.info()).cluster_name == "other"


# --- The answers themselves -------------------------------------------------------------------------------------------


@cache
def _document(version: str) -> dict[str, Any]:
    if version == "v0.0.39":
        read: dict[str, Any] = json.loads((FOLDER / "v0.0.39.json").read_text())
        return read
    release = {"v0.0.38": "22.05.8", "v0.0.40": "24.11.5", "v0.0.41": "24.11.5"}.get(version, "26.05.5")
    document: dict[str, Any] = json.loads(gzip.decompress((FOLDER / f"slurmrestd-{release}.json.gz").read_bytes()))
    return document


@pytest.mark.parametrize("version", ["v0.0.39", "v0.0.40", "v0.0.41", "v0.0.42", "v0.0.43", "v0.0.44"])
@pytest.mark.parametrize(
    ("kind", "method", "path"),
    [
        ("held", "get", "/slurm/{}/job/{{job_id}}"),
        ("ended", "get", "/slurm/{}/job/{{job_id}}"),
        ("accounted", "get", "/slurmdb/{}/job/{{job_id}}"),
        ("submitted", "post", "/slurm/{}/job/submit"),
        ("diag", "get", "/slurm/{}/diag/"),
    ],
)
def test_they_are_such_as_the_documents_describe(version: str, kind: str, method: str, path: str) -> None:
    document = _document(version)
    paths = {name.rstrip("/"): item for name, item in document["paths"].items()}
    responses = paths[path.format(version).rstrip("/")][method]["responses"]
    schema = next(iter(responses.values()))["content"]["application/json"]["schema"]
    body = answers(version, "23.11.10")[kind][1]
    validator = OAS30Validator({**schema, "components": document["components"]})
    problems = [(list(problem.path), problem.message[:80]) for problem in validator.iter_errors(body)]
    assert problems == []
