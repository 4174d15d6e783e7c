"""An in-memory Slurm cluster: jobs, a scheduler that is told when to move, slurmdbd, and faults on demand.

It passes the same contract tests as the real one (`tests/contract`). Time is the caller's clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from slurmjob_operator.api.connection import JobDefaults
from slurmjob_operator.core.arrays import together
from slurmjob_operator.core.cluster import ClusterFacts
from slurmjob_operator.core.components import joined
from slurmjob_operator.core.records import Accepted, ClusterInfo, JobRecord, Source, Spent
from slurmjob_operator.engine.templates import Place
from slurmjob_operator.sbatch.index_sets import IndexSet
from slurmjob_operator.sbatch.types.arrays import spec_of
from slurmjob_operator.slurm.errors import (
    AccountingUnavailable,
    CredentialsRejected,
    JobNotFound,
    NotSupported,
    OutcomeUnknown,
    RateLimited,
    Refused,
    SlurmError,
    Unavailable,
)
from slurmjob_operator.slurm.following import TaskStates
from slurmjob_operator.slurm.request import JobRequest, Target
from tests.fakes import cluster as fake_cluster

ENDED = frozenset({"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT"})
MEBIBYTE = 2**20
LATE_SECONDS = 10.0
"""MessageTimeout: so long after the answer was lost a frozen slurmctld may still take a submission (TRAP F1)."""


@dataclass(frozen=True, kw_only=True)
class Birth:
    """One submission that became a job. Ids are used again, so what is true of a job is kept by its birth.

    `comment`: as submitted, whatever becomes of it. `serial`: never used again.
    """

    serial: int
    job_id: int
    user: str
    comment: str


@dataclass(frozen=True, kw_only=True)
class Late:
    """A submission whose answer was lost, and that takes effect at `at`."""

    at: float
    user: str
    request: JobRequest
    comment: str
    extra: str


@dataclass(frozen=True, kw_only=True)
class Saved:
    """slurmctld's state as it was saved at some moment: what it comes back with after `kill -9`."""

    jobs: Mapping[int, JobRecord]
    births: Mapping[int, Birth]
    next_id: int


