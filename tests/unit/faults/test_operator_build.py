"""The test build dies where it is told to and nowhere else, and each guard that it takes away is one."""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from slurmjob_operator.engine.acting import Actor
from slurmjob_operator.engine.effects import Effect, Nobody
from slurmjob_operator.engine.ports import Outside
from slurmjob_operator.kube.errors import Conflict
from slurmjob_operator.kube.port import Kind, ObjectKey
from slurmjob_operator.slurm import dialects
from slurmjob_operator.slurm.dialects import DIALECTS
from slurmjob_operator.slurm.request import JobRequest
from tests.faults import operator_build
from tests.faults.operator_build import (
    GUARDS,
    WAITS,
    BadOrder,
    Death,
    DyingWitness,
    guards_off,
    parse_death,
    preparation,
    witness_of,
)
from tests.openapi.sent import sent
from tests.unit.engine.world import INSTALLATION, World

ROOT = Path(__file__).resolve().parents[3]
REQUEST = JobRequest(script="#!/bin/sh\n", name="wing", chdir="/")


class Died(BaseException):
    """In place of SIGKILL."""


def die() -> None:
    raise Died


def outside(world: World) -> Outside:
    return Outside(
        kube=world.kube,
        slurm=None,  # type: ignore[arg-type]  # ports are handed over directly
        installation=INSTALLATION,
        now=lambda: world.time,
        monotonic=lambda: world.time,
    )


def prepare(world: World, made: Outside) -> None:
    """The world's operator, as the test build makes it."""
    world.actor, old = Actor(made), world.actor
    world.actor.port, world.actor.connection, world.actor.place = old.port, old.connection, old.place


# --- Dying ----------------------------------------------------------------------------------------------------


def test_it_dies_at_the_point_and_not_again_after_a_restart(tmp_path: Path) -> None:
    log = tmp_path / "points"
    death = parse_death("after submit", "2")
    assert death == Death(when="after", effect=Effect.SUBMIT, count=2)
    first = DyingWitness(log, death, die=die)
    first.before(Effect.SUBMIT)
    first.after(Effect.SUBMIT)
    first.after(Effect.RECORD)
    with pytest.raises(Died):
        first.after(Effect.SUBMIT)
    again = DyingWitness(log, death, die=die)
    again.after(Effect.SUBMIT)
    assert log.read_text().split("\n")[:-1] == [
        "before submit",
        "after submit",
        "after record",
        "after submit",
        "after submit",
    ]


def test_without_a_death_it_only_takes_note(tmp_path: Path) -> None:
    witness = witness_of({"KILL_LOG": str(tmp_path / "points")})
    witness.before(Effect.CANCEL)
    assert (tmp_path / "points").read_text() == "before cancel\n"
    assert isinstance(witness_of({}), Nobody)


def test_the_kill_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    operator_build.kill_this_process()
    assert sent == [(os.getpid(), signal.SIGKILL)]


@pytest.mark.parametrize(
    "environment",
    [
        {"KILL_AT": "before submit"},
        {"KILL_AT": "during submit", "KILL_LOG": "x"},
        {"KILL_AT": "before lunch", "KILL_LOG": "x"},
        {"KILL_AT": "before", "KILL_LOG": "x"},
        {"KILL_AT": "before submit", "KILL_AT_COUNT": "0", "KILL_LOG": "x"},
        {"KILL_AT": "before submit", "KILL_AT_COUNT": "one", "KILL_LOG": "x"},
        {"GUARD_OFF": "held,nonsense"},
        {"SHORTENED": "patience:3"},
        {"SHORTENED": "lost"},
    ],
)
def test_what_does_not_exist_is_an_error(environment: dict[str, str]) -> None:
    with pytest.raises(BadOrder):
        preparation(environment)


