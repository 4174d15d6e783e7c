"""The SlurmConnection as an object in Kubernetes: what stands in it, and the three things we write to it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from slurmjob_operator.api.conditions import ConditionType, EventReason
from slurmjob_operator.api.names import CONNECTION_FINALIZER
from slurmjob_operator.api.status import Condition, SlurmConnectionStatus
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.engine.events import post
from slurmjob_operator.engine.ports import Outside
from slurmjob_operator.engine.registry import ConnectionKey
from slurmjob_operator.engine.views import CONNECTION_STATUS, newer, object_key, status_body
from slurmjob_operator.kube import errors as kube_errors
from slurmjob_operator.kube.port import Kind, KubeEvent, ObjectKey

MOST_CONFLICTS: Final = 5
"""Writes of others in a row before we leave it for later."""

logger = logging.getLogger(__name__)


class ConnectionObject:
    """`body` is None while no such object exists. `edits` counts how often another object of this name, or
    another `spec`, has been seen: by a watch, or read after a conflict."""

    def __init__(self, key: ConnectionKey, outside: Outside) -> None:
        self.key = key
        self._outside = outside
        self.body: Mapping[str, Any] | None = None
        self.status = SlurmConnectionStatus()
        self.edits = 0

    def observe(self, body: Mapping[str, Any]) -> None:
        """Take a newer body in.

        Deletion raises the generation too, and is no edit: the jobs that are let go need what works now.
        """
        old = self.body
        if old is not None and old["metadata"]["uid"] == body["metadata"]["uid"]:
            if not newer(body["metadata"]["resourceVersion"], old["metadata"]["resourceVersion"]):
                return
            self.edits += old["spec"] != body["spec"]
        else:
            self.edits += 1
        self.body = body
        self.status = CONNECTION_STATUS.validate_python(body.get("status") or {})

    def forget(self) -> None:
        """The object is gone."""
        self.body = None
        self.status = SlurmConnectionStatus()
        self.edits += 1

    @property
    def deleting(self) -> bool:
        """Whether somebody has asked for its deletion."""
        return self.body is not None and "deletionTimestamp" in self.body["metadata"]

    async def tell(self, change: Callable[[SlurmConnectionStatus], SlurmConnectionStatus]) -> bool:
        """Write the status when it changes; an event when readiness did. Whether it stands now, or nobody is left to
        be told: another spec has its own try to connect.

        `change` is asked anew where somebody else wrote meanwhile (a label, or our own finalizer for the first job).
        """
        edits = self.edits
        for _ in range(MOST_CONFLICTS):
            old, new = self.status, change(self.status)
            if self.body is None or self.edits != edits or new == old:
                return True
            try:
                await self._write_status(self.body, old, new)
            except kube_errors.Conflict:
                await self._refresh(self.body)
            except kube_errors.NotFound:
                return True
            except kube_errors.KubeError as error:
                logger.warning("status of connection %s/%s was not written: %s", *self.key, error)
                return False
            else:
                return True
        return False

    async def _write_status(
        self, body: Mapping[str, Any], old: SlurmConnectionStatus, status: SlurmConnectionStatus
    ) -> None:
        key = object_key(Kind.SLURM_CONNECTION, body)
        version = body["metadata"]["resourceVersion"]
        written = await self._outside.kube.write_status(
            key, old=status_body(old), new=status_body(status), resource_version=version
        )
        self.observe(written)
        for kind in (ConditionType.READY, ConditionType.CREDENTIALS_EXPIRING):
            was, is_now = edit.find(old.conditions, kind), edit.find(status.conditions, kind)
            if is_now is not None and (was is None or was.reason != is_now.reason):
                await self._tell_people(key, is_now)

    async def _tell_people(self, key: ObjectKey, condition: Condition) -> None:
        logger.info("connection %s/%s: %s", *self.key, condition.message)
        good = condition.type == ConditionType.READY and condition.status == "True"
        reason = EventReason.CONNECTION_READY if good else EventReason.CONNECTION_NOT_READY
        if condition.type == ConditionType.CREDENTIALS_EXPIRING:
            reason = EventReason.CREDENTIALS_EXPIRING
        event = KubeEvent(
            regarding=key, reason=str(reason), message=condition.message, warning=not good, time=self._outside.now()
        )
        await post(self._outside.kube, event)

    async def hold(self, *, needed: bool) -> None:
        """Keep our finalizer on it while SlurmJobs with theirs need it to be let go.

        `needed` is what the watches have shown so far; after a start that may not be all of it, so before the
        finalizer is taken away the API server itself is asked.
        """
        body = self.body
        if body is None:
            return
        finalizers = list(body["metadata"].get("finalizers") or ())
        held = CONNECTION_FINALIZER in finalizers
        if needed and not held and not self.deleting:
            await self._write_finalizers(body, [*finalizers, CONNECTION_FINALIZER])
        elif held and not needed and self.deleting and not await self._in_use():
            await self._write_finalizers(body, [name for name in finalizers if name != CONNECTION_FINALIZER])

    async def _in_use(self) -> bool:
        namespace, name = self.key
        try:
            return await self._outside.kube.connection_in_use(namespace=namespace, name=name)
        except kube_errors.KubeError as error:
            logger.info("whether connection %s/%s is in use is not known: %s", *self.key, error)
            return True

    async def _write_finalizers(self, body: Mapping[str, Any], finalizers: list[str]) -> None:
        try:
            written = await self._outside.kube.write_finalizers(
                object_key(Kind.SLURM_CONNECTION, body),
                finalizers=finalizers,
                resource_version=body["metadata"]["resourceVersion"],
            )
        except kube_errors.Conflict:
            await self._refresh(body)
        except kube_errors.KubeError as error:
            logger.info("finalizers of connection %s/%s: %s", *self.key, error)
        else:
            self.observe(written)

    async def _refresh(self, body: Mapping[str, Any]) -> None:
        """Somebody else wrote: read again; the next try to connect tells the rest."""
        try:
            self.observe(await self._outside.kube.get(object_key(Kind.SLURM_CONNECTION, body)))
        except kube_errors.KubeError as error:
            logger.info("connection %s/%s: %s", *self.key, error)
