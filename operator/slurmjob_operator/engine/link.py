"""Whether one connection can be used now: connected anew when something is another one, and said in its status."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from slurmjob_operator.api.conditions import Reason
from slurmjob_operator.api.connection import JobDefaults, MarkerField, Server
from slurmjob_operator.api.status import SlurmConnectionStatus
from slurmjob_operator.core.connections import next_warning_seconds
from slurmjob_operator.core.view import ConnectionFacts, Trouble
from slurmjob_operator.engine import connecting
from slurmjob_operator.engine.acting import Actor, retry_delay
from slurmjob_operator.engine.connecting import Connected
from slurmjob_operator.engine.connection_object import ConnectionObject
from slurmjob_operator.engine.ports import Outside
from slurmjob_operator.engine.problems import NotConnected
from slurmjob_operator.engine.registry import Registry
from slurmjob_operator.engine.templates import Place
from slurmjob_operator.slurm import errors as slurm_errors
from slurmjob_operator.slurm.credentials import Credentials

MISSING_CONNECTION_SECONDS: Final = 3600.0
DEFAULT_POLL_SECONDS: Final = 10.0
REFUSED_AGAIN_SECONDS: Final = 60.0
RETURN_SECONDS: Final = 60.0
RETURN_JITTER: Final = 0.25
"""How often it is looked whether a preferred server is back, and how much of that is left to chance: connections do not
all return at once."""

OUTDATED_AGAIN_SECONDS: Final = 60.0
"""Behind one address there may be two releases for a while: not asked anew at each of their answers."""


class Link:
    """`connected` is what works now, None where nothing does. `outcome_known`: whether it has been tried, so that jobs
    can be told of it. `connect_at`: when to connect anew, on the monotonic clock.

    `actor` gets what its jobs need of it. `also` is what else to say in a status that tells of trouble; `all_due` is
    called when all jobs have to hear of a change, `wake` when something is due.
    """

    def __init__(
        self,
        *,
        told: ConnectionObject,
        outside: Outside,
        registry: Registry,
        actor: Actor,
        also: Callable[[SlurmConnectionStatus], SlurmConnectionStatus],
        all_due: Callable[[], None],
        wake: Callable[[], None],
    ) -> None:
        self._object = told
        self._outside = outside
        self._registry = registry
        self._actor = actor
        self._also = also
        self._all_due = all_due
        self._wake = wake
        self._known: Credentials | None = None
        self._known_servers: tuple[Server, ...] = ()
        self._failures = 0
        self._refused_at = -REFUSED_AGAIN_SECONDS
        self._outdated_at = -OUTDATED_AGAIN_SECONDS
        self.connected: Connected | None = None
        self.outcome_known = False
        self.connect_at = 0.0
        self._connected_at = 0.0
        self._missing()

    @property
    def poll_seconds(self) -> float:
        """How long from one poll to the next."""
        return float(self.connected.spec.poll_period_seconds) if self.connected else DEFAULT_POLL_SECONDS

    # --- The connection as an object ----------------------------------------------------------------------

    def begin_anew(self) -> None:
        """It was edited, or is another object of that name; jobs wait for what comes of it."""
        self.connected = None
        self.outcome_known = self._object.body is None
        self._failures = 0
        self.connect_at = 0.0

    def forget(self) -> None:
        """It is gone."""
        self.connected = None
        self._known = None
        self.outcome_known = True
        self._missing()
        self._all_due()

    def _missing(self) -> None:
        namespace, name = self._object.key
        message = f"SlurmConnection {name} does not exist in namespace {namespace}."
        self._set_problem(Reason.CONNECTION_NOT_FOUND, message, MISSING_CONNECTION_SECONDS)

    @property
    def _letting_go(self) -> bool:
        """Whether something is deleted that still needs Slurm."""
        jobs = self._registry.of(self._object.key)
        return self._object.deleting or any(entry.view.deleting for entry in jobs)

    def _deletion_deadline(self) -> int:
        body = self._object.body
        default = ConnectionFacts().deletion_deadline_seconds
        return default if body is None else int(body["spec"].get("deletionDeadlineSeconds", default))

    # --- Connecting ---------------------------------------------------------------------------------------

    async def connect(self, body: Mapping[str, Any]) -> Connected | None:
        """Try it, and let the jobs know. What works is told in the status by `tell_ready`, what does not at once."""
        known, edits = self._remembered(body), self._object.edits
        outcome: Connected | NotConnected
        try:
            outcome = await connecting.connect(self._outside, body, known=known)
        except NotConnected as problem:
            outcome = problem
        if edits != self._object.edits:
            return None  # The race: edited while we connected. What was found out is about another spec.
        if isinstance(outcome, NotConnected):
            await self._lose(outcome, body)
            return None
        self._use(outcome)
        return outcome

    async def renewed(self, body: Mapping[str, Any]) -> bool:
        """Whether the connection's namespace holds other credentials by now."""
        return self.connected is not None and await connecting.renewed(self._outside, self.connected, body)

    async def tell_ready(self, connected: Connected, body: Mapping[str, Any]) -> None:
        """Once the live jobs have been asked for too: else it would be ready and not ready in turn."""
        self._failures = 0
        generation, now = body["metadata"]["generation"], self._outside.now()
        if not await self._object.tell(partial(connecting.ready, connected=connected, generation=generation, now=now)):
            self.connect_at = min(self.connect_at, self._outside.monotonic() + connecting.RETRY_SECONDS)

    def _remembered(self, body: Mapping[str, Any]) -> Credentials | None:
        """What was read before serves while something is let go, and only where it was meant for."""
        urls = [server.get("url") for server in body["spec"].get("servers", ())]
        same = urls == [server.url for server in self._known_servers]
        return self._known if same and self._letting_go else None

    def _use(self, connected: Connected) -> None:
        before, self.connected = self.connected, connected
        self._connected_at = self._outside.monotonic()
        self.outcome_known = True
        self.connect_at = self._outside.monotonic() + self._renewal_seconds(connected)
        self._known, self._known_servers = connected.credentials, connected.spec.servers
        self._actor.port = connected.port
        self._actor.server = connected.port.url
        self._actor.period_seconds = self.poll_seconds
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
        if before is None or before.way != connected.way:
            self._all_due()

    def _renewal_seconds(self, connected: Connected) -> float:
        """When to connect anew: when a warning about the token's end is due, shortly before it expires, then again and
        again; and to see whether a server that is preferred is back."""
        now = self._outside.now()
        left = connected.token.expires_at - connecting.EXPIRY_MARGIN_SECONDS - now
        left = min(left, next_warning_seconds(connected.token.expires_at, now=now))
        if connected.port.on_fallback:
            left = min(left, RETURN_SECONDS * random.uniform(1 - RETURN_JITTER, 1 + RETURN_JITTER))  # noqa: S311 - jitter
        return max(left, connecting.RETRY_SECONDS)

    # --- Trouble ------------------------------------------------------------------------------------------

    async def lose_sight(self, error: slurm_errors.SlurmError) -> None:
        """Slurm does not answer: say so on the connection and on each job, and connect anew."""
        if isinstance(error, slurm_errors.CredentialsRejected):
            self.lose_credentials()
        elif isinstance(error, slurm_errors.NotSupported) and self.find_out_anew():
            pass  # Its other API versions are tried first.
        elif self._object.body is not None:
            await self._lose(NotConnected(Reason.CLUSTER_UNREACHABLE, str(error)), self._object.body)

    async def _lose(self, problem: NotConnected, body: Mapping[str, Any]) -> None:
        period = float(body["spec"].get("pollPeriodSeconds", DEFAULT_POLL_SECONDS))
        delay = min(retry_delay(self._failures), connecting.RETRY_SECONDS, period)
        if problem.retry_after_seconds is not None:
            delay = min(delay, problem.retry_after_seconds)
        self.connected = None
        self.outcome_known = True
        self._failures += 1
        self.connect_at = self._outside.monotonic() + delay
        self._set_problem(problem.reason, problem.message, delay, secret_gone=problem.secret_gone)
        generation, now = body["metadata"]["generation"], self._outside.now()
        tell = partial(connecting.not_ready, problem=problem, generation=generation, now=now)
        await self._object.tell(lambda status: self._also(tell(status)))

    def lose_credentials(self) -> None:
        """The token was refused: read the Secret again, at once the first time."""
        if self.connected is not None:
            now = self._outside.monotonic()
            again = now - self._refused_at < REFUSED_AGAIN_SECONDS
            self._refused_at = now
            self.connected = None
            self.outcome_known = False
            self.connect_at = now + connecting.RETRY_SECONDS if again else 0.0
            self._wake()

    def find_out_anew(self) -> bool:
        """Connect anew where slurmrestd is not what it was, as after an upgrade of Slurm; what we have serves till
        then. Whether that is at once."""
        if self.connected is None or not self.connected.port.outdated:
            return False
        now = self._outside.monotonic()
        if self._outdated_at < now:
            self._outdated_at = max(now, self._outdated_at + OUTDATED_AGAIN_SECONDS)
        self.connect_at = min(self.connect_at, self._outdated_at)
        self._wake()
        return self.connect_at <= now

    def doubt(self) -> None:
        """Connect anew where the server did not answer: another one of the connection may, and if none does people have
        to be told. Once a period at most: it may be that one operation alone never works."""
        now = self._outside.monotonic()
        if self.connected is None or not self.connected.port.silent or now < self._connected_at + self.poll_seconds:
            return
        self.connect_at = now
        self._wake()

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