@dataclass
class InMemorySlurm:
    """One cluster. `faults[verb]` is a list of faults for the next calls: an error to raise before the effect,
    `"lost"`: the effect takes place and the answer does not come, or (submissions) `"late"`: it takes place
    `LATE_SECONDS` after the answer was lost.

    `requests` are what jobs were submitted with, `births` are those of the jobs in `jobs`. `started` and `ended` tell
    what truly happened, one entry for each start and each end, and are never rolled back: no daemon of a cluster knows
    that much.
    """

    now: Callable[[], float]
    name: str = "memory"
    up_since: int = 1
    release: str = "26.05.0"
    api_version: str = "v0.0.45"
    jobs: dict[int, JobRecord] = field(default_factory=dict)
    requests: dict[int, JobRequest] = field(default_factory=dict)
    accounting: dict[int, list[JobRecord]] = field(default_factory=dict)
    executions: Counter[int] = field(default_factory=Counter)
    faults: dict[str, list[SlurmError | str]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    releases: list[int] = field(default_factory=list)
    next_id: int = 1
    has_accounting: bool = True
    backlog: int = 0
    births: dict[int, Birth] = field(default_factory=dict)
    started: list[Birth] = field(default_factory=list)
    ended: list[tuple[Birth, str]] = field(default_factory=list)
    slurmctld_up: bool = True
    slurmdbd_up: bool = True
    slurmdbd_keeps_up: bool = True
    untold: list[JobRecord] = field(default_factory=list)
    slurmdbd_lags: bool = False
    unheard: list[JobRecord] = field(default_factory=list)
    late: list[Late] = field(default_factory=list)
    serials: int = 0
    drained: dict[str, str] = field(default_factory=dict)
    """Nodes that somebody took out, with the reasons."""

    def port(self, user: str, *, accepted: bool = True) -> MemoryPort:
        """As this user; `accepted` is whether Slurm takes the token."""
        return MemoryPort(cluster=self, user=user, accepted=accepted)

    # --- What Slurm does by itself ------------------------------------------------------------------------

    def start(self, job_id: int) -> bool:
        """Start a pending job that is not held, of an array its next task, of a heterogeneous job all components at
        once; whether it did."""
        job = self.jobs.get(job_id)
        if job is None or job.states != {"PENDING"} or job.held:
            return False
        others = [] if job.het_id is None else [one for one in self.of(job.het_id) if one is not job]
        if any(one.held for one in others) or (others and job.het_id != job_id):
            return False
        for one in others:
            self.put(replace(one, states=frozenset({"RUNNING"}), reason="None", start_time=int(self.now()), nodes="n2"))
        if job.indexes is not None and len(job.indexes) > 1:
            job_id = self._split(job)
            job = self.jobs[job_id]
        self.executions[job_id] += 1
        if job_id in self.births:
            self.started.append(self.births[job_id])
        self.put(replace(job, states=frozenset({"RUNNING"}), reason="None", start_time=int(self.now()), nodes="n1"))
        return True

    def _split(self, waiting: JobRecord) -> int:
        """The first task of those that wait gets a record of its own; the last one keeps the array's."""
        assert waiting.indexes is not None
        job_id, self.next_id = self.next_id, self.next_id + 1
        first = IndexSet.of([next(iter(waiting.indexes))])
        self.jobs[waiting.job_id] = replace(waiting, indexes=waiting.indexes - first)
        self._tell(self.jobs[waiting.job_id])
        self.jobs[job_id] = replace(waiting, job_id=job_id, indexes=first)
        if waiting.job_id in self.births:
            self.births[job_id] = replace(self.births[waiting.job_id], job_id=job_id)
        return job_id

    def of(self, job_id: int) -> list[JobRecord]:
        """What slurmctld has under this id: of an array the records of all its tasks, of a heterogeneous job those of
        its components."""
        tasks = [job for job in self.jobs.values() if job_id in (job.array_id, job.het_id)]
        return tasks or [job for job in (self.jobs.get(job_id),) if job is not None]

    def end(self, job_id: int, state: str = "COMPLETED", exit_code: int = 0) -> bool:
        """End a running job."""
        job = self.jobs.get(job_id)
        if job is None or "RUNNING" not in job.states:
            return False
        for one in [job] if job.het_id is None else self.of(job.het_id):
            self.put(replace(one, states=frozenset({state}), end_time=int(self.now()), exit_code=exit_code))
        return True

    def requeue(self, job_id: int, *, held: bool = False) -> bool:
        """`scontrol requeue` or `requeuehold` of a running job: it waits again, under the same id (TRAP Q3)."""
        job = self.jobs.get(job_id)
        if job is None or "RUNNING" not in job.states:
            return False
        self._tell(replace(job, states=frozenset({"REQUEUED"}), end_time=int(self.now())))
        self.put(
            replace(
                job,
                states=frozenset({"PENDING"}),
                reason="JobHeldUser" if held else "BeginTime",
                held=held,
                restarts=job.restarts + 1,
                submit_time=int(self.now()),
                start_time=None,
                nodes=None,
            )
        )
        return True

    def forget(self, job_id: int) -> bool:
        """slurmctld forgets an ended job; slurmdbd does not."""
        job = self.jobs.get(job_id)
        if job is None or not job.states & ENDED:
            return False
        del self.jobs[job_id]
        self.births.pop(job_id, None)
        return True

    def cancel(self, job_id: int) -> bool:
        """Cancel a job that has not ended, of an array all tasks that have not."""
        live = [job for job in self.of(job_id) if job.states & {"PENDING", "RUNNING"}]
        for job in live:
            self.put(replace(job, states=frozenset({"CANCELLED"}), held=False, end_time=int(self.now())))
        return bool(live)

    def submit(self, user: str, request: JobRequest, *, comment: str, extra: str = "", held: bool = True) -> int:
        """A job with the next id, of whoever submits it."""
        job_id, self.next_id = self.next_id, self.next_id + 1
        self.serials += 1
        self.births[job_id] = Birth(serial=self.serials, job_id=job_id, user=user, comment=comment)
        self.requests[job_id] = request
        job = _new_job(job_id, user, request, held=held, now=self.now())
        self.put(_component(replace(job, comment=comment, extra=extra), request, het_id=job_id, offset=0))
        for offset, other in enumerate(request.others, start=1):
            own_id, self.next_id = self.next_id, self.next_id + 1
            component = _new_job(own_id, user, other.request, held=held, now=self.now())
            component = replace(component, comment=other.comment, extra=other.extra or "")
            self.put(_component(component, request, het_id=job_id, offset=offset))
        return job_id

    def arrive(self) -> None:
        """Submissions whose answer was lost take effect when their time has come."""
        due = [late for late in self.late if late.at <= self.now()]
        self.late = [late for late in self.late if late.at > self.now()]
        for late in due:
            self.submit(late.user, late.request, comment=late.comment, extra=late.extra)

    @property
    def messages_waiting(self) -> int:
        """What slurmctld has not told slurmdbd yet (`diag`)."""
        return self.backlog + len(self.untold)

    # --- Crashes ------------------------------------------------------------------------------------------

    def save(self) -> Saved:
        """What slurmctld writes to its state directory every few seconds."""
        return Saved(jobs=dict(self.jobs), births=dict(self.births), next_id=self.next_id)

    def come_back(self, saved: Saved) -> None:
        """slurmctld is killed and comes back with this state: newer jobs are lost and their ids given out again
        (TRAP F2), newer changes are undone (TRAP F5). slurmdbd keeps what it heard."""
        self.jobs, self.births, self.next_id = dict(saved.jobs), dict(saved.births), saved.next_id
        self.late.clear()
        self.unheard.clear()
        self.up_since = int(self.now())

    def hear(self) -> None:
        """slurmdbd is up and hears all that slurmctld has for it."""
        self.slurmdbd_up = self.slurmdbd_keeps_up = True
        untold, self.untold, self.unheard = [*self.untold, *self.unheard], [], []
        for record in untold:
            self._store(record)

    # --- Records ------------------------------------------------------------------------------------------

    def put(self, job: JobRecord) -> None:
        """Store a record and tell slurmdbd, which learns the comment only at the end (TRAP A2)."""
        old = self.jobs.get(job.job_id)
        self.jobs[job.job_id] = job
        ends = job.states & ENDED
        if ends and job.job_id in self.births and (old is None or not old.states & ENDED):
            self.ended.append((self.births[job.job_id], min(ends)))
        self._tell(job)

    def _tell(self, job: JobRecord) -> None:
        told = replace(
            job,
            source=Source.ACCOUNTING,
            reason=None,
            held=False,
            comment=job.comment if job.states & ENDED else "",
        )
        if job.states & ENDED and job.began_at is not None:
            elapsed = (job.end_time or job.began_at) - job.began_at
            told = replace(told, elapsed_seconds=elapsed, spent=Spent(cpu_seconds=elapsed / 2, max_rss_bytes=MEBIBYTE))
        if self.slurmdbd_lags and "PENDING" not in job.states:
            self.unheard.append(told)  # 22.05 holds a start back for seconds, and counts it in no backlog
        elif self.slurmdbd_up and self.slurmdbd_keeps_up and not self.untold:
            self._store(told)
        else:
            self.untold.append(told)

    def _store(self, told: JobRecord) -> None:
        records = self.accounting.setdefault(told.job_id, [])
        if records and records[-1].submit_time == told.submit_time:
            records[-1] = told
        else:
            records.append(told)


def _component(job: JobRecord, request: JobRequest, *, het_id: int, offset: int) -> JobRecord:
    return replace(job, het_id=het_id, het_offset=offset) if request.others else job


def _new_job(job_id: int, user: str, request: JobRequest, *, held: bool, now: float) -> JobRecord:
    options = request.options
    limit, array = options.get("time"), spec_of(options.get("array", ""))
    name = f"{job_id}" if array is None else f"{job_id}_%a"
    return JobRecord(
        source=Source.CONTROLLER,
        job_id=job_id,
        user=user,
        name=request.name,
        states=frozenset({"PENDING"}),
        reason="JobHeldUser" if held else "None",
        held=held,
        submit_time=int(now),
        account=options.get("account", "research"),
        partition=options.get("partition", "debug"),
        qos=options.get("qos", "normal"),
        time_limit_seconds=None if limit is None or limit.minutes is None else limit.minutes * 60,
        node_count=1,
        cpus=1,
        stdout_path=f"{request.chdir}/slurm-{name}.out",
        stderr_path=f"{request.chdir}/slurm-{name}.out",
        array_id=None if array is None else job_id,
        indexes=None if array is None else array.indexes,
    )


@dataclass(kw_only=True)
class MemoryPort:
    """`SlurmPort` on the cluster above, as one user."""

    cluster: InMemorySlurm
    user: str
    accepted: bool = True
    outdated: bool = False
    url: str = "https://memory"
    on_fallback: bool = False
    silent: bool = False
    _found: tuple[str, str] | None = None

    async def info(self) -> ClusterInfo:
        self._before("info")
        self._found, self.outdated = (self.cluster.release, self.cluster.api_version), False
        return ClusterInfo(
            cluster_name=self.cluster.name,
            release=self.cluster.release,
            api_version=self.cluster.api_version,
            accounting=self.cluster.has_accounting,
            accounting_lags=self.cluster.slurmdbd_lags,
        )

    async def submit_held(self, request: JobRequest, *, comment: str, extra: str | None = None) -> Accepted:
        fault = self._before("submit_held")
        cluster = self.cluster
        refusal = fake_cluster.refusal(request, user=self.user, cluster_name=cluster.name)
        if refusal is not None:
            raise refusal
        if fault == "late":
            at = cluster.now() + LATE_SECONDS
            late = Late(at=at, user=self.user, request=request, comment=comment, extra=extra or "")
            cluster.late.append(late)
            raise OutcomeUnknown("the answer was lost")
        job_id = cluster.submit(self.user, request, comment=comment, extra=extra or "")
        self._after(fault)
        return Accepted(job_id=job_id)

    async def job(self, job_id: int) -> JobRecord:
        self._before("job")
        return self._known(job_id)

    async def states(self, job_ids: Sequence[int]) -> Mapping[int, frozenset[str]]:
        self._before("states")
        jobs = self.cluster.jobs
        return {job_id: jobs[job_id].states if job_id in jobs else frozenset() for job_id in job_ids}

    async def tasks(self, arrays: Mapping[int, Collection[int]]) -> Mapping[int, TaskStates]:
        self._before("tasks")
        return {array_id: self._task_states(array_id) for array_id in arrays}

    def _task_states(self, array_id: int) -> TaskStates:
        try:
            record = self._known(array_id)
        except JobNotFound:
            return TaskStates.of(())
        shown = TaskStates.of_record(record)
        assert shown is not None, "tasks in memory are all named"
        return shown

    async def accounting(self, job_id: int, *, within: float | None = None) -> tuple[JobRecord, ...]:
        self._before("accounting")
        if not self.cluster.has_accounting:
            return ()
        self._ask_slurmdbd()
        told = (record for records in self.cluster.accounting.values() for record in records)
        found = (record for record in told if job_id in (record.array_id, record.het_id, record.job_id))
        return tuple(sorted(found, key=lambda record: record.submit_time or 0))

    async def search(self, *, name: str, since: int) -> tuple[JobRecord, ...]:
        self._before("search")
        return tuple(record for record in self._submitted_since(since) if record.name == name)

    async def held_jobs(self, *, since: int, known: Collection[int]) -> tuple[JobRecord, ...]:
        self._before("held_jobs")
        found = [record for record in self._submitted_since(since) if record.job_id not in known]
        return tuple(r for r in found if r.source is Source.CONTROLLER and r.waits_held)

    def _submitted_since(self, since: int) -> list[JobRecord]:
        cluster = self.cluster
        self._ask_slurmctld()
        if not cluster.has_accounting:
            known = [self._known(job_id) for job_id in {_whole(job).job_id for job in cluster.jobs.values()}]
        else:
            self._ask_slurmdbd()
            if cluster.messages_waiting:
                raise AccountingUnavailable("slurmdbd has not yet heard all")
            told = {_whole(records[-1]).job_id: _whole(records[-1]) for records in cluster.accounting.values()}
            known = [self._known(job_id) if cluster.of(job_id) else record for job_id, record in told.items()]
        return [r for r in known if r.user == self.user and (r.submit_time or 0) >= since]

    async def release(
        self, job_id: int, *, comment: str, keep_held: bool = False, priority: int | None = None
    ) -> str | None:
        fault = self._before("release")
        self._mine(job_id)
        if not keep_held:
            self.cluster.releases.append(job_id)
        alone = self.cluster.jobs.get(job_id)
        het = alone is not None and alone.het_id is not None
        for job in self.cluster.of(job_id) if not het else [self.cluster.jobs[job_id]]:  # TRAP H1
            if keep_held:
                self.cluster.put(replace(job, comment=comment))
            elif job.states == {"PENDING"}:
                self.cluster.put(replace(job, held=False, reason="None", comment=comment))
        self._after(fault)
        return None if priority is None or keep_held else "Access/permission denied"

    async def hold(self, job_id: int, *, comment: str) -> None:
        fault = self._before("hold")
        self._mine(job_id)
        alone = self.cluster.jobs.get(job_id)
        het = alone is not None and alone.het_id is not None
        for job in self.cluster.of(job_id) if not het else [self.cluster.jobs[job_id]]:
            if job.states == {"PENDING"}:
                self.cluster.put(replace(job, held=True, reason="JobHeldUser", comment=comment))
        self._after(fault)

    async def cancel(self, job_id: int) -> None:
        fault = self._before("cancel")
        if not self.cluster.of(job_id):
            return
        self._mine(job_id)
        self.cluster.cancel(job_id)
        self._after(fault)

    async def accounting_backlog(self) -> int | None:
        self._before("accounting_backlog")
        return self.cluster.messages_waiting

    async def up_since(self) -> int | None:
        self._before("up_since")
        return self.cluster.up_since

    async def facts(self) -> ClusterFacts:
        self._before("facts")
        return fake_cluster.facts(self.cluster.jobs.values(), drained=self.cluster.drained)

    def _known(self, job_id: int) -> JobRecord:
        found = self.cluster.of(job_id)
        if not found:
            raise JobNotFound(f"Unable to query JobId={job_id}", code=2017)
        if found[0].array_id is not None:
            return together(found)
        return joined(found) if found[0].het_id == job_id else found[0]

    def _mine(self, job_id: int) -> JobRecord:
        job = self._known(job_id)
        if job.user != self.user:
            raise Refused("Access/permission denied", code=2002)
        return job

    def _before(self, verb: str) -> str | None:
        """Count the call and take the next fault: raise it, or say what becomes of the effect and its answer."""
        try:
            fault = self._fault(verb)
        except Unavailable as error:
            self.silent = not isinstance(error, AccountingUnavailable | RateLimited)
            raise
        self.silent = fault is not None
        return fault

    def _fault(self, verb: str) -> str | None:
        self.cluster.calls[verb] += 1
        self.cluster.arrive()
        if not self.accepted:
            raise CredentialsRejected("the token was not accepted", code=1007)
        if verb not in ("accounting", "search"):
            self._ask_slurmctld()
        if verb != "info":
            self._outgrown()
        waiting = self.cluster.faults.get(verb)
        if not waiting:
            return None
        fault = waiting.pop(0)
        if isinstance(fault, SlurmError):
            raise fault
        return fault

    def _outgrown(self) -> None:
        """Whether the cluster was upgraded since it was asked what it is; its new slurmrestd may lack our version."""
        if self._found not in (None, (self.cluster.release, self.cluster.api_version)):
            self.outdated = True
            if self._found is not None and self._found[1] != self.cluster.api_version:
                raise NotSupported("HTTP status 404: Unable to find requested URL endpoint.", status=404)

    def _ask_slurmctld(self) -> None:
        if not self.cluster.slurmctld_up:
            raise Unavailable("Unable to contact slurm controller (connect failure)", code=1800)

    def _ask_slurmdbd(self) -> None:
        if not self.cluster.slurmdbd_up:
            raise AccountingUnavailable("Unable to connect to database", code=7000)

    def _after(self, fault: str | None) -> None:
        if fault is not None:
            raise OutcomeUnknown("the answer was lost")


def _whole(record: JobRecord) -> JobRecord:
    return replace(record, job_id=record.whole_id)


PLACE: Final = Place(target=Target(), user="alice", defaults=JobDefaults())
"""Where jobs of a connection to an in-memory Slurm go."""
