"""A Slurm port that counts what it is asked, and how long the answers take."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TypeVar

from slurmjob_operator.core.cluster import ClusterFacts
from slurmjob_operator.core.records import Accepted, ClusterInfo, JobRecord
from slurmjob_operator.engine.metrics import OK, Metrics
from slurmjob_operator.slurm.errors import SlurmError
from slurmjob_operator.slurm.following import TaskStates
from slurmjob_operator.slurm.port import SlurmPort
from slurmjob_operator.slurm.request import JobRequest

Answer = TypeVar("Answer")

DEFECT = "Defect"
"""The outcome of an error that is none of Slurm's: a mistake of ours."""


class CountingPort:
    """`SlurmPort` before another one; see there for what each method means. `monotonic` is in seconds.

    What is cancelled, as at the end of the process, has no outcome and is not counted.
    """

    def __init__(self, port: SlurmPort, *, metrics: Metrics, monotonic: Callable[[], float]) -> None:
        self._port = port
        self._metrics = metrics
        self._monotonic = monotonic

    @property
    def user(self) -> str:
        """See `SlurmPort`."""
        return self._port.user

    @property
    def url(self) -> str:
        """See `SlurmPort`."""
        return self._port.url

    @property
    def on_fallback(self) -> bool:
        """See `SlurmPort`."""
        return self._port.on_fallback

    @property
    def outdated(self) -> bool:
        """See `SlurmPort`."""
        return self._port.outdated

    @property
    def silent(self) -> bool:
        """See `SlurmPort`."""
        return self._port.silent

    async def info(self) -> ClusterInfo:
        """See `SlurmPort`."""
        return await self._counted("info", self._port.info())

    async def submit_held(self, request: JobRequest, *, comment: str, extra: str | None = None) -> Accepted:
        """See `SlurmPort`."""
        return await self._counted("submit_held", self._port.submit_held(request, comment=comment, extra=extra))

    async def job(self, job_id: int) -> JobRecord:
        """See `SlurmPort`."""
        return await self._counted("job", self._port.job(job_id))

    async def states(self, job_ids: Sequence[int]) -> Mapping[int, frozenset[str]]:
        """See `SlurmPort`."""
        return await self._counted("states", self._port.states(job_ids))

    async def tasks(self, arrays: Mapping[int, Collection[int]]) -> Mapping[int, TaskStates]:
        """See `SlurmPort`."""
        return await self._counted("tasks", self._port.tasks(arrays))

    async def accounting(self, job_id: int, *, within: float | None = None) -> tuple[JobRecord, ...]:
        """See `SlurmPort`."""
        return await self._counted("accounting", self._port.accounting(job_id, within=within))

    async def search(self, *, name: str, since: int) -> tuple[JobRecord, ...]:
        """See `SlurmPort`."""
        return await self._counted("search", self._port.search(name=name, since=since))

    async def held_jobs(self, *, since: int, known: Collection[int]) -> tuple[JobRecord, ...]:
        """See `SlurmPort`."""
        return await self._counted("held_jobs", self._port.held_jobs(since=since, known=known))

    async def release(
        self, job_id: int, *, comment: str, keep_held: bool = False, priority: int | None = None
    ) -> str | None:
        """See `SlurmPort`."""
        release = self._port.release(job_id, comment=comment, keep_held=keep_held, priority=priority)
        return await self._counted("release", release)

    async def hold(self, job_id: int, *, comment: str) -> None:
        """See `SlurmPort`."""
        await self._counted("hold", self._port.hold(job_id, comment=comment))

    async def cancel(self, job_id: int) -> None:
        """See `SlurmPort`."""
        await self._counted("cancel", self._port.cancel(job_id))

    async def accounting_backlog(self) -> int | None:
        """See `SlurmPort`."""
        return await self._counted("accounting_backlog", self._port.accounting_backlog())

    async def up_since(self) -> int | None:
        """See `SlurmPort`."""
        return await self._counted("up_since", self._port.up_since())

    async def facts(self) -> ClusterFacts:
        """See `SlurmPort`."""
        return await self._counted("facts", self._port.facts())

    async def _counted(self, verb: str, answer: Awaitable[Answer]) -> Answer:
        began = self._monotonic()
        try:
            result = await answer
        except Exception as error:
            outcome = type(error).__name__ if isinstance(error, SlurmError) else DEFECT
            self._metrics.slurm_request(verb, outcome, self._monotonic() - began)
            raise
        self._metrics.slurm_request(verb, OK, self._monotonic() - began)
        return result
