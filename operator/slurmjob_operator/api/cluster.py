"""The part of a connection's status that shows the cluster: controllers, nodes, partitions, queues.

All of it is bounded, whatever the size of the cluster. What Slurm does not say, or does not show to this user, is
absent, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from slurmjob_operator.api.base import crd
from slurmjob_operator.api.fields import STATUS_CONFIG, Int64, Text

MOST_CONTROLLERS: Final = 16
MOST_NODE_STATES: Final = 32
MOST_PROBLEM_NODES: Final = 20
MOST_PARTITIONS: Final = 64
MOST_JOB_STATES: Final = 32
LONGEST_REASON: Final = 256

Name = Annotated[str, Field(min_length=1, max_length=256)]
Reason = Annotated[str, Field(max_length=LONGEST_REASON)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerOfCluster:
    """One slurmctld."""

    __pydantic_config__ = STATUS_CONFIG

    host: Annotated[Name, Field(description="Host that slurmctld runs on.")]
    up: Annotated[bool, Field(description="Whether it answers slurmrestd.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStateCount:
    """How many nodes are in one state."""

    __pydantic_config__ = STATUS_CONFIG

    state: Annotated[
        Name, Field(description="State with its flags as scontrol writes it, e.g. `IDLE+DRAIN`; `*`: not responding.")
    ]
    nodes: Annotated[Int64, Field(description="Number of nodes in it.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemNode:
    """A node that takes no jobs because something is wrong with it, or somebody said so."""

    __pydantic_config__ = STATUS_CONFIG

    name: Annotated[Name, Field(description="Name of the node.")]
    state: Annotated[Name, Field(description="State with its flags as scontrol writes it, e.g. `DOWN*+DRAIN`.")]
    reason: Annotated[Reason | None, Field(description="Why, in the words of who or what took it out.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodesOfCluster:
    """All nodes, and what of them is idle."""

    __pydantic_config__ = STATUS_CONFIG

    total: Annotated[Int64, Field(description="Number of nodes.")]
    cpus: Annotated[Int64, Field(description="CPUs of all nodes.")]
    idle_cpus: Annotated[
        Int64, Field(description="CPUs without a job on nodes that take jobs; drained and failed nodes have none.")
    ]
    gpus: Annotated[Int64, Field(description="GPUs of all nodes (GRES `gpu`).")]
    idle_gpus: Annotated[Int64, Field(description="GPUs without a job on nodes that take jobs.")]
    states: Annotated[
        tuple[NodeStateCount, ...],
        Field(
            max_length=MOST_NODE_STATES,
            json_schema_extra=crd(list_type="map", list_map_keys=["state"]),
            description="Nodes by state, the most frequent first; rare ones beyond 31 are counted as OTHER.",
        ),
    ] = ()
    problem_count: Annotated[Int64, Field(description="Number of nodes that are down, drained or failing.")]
    problems: Annotated[
        tuple[ProblemNode, ...],
        Field(
            max_length=MOST_PROBLEM_NODES,
            json_schema_extra=crd(list_type="map", list_map_keys=["name"]),
            description="Nodes that are down, drained or failing, by name; at most 20 are named.",
        ),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionOfCluster:
    """One partition, as Slurm shows it to this user."""

    __pydantic_config__ = STATUS_CONFIG

    name: Annotated[Name, Field(description="Name of the partition.")]
    default: Annotated[
        bool | None,
        Field(
            description=(
                "Whether jobs that name none go there; absent where Slurm does not say (API v0.0.40 to v0.0.44)."
            )
        ),
    ] = None
    state: Annotated[Text | None, Field(description="UP, DOWN, DRAIN or INACTIVE.")] = None
    time_limit_seconds: Annotated[
        Int64 | None, Field(description="Longest time limit of a job in seconds; absent when there is none.")
    ] = None
    nodes: Annotated[Int64 | None, Field(description="Number of nodes; one may belong to several partitions.")] = None
    cpus: Annotated[Int64 | None, Field(description="CPUs of its nodes.")] = None
    idle_cpus: Annotated[
        Int64 | None, Field(description="CPUs without a job, of any partition, on those of its nodes that take jobs.")
    ] = None
    gpus: Annotated[Int64 | None, Field(description="GPUs of its nodes (GRES `gpu`).")] = None
    idle_gpus: Annotated[
        Int64 | None, Field(description="GPUs without a job on those of its nodes that take jobs.")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOfCluster:
    """How long the queue is."""

    __pydantic_config__ = STATUS_CONFIG

    pending: Annotated[Int64, Field(description="Jobs that wait, as slurmctld counted them within the last minutes.")]
    running: Annotated[Int64, Field(description="Jobs that run, counted likewise.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStateCount:
    """How many SlurmJobs are in one state."""

    __pydantic_config__ = STATUS_CONFIG

    state: Annotated[Name, Field(description="State of the SlurmJobs (`status.state`); New: it has none yet.")]
    jobs: Annotated[Int64, Field(description="Number of SlurmJobs in it.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCounts:
    """SlurmJobs of one connection."""

    __pydantic_config__ = STATUS_CONFIG

    live: Annotated[Int64, Field(description="Number of those that have not ended.")]
    states: Annotated[
        tuple[JobStateCount, ...],
        Field(
            max_length=MOST_JOB_STATES,
            json_schema_extra=crd(list_type="map", list_map_keys=["state"]),
            description="SlurmJobs by state, ended ones included, by the name of the state.",
        ),
    ] = ()


Controllers = Annotated[
    tuple[ControllerOfCluster, ...],
    Field(
        max_length=MOST_CONTROLLERS,
        json_schema_extra=crd(list_type="map", list_map_keys=["host"]),
        description="slurmctld and its backups.",
    ),
]
Partitions = Annotated[
    tuple[PartitionOfCluster, ...],
    Field(
        max_length=MOST_PARTITIONS,
        json_schema_extra=crd(list_type="map", list_map_keys=["name"]),
        description="Partitions that Slurm shows to this user, the default first, the others by name; at most 64.",
    ),
]
