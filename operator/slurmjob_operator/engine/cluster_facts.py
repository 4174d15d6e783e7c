"""What stands in the cluster, looked at for people and written into the connection's status.

Nothing depends on it: a look that fails changes nothing, and the next one comes a minute later.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from slurmjob_operator.api.status import SlurmConnectionStatus
from slurmjob_operator.core import cluster
from slurmjob_operator.core.cluster import ClusterFacts
from slurmjob_operator.core.times import epoch_of, rfc3339
from slurmjob_operator.engine.connection_object import ConnectionObject
from slurmjob_operator.engine.ports import Outside
from slurmjob_operator.engine.registry import Registry
from slurmjob_operator.slurm import errors as slurm_errors
from slurmjob_operator.slurm.port import SlurmPort

PERIOD_SECONDS: Final = 61.0
"""A little more than a port keeps what it found for all who ask: the same connection always gets something new."""

logger = logging.getLogger(__name__)


class Onlooker:
    """Of one connection as it is specified now. `due_at`: when to look again, in monotonic seconds; infinite while it
    looks."""

    def __init__(self, object_: ConnectionObject, *, outside: Outside, registry: Registry) -> None:
        self._object = object_
        self._outside = outside
        self._registry = registry
        self._failing = False
        self._contact_at: float | None = None
        self.due_at = 0.0

    def is_due(self) -> bool:
        """Whether it is time; who is told so has to look."""
        if self._outside.monotonic() < self.due_at:
            return False
        self.due_at = math.inf
        return True

    async def look(self, port: SlurmPort, *, is_current: Callable[[], bool]) -> None:
        """Look, and write what is new. `is_current`: whether the connection is still what it was when this began."""
        began = self._outside.monotonic()
        try:
            found = await port.facts()
            if is_current():
                self._recover()
                await self._tell(found)
        except slurm_errors.SlurmError as error:
            self._fail(error)
        finally:
            self.due_at = began + PERIOD_SECONDS

    async def _tell(self, found: ClusterFacts) -> None:
        self._contact_at = now = self._outside.now()
        counts = self._registry.counts_of(self._object.key)
        await self._object.tell(partial(cluster.shown, found=found, jobs=counts, now=now))

    def dated(self, status: SlurmConnectionStatus) -> SlurmConnectionStatus:
        """The status of a connection that is not ready any more: it says when Slurm was last seen, to the minute."""
        told = status.last_contact_time
        if self._contact_at is None or (told is not None and epoch_of(told) >= int(self._contact_at)):
            return status
        return replace(status, last_contact_time=rfc3339(self._contact_at))

    def _recover(self) -> None:
        if self._failing:
            logger.info("connection %s/%s: the cluster's nodes and partitions are told again", *self._object.key)
        self._failing = False

    def _fail(self, error: slurm_errors.SlurmError) -> None:
        if not self._failing:
            logger.info(
                "connection %s/%s: the cluster's nodes and partitions are not known now: %s", *self._object.key, error
            )
        self._failing = True
