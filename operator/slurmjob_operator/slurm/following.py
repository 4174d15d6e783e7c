"""The states of many jobs that slurmctld has in memory: in one request where it can tell them so, else job by job.

Job by job costs 2.6 ms of CPU a job in all daemons together, a whole list 0.18 ms for each job in it (measured on
22.05, bench/following.py). The list is not asked for all the same: its cost follows the cluster's jobs, not ours, and
each of slurmrestd's threads keeps the memory of the longest that it made (3,000 jobs: 1,040 MiB after 12 lists, one
after another; reads by id: 15 MiB). So jobs are read one by one, in turn, as many as a budget allows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.slurm.calling import Caller, checked, checked_id, listed
from slurmjob_operator.slurm.classify import Operation
from slurmjob_operator.slurm.dialects import reading
from slurmjob_operator.slurm.errors import JobNotFound, NotSupported

FIRST_CHUNK: Final = 500
LARGEST_CHUNK: Final = 3500
"""As many ids of ten digits as fit into the 65,536 characters that httpx sends."""
SMALLEST_CHUNK: Final = 1
TOO_LONG: Final = frozenset({400, 413, 414, 431})

States = Mapping[int, frozenset[str]]


class OneByOne:
    """job/{id} (before v0.0.40), each in its turn; what the budget does not allow is not asked this time."""

    def __init__(self, caller: Caller, read: Callable[[int], Awaitable[JobRecord]]) -> None:
        self._caller = caller
        self._read = read
        self._last = 0

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
        release = self._caller.release
        if release is not None and release == self._not_served_by:
            return await self._otherwise.states(job_ids)
        try:
            return await self._together(job_ids)
        except NotSupported:
            found = await self._otherwise.states(job_ids)
            self._not_served_by = release
            return found

    async def _together(self, job_ids: Sequence[int]) -> States:
        found: dict[int, frozenset[str]] = dict.fromkeys(job_ids, frozenset())
        ids = list(job_ids)
        while ids:
            chunk, rest = ids[: self._chunk], ids[self._chunk :]
            query = [("job_id", str(checked_id(job_id))) for job_id in chunk]
            reply = await self._caller.send("GET", "jobs/state", operation=Operation.READ, query=query)
            if reply.status in TOO_LONG and len(chunk) > SMALLEST_CHUNK:
                self._chunk = max(SMALLEST_CHUNK, len(chunk) // 2)
                continue
            for row in listed(checked(reply, Operation.READ), "jobs"):
                job_id = reading.job_id(row.get("job_id"))
                if job_id in found:  # of two rows neither is believed alone
                    found[job_id] |= reading.words(row.get("state"))
            if len(chunk) == self._chunk:
                self._chunk = min(LARGEST_CHUNK, self._chunk + self._chunk // 4 + 1)
            ids = rest
        return found


def _in_turn(job_ids: Iterable[int], *, after: int) -> list[int]:
    """Each once, in ascending order, beginning behind `after`."""
    return sorted(set(job_ids), key=lambda job_id: (job_id <= after, job_id))
