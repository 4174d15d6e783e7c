"""When a connection's twins are looked for, and what is done with them. What a twin is says `core.sweeping`.

At start, hourly, and at growing distances after a submission of unknown outcome. Each sweep looks at the jobs that
were submitted since the time up to which all is swept; that time stands in the connection's status, so that a new
process goes on where the old one ended.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from slurmjob_operator.core import sweeping
from slurmjob_operator.core.identity import CLOCK_SLACK_SECONDS
from slurmjob_operator.core.marker import Marker
from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.engine.ports import Outside
from slurmjob_operator.engine.views import job_view
from slurmjob_operator.kube import errors as kube_errors
from slurmjob_operator.kube.port import Kind, ObjectKey
from slurmjob_operator.slurm import errors as slurm_errors
from slurmjob_operator.slurm.port import SlurmPort

PERIOD_SECONDS = 3600.0
AFTER_UNKNOWN_OUTCOME_SECONDS = (60.0, 300.0, 1800.0, 21600.0)
AGAIN_SECONDS = sweeping.SETTLED_SECONDS + 10.0
"""When a suspect was too young, or its owner could not be asked."""
FIRST_LOOK_BACK_SECONDS = 600.0
"""Before a connection was made: what one of its name before it may have left. A day is the most, since each job that
the user has submitted meanwhile is read (4.3 kB of slurmdbd each; its filter for pending jobs leaves out held ones,
measured on 24.11 and 26.05)."""

LONGEST_LOOK_BACK_SECONDS = 86400.0
MOST_EXTRA = 32

logger = logging.getLogger(__name__)


class Sweeper:
    """The sweeps of one connection. `clean_until`: epoch seconds up to whose submissions all is swept; None: it was
    `made_at` then, and never swept."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._periodic = outside.monotonic()
        self._extra: list[float] = []
        self.clean_until: float | None = None
        self.made_at = 0.0

    @property
    def due_at(self) -> float:
        """When the next sweep is due, in monotonic seconds."""
        return min([self._periodic, *self._extra])

    def after_unknown_outcome(self) -> None:
        """A submission's answer was lost: what it left behind shows soon, or late."""
        now = self._outside.monotonic()
        self._extra = sorted({*self._extra, *(now + seconds for seconds in AFTER_UNKNOWN_OUTCOME_SECONDS)})[:MOST_EXTRA]

    async def sweep(self, port: SlurmPort, *, known: Collection[int]) -> None:
        """One sweep; `known` are ids recorded in status. A sweep that fails is made again soon."""
        now, began = self._outside.now(), self._outside.monotonic()
        self._extra = [due for due in self._extra if due > began]
        self._periodic = began + PERIOD_SECONDS
        first = max(self.made_at - FIRST_LOOK_BACK_SECONDS, now - LONGEST_LOOK_BACK_SECONDS)
        since = (self.clean_until or first) - CLOCK_SLACK_SECONDS
        try:
            held = await port.held_jobs(since=int(since), known=known)
            open_questions = [
                record
                for record, mark in sweeping.suspects(held, installation=self._outside.installation)
                if not await self._settle(port, record, mark)
            ]
        except slurm_errors.SlurmError as error:
            logger.info("a sweep was not finished: %s", error)
            self._extra.append(began + AGAIN_SECONDS)
            return
        self.clean_until = min([now, *(float(record.submit_time or since) for record in open_questions)])
        if open_questions:
            self._extra.append(began + AGAIN_SECONDS)

    async def _settle(self, port: SlurmPort, record: JobRecord, mark: Marker) -> bool:
        """Cancel a twin; whether nothing is left to ask about it."""
        if not sweeping.is_settled(record, now=self._outside.now()):
            return False
        owned = await self._owned(mark, job_id=record.job_id)
        if owned is None:
            return False
        if not owned and await self._still_so(port, record):
            await port.cancel(record.job_id)
            self._outside.metrics.held_twin_swept()
            logger.warning(
                "held job %s of %s/%s, attempt %d, belongs to no attempt any more: cancelled",
                *(record.job_id, mark.namespace, mark.name, mark.attempt),
            )
        return True

    async def _still_so(self, port: SlurmPort, record: JobRecord) -> bool:
        """Others were asked about meanwhile: it may be released by now, or its id somebody else's (TRAP F2)."""
        try:
            now_is = await port.job(record.job_id)
        except slurm_errors.JobNotFound:
            return False
        return now_is.waits_held and now_is.comment == record.comment

    async def _owned(self, mark: Marker, *, job_id: int) -> bool | None:
        """Whether an object may still own it; None: not known now. A 404 is an answer, a 403 is none."""
        key = ObjectKey(kind=Kind.SLURM_JOB, namespace=mark.namespace, name=mark.name, uid=mark.uid)
        try:
            view = job_view(await self._outside.kube.get(key))
        except kube_errors.NotFound:
            return False
        except kube_errors.KubeError as error:
            logger.info("whether held job %s has an owner is not known: %s", job_id, error)
            return None
        if sweeping.disowns(view.status, mark, job_id=job_id):
            return False
        return True if view.status.job_id == str(job_id) else None