def test_the_program_refuses_a_bad_order() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.operator_build", "run"],
        cwd=ROOT,
        env={**os.environ, "GUARD_OFF": "nonsense"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "operator_build: GUARD_OFF=nonsense is none of: held, search, precondition\n"


@pytest.mark.parametrize("point", ["before submit", "after submit", "before record", "after record", "after release"])
def test_every_point_of_a_life_is_reached(point: str, tmp_path: Path) -> None:
    world = World()
    uid = world.job()
    made = preparation({"KILL_AT": point, "KILL_LOG": str(tmp_path / "points")})(outside(world))
    witness: Any = made.witness
    witness._die = die
    prepare(world, made)
    with pytest.raises(Died):
        world.reconcile(uid)
    assert (tmp_path / "points").read_text().endswith(f"{point}\n")
    world.restart()
    world.settle(uid)
    assert sum(world.executions().values()) == 1


# --- Waiting less long ----------------------------------------------------------------------------------------


def test_every_wait_can_be_shortened_and_none_lengthened() -> None:
    orders = ",".join(f"{name}:2" for name in WAITS)
    places = [(importlib.import_module(f"slurmjob_operator.{m}"), a) for where in WAITS.values() for m, a in where]
    before = [getattr(module, name) for module, name in places]
    try:
        preparation({"SHORTENED": orders})
        after = [getattr(module, name) for module, name in places]
        assert [it[0] if isinstance(it, tuple) else it for it in after] == [2] * len(places)
        with pytest.raises(BadOrder, match="does not shorten"):
            preparation({"SHORTENED": orders})
    finally:
        for (module, name), value in zip(places, before, strict=True):
            setattr(module, name, value)


# --- Guards ---------------------------------------------------------------------------------------------------


def test_names_of_guards() -> None:
    assert guards_off("") == ()
    assert guards_off("held, search") == ("held", "search")
    assert set(GUARDS) == {"held", "search", "precondition"}


def _held(version: str) -> bool:
    """What the client itself sends."""
    (request,) = sent(version, lambda port: port.submit_held(REQUEST, comment="c"))
    held: bool = request.body["job"]["hold"]
    return held


def test_without_held_a_submission_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    for version, dialect in DIALECTS.items():
        monkeypatch.setitem(vars(dialects)["DIALECTS"], version, dialect)  # put back when the test ends
    assert all(_held(version) for version in DIALECTS)
    made = outside(World())
    assert operator_build.submit_unheld(made) is made
    assert not any(_held(version) for version in DIALECTS)


@pytest.mark.parametrize(("off", "jobs"), [("", 1), ("search", 2)])
def test_without_search_a_restart_submits_again(off: str, jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(vars(operator_build.decide), "UNRECORDED", vars(operator_build.decide)["UNRECORDED"])
    preparation({"GUARD_OFF": off})(outside(World()))
    world = World()
    uid = world.job()
    world.port.calls_left, world.port.after = 1, True  # killed when the job is there and the answer is not
    world.reconcile(uid)
    world.reconcile(uid)
    assert len(world.slurm.jobs) == jobs


def test_without_precondition_the_last_writer_wins() -> None:
    world = World()
    uid = world.job()
    key = ObjectKey(kind=Kind.SLURM_JOB, namespace="ns", name="job", uid=uid)
    port = preparation({"GUARD_OFF": "precondition"})(outside(world)).kube
    old = {"metadata": world.kube.objects[uid]["metadata"]["resourceVersion"]}
    world.kube.touch(uid)
    with pytest.raises(Conflict):
        asyncio.run(world.kube.write_status(key, old={}, new={"jobId": "1"}, resource_version=old["metadata"]))
    world.kube.faults = [Conflict("somebody came between")]
    asyncio.run(port.write_status(key, old={}, new={"jobId": "2"}, resource_version=old["metadata"]))
    assert world.status(uid)["jobId"] == "2"


@pytest.mark.parametrize("guard", ["held", "search"])
def test_a_guard_that_has_moved_is_an_error(guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(vars(operator_build.decide), "UNRECORDED", ())
    monkeypatch.setitem(vars(dialects), "DIALECTS", {})
    with pytest.raises(BadOrder, match=f"GUARD_OFF={guard} has to be taught where"):
        GUARDS[guard](outside(World()))


def test_nothing_that_ships_knows_of_it() -> None:
    words = ("KILL_AT", "KILL_LOG", "GUARD_OFF", "SHORTENED", "operator_build", "tests.faults")
    shipped = [path for path in (ROOT / "operator").rglob("*.py") for word in words if word in path.read_text()]
    assert shipped == []
