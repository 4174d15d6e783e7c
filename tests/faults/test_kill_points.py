"""kill -9 of the operator before and after each external effect of the protocol: one execution, a known end.

One chain: each operator dies at its point while it does the work of all those before it, and the last one lives.
Not here is `note-release`, an effect where Slurm has no slurmdbd: unit tests have it.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final

import pytest

from slurmjob_operator.engine.effects import Effect
from tests.faults.conftest import Close
from tests.faults.stage import Stage
from tests.faults.verdict import Floor
from tests.real.cluster import Tenant

EFFECTS: Final = tuple(effect for effect in Effect if effect is not Effect.NOTE_RELEASE)
POINTS: Final = (
    *((f"{when} {effect}", 1) for effect in EFFECTS for when in ("before", "after")),
    ("after submit", 2),
    ("before record", 3),
    ("after release", 2),
)
"""Where, and at which time that it is reached in one life."""

WAITING: Final = ("waits-before", "waits-after")
"""Jobs in the queue, to be suspended."""

VICTIMS: Final = ("victim-0", "victim-1")
"""Deleted while they run, one for each point around a cancellation."""


MAY_BE_LATER: Final = frozenset(
    {Effect.ADD_FINALIZER, Effect.OPEN_ATTEMPT, Effect.SUBMIT, Effect.RECORD, Effect.RELEASE, Effect.CLOSE_ATTEMPT}
)
"""Reached at least twice in each life."""


def points(seed: int) -> tuple[tuple[str, int], ...]:
    """All of them; 0 in the protocol's order, else in another one and at another time."""
    if seed == 0:
        return POINTS
    chance = random.Random(seed)  # noqa: S311 - no secret
    found = [(point, _later(point, chance)) for point, _ in POINTS]
    chance.shuffle(found)
    return tuple(found)


def _later(point: str, chance: random.Random) -> int:
    return chance.randint(1, 2) if Effect(point.partition(" ")[2]) in MAY_BE_LATER else 1


@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2))])
def test_killed_at_every_point(stage: Stage, close: Close, tmp_path: Path, seed: int) -> None:
    tenant = stage.tenant("kill-points")
    tenant.jobs(dict.fromkeys(VICTIMS, "sleep 600"))
    tenant.jobs(dict.fromkeys(WAITING, "true"), begin="now+1hour")
    stage.start()
    for victim in VICTIMS:
        tenant.wait_state(victim, "Running")
    for waiting in WAITING:
        tenant.wait_state(waiting, "Pending")
    stage.kill()
    for number, (point, count) in enumerate(points(seed)):
        _prepare(tenant, number, point)
        log = tmp_path / f"{number}"
        stage.start(ready=False, KILL_AT=point, KILL_AT_COUNT=str(count), KILL_LOG=str(log))
        stage.wait_dead()
        assert log.read_text().splitlines()[-1] == point
    stage.start()
    for waiting in WAITING:
        tenant.wait_state(waiting, "Suspended")
    tenant.delete(*WAITING)
    tenant.wait_gone(*WAITING)
    evidence = stage.wait_ended()
    assert len(evidence.objects) == 3 * len(POINTS)
    assert all([ended.state for ended in seen.ended] == ["COMPLETED"] for seen in evidence.objects)
    close(stage.settled(kills=1 + len(POINTS)), Floor(kills=20, executions=50))


def _prepare(tenant: Tenant, number: int, point: str) -> None:
    """New work for the next life: two jobs that are over at its first look, and one that is seen running."""
    tenant.jobs({f"j{number}-0": "sleep 1", f"j{number}-1": "sleep 1", f"j{number}-2": "sleep 6"})
    if point.endswith(f" {Effect.CANCEL}"):
        tenant.kubectl("delete", "slurmjob", VICTIMS[point.startswith("after")], "--wait=false")
    if point.endswith(f" {Effect.HOLD}"):
        name = WAITING[point.startswith("after")]
        tenant.kubectl("patch", "slurmjob", name, "--type=merge", '-p={"spec":{"suspend":true}}')
