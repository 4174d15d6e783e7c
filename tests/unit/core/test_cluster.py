"""From Slurm's rows to what people see of a cluster: tables of nodes, bounds, and what is no news."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slurmjob_operator.api.cluster import JobCounts, JobStateCount, NodeStateCount, PartitionOfCluster, QueueOfCluster
from slurmjob_operator.api.status import SlurmConnectionStatus
from slurmjob_operator.core import cluster
from slurmjob_operator.core.cluster import ClusterFacts, NodeRow
from slurmjob_operator.core.times import rfc3339

NOW = 1_800_000_000.0


def _node(*states: str, name: str = "n1", **changes: object) -> NodeRow:
    row = NodeRow(name=name, states=frozenset(states), partitions=frozenset({"debug"}), cpus=8, idle_cpus=8)
    return replace(row, **changes)  # type: ignore[arg-type]  # checked by the dataclass' users


def _facts(*nodes: NodeRow) -> ClusterFacts:
    return cluster.facts(controllers={"ctl": True}, nodes=nodes, partitions=[], queue=None)


@pytest.mark.parametrize(
    ("states", "shown", "problem", "takes_jobs"),
    [
        ({"IDLE"}, "IDLE", False, True),
        ({"MIXED"}, "MIXED", False, True),
        ({"ALLOCATED", "COMPLETING"}, "ALLOCATED+COMPLETING", False, True),
        ({"IDLE", "RESERVED"}, "IDLE+RESERVED", False, True),
        ({"MIXED", "PLANNED"}, "MIXED", False, True),
        ({"IDLE", "DRAIN"}, "IDLE+DRAIN", True, False),
        ({"MIXED", "DRAIN"}, "MIXED+DRAIN", True, False),
        ({"DOWN"}, "DOWN", True, False),
        ({"DOWN", "NOT_RESPONDING"}, "DOWN*", True, False),
        ({"DOWN", "DRAIN", "NOT_RESPONDING"}, "DOWN*+DRAIN", True, False),
        ({"IDLE", "NOT_RESPONDING"}, "IDLE*", True, False),
        ({"IDLE", "CLOUD", "POWERED_DOWN"}, "IDLE+CLOUD+POWERED_DOWN", False, True),
        ({"IDLE", "CLOUD", "NOT_RESPONDING", "POWERING_UP"}, "IDLE*+CLOUD+POWERING_UP", False, True),
        ({"DOWN", "CLOUD", "POWERED_DOWN"}, "DOWN+CLOUD+POWERED_DOWN", True, False),
        ({"IDLE", "FAIL"}, "IDLE+FAIL", True, False),
        ({"IDLE", "MAINTENANCE"}, "IDLE+MAINTENANCE", False, False),
        ({"IDLE", "DRAIN", "INVALID_REG"}, "IDLE+DRAIN+INVALID_REG", True, False),
        ({"FUTURE"}, "FUTURE", False, False),
        ({"ERROR"}, "ERROR", True, False),
        ({"UNKNOWN"}, "UNKNOWN", False, False),
        ({"BRAND_NEW"}, "UNKNOWN+BRAND_NEW", False, False),
        (set(), "UNKNOWN", False, False),
    ],
)
def test_states_of_a_node(states: set[str], shown: str, problem: bool, takes_jobs: bool) -> None:
    node = _node(*states)
    assert (node.state, node.has_problem, node.takes_jobs) == (shown, problem, takes_jobs)


def test_nodes_are_counted_and_only_those_that_take_jobs_have_idle_ones() -> None:
    nodes = _facts(
        _node("IDLE", gpus=2, idle_gpus=2),
        _node("MIXED", name="n2", idle_cpus=3, gpus=2, idle_gpus=1),
        _node("IDLE", "DRAIN", name="n4", reason="bad disk", gpus=2, idle_gpus=2),
        _node("DOWN", name="n3"),
    ).nodes
    assert nodes is not None
    assert (nodes.total, nodes.cpus, nodes.idle_cpus, nodes.gpus, nodes.idle_gpus) == (4, 32, 11, 6, 3)
    assert {count.state: count.nodes for count in nodes.states} == {"IDLE": 1, "MIXED": 1, "IDLE+DRAIN": 1, "DOWN": 1}
    assert nodes.problem_count == 2
    assert [(one.name, one.state, one.reason) for one in nodes.problems] == [
        ("n3", "DOWN", None), ("n4", "IDLE+DRAIN", "bad disk"),
    ]  # fmt: skip


def test_problems_are_bounded_sorted_and_their_reasons_short() -> None:
    nodes = _facts(*(_node("DOWN", name=f"n{number:02}", reason="x" * 500) for number in range(40, 0, -1))).nodes
    assert nodes is not None
    assert nodes.problem_count == 40
    assert [one.name for one in nodes.problems] == [f"n{number:02}" for number in range(1, 21)]
    assert {one.reason for one in nodes.problems} == {"x" * 255 + "…"}


def test_states_are_bounded_and_none_is_lost() -> None:
    nodes = _facts(*(_node("IDLE", f"FLAG{number:02}", name=f"n{number}") for number in range(40)), _node("IDLE")).nodes
    assert nodes is not None
    assert len(nodes.states) == 32
    assert nodes.states[-1] == NodeStateCount(state="OTHER", nodes=10)
    assert sum(count.nodes for count in nodes.states) == 41


def test_partitions_have_what_their_nodes_have_the_default_first() -> None:
    told = [
        PartitionOfCluster(name="a", default=False, state="UP", nodes=1, cpus=8),
        PartitionOfCluster(name="z", default=True, state="UP", nodes=2, cpus=16, gpus=99),
        PartitionOfCluster(name="empty", default=False),
    ]
    nodes = [
        _node("MIXED", idle_cpus=5, gpus=4, idle_gpus=1, partitions=frozenset({"a", "z"})),
        _node("DOWN", name="n2", gpus=4, idle_gpus=4, partitions=frozenset({"z"})),
    ]
    found = cluster.facts(controllers={}, nodes=nodes, partitions=told, queue=None).partitions
    assert found is not None
    assert [(one.name, one.cpus, one.idle_cpus, one.gpus, one.idle_gpus) for one in found] == [
        ("z", 16, 5, 8, 1), ("a", 8, 5, 4, 1), ("empty", None, 0, 0, 0),
    ]  # fmt: skip


def test_what_is_not_shown_is_absent_not_zero() -> None:
    told = [PartitionOfCluster(name="a", nodes=3, gpus=2)]
    found = cluster.facts(controllers={}, nodes=None, partitions=told, queue=None)
    assert (found.nodes, found.partitions) == (None, (PartitionOfCluster(name="a", nodes=3, gpus=2),))
    assert cluster.facts(controllers={}, nodes=[], partitions=None, queue=None).partitions is None


def test_job_counts() -> None:
    assert cluster.job_counts({"Running": 2, "Complete": 5, "Gone": 0}, live=2) == JobCounts(
        live=2, states=(JobStateCount(state="Complete", jobs=5), JobStateCount(state="Running", jobs=2))
    )
    assert len(cluster.job_counts({f"S{number}": 1 for number in range(100)}, live=0).states) == 32


NONE_YET = JobCounts(live=0)


@pytest.mark.parametrize(
    ("seconds", "queue", "written"), [(61, 0, False), (599, 0, False), (600, 0, True), (61, 1, True)]
)
def test_the_time_alone_is_no_news_for_ten_minutes(seconds: int, queue: int, written: bool) -> None:
    found = replace(_facts(_node("IDLE")), queue=QueueOfCluster(pending=0, running=0))
    first = cluster.shown(SlurmConnectionStatus(), found, NONE_YET, now=NOW)
    assert first.last_contact_time == rfc3339(NOW)
    later = replace(found, queue=QueueOfCluster(pending=queue, running=0))
    second = cluster.shown(first, later, NONE_YET, now=NOW + seconds)
    assert (second != first) is written
    assert second.last_contact_time == rfc3339(NOW + seconds if written else NOW)


def test_a_status_holds_64_partitions_and_forgets_another_cluster() -> None:
    told = [PartitionOfCluster(name=f"p{number:03}") for number in range(200)]
    found = cluster.facts(controllers={"ctl": False}, nodes=[], partitions=told, queue=None)
    assert len(found.partitions or ()) == 200
    before = SlurmConnectionStatus(user="alice")
    status = cluster.shown(before, found, NONE_YET, now=NOW)
    assert [one.name for one in status.partitions] == [f"p{number:03}" for number in range(64)]
    assert cluster.forgotten(status) == before
