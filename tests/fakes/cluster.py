"""What the in-memory Slurm has besides jobs: nodes, partitions, accounts and QOS, those of the sandbox's clusters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from slurmjob_operator.api.cluster import PartitionOfCluster, QueueOfCluster
from slurmjob_operator.core import cluster
from slurmjob_operator.core.cluster import ClusterFacts, NodeRow
from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.slurm.alternatives import Association, Refusal, of_account, of_partition, of_qos
from slurmjob_operator.slurm.errors import Refused
from slurmjob_operator.slurm.request import JobRequest

DEFAULT: Final = "debug"
PARTITIONS: Final[Mapping[str, tuple[str, ...]]] = {
    DEFAULT: tuple(f"n{number}" for number in range(1, 7)),
    "gpu": ("n7", "n8"),
    "tiny": ("n1",),
}
"""Their nodes."""

CPUS: Final = 8
GPUS: Final = 2
"""Of each node. A running job takes one CPU of the first node of its partition."""

RESEARCH: Final = Association(
    account="research", qos=frozenset({"normal", "high", "low", "short"}), default_qos="normal", default=True
)
LIMITED: Final = Association(account="limited", qos=frozenset({"normal"}), default_qos="normal")
USERS: Final[Mapping[str, tuple[Association, ...]]] = {"alice": (RESEARCH, LIMITED), "bob": (RESEARCH,)}
"""What they may charge."""


def partitions() -> list[PartitionOfCluster]:
    """As slurmctld tells them."""
    return [
        PartitionOfCluster(
            name=name,
            default=name == DEFAULT,
            state="UP",
            time_limit_seconds=86_400,
            nodes=len(nodes),
            cpus=CPUS * len(nodes),
        )
        for name, nodes in PARTITIONS.items()
    ]


def facts(jobs: Collection[JobRecord], *, drained: Mapping[str, str]) -> ClusterFacts:
    """What one look finds; `drained` are nodes that somebody took out, with the reasons."""
    running = [job for job in jobs if "RUNNING" in job.states]
    busy = Counter(PARTITIONS.get(job.partition or DEFAULT, PARTITIONS[DEFAULT])[0] for job in running)
    names = sorted({name for nodes in PARTITIONS.values() for name in nodes})
    return cluster.facts(
        controllers={"memory": True},
        nodes=[_node(name, busy=busy[name], drained=drained) for name in names],
        partitions=partitions(),
        queue=QueueOfCluster(pending=sum("PENDING" in job.states for job in jobs), running=len(running)),
    )


def _node(name: str, *, busy: int, drained: Mapping[str, str]) -> NodeRow:
    base = "IDLE" if busy == 0 else "MIXED" if busy < CPUS else "ALLOCATED"
    return NodeRow(
        name=name,
        states=frozenset({base, "DRAIN"} if name in drained else {base}),
        reason=drained.get(name),
        partitions=frozenset(partition for partition, nodes in PARTITIONS.items() if name in nodes),
        cpus=CPUS,
        idle_cpus=max(CPUS - busy, 0),
        gpus=GPUS,
        idle_gpus=GPUS,
    )


def refusal(request: JobRequest, *, user: str, cluster_name: str) -> Refused | None:
    """Why such a job is refused for its partition, account or QOS; None: it is not."""
    asked = {option: request.options.get(option) for option in ("partition", "account", "qos")}
    wrong = Refusal(code=0, user=user, cluster=cluster_name, **asked)
    of, account = USERS.get(user, ()), wrong.account or RESEARCH.account
    charged = next((one for one in of if one.account == account), None)
    if (wrong.partition or DEFAULT) not in PARTITIONS:
        code, words = 2000, of_partition(replace(wrong, code=2000), partitions())
    elif charged is None:
        code, words = 2045, of_account(wrong, of)
    elif wrong.qos is not None and wrong.qos not in charged.qos:
        code, words = 2066, of_qos(wrong, of)
    else:
        return None
    return Refused(f"{words}. Slurm says: Batch job submission failed", code=code)
