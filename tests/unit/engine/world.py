"""A small world for histories: an API server, a Slurm, one operator that can be killed, a clock of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Coroutine
from typing import Any

from slurmjob_operator.core.learning import outdated
from slurmjob_operator.core.view import ConnectionFacts
from slurmjob_operator.engine.acting import Actor, CredentialsLost
from slurmjob_operator.engine.job_object import Gone
from slurmjob_operator.engine.ports import Outside
from slurmjob_operator.engine.registry import Registry
from slurmjob_operator.kube.errors import KubeError
from slurmjob_operator.kube.port import Kind
from tests.fakes.kube import InMemoryKube
from tests.fakes.slurm import PLACE, InMemorySlurm

INSTALLATION = "test/slurmjob-operator"


class Killed(Exception):
    """The process ended here."""


def finish(work: Coroutine[Any, Any, Any]) -> None:
    """Run to the end without an event loop: nothing in this world ever has to wait."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("something waited for an event loop")


class KillingPort:
    """A Slurm port that kills the process after so many calls, before or after the effect of the last one."""

    def __init__(self, port: Any) -> None:
        self._port = port
        self.calls_left: int | None = None
        self.after = False
        self.user = port.user

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        async def call(*arguments: Any, **keywords: Any) -> Any:
            if self.calls_left is None:
                return await method(*arguments, **keywords)
            self.calls_left -= 1
            if self.calls_left > 0:
                return await method(*arguments, **keywords)
            if self.after:
                await method(*arguments, **keywords)
            self.calls_left = None
            raise Killed

        return call


class World:
    """Everything that outlives the operator, and the operator."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0
        self.slurm = InMemorySlurm(now=lambda: self.time)
        self.kube = InMemoryKube(now=lambda: self.time)
        self.restart()

    def restart(self) -> None:
        """A new process: it remembers nothing."""
        outside = Outside(
            kube=self.kube,
            slurm=None,  # type: ignore[arg-type]  # ports are handed over directly
            installation=INSTALLATION,
            now=lambda: self.time,
            monotonic=lambda: self.time,
        )
        self.metrics = outside.metrics
        self.registry = Registry()
        self.actor = Actor(outside)
        self.port = KillingPort(self.slurm.port("alice"))
        self.actor.place = PLACE
        self.actor.port = self.port  # type: ignore[assignment]  # a proxy of a port
        self.actor.connection = ConnectionFacts(user="alice", cluster_name="memory")

    def job(self, name: str = "job", **template: Any) -> str:
        """A new SlurmJob; its uid."""
        spec = {
            "connectionRef": {"name": "campus"},
            "template": {"script": "#!/bin/sh\ntrue\n", "chdir": "/home/alice", **template},
        }
        uid: str = self.kube.create(Kind.SLURM_JOB, namespace="ns", name=name, spec=spec)["metadata"]["uid"]
        return uid

    def reconcile(self, uid: str, *, fresh: bool = True) -> None:
        """One pass over the object as a watch would trigger it. `fresh`: what Slurm said is asked again."""
        body = self.kube.body(uid)
        if body is None:
            self.registry.forget(uid)
            return
        entry, _ = self.registry.observe(body)
        if fresh:
            entry.facts = outdated(entry.facts)
        try:
            finish(self.actor.bring_forward(entry))
        except Gone:
            finish(self.actor.cancel_left_over(entry))
            self.registry.forget(uid)
        except (CredentialsLost, KubeError):
            pass
        except Killed:
            self.restart()

    def status(self, uid: str) -> dict[str, Any]:
        body = self.kube.body(uid)
        assert body is not None
        status: dict[str, Any] = body["status"]
        return status

    def condition(self, uid: str, kind: str) -> dict[str, Any]:
        return next((c for c in self.status(uid).get("conditions", []) if c["type"] == kind), {})

    def settle(self, uid: str, rounds: int = 12) -> None:
        """Let time pass and everything come to its end: jobs run, the operator looks again and again."""
        for _ in range(rounds):
            self.time += 31
            self.reconcile(uid)
            for job_id in tuple(self.slurm.jobs):
                self.slurm.start(job_id)
            self.reconcile(uid)
            for job_id in tuple(self.slurm.jobs):
                self.slurm.end(job_id)

    def executions(self) -> Counter[int]:
        return +self.slurm.executions
