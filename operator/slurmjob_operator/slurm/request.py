"""A job as it is to be submitted, in units that no dialect has a say in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRange:
    """`--nodes`: at least `minimum`, at most `maximum` nodes."""

    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimit:
    """`--time`: whole minutes as Slurm counts them (seconds round up); None means UNLIMITED."""

    minutes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """One job, checked: every value here is one that sbatch would have sent.

    Memory is in MiB as Slurm counts (`mem_per_node_mb=0`: all of the node). `tres_per_node` and
    `tres_per_job` are in Slurm's own spelling, e.g. `gres/gpu:a100:2`. `deadline` is in epoch seconds. None means
    that the key is not sent. That the user wants it to stay held is no part of it: every job is submitted held.
    """

    script: str
    name: str
    chdir: str
    environment: Mapping[str, str] = field(default_factory=dict)
    account: str | None = None
    partition: str | None = None
    qos: str | None = None
    nodes: NodeRange | None = None
    ntasks: int | None = None
    ntasks_per_node: int | None = None
    cpus_per_task: int | None = None
    mem_per_node_mb: int | None = None
    mem_per_cpu_mb: int | None = None
    time_limit: TimeLimit | None = None
    tres_per_node: str | None = None
    tres_per_job: str | None = None
    dependency: str | None = None
    deadline: int | None = None
    requeue: bool | None = None
    constraint: str | None = None
    output: str | None = None
    error: str | None = None
