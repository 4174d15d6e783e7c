"""One loop per connection: connect, bring its SlurmJobs forward, look at the states of the live ones.

The loop sleeps until something is due or somebody wakes it; nothing here is driven by the number of jobs
that others have in Slurm's queue.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from slurmjob_operator.api.conditions import ConditionType, Reason
from slurmjob_operator.api.connection import JobDefaults, MarkerField, Server
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core.attempts import unknown_reason
from slurmjob_operator.core.learning import outdated
from slurmjob_operator.core.times import epoch_of, rfc3339
from slurmjob_operator.core.view import ConnectionFacts, Trouble
from slurmjob_operator.engine import connecting
from slurmjob_operator.engine.acting import Actor, CredentialsLost, Gone, context, retry_delay
from slurmjob_operator.engine.cluster_facts import Onlooker
from slurmjob_operator.engine.connection_object import ConnectionObject
from slurmjob_operator.engine.ports import Outside
from slurmjob_operator.engine.problems import NotConnected
from slurmjob_operator.engine.registry import ConnectionKey, Entry, Registry
from slurmjob_operator.engine.rereading import due_rereads, plan_reread
from slurmjob_operator.engine.sweeping import Sweeper
from slurmjob_operator.engine.templates import Place
from slurmjob_operator.kube import errors as kube_errors
from slurmjob_operator.slurm import errors as slurm_errors
from slurmjob_operator.slurm.credentials import Credentials

AT_ONCE = 8
"""SlurmJobs of one connection that are brought forward side by side."""

LONGEST_SLEEP_SECONDS = 30.0
UNSEEN_SECONDS = 5.0
"""After a start the watches of jobs and connections come in any order: one that has not been shown may exist."""

SHORTEST_RECHECK_SECONDS = 1.0
"""Whatever a decision says: a time that has passed already, as of a connection that is being tried, is no hot loop."""

MISSING_CONNECTION_SECONDS = 3600.0
DEFAULT_POLL_SECONDS = 10.0
REFUSED_AGAIN_SECONDS = 60.0
RETURN_SECONDS = 60.0
RETURN_JITTER = 0.25
"""How often it is looked whether a preferred server is back, and how much of that is left to chance: connections do not
all return at once."""

OUTDATED_AGAIN_SECONDS = 60.0
"""Behind one address there may be two releases for a while: not asked anew at each of their answers."""

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
        self._connected: connecting.Connected | None = None
        self._known: Credentials | None = None
        self._known_servers: tuple[Server, ...] = ()
        self._edits_seen = 0
        self._connect_at = 0.0
        self._failures = 0
        self._poll_at = 0.0
        self._refused_at = -REFUSED_AGAIN_SECONDS
        self._outdated_at = -OUTDATED_AGAIN_SECONDS
        self._sweeping = self._asking = False
        self._outcome_known = False
        self._unseen_until = outside.monotonic() + UNSEEN_SECONDS
        self._wake = asyncio.Event()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self.moved_at = outside.monotonic()
        self._set_problem(Reason.CONNECTION_NOT_FOUND, self._missing_message(), MISSING_CONNECTION_SECONDS)

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
        self._connected = None
        self._known = None
        self._outcome_known = True
        self._set_problem(Reason.CONNECTION_NOT_FOUND, self._missing_message(), MISSING_CONNECTION_SECONDS)
        self._all_due()

    @property
    def ready(self) -> bool | None:
        """Whether the connection can be used now; None: there is no such object."""
        return None if self._object.body is None else self._connected is not None

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
            self._outcome_known = True
        if not self._asking and min(self._asking_times(), default=math.inf) <= self._outside.monotonic():
            self._asking = True
            self._start(self._ask(), name=f"connection {self.key}")
        if self._outcome_known:
            self._start_due()
        if self._connected is not None and not self._sweeping and self._outside.monotonic() >= self._sweeper.due_at:
            self._sweeping = True
            self._start(self._sweep(self._connected), name=f"sweep {self.key}")
        if self._connected is not None and not self._asking and self._onlooker.is_due():
            self._start(self._look(self._onlooker, self._connected), name=f"look {self.key}")

    def _asking_times(self) -> list[float]:
        """When to connect, and when to poll."""
        times = [] if self._object.body is None else [self._connect_at]
        return times if self._connected is None else [*times, self._poll_at]

    async def _ask(self) -> None:
        """Connect and poll, beside the jobs: what needs no Slurm does not wait for one that is away."""
        try:
            body, made = self._object.body, None
            if body is not None and (self._outside.monotonic() >= self._connect_at or await self._renewed(body)):
                made = await self._connect(body)
            if self._connected is not None and self._outside.monotonic() >= self._poll_at:
                await self._poll(self._connected)
            if made is not None and body is not None and self._connected is made:
                await self._tell_ready(made, body)
        except Exception:
            logger.exception("connection %s/%s", *self.key)
        finally:
            self._asking = False
            self.wake()

    def _take_edits(self) -> None:
        """An edit, or another object of that name: connect anew; jobs wait for what comes of it."""
        if self._edits_seen != self._object.edits:
            self._edits_seen = self._object.edits
            self._sweeper = self._new_sweeper()
            self._onlooker = Onlooker(self._object, outside=self._outside, registry=self._registry)
            self._connected = None
            self._outcome_known = self._object.body is None
            self._failures = 0
            self._connect_at = 0.0

    async def _sleep(self) -> None:
        if self._edits_seen != self._object.edits:
            return  # Seen in a pass, by an answer to a write of ours: no watch event tells of it again.
        now = self._outside.monotonic()
        times = [now + LONGEST_SLEEP_SECONDS]
        if not self._outcome_known:
            times.append(max(now, self._unseen_until) if self._object.body is None else now + LONGEST_SLEEP_SECONDS)
        else:
            times += [it.due for it in self._registry.of(self.key) if it.due is not None and not it.running]
        if self._connected is not None and not self._sweeping:
            times.append(self._sweeper.due_at)
        if not self._asking:
            times += self._asking_times()
            times += [] if self._connected is None else [self._onlooker.due_at]
        try:
            async with asyncio.timeout(max(0.0, min(times) - now)):
                await self._wake.wait()
        except TimeoutError:
            pass

    # --- The connection -----------------------------------------------------------------------------------

    async def _connect(self, body: Mapping[str, Any]) -> connecting.Connected | None:
        known, edits = self._remembered(body), self._object.edits
        outcome: connecting.Connected | NotConnected
        try:
            outcome = await connecting.connect(self._outside, body, known=known)
        except NotConnected as problem:
            outcome = problem
        if edits != self._object.edits:
            return None  # The race: edited while we connected. What was found out is about another spec.
        if isinstance(outcome, NotConnected):
            await self._not_connected(outcome, body)
            return None
        self._use(outcome)
        return outcome

    async def _not_connected(self, problem: NotConnected, body: Mapping[str, Any]) -> None:
        period = float(body["spec"].get("pollPeriodSeconds", DEFAULT_POLL_SECONDS))
        delay = min(retry_delay(self._failures), connecting.RETRY_SECONDS, period)
        if problem.retry_after_seconds is not None:
            delay = min(delay, problem.retry_after_seconds)
        self._connected = None
        self._outcome_known = True
        self._failures += 1
        self._connect_at = self._outside.monotonic() + delay
        self._set_problem(problem.reason, problem.message, delay, secret_gone=problem.secret_gone)
        generation, now = body["metadata"]["generation"], self._outside.now()
        tell = partial(connecting.not_ready, problem=problem, generation=generation, now=now)
        await self._object.tell(lambda status: self._onlooker.dated(tell(status)))

    async def _renewed(self, body: Mapping[str, Any]) -> bool:
        """Whether a poll is due, and the connection's namespace holds other credentials by now."""
        connected = self._connected
        if connected is None or self._outside.monotonic() < self._poll_at:
            return False
        return await connecting.renewed(self._outside, connected, body)

    def _remembered(self, body: Mapping[str, Any]) -> Credentials | None:
        """What was read before serves while something is let go, and only where it was meant for."""
        urls = [server.get("url") for server in body["spec"].get("servers", ())]
        same = urls == [server.url for server in self._known_servers]
        return self._known if same and self._letting_go else None

    def _use(self, connected: connecting.Connected) -> None:
        self._connected = connected
        self._outcome_known = True
        self._connect_at = self._outside.monotonic() + self._renewal_seconds(connected)
        self._known, self._known_servers = connected.credentials, connected.spec.servers
        self._poll_at = 0.0
        self._actor.port = connected.port
        self._actor.server = connected.port.url
        self._actor.marks_extra = MarkerField.EXTRA in connected.spec.marker_fields
        self._actor.place = Place(
            target=connected.target, user=connected.token.user, defaults=connected.spec.job_defaults or JobDefaults()
        )
        self._actor.connection = ConnectionFacts(
            user=connected.token.user,
            cluster_name=connected.info.cluster_name,
            accounting=connected.info.accounting,
            accounting_lags=connected.info.accounting_lags,
            deletion_deadline_seconds=connected.spec.deletion_deadline_seconds,
        )
        self._all_due()

    async def _tell_ready(self, connected: connecting.Connected, body: Mapping[str, Any]) -> None:
        """Once the live jobs have been asked for too: else it would be ready and not ready in turn."""
        self._failures = 0
        generation, now = body["metadata"]["generation"], self._outside.now()
        if not await self._object.tell(partial(connecting.ready, connected=connected, generation=generation, now=now)):
            self._connect_at = min(self._connect_at, self._outside.monotonic() + connecting.RETRY_SECONDS)

    def _set_problem(self, reason: Reason, message: str, retry_seconds: float, *, secret_gone: bool = False) -> None:
        """Jobs are told only when the reason is another one: a message may differ at each try."""
        old = self._actor.connection.problem
        self._actor.port = None
        now = self._outside.now()
        retry_at = now + retry_seconds
        lasting = old is not None and (old.reason, old.secret_gone) == (reason, secret_gone)
        since = old.since if old is not None and lasting else now
        trouble = Trouble(reason=reason, message=message, retry_at=retry_at, since=since, secret_gone=secret_gone)
        self._actor.connection = ConnectionFacts(
            user=self._actor.connection.user,
            cluster_name=self._actor.connection.cluster_name,
            deletion_deadline_seconds=self._deletion_deadline(),
            accounting=self._actor.connection.accounting,
            accounting_lags=self._actor.connection.accounting_lags,
            problem=trouble,
        )
        if old is None or old.reason != reason:
            self._all_due()

    @property
    def _letting_go(self) -> bool:
        """Whether something is deleted that still needs Slurm."""
        return self._object.deleting or any(entry.view.deleting for entry in self._registry.of(self.key))

    def _deletion_deadline(self) -> int:
        body = self._object.body
        default = ConnectionFacts().deletion_deadline_seconds
        return default if body is None else int(body["spec"].get("deletionDeadlineSeconds", default))

    def _renewal_seconds(self, connected: connecting.Connected) -> float:
        """When to connect anew: when a warning about the token's end is due, shortly before it expires, then again and
        again; and to see whether a server that is preferred is back."""
        now = self._outside.now()
        left = connected.token.expires_at - connecting.EXPIRY_MARGIN_SECONDS - now
        left = min(left, connecting.next_warning_seconds(connected.token, now=now))
        if connected.port.on_fallback:
            left = min(left, RETURN_SECONDS * random.uniform(1 - RETURN_JITTER, 1 + RETURN_JITTER))  # noqa: S311 - jitter
        return max(left, connecting.RETRY_SECONDS)

    def _missing_message(self) -> str:
        return f"SlurmConnection {self.key[1]} does not exist in namespace {self.key[0]}."

    def _lose_credentials(self) -> None:
        """The token was refused: read the Secret again, at once the first time."""
        if self._connected is not None:
            now = self._outside.monotonic()
            again = now - self._refused_at < REFUSED_AGAIN_SECONDS
            self._refused_at = now
            self._connected = None
            self._outcome_known = False
            self._connect_at = now + connecting.RETRY_SECONDS if again else 0.0
            self.wake()

    def _find_out_anew(self) -> bool:
        """Connect anew where slurmrestd is not what it was, as after an upgrade of Slurm; what we have serves till
        then. Whether that is at once."""
        if self._connected is None or not self._connected.port.outdated:
            return False
        now = self._outside.monotonic()
        if self._outdated_at < now:
            self._outdated_at = max(now, self._outdated_at + OUTDATED_AGAIN_SECONDS)
        self._connect_at = min(self._connect_at, self._outdated_at)
        self.wake()
        return self._connect_at <= now

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

    async def _sweep(self, connected: connecting.Connected) -> None:
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
            self._find_out_anew()
            self.wake()

    async def _look(self, onlooker: Onlooker, connected: connecting.Connected) -> None:
        """Beside everything else: what people see of the cluster is nothing that jobs wait for."""
        try:
            await onlooker.look(connected.port, is_current=lambda: self._connected is connected)
        except Exception:
            logger.exception("a look of connection %s/%s at its cluster failed", *self.key)
        finally:
            self._find_out_anew()
            self.wake()

    async def _bring_forward(self, entry: Entry) -> None:
        try:
            async with self._slots:
                recheck = await self._actor.bring_forward(entry)
            if recheck is not None and entry.due is None:
                problem = self._actor.connection.problem
                shortest = SHORTEST_RECHECK_SECONDS if problem is None else connecting.RETRY_SECONDS
                entry.due = self._outside.monotonic() + max(shortest, recheck - self._outside.now())
            plan_reread(entry, now=self._outside.monotonic(), shortest=self._poll_seconds())
        except Gone:
            await self._actor.cancel_left_over(entry)
            self._registry.forget(entry.view.uid)
        except CredentialsLost:
            self._lose_credentials()
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
            self._find_out_anew()
            self.wake()

    def _poll_seconds(self) -> float:
        return float(self._connected.spec.poll_period_seconds) if self._connected else DEFAULT_POLL_SECONDS

    async def _poll(self, connected: connecting.Connected) -> None:
        """Compare the states of all live jobs with what stands in status; read those that differ."""
        self._poll_at = self._outside.monotonic() + self._poll_seconds()
        if not (live := [entry for entry in self._registry.of(self.key) if entry.followed]):
            return
        try:
            states = await connected.port.states(tuple({entry.view.recorded_id for entry in live}))
        except slurm_errors.SlurmError as error:
            if self._connected is connected:
                await self._lost_sight(error)
            return
        if self._connected is not connected:
            return  # The race: edited, deleted or refused while we asked.
        self._find_out_anew()
        for entry in live:  # Two may have one id: Slurm gives that of a job it has lost to the next one.
            seen = states.get(entry.view.recorded_id)
            if seen is None:
                continue  # Not asked for this time.
            unclear = not seen or unknown_reason(entry.view.status) is not None
            if unclear and entry.due is not None:
                continue  # It is looked at again when the decision said, not at every poll.
            known = frozenset(entry.view.status.slurm.states) if entry.view.status.slurm else frozenset({"PENDING"})
            if seen != known or not edit.is_true(entry.view.status.conditions, ConditionType.SYNCED):
                self._read_again(entry)
        for entry in due_rereads(live, now=self._outside.monotonic(), seconds=self._poll_seconds()):
            self._read_again(entry)

    async def _lost_sight(self, error: slurm_errors.SlurmError) -> None:
        """Slurm does not answer: say so on the connection and on each job, and connect anew."""
        if isinstance(error, slurm_errors.CredentialsRejected):
            self._lose_credentials()
        elif isinstance(error, slurm_errors.NotSupported) and self._find_out_anew():
            pass  # Its other API versions are tried first.
        elif self._object.body is not None:
            problem = NotConnected(Reason.CLUSTER_UNREACHABLE, str(error))
            await self._not_connected(problem, self._object.body)

    def _read_again(self, entry: Entry) -> None:
        if not entry.running:
            entry.facts = outdated(entry.facts)
            entry.due = 0.0
