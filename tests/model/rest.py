"""Rest: once everything is up and time has passed, each object has ended, waits with a reason, or is gone."""

from __future__ import annotations

from typing import Any

from tests.model.truth import LeftHeld, NeedlessWrite, NotSettled, Truth, is_true
from tests.model.world import World

ROUNDS = (1, 16, 16, 31, 31, 61, 61, 301, 301, 301, 301, 400, 31, 31)
"""Seconds between two passes: late submissions arrive, lost jobs are lost for good, attempts are tried again."""

WAITING_STATES = frozenset({"Held", "Rejected", "Unknown"})
"""States that an object may stay in for ever: a person has to do something, and is told so."""


def come_to_rest(world: World, uids: tuple[str, ...]) -> None:
    """Heal the world, let everything run to its end, and look."""
    world.heal()
    for seconds in ROUNDS:
        world.passes(seconds)
        _look(world, uids)
        for job_id in tuple(world.slurm.jobs):
            world.slurm.start(job_id)
        world.passes(11)
        _look(world, uids)
        for job_id in tuple(world.slurm.jobs):
            world.slurm.end(job_id)
        world.truth.check()
    _nothing_more_is_written(world, uids)
    _sweep(world)
    world.truth.check()
    for uid in uids:
        body = world.kube.objects.get(uid)
        if body is not None:
            _check_settled(world.truth, body)


def _look(world: World, uids: tuple[str, ...]) -> None:
    for uid in uids:
        if uid in world.kube.objects:
            world.processes[0].look(uid)


def _nothing_more_is_written(world: World, uids: tuple[str, ...]) -> None:
    before = world.kube.writes
    for _ in range(3):
        world.passes(10)
        _look(world, uids)
    if world.kube.writes != before:
        world.truth.tell(NeedlessWrite, f"{world.kube.writes - before} writes in three quiet passes")


def _check_settled(truth: Truth, body: dict[str, Any]) -> None:
    status = body["status"]
    if "deletionTimestamp" in body["metadata"]:
        truth.tell(NotSettled, f"deleted, and never let go: {status}")
        return
    if is_true(status, "Finished"):
        return
    state = status.get("state")
    said = is_true(status, "Stalled") or is_true(status, "Reconciling")
    if state not in WAITING_STATES or not said:
        truth.tell(NotSettled, f"neither ends nor says why: {status}")
    if state == "Unknown" and body["spec"].get("unknownOutcomePolicy") != "Ask":
        truth.tell(NotSettled, f"the policy was not asked: {status}")


def _sweep(world: World) -> None:
    """Hourly, and again soon where something was not known."""
    for _ in range(2):
        world.processes[0].sweep()
        world.passes(3700)
    left = world.truth.left_held()
    if left:
        world.truth.tell(LeftHeld, f"{left}")
