"""The world of the model: an API server, a Slurm, two operators that know nothing of each other, one clock.

Nothing here waits: the fakes answer at once, so a pass of an operator runs to its end without an event loop. What
happens *during* a pass is played by its witness, who is told of each effect: it kills the process there, or lets the
other operator run meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from slurmjob_operator.core.learning import outdated
from slurmjob_operator.core.view import ConnectionFacts
from slurmjob_operator.engine.acting import Actor, CredentialsLost
from slurmjob_operator.engine.effects import Effect
from slurmjob_operator.engine.job_object import Gone
from slurmjob_operator.engine.ports import Outside
from slurmjob_operator.engine.registry import Registry
from slurmjob_operator.engine.sweeping import Sweeper
from slurmjob_operator.kube.errors import KubeError
from slurmjob_operator.kube.port import Kind
from slurmjob_operator.slurm.errors import OutcomeUnknown
from slurmjob_operator.slurm.request import JobRequest
from tests.fakes.kube import InMemoryKube
from tests.fakes.slurm import PLACE, InMemorySlurm, MemoryPort, Saved
from tests.model.truth import Broken, Truth

INSTALLATION = "test/slurmjob-operator"
SAVE_SECONDS = 5
"""slurmctld saves its state about so often: `kill -9` loses no more."""

Deed = Callable[[], None]


class Killed(BaseException):
    """The process ended here. No `except Exception` sees it, as none sees a SIGKILL."""


class Saboteur:
    """A witness with one plan: at this effect, before or after it, do that. slurmctld may save its state there."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.plan: tuple[Effect, bool, Deed] | None = None

    def before(self, effect: Effect) -> None:
        self._meet(effect, after=False)

    def after(self, effect: Effect) -> None:
        self._meet(effect, after=True)

    def _meet(self, effect: Effect, *, after: bool) -> None:
        self._world.save()
        if self.plan is not None and self.plan[:2] == (effect, after):
            deed, self.plan = self.plan[2], None
            deed()


class WatchedPort:
    """A Slurm port that tells the truth of what is about to be done, for which object."""

    def __init__(self, port: MemoryPort, *, process: Process, truth: Truth) -> None:
        self._port = port
        self._process = process
        self._truth = truth

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    async def submit_held(self, request: JobRequest, *, comment: str, extra: str | None = None) -> Any:
        self._truth.submitting(self._process.uid or "", self._process.number, comment)
        try:
            return await self._port.submit_held(request, comment=comment, extra=extra)
        except OutcomeUnknown:
            self._truth.unanswered(self._process.number, comment)
            raise

    async def release(
        self, job_id: int, *, comment: str, keep_held: bool = False, priority: int | None = None
    ) -> str | None:
        self._truth.releasing(self._process.uid or "", job_id, keep_held=keep_held)
        return await self._port.release(job_id, comment=comment, keep_held=keep_held, priority=priority)

    async def hold(self, job_id: int, *, comment: str) -> None:
        await self._port.hold(job_id, comment=comment)

    async def cancel(self, job_id: int) -> None:
        self._truth.cancelling(self._process.uid, job_id)
        await self._port.cancel(job_id)


class Process:
    """One operator. Its memory is lost at each restart; its view is as old as its watch."""

    def __init__(self, world: World, number: int) -> None:
        self._world = world
        self.number = number
        self.witness = Saboteur(world)
        self.uid: str | None = None
        self.restart()

    def restart(self) -> None:
        """A new process: it remembers nothing."""
        world = self._world
        self.witness.plan = None
        world.truth.restarted(self.number)
        outside = Outside(
            kube=world.kube_seen(world.kube),
            slurm=None,  # type: ignore[arg-type]  # ports are handed over directly
            installation=INSTALLATION,
            now=lambda: world.time,
            monotonic=lambda: world.time,
            witness=self.witness,
        )
        self.registry = Registry()
        self.actor = Actor(outside)
        port = WatchedPort(world.slurm.port("alice"), process=self, truth=world.truth)
        self.port = self.actor.port = world.slurm_seen(port)
        self.actor.place = PLACE
        self.sweeper = Sweeper(outside)
        self.actor.on_unknown_outcome = self.sweeper.after_unknown_outcome
        self.actor.connection = ConnectionFacts(
            user="alice",
            cluster_name="memory",
            accounting=world.slurm.has_accounting,
            accounting_lags=world.slurm.slurmdbd_lags,
        )

    def look(self, uid: str, *, lag: int = 0) -> None:
        """One pass over an object. `lag`: so many changes back is what the watch has shown."""
        bodies = self._world.truth.history[uid]
        body = bodies[max(0, len(bodies) - 1 - lag)]
        if self.uid is not None:
            return  # It is in the middle of a pass; an entry is never brought forward twice at a time.
        self.uid = uid
        self._world.truth.looked_at(uid, self.number)
        try:
            if body is None:
                self.registry.forget(uid)
            else:
                self._bring_forward(body)
        except Killed:
            self.restart()
        finally:
            self.uid = None

    def sweep(self) -> None:
        """Look for twins, as the session does."""
        known = {entry.view.recorded_id for entry in self.registry.of(("ns", "campus"))}
        finish(self.sweeper.sweep(self.port, known=known))

    def _bring_forward(self, body: dict[str, Any]) -> None:
        entry, _ = self.registry.observe(body)
        entry.facts = outdated(entry.facts)
        try:
            finish(self.actor.bring_forward(entry))
        except Gone:
            finish(self.actor.cancel_left_over(entry))
            self.registry.forget(entry.view.uid)
        except (CredentialsLost, KubeError):
            pass


