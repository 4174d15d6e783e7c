"""The port on a real slurmrestd, in every API version that we know."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from slurmjob_operator.core.arrays import together
from slurmjob_operator.core.cluster import ClusterFacts
from slurmjob_operator.core.components import joined
from slurmjob_operator.core.records import Accepted, ClusterInfo, JobRecord
from slurmjob_operator.sbatch.types.dependencies import job_ids
from slurmjob_operator.slurm import alternatives, cluster, failover, submission
from slurmjob_operator.slurm.calling import (
    Caller,
    accounted_rows,
    checked,
    checked_id,
    error_number,
    error_of,
    explain,
    first_error,
    job_rows,
    messages,
    not_submitted,
    rows,
    status_errors,
)
from slurmjob_operator.slurm.classify import Operation, classify
from slurmjob_operator.slurm.dialects import DIALECTS, reading
from slurmjob_operator.slurm.discovery import AUTO, UNKNOWN, discover
from slurmjob_operator.slurm.errors import JobNotFound, NotSupported, OutcomeUnknown, Refused, SlurmError, Unavailable
from slurmjob_operator.slurm.failover import GLANCE_SECONDS
from slurmjob_operator.slurm.finding import Finder, ids_of
from slurmjob_operator.slurm.following import InOneRequest, OneByOne, TaskStates
from slurmjob_operator.slurm.http import SlurmrestdServer
from slurmjob_operator.slurm.request import JobRequest
from slurmjob_operator.slurm.token import SlurmToken

DOES_NOT_FIT_NOW: Final = 2015
"""What an update answers of a job that no node can hold as the partition is now; it has taken effect all the same
(measured on 22.05: as for scontrol, the job waits with PartitionConfig)."""


ARRAY_UPDATED: Final = "job array update"
"""What 22.05 says of each update of an array, with "failed" behind it; it has taken effect (TRAP H3)."""

UNKNOWN_DEPENDENCY: Final = 2038
"""What later releases answer to a dependency on a job that slurmctld does not know."""


class SlurmrestdClient:
    """One user on one slurmrestd at a time, `server` or one of the `others`. `api_version` is a version, or Auto."""

    def __init__(
        self,
        server: SlurmrestdServer,
        token: SlurmToken,
        *,
        others: Sequence[SlurmrestdServer] = (),
        api_version: str = AUTO,
        timeout_seconds: float = 30.0,
        period_seconds: float = 10.0,
    ) -> None:
        self._caller = Caller(server, token, timeout_seconds=timeout_seconds, period_seconds=period_seconds)
        self._servers = (server, *others)
        self._timeout_seconds = timeout_seconds
        self._wanted = api_version
        self._caller.dialect = DIALECTS.get(api_version)
        self._cluster_name = UNKNOWN
        self._finder = Finder(self._caller, self.job)
        self._one_by_one = OneByOne(self._caller, self.job)
        self._in_one_request = InOneRequest(self._caller, otherwise=self._one_by_one)

    @property
    def user(self) -> str:
        """See `SlurmPort`."""
        return self._caller.token.user

    @property
    def outdated(self) -> bool:
        """See `SlurmPort`."""
        return self._caller.outdated

    @property
    def url(self) -> str:
        """See `SlurmPort`."""
        return self._caller.server.url

    @property
    def on_fallback(self) -> bool:
        """See `SlurmPort`."""
        return self._caller.server is not self._servers[0]

    @property
    def silent(self) -> bool:
        """See `SlurmPort`."""
        return self._caller.server.shared.circuit.failing

    async def info(self) -> ClusterInfo:
        """See `SlurmPort`."""
        info = await self._first_that_answers()
        self._caller.release, self._caller.outdated = info.release, False
        self._caller.cluster = info.cluster_name if info.cluster_name != UNKNOWN else None
        self._finder.accounting = info.accounting
        self._cluster_name = info.cluster_name
        await self._glance_at_earlier_ones()
        return info

    async def _first_that_answers(self) -> ClusterInfo:
        servers = failover.in_order(self._servers)
        for number, server in enumerate(servers, start=1):
            try:
                return await self._discover(server, alone=number == len(servers))
            except (Unavailable, NotSupported):
                if number == len(servers):
                    raise
        raise AssertionError("a connection has a server")

    async def _discover(self, server: SlurmrestdServer, *, alone: bool) -> ClusterInfo:
        """Ask this one from now on; patiently, if there is no other."""
        caller = self._caller
        caller.server, caller.release, caller.cluster = server, None, None
        caller.timeout_seconds = self._timeout_seconds if alone else min(self._timeout_seconds, GLANCE_SECONDS)
        try:
            return await discover(caller, wanted=self._wanted)
        finally:
            caller.timeout_seconds = self._timeout_seconds

    async def _glance_at_earlier_ones(self) -> None:
        """What comes of it shows in their circuits, and at the next time to everybody."""
        for server in failover.worth_a_glance(self._servers, self._caller.server):
            glance = Caller(server, self._caller.token, timeout_seconds=min(self._timeout_seconds, GLANCE_SECONDS))
            with suppress(SlurmError):
                await glance.speaking(self._caller.known()).read("diag")

    # --- Changing -----------------------------------------------------------------------------------------

    async def submit_held(self, request: JobRequest, *, comment: str, extra: str | None = None) -> Accepted:
        """See `SlurmPort`. A job id counts whatever else the answer says (TRAPS S1, S2, S3)."""
        dialect = self._caller.known()
        if dialect.drops_dependencies:
            await self._check_dependencies(request)
        sent = submission.body(dialect, request, comment=comment, extra=extra)
        reply = await self._caller.send("POST", "job/submit", operation=Operation.SUBMIT, body=sent)
        body = reply.body or {}
        ids = (body.get("job_id"), reading.mapping(body.get("result")).get("job_id"))
        for job_id in map(reading.job_id, ids):
            if job_id is not None:
                return Accepted(job_id=job_id, messages=messages(body))
        if any(_says_something(value) for value in ids):
            raise OutcomeUnknown("slurmrestd answered with a job id that cannot be read", status=reply.status)
        if first_error(body) is None and 200 <= reply.status < 300:
            raise not_submitted(reply, body)
        raise await alternatives.named(
            error_of(reply, Operation.SUBMIT),
            request,
            caller=self._caller,
            cluster_name=self._cluster_name,
            accounting=self._finder.accounting,
        )

    async def _check_dependencies(self, request: JobRequest) -> None:
        """As later releases do, which refuse it. The race: slurmctld forgets a job between this look and the
        submission, and the dependency on it is dropped."""
        parts = (request, *(component.request for component in request.others))
        texts = (str(part.options.get("dependency", "")) for part in parts)
        for job_id in (job_id for text in texts for job_id in job_ids(text)):
            try:
                await self.job(job_id)
            except JobNotFound:
                raise Refused(
                    f"dependency: slurmctld does not know job {job_id}, and this release of Slurm would drop the "
                    "dependency without a word and run the job: name a job that is in the queue, or has ended just now",
                    code=UNKNOWN_DEPENDENCY,
                ) from None

    async def release(
        self, job_id: int, *, comment: str, keep_held: bool = False, priority: int | None = None
    ) -> str | None:
        """See `SlurmPort`. The answer is not believed: read back (TRAP H3). The priority has an update of its own:
        beside `hold` an ordinary user's is refused, the job stays held, and yet the comment is taken (measured)."""
        await self._update(job_id, {"comment": comment} if keep_held else {"hold": False, "comment": comment})
        if priority is None or keep_held:
            return None
        try:
            await self._update(job_id, {"priority": self._caller.known().number(priority)})
        except Refused as error:
            return str(error)
        return None

    async def hold(self, job_id: int, *, comment: str) -> None:
        """See `SlurmPort`. The answer is not believed: read back (TRAP H3)."""
        await self._update(job_id, {"hold": True, "comment": comment})

    async def _update(self, job_id: int, body: Mapping[str, Any]) -> None:
        reply = await self._caller.send("POST", f"job/{checked_id(job_id)}", operation=Operation.UPDATE, body=body)
        try:
            checked(reply, Operation.UPDATE)
        except Refused as error:
            if error.code != DOES_NOT_FIT_NOW:
                raise
        except OutcomeUnknown as error:
            if ARRAY_UPDATED not in str(error):
                raise

    async def cancel(self, job_id: int) -> None:
        """See `SlurmPort`. Never with a signal: an unknown one kills (measured). 2021 is "already ended"."""
        reply = await self._caller.send("DELETE", f"job/{checked_id(job_id)}", operation=Operation.CANCEL)
        body = reply.body or {}
        errors = [*reading.errors(body.get("errors")), *status_errors(body)]
        codes = {error_number(row) for row in errors}
        bad = codes - {None, 0, 2017, 2021} or {None for row in errors if error_number(row) is None}
        if not bad and reply.body is not None and (200 <= reply.status < 300 or codes & {2017, 2021}):
            return
        code = next(iter(sorted(code for code in bad if code is not None)), None)
        raise classify(
            operation=Operation.CANCEL,
            code=code,
            status=reply.status,
            message=explain(reply, "cancelling failed", next((e for e in errors if error_number(e) == code), None)),
            answered_by_slurm=reply.body is not None,
        )

    # --- Reading ------------------------------------------------------------------------------------------

    async def job(self, job_id: int) -> JobRecord:
        """See `SlurmPort`."""
        body = await self._caller.read(f"job/{checked_id(job_id)}")
        read = self._caller.known().controller_record
        found = [record for record in map(read, job_rows(body)) if job_id in ids_of(record)]
        if not found:
            raise JobNotFound(f"slurmctld's answer does not hold job {job_id}", status=200)
        if not all(record.user for record in found):
            raise Unavailable(f"slurmctld's answer does not say whose job {job_id} is", status=200)
        tasks = [record for record in found if record.array_id == job_id]
        if tasks:
            return together(tasks)
        components = [record for record in found if record.het_id == job_id]
        return joined(components) if components else found[0]

    async def states(self, job_ids: Sequence[int]) -> Mapping[int, frozenset[str]]:
        """See `SlurmPort`."""
        way = self._in_one_request if self._caller.known().lists_states else self._one_by_one
        return await way.states(job_ids)

    async def tasks(self, arrays: Mapping[int, Collection[int]]) -> Mapping[int, TaskStates]:
        """See `SlurmPort`."""
        way = self._in_one_request if self._caller.known().lists_states else self._one_by_one
        return await way.tasks(arrays)

    async def accounting(self, job_id: int, *, within: float | None = None) -> tuple[JobRecord, ...]:
        """See `SlurmPort`."""
        if not self._finder.accounting:
            return ()
        caller = self._caller if within is None else self._caller.in_haste(within)
        body = await caller.ask_slurmdbd(f"job/{checked_id(job_id)}")
        records = [self._caller.known().accounting_record(raw) for raw in accounted_rows(body)]
        ours = (record for record in records if job_id in ids_of(record))
        return tuple(sorted(ours, key=lambda record: record.submit_time or 0))

    async def search(self, *, name: str, since: int) -> tuple[JobRecord, ...]:
        """See `SlurmPort`."""
        return await self._finder.search(name=name, since=since)

    async def held_jobs(self, *, since: int, known: Collection[int]) -> tuple[JobRecord, ...]:
        """See `SlurmPort`."""
        return await self._finder.held_jobs(since=since, known=known)

    async def accounting_backlog(self) -> int | None:
        """See `SlurmPort`."""
        return await self._finder.backlog()

    async def up_since(self) -> int | None:
        """See `SlurmPort`. `req_time_start` is when slurmctld's statistics begin: at its start, at a reset (measured on
        22.05, 24.11 and 26.05); 0 for a while after some starts."""
        if len(rows(await self._caller.read("ping"), "pings")) != 1:
            return None
        diag = await self._caller.read("diag")
        return reading.time(reading.mapping(diag.get("statistics")).get("req_time_start"))

    async def facts(self) -> ClusterFacts:
        """See `SlurmPort`."""
        caller = self._caller
        return await caller.server.shared.looks.newest(caller.viewer, partial(cluster.look, caller))


def _says_something(job_id: Any) -> bool:
    """Whether that may be the id of a job that there is: no answer without a job has more than a zero, or one unset."""
    unset = isinstance(job_id, Mapping) and (job_id.get("set") is False or not job_id)
    return bool(job_id) and not unset and reading.number(job_id) != 0
