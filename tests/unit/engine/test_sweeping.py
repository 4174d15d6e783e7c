"""Sweeps of a connection: when, up to where, and what they leave alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from slurmjob_operator.core.identity import CLOCK_SLACK_SECONDS
from slurmjob_operator.core.marker import Marker
from slurmjob_operator.engine.ports import Outside
from slurmjob_operator.engine.sweeping import PERIOD_SECONDS, Sweeper
from slurmjob_operator.kube.errors import Forbidden
from slurmjob_operator.kube.port import Kind
from slurmjob_operator.slurm.errors import Unavailable
from slurmjob_operator.slurm.request import JobRequest
from tests.fakes.kube import InMemoryKube
from tests.fakes.slurm import InMemorySlurm

START = 1_800_000_000.0


@dataclass
class Place:
    """A Slurm, an API server, a clock and a sweeper."""

    time: float = START
    kube: InMemoryKube = field(default_factory=InMemoryKube)

    def __post_init__(self) -> None:
        self.slurm = InMemorySlurm(now=lambda: self.time)
        self.port = self.slurm.port("alice")
        outside = Outside(
            kube=self.kube,
            slurm=None,  # type: ignore[arg-type]  # the port is handed over directly
            installation="ours",
            now=lambda: self.time,
            monotonic=lambda: self.time,
        )
        self.metrics = outside.metrics
        self.sweeper = Sweeper(outside)

    def object(self, **status: Any) -> str:
        spec = {"connectionRef": {"name": "campus"}, "template": {"script": "#!/bin/sh\n", "chdir": "/x"}}
        uid: str = self.kube.create(Kind.SLURM_JOB, namespace="ns", name="wing", spec=spec)["metadata"]["uid"]
        self.kube.objects[uid]["status"] = {"observedGeneration": 1, **status}
        return uid

    async def held(self, uid: str, *, attempt: int = 1, installation: str = "ours") -> int:
        mark = Marker(
            installation=installation, namespace="ns", name="wing", uid=uid, attempt=attempt, template_hash="ab"
        )
        request = JobRequest(script="#!/bin/sh\n", name="wing", chdir="/x", environment=(("PATH", "/bin"),))
        return (await self.port.submit_held(request, comment=mark.comment(""))).job_id

    async def sweep(self) -> None:
        await self.sweeper.sweep(self.port, known=())

    def live(self) -> set[int]:
        return {job_id for job_id, job in self.slurm.jobs.items() if job.states == {"PENDING"}}

    def swept(self) -> float | None:
        return self.metrics.registry.get_sample_value("slurmjob_held_twins_swept_total")


@pytest.fixture
def place() -> Place:
    return Place()


async def test_a_twin_of_an_object_that_is_gone(place: Place) -> None:
    twin = await place.held("gone")
    stranger = await place.held("gone", installation="theirs")
    place.time += 60
    await place.sweep()
    assert place.live() == {twin, stranger}, "too young"
    assert place.sweeper.due_at - place.time == 130
    place.time += 130
    await place.sweep()
    assert place.live() == {stranger}
    assert place.swept() == 1
    assert place.sweeper.clean_until == place.time


async def test_whose_attempt_has_another_job_or_is_over(place: Place) -> None:
    uid = place.object(attempt=2, jobId="77")
    old, twin = await place.held(uid, attempt=1), await place.held(uid, attempt=2)
    place.time += 200
    await place.sweep()
    assert not place.live() & {old, twin}


async def test_what_an_object_may_still_record_stays_and_is_asked_about_again(place: Place) -> None:
    job = await place.held(place.object(attempt=1))
    place.time += 200
    await place.sweep()
    assert place.live() == {job}
    assert place.sweeper.clean_until == START
    assert place.sweeper.due_at == place.time + 130


async def test_a_refusal_of_the_api_server_is_no_answer(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    job = await place.held("gone")

    async def refuse(_key: object) -> None:
        raise Forbidden("no")

    monkeypatch.setattr(place.kube, "get", refuse)
    place.time += 200
    await place.sweep()
    assert place.live() == {job}
    assert place.sweeper.clean_until == START


async def test_recorded_jobs_are_not_asked_about(place: Place) -> None:
    job = await place.held("gone")
    place.time += 200
    await place.sweeper.sweep(place.port, known={job})
    assert place.live() == {job}


async def test_a_sweep_that_fails_is_made_again_and_nothing_counts_as_swept(place: Place) -> None:
    place.slurm.faults = {"held_jobs": [Unavailable("away")]}
    await place.sweep()
    assert place.sweeper.clean_until is None
    assert place.sweeper.due_at == START + 130


async def test_hourly_and_after_an_unknown_outcome_at_growing_distances(place: Place) -> None:
    await place.sweep()
    assert place.sweeper.due_at == START + PERIOD_SECONDS
    place.sweeper.after_unknown_outcome()
    seen = []
    while place.time < START + 21600:
        place.time = place.sweeper.due_at
        seen.append(place.time - START)
        await place.sweep()
    assert seen == [60, 300, 1800, 5400, 9000, 12600, 16200, 19800, 21600]


@pytest.mark.parametrize(("age", "look_back"), [(0.0, 600.0), (3600.0, 4200.0), (1e7, 86400.0)])
async def test_the_first_one_looks_back_to_when_the_connection_was_made_and_a_day_at_most(
    place: Place, monkeypatch: pytest.MonkeyPatch, age: float, look_back: float
) -> None:
    """All that the user has submitted since then is read."""
    asked: list[int] = []

    async def held_jobs(*, since: int, known: object) -> tuple[object, ...]:
        asked.append(since)
        return ()

    monkeypatch.setattr(place.port, "held_jobs", held_jobs)
    place.sweeper.made_at = START - age
    await place.sweep()
    assert asked == [int(START - look_back - CLOCK_SLACK_SECONDS)]


async def test_each_sweep_goes_on_where_the_last_one_ended(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def held_jobs(*, since: int, known: object) -> tuple[()]:
        asked.append(place.time - since)
        return ()

    monkeypatch.setattr(place.port, "held_jobs", held_jobs, raising=False)
    await place.sweep()
    place.time += 3600
    await place.sweep()
    assert asked == [86700, 3900]


async def test_what_was_released_while_others_were_asked_about_stays(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await place.held("gone")
    place.time += 200
    get = place.kube.get

    async def release_meanwhile(key: object) -> object:
        await place.port.release(job, comment="somebody's own")
        return await get(key)  # type: ignore[arg-type]  # whatever is asked

    monkeypatch.setattr(place.kube, "get", release_meanwhile)
    await place.sweep()
    assert place.live() == {job}
    assert place.swept() == 0
