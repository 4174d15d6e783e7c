"""The live SlurmJobs, slim, and when each has to be looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from slurmjob_operator.api.cluster import JobCounts
from slurmjob_operator.api.conditions import ConditionType
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core.attempts import is_closed
from slurmjob_operator.core.cluster import job_counts
from slurmjob_operator.core.learning import another_attempt, outdated
from slurmjob_operator.core.view import ConnectionFacts, Facts, JobView
from slurmjob_operator.engine.templates import LookedOver
from slurmjob_operator.engine.views import job_view, newer
from slurmjob_operator.slurm.following import TaskStates

ConnectionKey = tuple[str, str]
"""Namespace and name."""

NO_STATE = "New"
"""Stands in metrics for a SlurmJob whose status has not been written yet."""


@dataclass(slots=True, eq=False)
class Entry:
    """One SlurmJob as this process knows it. Changed only from the event loop's thread.

    `template` is kept until a job id is recorded, `finalizers` are those of others too. `due` is when to
    decide again (monotonic seconds), None: only when something happens. `reread_at` and `reread_delay`
    govern how often a pending job is read for its reason. `shown` is what slurmctld last showed of the tasks of an
    array, that was read at `array_read_at` and is asked about again at `array_ask_at`. `filled` is the template with
    the texts of its ConfigMaps, as they were read last. `looked_over` is what became of the template, and for what.
    """

    view: JobView
    template: Mapping[str, Any] | None
    finalizers: tuple[str, ...]
    facts: Facts = field(default_factory=lambda: Facts(connection=ConnectionFacts()))
    due: float | None = 0.0
    running: bool = False
    failures: int = 0
    reread_at: float = 0.0
    reread_delay: float = 0.0
    shown: TaskStates | None = None
    array_read_at: float = 0.0
    array_ask_at: float = 0.0
    filled: Mapping[str, Any] | None = None
    looked_over: tuple[object, LookedOver] | None = None

    @property
    def connection(self) -> ConnectionKey:
        """The connection that it names."""
        return self.view.namespace, self.view.connection

    @property
    def finished(self) -> bool:
        """Whether its end stands in status."""
        return edit.is_true(self.view.status.conditions, ConditionType.FINISHED)

    @property
    def followed(self) -> bool:
        """Whether a job of it lives in Slurm, as far as status says."""
        status = self.view.status
        return status.job_id is not None and not self.finished and not is_closed(status)

    def update(self, body: Mapping[str, Any], *, own: bool = False) -> bool:
        """Take a newer body in; whether anything that decisions depend on has changed. `own`: it is the answer to a
        write of this process, who learns from it what the write means.

        While it is brought forward a watch may show a write of our own before its answer has come: that is no news.
        Were it somebody else's, our next write would meet a conflict.
        The answer that takes the last finalizer away, and the object with it, has the version that stood before.
        """
        view = job_view(body, known=self.view)
        known = self.view.resource_version
        if view.resource_version != known and not newer(view.resource_version, known):
            return False
        news = replace(view, resource_version=known)
        if self.running:
            news = replace(news, status=self.view.status, has_finalizer=self.view.has_finalizer)
        changed = news != self.view
        if view.deleting and not self.view.deleting:
            self.facts = outdated(self.facts)
        before, after = self.view.status, view.status
        if not own and (before.attempt, before.attempt_time) != (after.attempt, after.attempt_time):
            self.facts = another_attempt(self.facts)
        self.view = view
        self.template = _template(view, body)
        self.finalizers = tuple(body["metadata"].get("finalizers") or ())
        return changed


def _template(view: JobView, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return None if view.status.job_id is not None else body["spec"].get("template") or {}


class Registry:
    """All SlurmJobs that may still need something, by uid."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def observe(self, body: Mapping[str, Any]) -> tuple[Entry, bool]:
        """Take an object in as a watch shows it; whether something changed. Older bodies are ignored."""
        uid = body["metadata"]["uid"]
        entry = self._entries.get(uid)
        if entry is not None:
            return entry, entry.update(body)
        view = job_view(body)
        entry = Entry(
            view=view,
            template=_template(view, body),
            finalizers=tuple(body["metadata"].get("finalizers") or ()),
        )
        self._entries[uid] = entry
        return entry, not _needs_nothing(entry)

    def forget(self, uid: str) -> Entry | None:
        """The object is gone."""
        return self._entries.pop(uid, None)

    def of(self, key: ConnectionKey) -> Iterator[Entry]:
        """The objects that name this connection."""
        return (entry for entry in tuple(self._entries.values()) if entry.connection == key)

    def live_by_state(self) -> Counter[str]:
        """How many have no end yet."""
        live = (entry for entry in self._entries.values() if not entry.finished)
        return Counter(entry.view.status.state or NO_STATE for entry in live)

    def counts_of(self, key: ConnectionKey) -> JobCounts:
        """Those that name this connection, by state, ended ones included."""
        entries = list(self.of(key))
        by_state = Counter(entry.view.status.state or NO_STATE for entry in entries)
        return job_counts(by_state, live=sum(not entry.finished for entry in entries))

    def blocked_by_reason(self) -> Counter[str]:
        """How many are being deleted and cannot be let go, since Slurm cannot be spoken to."""
        waiting = (entry for entry in self._entries.values() if entry.view.deleting and entry.view.has_finalizer)
        synced = (edit.find(entry.view.status.conditions, ConditionType.SYNCED) for entry in waiting)
        return Counter(str(found.reason) for found in synced if found is not None and found.status == "False")

    def __len__(self) -> int:
        return len(self._entries)


def _needs_nothing(entry: Entry) -> bool:
    """A job that is followed already, or an end that is written and let go: the next poll will tell."""
    view = entry.view
    if view.deleting or view.status.observed_generation != view.generation:
        return False
    if entry.finished:
        return not view.has_finalizer
    return entry.followed and view.status.slurm is not None and "PENDING" not in view.status.slurm.states
