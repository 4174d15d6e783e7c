"""One SlurmJob in Kubernetes: what is written into it, read of it, and said about it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from slurmjob_operator.api.conditions import EventReason
from slurmjob_operator.api.names import JOB_FINALIZER
from slurmjob_operator.core import learning
from slurmjob_operator.core.decision import Decision, EventNote, RemoveFinalizer
from slurmjob_operator.core.view import JobView, Sources
from slurmjob_operator.engine import sources
from slurmjob_operator.engine.effects import Effect, of_status_write
from slurmjob_operator.engine.events import post
from slurmjob_operator.engine.ports import Outside
from slurmjob_operator.engine.registry import Entry
from slurmjob_operator.engine.views import status_body, template_hash, with_sources
from slurmjob_operator.kube import errors as kube_errors
from slurmjob_operator.kube.port import Kind, KubeEvent, ObjectKey

logger = logging.getLogger(__name__)


class Gone(Exception):
    """The object does not exist any more."""


class JobObject:
    """Reads and writes the objects of entries. Each method may raise `kube_errors.KubeError`."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    async def write(self, entry: Entry, decision: Decision) -> bool:
        """Write the status if it differs; False: somebody else wrote, decide again on what stands now."""
        before = entry.view
        if decision.status != before.status:
            effect = of_status_write(before.status, decision.status)
            try:
                self._outside.witness.before(effect)
                with self._outside.metrics.kubernetes_write(effect):
                    body = await self._outside.kube.write_status(
                        job_key(before),
                        old=status_body(before.status),
                        new=status_body(decision.status),
                        resource_version=before.resource_version,
                    )
            except kube_errors.Conflict:
                await self._refresh(entry)
                return False
            except kube_errors.NotFound:
                raise Gone from None
            self._outside.witness.after(effect)
            entry.update(body, own=True)
            entry.facts = learning.status_written(entry.facts, before=before, after=entry.view)
            log_transition(before, entry.view)
        for note in decision.events:
            await self.post(entry, note)
        return True

    def count_orphan(self, entry: Entry, decision: Decision) -> None:
        """Let go while its job may run on: known from the event that says so, once the finalizer is away."""
        said = any(note.reason is EventReason.ORPHANED for note in decision.events)
        if said and isinstance(decision.action, RemoveFinalizer) and not entry.view.has_finalizer:
            self._outside.metrics.orphan_let_go()

    async def _refresh(self, entry: Entry) -> None:
        try:
            entry.update(await self._outside.kube.get(job_key(entry.view)))
        except kube_errors.NotFound:
            raise Gone from None

    async def post(self, entry: Entry, note: EventNote) -> None:
        """Say it in an event; what is learned of the namespace is kept."""
        view = entry.view
        event = KubeEvent(
            regarding=job_key(view),
            reason=str(note.reason),
            message=note.message,
            warning=note.warning,
            time=self._outside.now(),
        )
        terminating = await post(self._outside.kube, event, must_be_seen=note.must_be_seen, context=context(view))
        if note.reason is EventReason.FINALIZER_BLOCKED:
            entry.facts = learning.told_why_blocked(entry.facts, terminating=terminating)

    async def write_finalizer(self, entry: Entry, *, present: bool) -> None:
        """Put ours on, or take it away; those of others stay."""
        others = [name for name in entry.finalizers if name != JOB_FINALIZER]
        wanted = [*others, JOB_FINALIZER] if present else others
        effect = Effect.ADD_FINALIZER if present else Effect.LET_GO
        try:
            self._outside.witness.before(effect)
            with self._outside.metrics.kubernetes_write(effect):
                body = await self._outside.kube.write_finalizers(
                    job_key(entry.view), finalizers=wanted, resource_version=entry.view.resource_version
                )
        except kube_errors.Conflict:
            await self._refresh(entry)
            return
        except kube_errors.NotFound:
            raise Gone from None
        self._outside.witness.after(effect)
        entry.update(body)
        if present:
            entry.facts = learning.finalizer_added(entry.facts)

    async def read_sources(self, entry: Entry) -> None:
        """Read the ConfigMaps that the template names, and put their texts in their places."""
        template = entry.template or {}
        try:
            entry.filled = await sources.gathered(template, partial(self._config_map, entry.view.namespace))
        except sources.SourceMissing as missing:
            entry.filled = None
            entry.facts = learning.sources_read(entry.facts, Sources(missing=str(missing)))
            return
        entry.view = with_sources(entry.view, entry.filled)
        read = Sources(
            template_hash=template_hash(entry.filled), script_hash=sources.script_hash(template, entry.filled)
        )
        entry.facts = learning.sources_read(entry.facts, read)

    async def _config_map(self, namespace: str, name: str) -> Mapping[str, str] | None:
        try:
            return await self._outside.kube.read_config_map(namespace=namespace, name=name)
        except (kube_errors.NotFound, kube_errors.Forbidden):
            return None


def job_key(view: JobView) -> ObjectKey:
    """The object of a view."""
    return ObjectKey(kind=Kind.SLURM_JOB, namespace=view.namespace, name=view.name, uid=view.uid)


def context(view: JobView) -> dict[str, Any]:
    """What every log line about a SlurmJob carries."""
    return {
        "job": f"{view.namespace}/{view.name}",
        "uid": view.uid,
        "slurm_job_id": view.status.job_id,
        "attempt": view.status.attempt,
    }


def log_transition(before: JobView, after: JobView) -> None:
    """One line when the state that people see changes."""
    if before.status.state != after.status.state:
        logger.info("%s -> %s", before.status.state or "new", after.status.state, extra=context(after))
