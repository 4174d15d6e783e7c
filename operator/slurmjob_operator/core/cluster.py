"""The cluster as people want to see it: what stands in a connection's status, made of Slurm's rows.

Counts are exact, lists are bounded and in a fixed order, so that nothing changes where nothing changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from slurmjob_operator.api.cluster import (
    LONGEST_REASON,
    MOST_CONTROLLERS,
    MOST_JOB_STATES,
    MOST_NODE_STATES,
    MOST_PARTITIONS,
    MOST_PROBLEM_NODES,
    ControllerOfCluster,
    JobCounts,
    JobStateCount,
    NodesOfCluster,
    NodeStateCount,
    PartitionOfCluster,
    ProblemNode,
    QueueOfCluster,
)
from slurmjob_operator.api.status import SlurmConnectionStatus
from slurmjob_operator.core.times import epoch_of, rfc3339

CONTACT_SECONDS: Final = 600
"""The time of the last contact alone is written no more often than this."""

OTHER: Final = "OTHER"
NOT_RESPONDING: Final = "NOT_RESPONDING"
UNKNOWN: Final = "UNKNOWN"

BASE_STATES: Final = frozenset({"UNKNOWN", "DOWN", "IDLE", "ALLOCATED", "ERROR", "MIXED", "FUTURE"})
PROBLEMS: Final = frozenset({"DOWN", "ERROR", "DRAIN", "FAIL", NOT_RESPONDING, "INVALID_REG"})
ASLEEP: Final = frozenset({"POWERED_DOWN", "POWERING_DOWN", "POWERING_UP"})
"""Such a node does not respond, and nothing is wrong with it: Slurm wakes it for a job."""

PLANNED: Final = "PLANNED"
"""The backfill scheduler sets and removes it at each of its rounds: it is left out, or each of ours would be news."""

TAKES_NO_JOBS: Final = PROBLEMS | {UNKNOWN, "FUTURE", "MAINTENANCE", "REBOOT_ISSUED", "POWER_DRAIN"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRow:
    """A node as Slurm tells it. `states`: base state and flags. `idle_cpus` and `idle_gpus`: without a job, whatever
    state the node is in."""

    name: str
    states: frozenset[str]
    reason: str | None = None
    partitions: frozenset[str] = frozenset()
    cpus: int = 0
    idle_cpus: int = 0
    gpus: int = 0
    idle_gpus: int = 0

    @property
    def state(self) -> str:
        """As scontrol writes it: the base state, a star where the node does not respond, the flags."""
        base = min(self.states & BASE_STATES, default=UNKNOWN)
        star = "*" if NOT_RESPONDING in self.states else ""
        return "+".join([base + star, *sorted(self.states - BASE_STATES - {NOT_RESPONDING, PLANNED})])

    @property
    def has_problem(self) -> bool:
        """Whether something is wrong with it, or somebody has taken it out."""
        return bool(self._awake & PROBLEMS)

    @property
    def takes_jobs(self) -> bool:
        """Whether a job could start there, if there is room."""
        return not self._awake & TAKES_NO_JOBS and bool(self.states & BASE_STATES)

    @property
    def _awake(self) -> frozenset[str]:
        return self.states - {NOT_RESPONDING} if self.states & ASLEEP else self.states


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFacts:
    """What one round of questions found. `nodes` and `partitions`: None where Slurm does not show them to this user
    (`PrivateData`); `queue`: None where slurmctld has not counted yet. `partitions` are all of them."""

    controllers: tuple[ControllerOfCluster, ...] = ()
    nodes: NodesOfCluster | None = None
    partitions: tuple[PartitionOfCluster, ...] | None = None
    queue: QueueOfCluster | None = None


def facts(
    *,
    controllers: Mapping[str, bool],
    nodes: Sequence[NodeRow] | None,
    partitions: Iterable[PartitionOfCluster] | None,
    queue: QueueOfCluster | None,
) -> ClusterFacts:
    """`controllers`: hosts, and whether they answer. `partitions` without what only nodes can tell."""
    return ClusterFacts(
        controllers=tuple(
            ControllerOfCluster(host=host, up=up) for host, up in list(controllers.items())[:MOST_CONTROLLERS]
        ),
        nodes=None if nodes is None else _nodes(nodes),
        partitions=None if partitions is None else _partitions(partitions, nodes),
        queue=queue,
    )


def _nodes(nodes: Sequence[NodeRow]) -> NodesOfCluster:
    bad = sorted((node for node in nodes if node.has_problem), key=lambda node: node.name)
    usable = [node for node in nodes if node.takes_jobs]
    return NodesOfCluster(
        total=len(nodes),
        cpus=sum(node.cpus for node in nodes),
        idle_cpus=sum(node.idle_cpus for node in usable),
        gpus=sum(node.gpus for node in nodes),
        idle_gpus=sum(node.idle_gpus for node in usable),
        states=_states(Counter(node.state for node in nodes)),
        problem_count=len(bad),
        problems=tuple(
            ProblemNode(name=node.name, state=node.state, reason=_short(node.reason))
            for node in bad[:MOST_PROBLEM_NODES]
        ),
    )


def _states(counts: Counter[str]) -> tuple[NodeStateCount, ...]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if len(ordered) > MOST_NODE_STATES:
        kept, rest = ordered[: MOST_NODE_STATES - 1], ordered[MOST_NODE_STATES - 1 :]
        ordered = [*kept, (OTHER, sum(count for _, count in rest))]
    return tuple(NodeStateCount(state=state, nodes=count) for state, count in ordered)


def _short(reason: str | None) -> str | None:
    if reason is None or len(reason) <= LONGEST_REASON:
        return reason
    return f"{reason[: LONGEST_REASON - 1]}…"


def _partitions(
    partitions: Iterable[PartitionOfCluster], nodes: Sequence[NodeRow] | None
) -> tuple[PartitionOfCluster, ...]:
    of: dict[str, list[NodeRow]] = {}
    for node in nodes or ():
        for name in node.partitions:
            of.setdefault(name, []).append(node)
    told = partitions if nodes is None else (_with_nodes(one, of.get(one.name, [])) for one in partitions)
    return tuple(sorted(told, key=lambda one: (not one.default, one.name)))


def _with_nodes(partition: PartitionOfCluster, nodes: Sequence[NodeRow]) -> PartitionOfCluster:
    """Nodes know their GPUs also where the site counts none (AccountingStorageTRES)."""
    usable = [node for node in nodes if node.takes_jobs]
    return replace(
        partition,
        idle_cpus=sum(node.idle_cpus for node in usable),
        gpus=sum(node.gpus for node in nodes),
        idle_gpus=sum(node.idle_gpus for node in usable),
    )


def job_counts(by_state: Mapping[str, int], *, live: int) -> JobCounts:
    """SlurmJobs by the names of their states."""
    counts = sorted((state, count) for state, count in by_state.items() if count > 0)[:MOST_JOB_STATES]
    return JobCounts(live=live, states=tuple(JobStateCount(state=state, jobs=count) for state, count in counts))


def shown(status: SlurmConnectionStatus, found: ClusterFacts, jobs: JobCounts, *, now: float) -> SlurmConnectionStatus:
    """The status with this in it; the same one where nothing else than the time is new, and that is not old yet."""
    new = replace(
        status,
        controllers=found.controllers,
        nodes=found.nodes,
        partitions=(found.partitions or ())[:MOST_PARTITIONS],
        queue=found.queue,
        jobs=jobs,
    )
    told = status.last_contact_time
    if new == status and told is not None and now - epoch_of(told) < CONTACT_SECONDS:
        return status
    return replace(new, last_contact_time=rfc3339(now))


def forgotten(status: SlurmConnectionStatus) -> SlurmConnectionStatus:
    """The status without it: it was of another cluster or user."""
    return replace(status, last_contact_time=None, controllers=(), nodes=None, partitions=(), queue=None, jobs=None)
