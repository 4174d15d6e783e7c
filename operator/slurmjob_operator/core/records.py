"""What Slurm says of a job, as values that mean the same whatever daemon or API version said it.

A `JobRecord` is one record of slurmctld (`job/{id}`) or of slurmdbd. Times are whole seconds since the epoch
(UTC), memory is in bytes; None means "Slurm did not say", never zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from slurmjob_operator.core.tasks import Tasks
from slurmjob_operator.sbatch.index_sets import IndexSet


class Source(Enum):
    """Which daemon a record came from; slurmdbd knows no reason, hold or restart count."""

    CONTROLLER = "slurmctld"
    ACCOUNTING = "slurmdbd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What slurmdbd says of a job's use: CPU time of all its steps; of the step with the most of it the resident memory
    of one task and of all its tasks, and energy. `memory_bytes` and `gpus` are what the job had. `steps_open`: one of
    its steps has not ended there yet, so that the sums are not whole."""

    cpu_seconds: float | None = None
    max_rss_bytes: int | None = None
    total_rss_bytes: int | None = None
    energy_joules: int | None = None
    memory_bytes: int | None = None
    gpus: int | None = None
    derived_exit_code: int | None = None
    steps_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """One record of one job.

    `states` is Slurm's base state with its flags, e.g. `{"CANCELLED", "COMPLETING"}`. `held` is true when the
    job's priority is 0 (JobHeldUser, JobHeldAdmin). `extra` is Slurm's field of that name. `exit_code` and `signal`
    are those of the batch script; they alone never decide success: TIMEOUT and CANCELLED carry 0 (facts measured:
    TRAP Q2). `description` is Slurm's sentence beside `reason`; `failed_node` the node that the job lost.

    Of an array of jobs Slurm has one record for the tasks that have not started, and one for each other task, with an
    id of its own. `array_id` is the id of the array that such a record is of, `indexes` which tasks it is of; None: the
    rest of the array, or so many that Slurm does not name them all. `parts` are all the records of an array that were
    read together as one, whose id is the array's; `tasks` is what was made of them.

    Of a heterogeneous job each component has a record: `het_id` is the id of the first, and the job's, `het_offset` the
    number of the component. `parts` are all of them then.
    """

    source: Source
    job_id: int
    user: str
    name: str
    states: frozenset[str]
    reason: str | None = None
    description: str | None = None
    comment: str = ""
    extra: str = ""
    held: bool = False
    restarts: int = 0
    submit_time: int | None = None
    eligible_time: int | None = None
    start_time: int | None = None
    end_time: int | None = None
    exit_code: int | None = None
    signal: int | None = None
    account: str | None = None
    partition: str | None = None
    qos: str | None = None
    time_limit_seconds: int | None = None
    nodes: str | None = None
    failed_node: str | None = None
    node_count: int | None = None
    cpus: int | None = None
    stdout_path: str | None = None
    stderr_path: str | None = None
    elapsed_seconds: int | None = None
    spent: Spent | None = None
    het_id: int | None = None
    het_offset: int | None = None
    array_id: int | None = None
    indexes: IndexSet | None = None
    parts: tuple[JobRecord, ...] = ()
    tasks: Tasks | None = None

    @property
    def whole_id(self) -> int:
        """The job's id, also of a task of an array or a component of a heterogeneous job, which has another besides."""
        return self.array_id or self.het_id or self.job_id

    @property
    def waits_held(self) -> bool:
        """Whether it waits, and will until somebody releases it."""
        return self.held and "PENDING" in self.states

    @property
    def began_at(self) -> int | None:
        """When it began to run. Slurm gives a start time also to a job that waits (its guess) and to one that was
        removed before it ran: the time of its end, and no nodes. An array begins with its first task."""
        if self.parts:
            return min((part.began_at for part in self.parts if part.began_at is not None), default=None)
        never_ran = self.nodes is None and self.start_time == self.end_time
        return None if "PENDING" in self.states or never_ran else self.start_time


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterInfo:
    """What discovery learned of a slurmrestd: `release` as "26.05.5", `api_version` as "v0.0.45", `accounting`:
    whether it has a slurmdbd behind it, `accounting_lags`: whether slurmdbd hears of a start seconds
    after it, `knows_extra`: whether jobs have a field `extra`. `cluster_name` is "unknown"
    where Slurm does not say; `named` is False where who could say it did not answer."""

    cluster_name: str
    release: str
    api_version: str
    accounting: bool = True
    accounting_lags: bool = False
    knows_extra: bool = True
    named: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Slurm took a submission. `messages` are its warnings and the site's words, never empty strings."""

    job_id: int
    messages: tuple[str, ...] = ()
