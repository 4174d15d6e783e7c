"""Jobs of one user that are not known by id: found in slurmdbd by name and time, or in slurmctld's whole list."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from slurmjob_operator.core.identity import SLURMDBD_NAME_BYTES, same_name
from slurmjob_operator.core.records import JobRecord, Source
from slurmjob_operator.slurm.calling import Caller, accounted_rows, job_rows, listed, rows
from slurmjob_operator.slurm.dialects import reading
from slurmjob_operator.slurm.dialects.dialect import time_text
from slurmjob_operator.slurm.errors import AccountingUnavailable, JobNotFound, NotSupported, Unavailable

SPECIAL: Final = frozenset(",\"'[]")
BACKLOG_READS: Final = 15
BACKLOG_SECONDS: Final = 0.2
LONGEST_LISTING: Final = 3000
"""Jobs of a whole list: about 25 MB and 3 s of slurmrestd (measured: 8.2 kB and 0.6 ms a job on 26.05)."""


class Finder:
    """`read` reads one job of slurmctld."""

    def __init__(self, caller: Caller, read: Callable[[int], Awaitable[JobRecord]]) -> None:
        self._caller = caller
        self._read = read
        self.accounting = True
        """Whether this Slurm has a slurmdbd."""

    @property
    def user(self) -> str:
        """The user whose jobs are looked for."""
        return self._caller.token.user

    async def search(self, *, name: str, since: int) -> tuple[JobRecord, ...]:
        """See `SlurmPort`."""
        if not self.accounting:
            return tuple(r for r in await self._listing(since) if same_name(r.name, name))
        found = await self._submitted_since(since, name=name)
        read = [await self._job_or(record) for record in found if same_name(record.name, name)]
        return tuple(_each_whole_once(read))

    async def held_jobs(self, *, since: int, known: Collection[int]) -> tuple[JobRecord, ...]:
        """See `SlurmPort`."""
        if self.accounting:
            open_ones = [r for r in await self._submitted_since(since) if "PENDING" in r.states]
            jobs = [await self._job_or(record) for record in open_ones if record.job_id not in known]
        else:
            jobs = [record for record in await self._listing(since) if record.job_id not in known]
        held = (record for record in jobs if record.source is Source.CONTROLLER and record.waits_held)
        return tuple(record for record in _each_whole_once(held) if record.job_id not in known)

    async def backlog(self) -> int | None:
        """Messages that slurmctld has not delivered to slurmdbd yet."""
        body = await self._caller.read("diag")
        told = _statistics(body).get("dbd_agent_queue_size")
        said = told is not None and reading.mapping(told).get("set") is not False
        if not isinstance(body.get("statistics"), Mapping) or (said and reading.count(told) is None):
            raise Unavailable("slurmctld's answer does not say what slurmdbd has not heard yet", status=200)
        return reading.count(told)

    async def _submitted_since(self, since: int, *, name: str | None = None) -> list[JobRecord]:
        """slurmdbd's newest record of each job of our user, once slurmdbd has heard all that slurmctld knows."""
        await self._wait_until_slurmdbd_has_heard_all()
        dialect = self._caller.known()
        query = [("submit_time", time_text(since)), ("skip_steps", "true")]
        by_name = name is not None and _can_be_asked_for(name)
        if name is not None and by_name:
            query.append(("job_name", name))
        if dialect.filters_by_user:
            query.append(("users", self.user))
        elif not by_name and (accounts := await self._accounts()):
            query.append(("account", ",".join(accounts)))
        body = await self._caller.ask_slurmdbd("jobs", query=query)
        found = [dialect.accounting_record(raw) for raw in accounted_rows(body)]
        ordered = sorted(found, key=lambda record: record.submit_time or 0)
        newest = {record.whole_id: _of_whole(record) for record in ordered if record.user == self.user}
        # slurmdbd does not always keep to its filters: a time in the future is none (measured on 22.05 and 26.05)
        return [record for record in newest.values() if (record.submit_time or since) >= since]

    async def _accounts(self) -> list[str]:
        """The accounts that our user may charge, on all clusters of this slurmdbd; none where a site keeps none, and
        an empty filter would then find nothing."""
        body = await self._caller.ask_slurmdbd("associations", query=[("user", self.user)])
        return sorted({str(row.get("account")) for row in rows(body, "associations") if row.get("account")})

    async def _wait_until_slurmdbd_has_heard_all(self) -> None:
        """Messages on their way take an instant; after an outage of slurmdbd the caller comes again."""
        for _ in range(BACKLOG_READS):
            if not await self.backlog():
                return
            await asyncio.sleep(BACKLOG_SECONDS)
        raise AccountingUnavailable("slurmdbd has not yet heard all that slurmctld knows")

    async def _listing(self, since: int) -> list[JobRecord]:
        """slurmctld's whole list, for a Slurm without slurmdbd: never a long one, never two at once (TRAP P1)."""
        async with self._caller.server.shared.listing:
            count = await self._jobs_in_all()
            if count > LONGEST_LISTING:
                raise Unavailable(
                    f"without slurmdbd only a list of {LONGEST_LISTING} jobs is searched; there are {count}"
                )
            body = await self._caller.read("jobs")
        records = [self._caller.known().controller_record(raw) for raw in job_rows(body)]
        ours = [r for r in records if r.user == self.user and (r.submit_time or since) >= since]
        wholes = _each_whole_once(ours)
        return [r if (r.array_id, r.het_id) == (None, None) else await self._job_or(r) for r in wholes]

    async def _jobs_in_all(self) -> int:
        """How many jobs slurmctld has in memory; before v0.0.40 as it counted them within the last half minute, those
        that have ended left out."""
        if self._caller.known().lists_states:
            with suppress(NotSupported):
                return len(listed(await self._caller.read("jobs/state"), "jobs"))
        counts = _statistics(await self._caller.read("diag"))
        return sum(reading.count(counts.get(key)) or 0 for key in ("jobs_pending", "jobs_running"))

    async def _job_or(self, known: JobRecord) -> JobRecord:
        """slurmctld's record, that has the comment; slurmdbd's where slurmctld has forgotten the job."""
        try:
            return await self._read(known.job_id)
        except JobNotFound:
            return known


def ids_of(record: JobRecord) -> tuple[int | None, ...]:
    """The ids that one may ask for a record by."""
    return record.array_id, record.het_id, record.job_id


def _of_whole(record: JobRecord) -> JobRecord:
    return replace(record, job_id=record.whole_id)


def _each_whole_once(records: Iterable[JobRecord]) -> list[JobRecord]:
    """Of a heterogeneous job the first component's, which was read with the others: slurmdbd lists each by itself until
    the job has started."""
    found: dict[int, JobRecord] = {}
    for record in sorted(records, key=lambda record: record.job_id):
        found.setdefault(record.whole_id, _of_whole(record))
    return list(found.values())


def _statistics(diag: Mapping[str, Any]) -> Mapping[str, Any]:
    return reading.mapping(diag.get("statistics"))


def _can_be_asked_for(name: str) -> bool:
    """Whether slurmdbd's filter finds this name: it takes a list separated by commas, on 22.05 with quotes and
    brackets too, and keeps some names in another form (see `same_name`). Other names are compared here."""
    return not SPECIAL.intersection(name) and len(name.encode()) < SLURMDBD_NAME_BYTES
