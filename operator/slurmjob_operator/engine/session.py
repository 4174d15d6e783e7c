"""One loop per connection: connect, bring its SlurmJobs forward, look at the states of the live ones.

The loop sleeps until something is due or somebody wakes it; nothing here is driven by the number of jobs
that others have in Slurm's queue.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from slurmjob_operator.core.learning import outdated
from slurmjob_operator.core.times import epoch_of, rfc3339
from slurmjob_operator.engine.acting import Actor, CredentialsLost, retry_delay
from slurmjob_operator.engine.array_polls import arrays_to_ask, read_changed, running_ids
from slurmjob_operator.engine.cluster_facts import Onlooker
from slurmjob_operator.engine.connecting import RETRY_SECONDS, Connected
from slurmjob_operator.engine.connection_object import ConnectionObject
from slurmjob_operator.engine.job_object import Gone, context
from slurmjob_operator.engine.link import Link
from slurmjob_operator.engine.ports import Outside
from slurmjob_operator.engine.registry import ConnectionKey, Entry, Registry
from slurmjob_operator.engine.rereading import differing, due_rereads, plan_reread
from slurmjob_operator.engine.sweeping import Sweeper
from slurmjob_operator.kube import errors as kube_errors
from slurmjob_operator.slurm import errors as slurm_errors
from slurmjob_operator.slurm.port import SlurmPort

AT_ONCE = 8
"""SlurmJobs of one connection that are brought forward side by side."""

LONGEST_SLEEP_SECONDS = 30.0
UNSEEN_SECONDS = 5.0
"""After a start the watches of jobs and connections come in any order: one that has not been shown may exist."""

SHORTEST_RECHECK_SECONDS = 1.0
"""Whatever a decision says: a time that has passed already, as of a connection that is being tried, is no hot loop."""

logger = logging.getLogger(__name__)


class Session:
    """The loop of one connection, and of the SlurmJobs that name it even while it does not exist."""

    def __init__(self, key: ConnectionKey, *, outside: Outside, registry: Registry) -> None:
        self.key = key
        self._outside = outside
        self._registry = registry
        self._actor = Actor(outside)
        self._sweeper = self._new_sweeper()
        self._object = ConnectionObject(key, outside)
        self._onlooker = Onlooker(self._object, outside=outside, registry=registry)
        self._edits_seen = 0
        self._poll_at = 0.0
        self._sweeping = self._asking = False
        self._unseen_until = outside.monotonic() + UNSEEN_SECONDS
        self._wake = asyncio.Event()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self.moved_at = outside.monotonic()
        self._link = Link(
            told=self._object,
            outside=outside,
            registry=registry,
            actor=self._actor,
            also=lambda status: self._onlooker.dated(status),
            all_due=self._all_due,
            wake=self.wake,
        )

    # --- What others tell it ------------------------------------------------------------------------------

    def wake(self) -> None:
        """Something is due now."""
        self._wake.set()

    def observe_connection(self, body: Mapping[str, Any]) -> None:
        """Take the connection in as a watch shows it. An edit, or another object of that name: connect anew."""
        self._object.observe(body)
        self.wake()

    def forget_connection(self) -> None:
        """The connection is gone."""
        self._object.forget()
        self._link.forget()

    @property
    def ready(self) -> bool | None:
        """Whether the connection can be used now; None: there is no such object."""
        return None if self._object.body is None else self._link.connected is not None

    @property
    def idle(self) -> bool:
        """Whether nothing is left to do here."""
        return self._object.body is None and not self._tasks and next(self._registry.of(self.key), None) is None

    # --- The loop -----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled. A defect in one pass is logged and does not end the loop."""
        try:
            while True:
                self._wake.clear()
                try:
                    await self._pass()
                except Exception:
                    logger.exception("a pass of connection %s/%s failed", *self.key)
                if not self._asking:
                    self.moved_at = self._outside.monotonic()
                await self._sleep()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _pass(self) -> None:
        await self._object.hold(needed=any(entry.view.has_finalizer for entry in self._registry.of(self.key)))
        self._take_edits()
        if self._object.body is None and self._outside.monotonic() >= self._unseen_until:
            self._link.outcome_known = True
        if not self._asking and min(self._asking_times(), default=math.inf) <= self._outside.monotonic():
            self._asking = True
            self._start(self._ask(), name=f"connection {self.key}")
        if self._link.outcome_known:
            self._start_due()
        connected = self._link.connected
        if connected is not None and not self._sweeping and self._outside.monotonic() >= self._sweeper.due_at:
            self._sweeping = True
            self._start(self._sweep(connected), name=f"sweep {self.key}")
        if connected is not None and not self._asking and self._onlooker.is_due():
            self._start(self._look(self._onlooker, connected), name=f"look {self.key}")

    def _asking_times(self) -> list[float]:
        """When to connect, and when to poll."""
        times = [] if self._object.body is None else [self._link.connect_at]
        return times if self._link.connected is None else [*times, self._poll_at]

    async def _ask(self) -> None:
        """Connect and poll, beside the jobs: what needs no Slurm does not wait for one that is away."""
        try:
            body, made = self._object.body, None
            if body is not None and (self._outside.monotonic() >= self._link.connect_at or await self._renewed(body)):
                made = await self._link.connect(body)
                if made is not None:
                    self._poll_at = 0.0
            if self._link.connected is not None and self._outside.monotonic() >= self._poll_at:
                await self._poll(self._link.connected)
            if made is not None and body is not None and self._link.connected is made:
                await self._link.tell_ready(made, body)
        except Exception:
            logger.exception("connection %s/%s", *self.key)
        finally:
            self._asking = False
            self.wake()

    async def _renewed(self, body: Mapping[str, Any]) -> bool:
        """Whether a poll is due, and other credentials are to be used for it."""
        return self._outside.monotonic() >= self._poll_at and await self._link.renewed(body)

    def _take_edits(self) -> None:
        """An edit, or another object of that name: connect anew; jobs wait for what comes of it."""
        if self._edits_seen != self._object.edits:
            self._edits_seen = self._object.edits
            self._sweeper = self._new_sweeper()
            self._onlooker = Onlooker(self._object, outside=self._outside, registry=self._registry)
            self._link.begin_anew()

    async def _sleep(self) -> None:
        if self._edits_seen != self._object.edits:
            return  # Seen in a pass, by an answer to a write of ours: no watch event tells of it again.
        now = self._outside.monotonic()
        times = [now + LONGEST_SLEEP_SECONDS]
        if not self._link.outcome_known:
            times.append(max(now, self._unseen_until) if self._object.body is None else now + LONGEST_SLEEP_SECONDS)
        else:
            times += [it.due for it in self._registry.of(self.key) if it.due is not None and not it.running]
        if self._link.connected is not None and not self._sweeping:
            times.append(self._sweeper.due_at)
        if not self._asking:
            times += self._asking_times()
            times += [] if self._link.connected is None else [self._onlooker.due_at]
        try:
            async with asyncio.timeout(max(0.0, min(times) - now)):
                await self._wake.wait()
        except TimeoutError:
            pass

    # --- The jobs -----------------------------------------------------------------------------------------

    def _all_due(self) -> None:
        for entry in self._registry.of(self.key):
            entry.due = 0.0
        self.wake()

    def _start_due(self) -> None:
        now = self._outside.monotonic()
        for entry in self._registry.of(self.key):
            if entry.due is not None and entry.due <= now and not entry.running:
                entry.running = True
                entry.due = None
                entry.facts = outdated(entry.facts)
                self._start(self._bring_forward(entry), name=f"slurmjob {entry.view.uid}")

    def _start(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _new_sweeper(self) -> Sweeper:
        """For one cluster and user: what another one had swept counts no more."""
        sweeper = Sweeper(self._outside)
        self._actor.on_unknown_outcome = sweeper.after_unknown_outcome
        return sweeper

    async def _sweep(self, connected: Connected) -> None:
        """Beside everything else: a sweep may ask for many jobs, one after another."""
        sweeper, status = self._sweeper, self._object.status
        if sweeper.clean_until is None and status.last_sweep_time is not None:
            sweeper.clean_until = epoch_of(status.last_sweep_time)
        if self._object.body is not None:
            sweeper.made_at = epoch_of(self._object.body["metadata"]["creationTimestamp"])
        known = {entry.view.recorded_id for entry in self._registry.of(self.key)}
        try:
            await sweeper.sweep(connected.port, known=known)
            if sweeper.clean_until is not None and sweeper is self._sweeper:
                await self._object.tell(partial(replace, last_sweep_time=rfc3339(sweeper.clean_until)))
        except Exception:
            logger.exception("a sweep of connection %s/%s failed", *self.key)
        finally:
            self._sweeping = False
            self._link.find_out_anew()
            self.wake()

    async def _look(self, onlooker: Onlooker, connected: Connected) -> None:
        """Beside everything else: what people see of the cluster is nothing that jobs wait for."""
        try:
            await onlooker.look(connected.port, is_current=lambda: self._link.connected is connected)
        except Exception:
            logger.exception("a look of connection %s/%s at its cluster failed", *self.key)
        finally:
            self._link.find_out_anew()
            self.wake()

    async def _bring_forward(self, entry: Entry) -> None:
        try:
            async with self._slots:
                recheck = await self._actor.bring_forward(entry)
            if recheck is not None and entry.due is None:
                problem = self._actor.connection.problem
                shortest = SHORTEST_RECHECK_SECONDS if problem is None else RETRY_SECONDS
                entry.due = self._outside.monotonic() + max(shortest, recheck - self._outside.now())
            plan_reread(entry, now=self._outside.monotonic(), shortest=self._link.poll_seconds)
        except Gone:
            await self._actor.cancel_left_over(entry)
            self._registry.forget(entry.view.uid)
        except CredentialsLost:
            self._link.lose_credentials()
        except kube_errors.KubeError as error:
            entry.failures += 1
            logger.warning("Kubernetes: %s; trying again", error, extra=context(entry.view))
            entry.due = self._outside.monotonic() + retry_delay(entry.failures)
        except Exception:
            entry.failures += 1
            logger.exception("a defect; trying again", extra=context(entry.view))
            entry.due = self._outside.monotonic() + retry_delay(entry.failures)
        finally:
            entry.running = False
            self._link.find_out_anew()
            self.wake()

    async def _poll(self, connected: Connected) -> None:
        """Compare the states of all live jobs with what stands in status; read those that differ."""
        self._poll_at = self._outside.monotonic() + self._link.poll_seconds
        if not (live := [entry for entry in self._registry.of(self.key) if entry.followed]):
            self._link.doubt()  # No request of ours shows that the server is back, or that it is away for all.
            return
        plain = [entry for entry in live if entry.view.array is None]
        arrays = arrays_to_ask(live, now=self._outside.monotonic())
        try:
            states = await _states(connected.port, plain)
            tasks = await connected.port.tasks(running_ids(arrays)) if arrays else {}
        except slurm_errors.SlurmError as error:
            if self._link.connected is connected:
                await self._link.lose_sight(error)
            return
        if self._link.connected is not connected:
            return  # The race: edited, deleted or refused while we asked.
        self._link.find_out_anew()
        for entry in differing(plain, states):
            self._read_again(entry)
        for entry in read_changed(arrays, tasks, now=self._outside.monotonic()):
            self._read_again(entry)
        for entry in due_rereads(live, now=self._outside.monotonic(), seconds=self._link.poll_seconds):
            self._read_again(entry)

    def _read_again(self, entry: Entry) -> None:
        if not entry.running:
            entry.facts = outdated(entry.facts)
            entry.due = 0.0


async def _states(port: SlurmPort, entries: Iterable[Entry]) -> Mapping[int, frozenset[str]]:
    job_ids = tuple({entry.view.recorded_id for entry in entries})
    return await port.states(job_ids) if job_ids else {}
