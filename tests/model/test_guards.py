"""Each guard is taken away, and the machine finds the hole that it leaves."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.guards import GUARDS, Guard
from tests.model.machine import Machine
from tests.model.world import World

SEARCH = settings(
    max_examples=1000,
    stateful_step_count=12,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate,),
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_without(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    guard.remove(monkeypatch)

    others = {rule.function.__name__ for rule in Machine.setup_state().rules} - set(guard.rules)
    assert len(others) + len(guard.rules) == len(Machine.setup_state().rules), "a rule of that name there is none"

    class Unguarded(Machine):
        def new_world(self) -> World:
            return World(kube_seen=guard.kube, slurm_seen=guard.slurm, watched=guard.holes)

    for name in others:
        setattr(Unguarded, name, None)
    with pytest.raises(guard.holes):
        run_state_machine_as_test(Unguarded, settings=SEARCH)
