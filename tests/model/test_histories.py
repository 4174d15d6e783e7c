"""Holes that the model found, or that were thought of beside it: each as its shortest history."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from slurmjob_operator.api.names import RESOLVE_ANNOTATION
from slurmjob_operator.core import recorded
from slurmjob_operator.core.decision import Decision, Release
from slurmjob_operator.core.recorded import RELEASE_AGAIN_SECONDS
from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.core.view import Facts, JobView
from slurmjob_operator.engine import acting
from slurmjob_operator.kube import errors as kube_errors
from slurmjob_operator.slurm import errors as slurm_errors
from tests.fakes.slurm import Saved
from tests.model.machine import template
from tests.model.truth import ReleasedAgain, StrangerTouched
from tests.model.world import World


def world_with_a_job() -> tuple[World, str]:
    world = World()
    uid = world.job("job", {"connectionRef": {"name": "campus"}, "template": template(0)})
    world.save()
    return world, uid


def saved(world: World, right: Callable[[dict[int, JobRecord]], bool]) -> Saved:
    """The newest saved state that is so."""
    return next(save for _, save in reversed(world.saves) if right(dict(save.jobs)))


def come_back(world: World, save: Saved) -> None:
    """slurmctld is killed and comes back with this state."""
    world.saves = [(world.time, save)]
    world.kill_slurmctld(0)


def condition(world: World, uid: str, kind: str) -> str:
    conditions = world.kube.objects[uid]["status"]["conditions"]
    return next((str(found["reason"]) for found in conditions if found["type"] == kind), "")


def lost_before_it_was_recorded() -> World:
    """And its id is given to a stranger's job; then the object is deleted."""
    world, uid = world_with_a_job()
    world.kube.faults = [None, None, kube_errors.Unavailable("away")]  # type: ignore[list-item]  # None: no fault
    world.processes[0].look(uid)
    come_back(world, saved(world, lambda jobs: not jobs))
    world.stranger("alice", started=True)
    world.kube.delete(uid)
    world.processes[0].look(uid)
    return world


def test_a_submission_that_could_not_be_recorded_is_read_before_it_is_cancelled() -> None:
    assert lost_before_it_was_recorded().slurm.jobs[1].states == {"RUNNING"}


def test_unread_a_strangers_job_would_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acting, "is_of_this_object", lambda _view, _record: True)
    with pytest.raises(StrangerTouched):
        lost_before_it_was_recorded()


def test_a_word_about_a_job_that_is_lost_meanwhile_cancels_no_stranger() -> None:
    world, uid = world_with_a_job()
    world.processes[0].look(uid)
    nothing = saved(world, lambda jobs: not jobs)
    world.slurm.start(1)
    come_back(world, saved(world, lambda jobs: 1 in jobs and jobs[1].held))
    world.passes(RELEASE_AGAIN_SECONDS)
    world.processes[0].look(uid)
    assert condition(world, uid, "Stalled") == "StateRolledBack"
    come_back(world, nothing)
    world.stranger("alice", started=True)
    world.kube.annotate(uid, RESOLVE_ANNOTATION, "1/failed")
    world.processes[0].look(uid)
    assert world.slurm.jobs[1].states == {"RUNNING"}


def test_who_recorded_it_a_while_ago_does_not_release_it_unasked() -> None:
    """Another operator has released it, it has begun, and slurmctld has lost that."""
    world, uid = world_with_a_job()
    first, second = world.processes
    world.slurm.faults["job"] = [slurm_errors.Unavailable("away")]
    first.look(uid)
    held = world.slurm.save()
    second.look(uid)
    world.slurm.start(1)
    come_back(world, held)
    world.passes(3)
    first.look(uid)
    assert world.slurm.releases == [1]
    assert condition(world, uid, "Stalled") == "StateRolledBack"


def begun_and_rolled_back_before_slurmdbd_heard_of_it() -> tuple[World, str]:
    """As on 22.05, whose slurmdbd hears of a start seconds later."""
    world, uid = world_whose_slurmdbd_lags()
    world.slurm.faults["release"] = [slurm_errors.Unavailable("away")]
    first = world.processes[0]
    first.look(uid)
    held = world.slurm.save()
    world.passes(5)
    first.look(uid)
    assert world.slurm.start(1)
    come_back(world, held)
    world.passes(RELEASE_AGAIN_SECONDS)
    first.look(uid)
    return world, uid


def world_whose_slurmdbd_lags() -> tuple[World, str]:
    world = World()
    world.give(accounting=True, lags=True)
    uid = world.job("job", {"connectionRef": {"name": "campus"}, "template": template(0)})
    world.passes(10)
    world.save()
    return world, uid


def test_a_lagging_slurmdbd_that_says_it_waits_is_not_believed() -> None:
    world, uid = begun_and_rolled_back_before_slurmdbd_heard_of_it()
    assert world.slurm.releases == [1]
    assert condition(world, uid, "Stalled") == "StateRolledBack"


def test_believed_it_would_let_the_job_run_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def believed(view: JobView, _facts: Facts, _now: float) -> Decision:
        return Decision(status=view.status, action=Release(view.recorded_id))

    monkeypatch.setattr(recorded, "_held_by_uptime", believed)
    with pytest.raises(ReleasedAgain):
        begun_and_rolled_back_before_slurmdbd_heard_of_it()


def test_with_a_lagging_slurmdbd_too_a_restarted_operator_releases_what_nobody_has_released() -> None:
    world, uid = world_whose_slurmdbd_lags()
    first, second = world.processes
    world.slurm.faults["job"] = [slurm_errors.Unavailable("away")]
    first.look(uid)
    first.restart()
    world.passes(5)
    second.look(uid)
    assert world.slurm.releases == [1]
    assert not world.slurm.jobs[1].held
