"""The engine: sessions by connection, fed by watches, driven by its own tasks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from slurmjob_operator.api.names import MANAGER
from slurmjob_operator.core.learning import outdated
from slurmjob_operator.engine.metrics import Snapshot
from slurmjob_operator.engine.ports import Outside
from slurmjob_operator.engine.registry import ConnectionKey, Entry, Registry
from slurmjob_operator.engine.session import Session

STALE_SECONDS = 300.0
"""A session whose loop has not come round for so long hangs: requests end earlier than that."""

logger = logging.getLogger(__name__)


class Engine:
    """All methods but `run` are called from handlers: they do no I/O and cannot fail because Slurm is down."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._registry = Registry()
        self._sessions: dict[ConnectionKey, tuple[Session, asyncio.Task[None]]] = {}
        self._closed = False
        self.metrics = outside.metrics
        self.metrics.show(self.snapshot)

    def observe_job(self, body: Mapping[str, Any]) -> None:
        """A SlurmJob as a watch shows it, new, changed or listed again. Somebody else's is not ours to look at."""
        if self._closed or body["spec"].get("managedBy", MANAGER) != MANAGER:
            return
        entry, changed = self._registry.observe(body)
        session = self._session(entry.connection)
        if not changed:
            return
        entry.due = 0.0
        if entry.view.deleting and not entry.running:
            entry.facts = outdated(entry.facts)
        session.wake()

    def forget_job(self, body: Mapping[str, Any]) -> None:
        """A SlurmJob that does not exist any more."""
        entry = self._registry.forget(body["metadata"]["uid"])
        if entry is not None:
            self._wake(entry)

    def observe_connection(self, body: Mapping[str, Any]) -> None:
        """A SlurmConnection as a watch shows it."""
        if self._closed:
            return
        metadata = body["metadata"]
        self._session((metadata["namespace"], metadata["name"])).observe_connection(body)

    def forget_connection(self, body: Mapping[str, Any]) -> None:
        """A SlurmConnection that does not exist any more."""
        key = (body["metadata"]["namespace"], body["metadata"]["name"])
        if key in self._sessions:
            self._sessions[key][0].forget_connection()
            self._drop_idle()

    def stuck(self) -> list[str]:
        """Connections whose loop does not move; empty when all is well."""
        now = self._outside.monotonic()
        return [
            f"{key[0]}/{key[1]}"
            for key, (session, task) in self._sessions.items()
            if task.done() or now - session.moved_at > STALE_SECONDS
        ]

    def snapshot(self) -> Snapshot:
        """What stands now, for the gauges."""
        ready = {("SlurmConnection", *key): session.ready for key, (session, _task) in self._sessions.items()}
        return Snapshot(
            live_jobs=self._registry.live_by_state(),
            blocked_deletions=self._registry.blocked_by_reason(),
            connections={key: usable for key, usable in ready.items() if usable is not None},
        )

    async def close(self) -> None:
        """Stop all loops, for good. What was begun is found again at the next start."""
        self._closed = True
        tasks = [task for _, task in self._sessions.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._sessions.clear()
        await self._outside.slurm.close()

    def _wake(self, entry: Entry) -> None:
        if entry.connection in self._sessions:
            self._sessions[entry.connection][0].wake()
        self._drop_idle()

    def _drop_idle(self) -> None:
        for key, (session, task) in tuple(self._sessions.items()):
            if session.idle:
                task.cancel()
                del self._sessions[key]

    def _session(self, key: ConnectionKey) -> Session:
        found = self._sessions.get(key)
        if found is not None:
            return found[0]
        session = Session(key, outside=self._outside, registry=self._registry)
        task = asyncio.create_task(session.run(), name=f"connection {key[0]}/{key[1]}")
        self._sessions[key] = (session, task)
        return session
