"""The states of many jobs that slurmctld has in memory: in one request where it can tell them so, else job by job.

Job by job costs 2.6 ms of CPU a job in all daemons together, a whole list 0.18 ms for each job in it (measured on
22.05, bench/following.py). The list is not asked for all the same: its cost follows the cluster's jobs, not ours, and
each of slurmrestd's threads keeps the memory of the longest that it made (3,000 jobs: 1,040 MiB after 12 lists, one
after another; reads by id: 15 MiB). So jobs are read one by one, in turn, as many as a budget allows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.core.states import is_over
from slurmjob_operator.slurm.calling import Caller, checked, checked_id, listed
from slurmjob_operator.slurm.classify import Operation
from slurmjob_operator.slurm.dialects import reading
from slurmjob_operator.slurm.errors import JobNotFound, NotSupported

FIRST_CHUNK: Final = 500
LARGEST_CHUNK: Final = 3500
"""As many ids of ten digits as fit into the 65,536 characters that httpx sends."""
SMALLEST_CHUNK: Final = 1
ROWS_AT_ONCE: Final = 1000
TOO_LONG: Final = frozenset({400, 413, 414, 431})

States = Mapping[int, frozenset[str]]
Asked = TypeVar("Asked")
Told = TypeVar("Told")


@dataclass(frozen=True, slots=True)
class TaskStates:
    """The states of those tasks of an array that live, as a number that is another one when any of them is. `alive`:
    whether there are any."""

    digest: int
    alive: bool

    @classmethod
    def of(cls, tasks: Iterable[tuple[str, frozenset[str]]]) -> TaskStates:
        """Of indexes with states."""
        alive = frozenset((index, states) for index, states in tasks if not is_over(states))
        return cls(digest=hash(alive), alive=bool(alive))

    @classmethod
    def of_record(cls, record: JobRecord) -> TaskStates | None:
        """As the next answer tells it, if nothing changes; None: Slurm has not named all tasks."""
        alive = [part for part in record.parts if not is_over(part.states)]
        if any(part.indexes is None for part in alive):
            return None
        return cls.of((str(index), part.states) for part in alive for index in part.indexes or ())


class OneByOne:
    """job/{id} (before v0.0.40), each in its turn; what the budget does not allow is not asked this time."""

    def __init__(self, caller: Caller, read: Callable[[int], Awaitable[JobRecord]]) -> None:
        self._caller = caller
        self._read = read
        self._last = self._last_array = 0

    async def states(self, job_ids: Sequence[int]) -> States:
        """See `SlurmPort`. Goes on after the last id of the round before."""
        found: dict[int, frozenset[str]] = {}
        allowed = self._caller.server.shared.reads.share()
        for job_id in _in_turn(job_ids, after=self._last)[:allowed]:
            self._caller.server.shared.reads.take()
            try:
                found[job_id] = (await self._read(job_id)).states
            except JobNotFound:
                found[job_id] = frozenset()
            self._last = job_id
        return found

    async def tasks(self, arrays: Mapping[int, Collection[int]]) -> Mapping[int, TaskStates]:
        """See `SlurmPort`."""
        found: dict[int, TaskStates] = {}
        allowed = self._caller.server.shared.reads.share()
        for array_id in _in_turn(arrays, after=self._last_array)[:allowed]:
            self._caller.server.shared.reads.take()
            try:
                record = await self._read(array_id)
                cut = ((str(part.indexes or part.job_id), part.states) for part in record.parts)
                found[array_id] = TaskStates.of_record(record) or TaskStates.of(cut)
            except JobNotFound:
                found[array_id] = TaskStates.of(())
            self._last_array = array_id
        return found


class InOneRequest:
    """jobs/state (v0.0.40 and newer), with just the ids that are asked for; `otherwise` where a slurmrestd has the API
    version and not this path."""

    def __init__(self, caller: Caller, *, otherwise: OneByOne) -> None:
        self._caller = caller
        self._chunk = FIRST_CHUNK
        self._otherwise = otherwise
        self._not_served_by: str | None = None

    async def states(self, job_ids: Sequence[int]) -> States:
        """See `SlurmPort`. Chunks are halved when an address is too long for whoever stands between us."""
        return await self._where_it_is_served(self._together, self._otherwise.states, job_ids)

    async def tasks(self, arrays: Mapping[int, Collection[int]]) -> Mapping[int, TaskStates]:
        """See `SlurmPort`."""
        return await self._where_it_is_served(self._tasks_together, self._otherwise.tasks, arrays)

    async def _where_it_is_served(
        self, together: Callable[[Asked], Awaitable[Told]], otherwise: Callable[[Asked], Awaitable[Told]], asked: Asked
    ) -> Told:
        """A path that this release does not serve is not asked for again."""
        release = self._caller.release
        if release is not None and release == self._not_served_by:
            return await otherwise(asked)
        try:
            return await together(asked)
        except NotSupported:
            told = await otherwise(asked)
            self._not_served_by = release
            return told

    async def _together(self, job_ids: Sequence[int]) -> States:
        found: dict[int, frozenset[str]] = dict.fromkeys(job_ids, frozenset())
        async for row in self._rows(job_ids):
            name, _, _ = reading.said(row.get("job_id")).partition("+")  # TRAP H2: of a component `ID+OFFSET`
            job_id = reading.job_id(name)
            if job_id in found:  # of two rows neither is believed alone
                found[job_id] |= reading.words(row.get("state"))
        return found

    async def _tasks_together(self, arrays: Mapping[int, Collection[int]]) -> Mapping[int, TaskStates]:
        """Rows name a task that waits by the array's id, and from v0.0.41 on one that has started by its own (TRAP H2):
        those of tasks that have started since the array was read tell of no array, but are missing among its waiting
        ones."""
        owners = {task: array_id for array_id, running in arrays.items() for task in (array_id, *running)}
        rows: dict[int, list[tuple[str, frozenset[str]]]] = {array_id: [] for array_id in arrays}
        async for row in self._rows(tuple(arrays)):
            name, _, index = reading.said(row.get("job_id")).partition("_")
            owner = owners.get(reading.job_id(name) or 0)
            if owner is not None:
                rows[owner].append((index, reading.words(row.get("state"))))
        return {array_id: TaskStates.of(found) for array_id, found in rows.items()}

    async def _rows(self, job_ids: Sequence[int]) -> AsyncIterator[Mapping[str, Any]]:
        ids = list(job_ids)
        while ids:
            chunk, rest = ids[: self._chunk], ids[self._chunk :]
            query = [("job_id", str(checked_id(job_id))) for job_id in chunk]
            reply = await self._caller.send("GET", "jobs/state", operation=Operation.READ, query=query)
            if reply.status in TOO_LONG and len(chunk) > SMALLEST_CHUNK:
                self._chunk = max(SMALLEST_CHUNK, len(chunk) // 2)
                continue
            for number, row in enumerate(listed(checked(reply, Operation.READ), "jobs")):
                if number % ROWS_AT_ONCE == 0:
                    await asyncio.sleep(0)  # others have their turn
                yield row
            if len(chunk) == self._chunk:
                self._chunk = min(LARGEST_CHUNK, self._chunk + self._chunk // 4 + 1)
            ids = rest


def _in_turn(job_ids: Iterable[int], *, after: int) -> list[int]:
    """Each once, in ascending order, beginning behind `after`."""
    return sorted(set(job_ids), key=lambda job_id: (job_id <= after, job_id))