class World:
    """Everything that outlives an operator, and two of them. Guards are taken away by `kube_seen` and
    `slurm_seen`, which may put something between an operator and its ports."""

    def __init__(
        self,
        *,
        kube_seen: Callable[[Any], Any] = lambda port: port,
        slurm_seen: Callable[[Any], Any] = lambda port: port,
        watched: tuple[type[Broken], ...] = (Broken,),
    ) -> None:
        self.kube_seen = kube_seen
        self.slurm_seen = slurm_seen
        self.time = 1_800_000_000.0
        self.slurm = InMemorySlurm(now=lambda: self.time)
        self.kube = InMemoryKube(now=lambda: self.time)
        self.truth = Truth(slurm=self.slurm, kube=self.kube, watched=watched)
        self.saves: list[tuple[float, Saved]] = [(self.time, self.slurm.save())]
        self.processes = (Process(self, 0), Process(self, 1))

    def give(self, *, accounting: bool, lags: bool = False) -> None:
        """A Slurm with slurmdbd, which may hear of a start late, or without."""
        self.slurm.has_accounting, self.slurm.slurmdbd_lags = accounting, lags
        for process in self.processes:
            process.restart()

    def job(self, name: str, spec: dict[str, Any]) -> str:
        """A new SlurmJob; its uid."""
        created = self.kube.create(Kind.SLURM_JOB, namespace="ns", name=name, spec=spec)
        uid: str = created["metadata"]["uid"]
        return uid

    def passes(self, seconds: float) -> None:
        """Time passes, and what was late arrives."""
        self.time += seconds
        self.slurm.arrive()

    def save(self) -> None:
        """Any state of the last seconds may be what slurmctld has saved last."""
        newest = (self.time, self.slurm.save())
        recent = [(at, saved) for at, saved in self.saves if at >= self.time - SAVE_SECONDS]
        if recent and recent[-1][1] == newest[1]:
            recent.pop()
        self.saves = [*recent, newest]

    def kill_slurmctld(self, back: int) -> None:
        """`kill -9`; it comes back with one of its newest states, and so does nothing newer ever."""
        at = max(0, len(self.saves) - 1 - back)
        self.slurm.come_back(self.saves[at][1])
        self.time += 1
        self.saves = [(self.time, self.slurm.save())]

    def stranger(self, user: str, *, started: bool) -> None:
        """Somebody else submits a job, which takes the next id."""
        request = JobRequest(script="#!/bin/sh\n", name="theirs", chdir="/tmp")  # noqa: S108 - a job's, not ours
        job_id = self.slurm.submit(user, request, comment="", held=False)
        if started:
            self.slurm.start(job_id)

    def change(self, job_id: int, **fields: Any) -> None:
        """An administrator's `scontrol update`."""
        self.slurm.put(replace(self.slurm.jobs[job_id], **fields))

    def heal(self) -> None:
        """Everything is up, and nobody plans anything."""
        self.slurm.faults.clear()
        self.kube.faults.clear()
        self.kube.read_faults.clear()
        self.slurm.slurmctld_up = True
        self.slurm.hear()
        for process in self.processes:
            process.witness.plan = None


def finish(work: Coroutine[Any, Any, Any]) -> None:
    """Run to the end without an event loop: nothing in this world ever has to wait."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("something waited for an event loop")
