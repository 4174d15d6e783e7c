"""An in-memory Slurm cluster: jobs, a scheduler that is told when to move, slurmdbd, and faults on demand.

It passes the same contract tests as the real one (`tests/contract`). Time is the caller's clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from slurmjob_operator.core.records import Accepted, ClusterInfo, JobRecord, Source
from slurmjob_operator.slurm.errors import (
    AccountingUnavailable,
    CredentialsRejected,
    JobNotFound,
    OutcomeUnknown,
    Refused,
    SlurmError,
)
from slurmjob_operator.slurm.request import JobRequest

PARTITIONS = frozenset({"debug", "gpu", "tiny"})
USERS = frozenset({"alice", "bob"})


@dataclass
class InMemorySlurm:
    """One cluster. `faults[verb]` is a list of faults for the next calls: an error to raise before the effect,
    or `"lost"`: the effect takes place and the answer does not come."""

    now: Callable[[], float]
    name: str = "memory"
    jobs: dict[int, JobRecord] = field(default_factory=dict)
    accounting: dict[int, list[JobRecord]] = field(default_factory=dict)
    executions: Counter[int] = field(default_factory=Counter)
    faults: dict[str, list[SlurmError | str]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    releases: list[int] = field(default_factory=list)
    next_id: int = 1
    has_accounting: bool = True
    backlog: int = 0

    def port(self, user: str, *, accepted: bool = True) -> MemoryPort:
        """As this user; `accepted` is whether Slurm takes the token."""
        return MemoryPort(cluster=self, user=user, accepted=accepted)

    # --- What Slurm does by itself ------------------------------------------------------------------------

    def start(self, job_id: int) -> bool:
        """Start a pending job that is not held; whether it did."""
        job = self.jobs.get(job_id)
        if job is None or job.states != {"PENDING"} or job.held:
            return False
        self.executions[job_id] += 1
        self.put(replace(job, states=frozenset({"RUNNING"}), reason="None", start_time=int(self.now()), nodes="n1"))
        return True

    def end(self, job_id: int, state: str = "COMPLETED", exit_code: int = 0) -> bool:
        """End a running job."""
        job = self.jobs.get(job_id)
        if job is None or "RUNNING" not in job.states:
            return False
        self.put(replace(job, states=frozenset({state}), end_time=int(self.now()), exit_code=exit_code))
        return True

    def forget(self, job_id: int) -> bool:
        """slurmctld forgets an ended job; slurmdbd does not."""
        job = self.jobs.get(job_id)
        if job is None or not job.states & {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT"}:
            return False
        del self.jobs[job_id]
        return True

    def put(self, job: JobRecord) -> None:
        """Store a record and tell slurmdbd, which learns the comment only at the end (TRAP A2)."""
        self.jobs[job.job_id] = job
        ended = bool(job.states & {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT"})
        told = replace(
            job,
            source=Source.ACCOUNTING,
            reason=None,
            held=False,
            comment=job.comment if ended else "",
        )
        records = self.accounting.setdefault(job.job_id, [])
        if records and records[-1].submit_time == job.submit_time:
            records[-1] = told
        else:
            records.append(told)


@dataclass(kw_only=True)
class MemoryPort:
    """`SlurmPort` on the cluster above, as one user."""

    cluster: InMemorySlurm
    user: str
    accepted: bool = True

    async def info(self) -> ClusterInfo:
        self._before("info")
        return ClusterInfo(
            cluster_name=self.cluster.name,
            release="26.05.0",
            api_version="v0.0.45",
            accounting=self.cluster.has_accounting,
        )

    async def submit_held(self, request: JobRequest, *, comment: str, extra: str | None = None) -> Accepted:
        lost = self._before("submit_held")
        cluster = self.cluster
        if request.partition is not None and request.partition not in PARTITIONS:
            raise Refused("Batch job submission failed (Invalid partition name specified)", code=2000)
        if self.user not in USERS:
            raise Refused("Batch job submission failed (Invalid account)", code=2045)
        job_id, cluster.next_id = cluster.next_id, cluster.next_id + 1
        cluster.put(
            JobRecord(
                source=Source.CONTROLLER,
                job_id=job_id,
                user=self.user,
                name=request.name,
                states=frozenset({"PENDING"}),
                reason="JobHeldUser",
                comment=comment,
                extra=extra or "",
                held=True,
                submit_time=int(cluster.now()),
                account=request.account or "research",
                partition=request.partition or "debug",
                qos=request.qos or "normal",
                time_limit_seconds=None
                if request.time_limit is None or request.time_limit.minutes is None
                else request.time_limit.minutes * 60,
                node_count=1,
                cpus=1,
                stdout_path=f"{request.chdir}/slurm-{job_id}.out",
                stderr_path=f"{request.chdir}/slurm-{job_id}.out",
            )
        )
        self._after(lost)
        return Accepted(job_id=job_id)

    async def job(self, job_id: int) -> JobRecord:
        self._before("job")
        return self._known(job_id)

    async def states(self, job_ids: Sequence[int]) -> Mapping[int, frozenset[str]]:
        self._before("states")
        return {job_id: self.cluster.jobs[job_id].states for job_id in job_ids if job_id in self.cluster.jobs}

    async def accounting(self, job_id: int) -> tuple[JobRecord, ...]:
        self._before("accounting")
        return tuple(self.cluster.accounting.get(job_id, ())) if self.cluster.has_accounting else ()

    async def search(self, *, name: str, since: int) -> tuple[JobRecord, ...]:
        self._before("search")
        return tuple(record for record in self._submitted_since(since) if record.name == name)

    async def held_jobs(self, *, since: int, known: Collection[int]) -> tuple[JobRecord, ...]:
        self._before("held_jobs")
        found = [record for record in self._submitted_since(since) if record.job_id not in known]
        return tuple(r for r in found if r.source is Source.CONTROLLER and r.waits_held)

    def _submitted_since(self, since: int) -> list[JobRecord]:
        cluster = self.cluster
        if cluster.has_accounting and cluster.backlog:
            raise AccountingUnavailable("slurmdbd has not yet heard all")
        told = [records[-1] for records in cluster.accounting.values()] if cluster.has_accounting else []
        known = [cluster.jobs.get(record.job_id, record) for record in told] or list(cluster.jobs.values())
        return [r for r in known if r.user == self.user and (r.submit_time or 0) >= since]

    async def release(self, job_id: int, *, comment: str, keep_held: bool = False) -> None:
        lost = self._before("release")
        job = self._mine(job_id)
        if keep_held:
            self.cluster.put(replace(job, comment=comment))
        else:
            self.cluster.releases.append(job_id)
            if job.states == {"PENDING"}:
                self.cluster.put(replace(job, held=False, reason="None", comment=comment))
        self._after(lost)

    async def cancel(self, job_id: int) -> None:
        lost = self._before("cancel")
        if job_id not in self.cluster.jobs:
            return
        job = self._mine(job_id)
        if job.states & {"PENDING", "RUNNING"}:
            self.cluster.put(
                replace(job, states=frozenset({"CANCELLED"}), held=False, end_time=int(self.cluster.now()))
            )
        self._after(lost)

    async def accounting_backlog(self) -> int | None:
        self._before("accounting_backlog")
        return self.cluster.backlog

    def _known(self, job_id: int) -> JobRecord:
        if job_id not in self.cluster.jobs:
            raise JobNotFound(f"Unable to query JobId={job_id}", code=2017)
        return self.cluster.jobs[job_id]

    def _mine(self, job_id: int) -> JobRecord:
        job = self._known(job_id)
        if job.user != self.user:
            raise Refused("Access/permission denied", code=2002)
        return job

    def _before(self, verb: str) -> bool:
        """Count the call and take the next fault: raise it, or say that the answer will be lost."""
        self.cluster.calls[verb] += 1
        if not self.accepted:
            raise CredentialsRejected("the token was not accepted", code=1007)
        waiting = self.cluster.faults.get(verb)
        if not waiting:
            return False
        fault = waiting.pop(0)
        if isinstance(fault, SlurmError):
            raise fault
        return True

    def _after(self, lost: bool) -> None:
        if lost:
            raise OutcomeUnknown("the answer was lost")
