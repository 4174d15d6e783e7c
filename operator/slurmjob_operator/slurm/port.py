"""The narrow port: what the rest of the operator may ask of a Slurm cluster, in Slurm's own verbs.

Every method speaks as one Slurm user (the token's). Every method may raise `Unavailable`,
`CredentialsRejected` and `NotSupported` of `slurm.errors`; what else, and what is *not* guaranteed, is said
at each.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from slurmjob_operator.core.cluster import ClusterFacts
from slurmjob_operator.core.records import Accepted, ClusterInfo, JobRecord
from slurmjob_operator.slurm.following import TaskStates
from slurmjob_operator.slurm.request import JobRequest


class SlurmPort(Protocol):
    """One connection to one cluster as one user."""

    @property
    def user(self) -> str:
        """The Slurm user of the token; job records of others are never ours."""

    @property
    def url(self) -> str:
        """The server that is spoken to now; after `info`."""

    @property
    def on_fallback(self) -> bool:
        """Whether that is another than the first that was named: `info` finds out whether that one is back."""

    @property
    def outdated(self) -> bool:
        """Whether an answer since `info` shows that what it found holds no more: slurmrestd is of another release now,
        or does not serve the API version that we speak.

        Not guaranteed: that an upgrade shows before something is asked.
        """

    @property
    def silent(self) -> bool:
        """Whether its server did not answer when it was last asked, by whomever: `info` finds out whether another one
        of the connection does."""

    async def info(self) -> ClusterInfo:
        """Discover the release, the newest API version both sides know, and the cluster's name.

        Also proves the credentials: `ping` alone does not (TRAP J3).
        """

    async def submit_held(self, request: JobRequest, *, comment: str, extra: str | None = None) -> Accepted:
        """Submit the job held, so that it cannot start before `release`. `extra` is Slurm's field of that name.

        Judged by the job id in the answer alone, whatever the HTTP status (TRAPS S1, S2, S3).
        Raises `Refused`, `RefusedForNow`: there is no such job; of a partition, account or QOS that it is refused for
        the message names those that there are, where that can be found out by one request.
        Raises `OutcomeUnknown`: there may be one.
        """

    async def job(self, job_id: int) -> JobRecord:
        """Read one job from slurmctld, of an array all that slurmctld has of its tasks (`JobRecord.parts`). Raises
        `JobNotFound`, which is not an end.

        Not guaranteed: that the job under this id is the one you mean (Slurm reuses ids; TRAP F2).
        """

    async def states(self, job_ids: Sequence[int]) -> Mapping[int, frozenset[str]]:
        """The states of those of our jobs that slurmctld has in memory, in few requests: none for an id that it does
        not show. An id that is not in the answer was not asked for this time (where jobs are read one by one).

        Not guaranteed: identity. A row is a hint, never proof.
        """

    async def tasks(self, arrays: Mapping[int, Collection[int]]) -> Mapping[int, TaskStates]:
        """What slurmctld shows of the tasks of these arrays, all in few requests; to each array's id the ids of those
        of its tasks that ran when it was read last. An array that is not in the answer was not asked for this time.

        Not guaranteed: identity. That it is another one than last time is a hint to read the array.
        """

    async def accounting(self, job_id: int, *, within: float | None = None) -> tuple[JobRecord, ...]:
        """All records slurmdbd has of this id, oldest first, of an array those of its tasks too; several of one after a
        requeue or a reused id (TRAP F3). `within`: seconds in which it has to answer, where that is less than usual.

        Raises `AccountingUnavailable`. None, always, where there is no slurmdbd.
        """

    async def search(self, *, name: str, since: int) -> tuple[JobRecord, ...]:
        """Our user's jobs of this name submitted at or after `since` (epoch seconds), ended ones included.

        slurmdbd finds the ids by submit time (TRAP A1), slurmctld then tells the comment, which slurmdbd
        learns only at a job's end (TRAP A2). Records of jobs that slurmctld has forgotten come from slurmdbd.
        Raises `AccountingUnavailable` while slurmdbd has not heard all that slurmctld knows. Without a slurmdbd
        slurmctld's whole list is read, one at a time, and a long list is `Unavailable`.
        Not guaranteed: a submission whose answer was lost less than a few seconds ago is seen yet.
        """

    async def held_jobs(self, *, since: int, known: Collection[int]) -> tuple[JobRecord, ...]:
        """Our user's jobs that are held and were submitted at or after `since` (epoch seconds), but for those whose
        ids are `known`. Found and bounded as by `search`.
        """

    async def release(
        self, job_id: int, *, comment: str, keep_held: bool = False, priority: int | None = None
    ) -> str | None:
        """Lift the hold and set the comment in one update; `keep_held` sets the comment alone. Then set the priority,
        if one is given; what Slurm says where it refuses that, and the job goes without it.

        Raises `Refused`, `JobNotFound`, `OutcomeUnknown`. Not guaranteed: that a success took effect; read back.
        """

    async def hold(self, job_id: int, *, comment: str) -> None:
        """Take a job that waits out of the queue, and set the comment in the same update.

        Raises `Refused`, `JobNotFound`, `OutcomeUnknown`. Not guaranteed: that a success took effect; read back.
        """

    async def cancel(self, job_id: int) -> None:
        """Cancel the job. A job that has ended, or that nobody knows, is a success: read back to know which.

        Raises `Refused` (somebody else's job), `OutcomeUnknown`. Not guaranteed: that a refusal is told (v0.0.40 and
        v0.0.41 answer as to a success).
        """

    async def accounting_backlog(self) -> int | None:
        """Messages slurmctld has not delivered to slurmdbd yet (`diag`); None where it does not say."""

    async def up_since(self) -> int | None:
        """Since when (epoch seconds) slurmctld has surely been up without a break; None where that cannot be told: it
        does not say, or there are several slurmctld, of which one may have taken over.
        """

    async def facts(self) -> ClusterFacts:
        """What stands in the cluster: controllers, nodes, partitions, queue lengths. Asked for once a minute for all
        connections that would see the same; the others are told what was found then. Never reads the list of jobs.

        Not guaranteed: that it is of one moment, or all there is: `PrivateData` hides what the user may not see.
        """
