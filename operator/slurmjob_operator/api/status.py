"""`status` of both kinds: frozen slotted dataclasses, read and written by pydantic at the edges.

The same values live in the registry of live jobs, so they are small. Times are RFC 3339 texts in UTC with
whole seconds, as Kubernetes writes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from slurmjob_operator.api.base import crd
from slurmjob_operator.api.cluster import Controllers, JobCounts, NodesOfCluster, Partitions, QueueOfCluster
from slurmjob_operator.api.fields import STATUS_CONFIG, Flag, IndexText, Int32, Int64, Path, Text, Time

MOST_ATTEMPTS_KEPT = 20
MOST_FAILURES = 20
MOST_COMPONENTS = 128
"""Slurm's own bound (MAX_HET_JOB_COMPS)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One observation, in the form of metav1.Condition."""

    __pydantic_config__ = STATUS_CONFIG

    type: Annotated[str, Field(max_length=316, description="Type of the condition, unique in the list.")]
    status: Annotated[str, Field(pattern="^(True|False|Unknown)$", max_length=7, description="True, False or Unknown.")]
    reason: Annotated[str, Field(min_length=1, max_length=1024, description="One word for programs.")]
    message: Annotated[str, Field(max_length=32768, description="A sentence for people.")] = ""
    last_transition_time: Annotated[Time, Field(description="When `status` last changed.")]
    observed_generation: Annotated[
        Int64 | None, Field(ge=0, description="Generation of the object that this was observed for.")
    ] = None


Conditions = Annotated[
    tuple[Condition, ...],
    Field(
        max_length=32,
        json_schema_extra=crd(list_type="map", list_map_keys=["type"]),
        description="What is known of the object; kubectl wait, Flux, Argo CD and Helm read these.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """What Slurm really applied, defaults of the cluster included."""

    __pydantic_config__ = STATUS_CONFIG

    account: Annotated[Text | None, Field(description="Account charged.")] = None
    partition: Annotated[Text | None, Field(description="Partition, or those still possible while pending.")] = None
    qos: Annotated[Text | None, Field(description="Quality of service.")] = None
    time_limit_seconds: Annotated[
        Int64 | None, Field(description="Time limit in seconds; absent when there is none.")
    ] = None
    nodes: Annotated[Int64 | None, Field(description="Number of nodes.")] = None
    cpus: Annotated[Int64 | None, Field(description="Number of CPUs.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlurmView:
    """Slurm's own words, in Slurm's own spelling."""

    __pydantic_config__ = STATUS_CONFIG

    states: Annotated[
        tuple[Text, ...],
        Field(
            max_length=16,
            json_schema_extra=crd(list_type="atomic"),
            description="Base state and flags, e.g. `[RUNNING]`.",
        ),
    ] = ()
    reason: Annotated[Text | None, Field(description="Slurm's reason, e.g. `Priority`.")] = None
    restarts: Annotated[Int32 | None, Field(description="How often Slurm started this job again by itself.")] = None
    nodes: Annotated[Path | None, Field(description="Nodes, as Slurm's host list.")] = None
    estimated_start_time: Annotated[
        Time | None, Field(description="Slurm's guess while pending; it moves, and is often absent.")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced:
    """What a script said that stands in a ConfigMap, which may say something else by now."""

    __pydantic_config__ = STATUS_CONFIG

    script_hash: Annotated[
        Text | None, Field(description="SHA-256 of the script that stands in a ConfigMap, in hexadecimal digits.")
    ] = None
    job_name: Annotated[Path | None, Field(description="The job's name in Slurm.")] = None
    hold: Annotated[bool | None, Field(description="Whether its user wants it held.")] = None
    priority: Annotated[Int64 | None, Field(description="The priority that is set at its release.")] = None
    array: Annotated[IndexText | None, Field(description="The tasks of the array, as sbatch reads them.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailures:
    """Tasks of an array that failed in the same way."""

    __pydantic_config__ = STATUS_CONFIG

    state: Annotated[Text, Field(description="Slurm's state at their end.")]
    reason: Annotated[Text, Field(description="Why, as a condition would say of one job.")]
    exit_code: Annotated[Int32 | None, Field(description="Exit code of their script.")] = None
    signal: Annotated[Int32 | None, Field(description="Signal that ended their script.")] = None
    count: Annotated[Int32, Field(description="How many.")]
    indexes: Annotated[IndexText | None, Field(description="Which; absent where the text would be too long.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayStatus:
    """The tasks of an array of jobs, over all attempts: those that succeeded are not run again."""

    __pydantic_config__ = STATUS_CONFIG

    total: Annotated[Int32, Field(description="How many tasks the template names.")]
    pending: Annotated[Int32, Field(description="How many have not started.")] = 0
    running: Annotated[Int32, Field(description="How many have started and not ended.")] = 0
    succeeded: Annotated[Int32, Field(description="How many have completed.")] = 0
    failed: Annotated[Int32, Field(description="How many have ended otherwise.")] = 0
    progress: Annotated[Text, Field(description="How many of them have ended, for people: `57/100`.")] = ""
    succeeded_indexes: Annotated[
        IndexText | None,
        Field(description="Indexes of tasks that completed, as `0-28,30`; absent where the text would be too long."),
    ] = None
    failed_indexes: Annotated[
        IndexText | None,
        Field(description="Indexes of tasks that ended otherwise; absent where the text would be too long."),
    ] = None
    unknown_indexes: Annotated[
        IndexText | None,
        Field(
            description=(
                "Indexes of tasks that Slurm does not show any more, and whose end it has not told yet; absent where "
                "the text would be too long."
            )
        ),
    ] = None
    failures: Annotated[
        tuple[TaskFailures, ...],
        Field(
            max_length=MOST_FAILURES,
            json_schema_extra=crd(list_type="atomic"),
            description="How tasks failed: those first that are not tried again, then the most frequent.",
        ),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentStatus:
    """One component of a heterogeneous job."""

    __pydantic_config__ = STATUS_CONFIG

    component: Annotated[Int32, Field(description="Its number, from 0.")]
    job_id: Annotated[Text, Field(description="Slurm's id of it; that of component 0 is the whole job's.")]
    state: Annotated[Text, Field(description="Slurm's state of it, with flags as `RUNNING+COMPLETING`.")]
    reason: Annotated[Text | None, Field(description="Slurm's reason.")] = None
    nodes: Annotated[Path | None, Field(description="Its nodes.")] = None
    exit_code: Annotated[Int32 | None, Field(description="Exit code, once known.")] = None
    signal: Annotated[Int32 | None, Field(description="Signal that ended it.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a run used, by slurmdbd; of an array all its tasks together. What Slurm does not say is absent."""

    __pydantic_config__ = STATUS_CONFIG

    elapsed_seconds: Annotated[
        Int64 | None, Field(description="How long it ran, in seconds; of an array the sum over its tasks.")
    ] = None
    cpu_seconds: Annotated[Int64 | None, Field(description="CPU time of all steps, user and system, in seconds.")] = (
        None
    )
    max_rss_bytes: Annotated[
        Int64 | None, Field(description="Largest resident memory of one task of a step (MaxRSS), in bytes.")
    ] = None
    gpu_seconds: Annotated[
        Int64 | None, Field(description="GPUs that it had, times the seconds for which it had them.")
    ] = None
    energy_joules: Annotated[
        Int64 | None, Field(description="Energy of the step that took most, in joules, where nodes measure it.")
    ] = None
    cpu_efficiency_percent: Annotated[
        Int64 | None, Field(description="`cpuSeconds` of what its CPUs could have given in that time.")
    ] = None
    memory_efficiency_percent: Annotated[
        Int64 | None, Field(description="Resident memory of all tasks of the largest step, of the memory that it had.")
    ] = None
    derived_exit_code: Annotated[
        Int32 | None, Field(description="Highest exit code of its steps that srun started (DerivedExitCode).")
    ] = None
    missing: Annotated[Text | None, Field(description="Why nothing of it is known, where that is final.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt that is over."""

    __pydantic_config__ = STATUS_CONFIG

    attempt: Annotated[Int32, Field(description="Number of the attempt, from 1.")]
    job_id: Annotated[Text | None, Field(description="Slurm's id of it.")] = None
    state: Annotated[Text, Field(description="Slurm's state at its end, or UNKNOWN.")]
    reason: Annotated[Text, Field(description="Why it ended so, as the condition said.")]
    exit_code: Annotated[Int32 | None, Field(description="Exit code of the batch script.")] = None
    signal: Annotated[Int32 | None, Field(description="Signal that ended the batch script.")] = None
    start_time: Annotated[Time | None, Field(description="When it started.")] = None
    end_time: Annotated[Time, Field(description="When it ended, or was given up.")]
    usage: Annotated[Usage | None, Field(description="What it used, as far as it was told in time.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlurmJobStatus:
    """What the operator observed of a SlurmJob."""

    __pydantic_config__ = STATUS_CONFIG

    observed_generation: Annotated[
        Int64,
        Field(description="Generation of `spec` that this status speaks of; -1 before the operator saw it."),
    ] = -1
    state: Annotated[
        Text | None,
        Field(
            description=(
                "One word for people: Waiting, Rejected, Submitting, Pending, Held, Running, Suspended, "
                "Completing, Retrying, Complete, Failed, Deleting, Unknown. An open set: programs read the "
                "conditions or the flat counters."
            )
        ),
    ] = None
    cluster_name: Annotated[Text | None, Field(description="Name of the Slurm cluster (ClusterName).")] = None
    user: Annotated[Text | None, Field(description="Slurm user that the job runs as.")] = None
    job_id: Annotated[
        Text | None, Field(description="Slurm's id of the current attempt; written once per attempt.")
    ] = None
    attempt: Annotated[Int32 | None, Field(description="Number of the current attempt, from 1.")] = None
    suspended_attempts: Annotated[
        Int32 | None,
        Field(description="How many attempts `spec.suspend` has ended: `backoffLimit` does not count them."),
    ] = None
    attempt_time: Annotated[Time | None, Field(description="When this attempt was opened, before any submission.")] = (
        None
    )
    template_hash: Annotated[
        Text | None,
        Field(
            description=(
                "Hash of `spec.template` that this attempt was opened for, with the texts of the ConfigMaps that it "
                "names."
            )
        ),
    ] = None
    sourced: Annotated[
        Sourced | None,
        Field(description="What the script asked for that `scriptFrom` led to, when this attempt was opened."),
    ] = None
    first_submit_time: Annotated[
        Time | None,
        Field(description="When the first job id was recorded; `template` is frozen from then on."),
    ] = None
    active: Annotated[Flag | None, Field(description="1 while a job of this object is in Slurm's queue, else 0.")] = (
        None
    )
    succeeded: Annotated[Flag | None, Field(description="1 once the job has completed, else 0.")] = None
    failed: Annotated[Flag | None, Field(description="1 once the job has failed for good, else 0.")] = None
    submit_time: Annotated[Time | None, Field(description="When Slurm took the current attempt.")] = None
    release_time: Annotated[
        Time | None,
        Field(
            description="When the hold of this attempt's job was about to be lifted. Only where Slurm has no slurmdbd."
        ),
    ] = None
    start_time: Annotated[Time | None, Field(description="When the job started to run.")] = None
    end_time: Annotated[Time | None, Field(description="When the job ended, however it did.")] = None
    completion_time: Annotated[Time | None, Field(description="When the job completed; absent if it failed.")] = None
    stdout_path: Annotated[Path | None, Field(description="File of standard output on the cluster.")] = None
    stderr_path: Annotated[Path | None, Field(description="File of standard error on the cluster.")] = None
    exit_code: Annotated[Int32 | None, Field(description="Exit code of the batch script, once known.")] = None
    signal: Annotated[Int32 | None, Field(description="Signal that ended the batch script, if one did.")] = None
    effective: Annotated[Effective | None, Field(description="What Slurm really applied.")] = None
    slurm: Annotated[SlurmView | None, Field(description="Slurm's own words.")] = None
    array: Annotated[ArrayStatus | None, Field(description="The tasks, where the job is an array.")] = None
    components: Annotated[
        tuple[ComponentStatus, ...],
        Field(
            max_length=MOST_COMPONENTS,
            json_schema_extra=crd(list_type="map", list_map_keys=["component"]),
            description="The components of a heterogeneous job, of the current attempt.",
        ),
    ] = ()
    usage: Annotated[
        Usage | None, Field(description="What the last run used; told by slurmdbd, at its end or soon after it.")
    ] = None
    attempts: Annotated[
        tuple[Attempt, ...],
        Field(
            max_length=MOST_ATTEMPTS_KEPT,
            json_schema_extra=crd(list_type="map", list_map_keys=["attempt"]),
            description="Attempts that are over, the newest last; at most 20 are kept.",
        ),
    ] = ()
    conditions: Conditions = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class SlurmConnectionStatus:
    """What the operator observed of a connection."""

    __pydantic_config__ = STATUS_CONFIG

    observed_generation: Annotated[
        Int64,
        Field(description="Generation of `spec` that this status speaks of; -1 before the operator saw it."),
    ] = -1
    slurm_version: Annotated[Text | None, Field(description="Release of Slurm, e.g. `26.05.5`.")] = None
    api_version: Annotated[Text | None, Field(description="API version in use, e.g. `v0.0.45`.")] = None
    cluster_name: Annotated[Text | None, Field(description="Name of the Slurm cluster (ClusterName).")] = None
    cluster_name_generation: Annotated[
        Int64 | None,
        Field(
            description="Generation of the spec that led to `clusterName`; a later one may lead to another cluster.",
        ),
    ] = None
    user: Annotated[Text | None, Field(description="Slurm user of the token.")] = None
    token_expiration_time: Annotated[Time | None, Field(description="When the token expires.")] = None
    last_sweep_time: Annotated[
        Time | None,
        Field(
            description=(
                "Held Slurm jobs that belong to no attempt any more have been looked for among those submitted before "
                "this time, and cancelled."
            )
        ),
    ] = None
    last_contact_time: Annotated[
        Time | None,
        Field(
            description=(
                "When Slurm last told what stands below: at most a minute before it was lost; while all is well it is "
                "written every ten minutes, or with anything else that is new."
            )
        ),
    ] = None
    controllers: Controllers = ()
    nodes: Annotated[
        NodesOfCluster | None,
        Field(description="Nodes of the cluster; absent where Slurm does not show them to this user."),
    ] = None
    partitions: Partitions = ()
    queue: Annotated[QueueOfCluster | None, Field(description="Slurm jobs of the whole cluster, whoever's.")] = None
    jobs: Annotated[JobCounts | None, Field(description="SlurmJobs that name this connection.")] = None
    conditions: Conditions = field(default=())
