"""How many nodes, tasks and CPUs sbatch asks for, once it has looked at all options together.

What it works out and the user did not say goes out as derived entries: `minimum-nodes`, `minimum-cpus`. 22.05 has no
key for those: there the number of tasks is sent instead, from which slurmrestd works out the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from slurmjob_operator.sbatch.errors import ConflictingOptions
from slurmjob_operator.sbatch.types.hosts import distinct, folded, names
from slurmjob_operator.sbatch.types.nodes import NodeRange
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, Release

ASKING: Final = frozenset(
    {"nodes", "ntasks", "ntasks-per-node", "cpus-per-task", "nodelist", "overcommit", "extra-node-info"}
)
"""Options that have a say in it; without any of them slurmctld's default is the same as sbatch's."""

PARTS: Final = ("sockets-per-node", "cores-per-socket", "threads-per-core")

UNLIMITED: Final = 0
"""As the most nodes."""


@dataclass(slots=True, kw_only=True)
class Size:
    """`least` and `most` nodes, and whether an option names them (`nodes_given`) or only the least follows from others
    (`least_follows`); `tasks` is what CPUs are counted by, and `tasks_given` whether it is sent as well."""

    least: int = 1
    most: int = UNLIMITED
    nodes_given: bool = False
    least_follows: bool = False
    tasks: int = 1
    tasks_given: bool = False
    cpus: int = 1

    @property
    def fixed(self) -> bool:
        """Whether the number of nodes is one number, as far as is known."""
        return self.most in {self.least, UNLIMITED}


def counted(job: dict[str, Any], release: Release) -> Size:
    """What all options together ask for. Raises `ConflictingOptions`."""
    if release >= NEWEST:
        _check_segments(job)
    size = _asked(job, release)
    _check_planes(job, size)
    _count_tasks(job, size)
    _follow_nodelist(job, size, release)
    _check_tasks_per_core(job, release)
    _count_cpus(job, size)
    return size


def write(job: dict[str, Any], size: Size, release: Release) -> None:
    """Put it into the job."""
    if not ASKING.intersection(job) and not size.tasks_given:
        return
    if _asks_for_nothing(job):
        # newer releases' slurmctld makes the same of the list
        job |= {"nodes": NodeRange(minimum=0, maximum=0)} if release == OLDEST else {}
        return
    if size.tasks_given and size.tasks:
        job["ntasks"] = size.tasks
    nodes = job.get("nodes")
    if size.most and (nodes is None or (nodes.minimum, nodes.maximum) != (size.least, size.most)):
        job["nodes"] = NodeRange(minimum=size.least, maximum=size.most)
    if release > OLDEST:
        job["minimum-cpus"] = size.cpus
        if size.least_follows:
            job["minimum-nodes"] = size.least
    elif size.tasks > 1 and size.least and ("nodes" in job or "cpus-per-task" in job):
        # of a list of nodes alone slurmctld counts the CPUs itself
        job["ntasks"] = size.tasks


def _asks_for_nothing(job: dict[str, Any]) -> bool:
    """An empty list of nodes without any number: sbatch asks for no node and no CPU."""
    return job.get("nodelist") == "" and not {"nodes", "ntasks", "cpus-per-task", "extra-node-info"} & job.keys()


def _asked(job: dict[str, Any], release: Release) -> Size:
    """What the options say one by one. Where 22.05 gets a list of nodes, it must have room for all of them."""
    nodes: NodeRange | None = job.get("nodes")
    size = Size()
    if nodes is not None:
        size.least, size.most, size.nodes_given = nodes.minimum, nodes.maximum, True
    listed = len(distinct(job["nodelist"])) if job.get("nodelist") else 0
    if listed and (nodes is None or release == OLDEST):
        size.least, size.nodes_given = max(size.least, listed), True
        if size.most and size.least > size.most:
            raise ConflictingOptions("nodelist", f"names {listed} nodes, more than --nodes allows")
    if "ntasks" in job:
        size.tasks, size.tasks_given = job["ntasks"], True
    elif release == OLDEST and "ntasks-per-node" in job:
        size.tasks, size.tasks_given = size.least * job["ntasks-per-node"], True
    return size


def _check_segments(job: dict[str, Any]) -> None:
    """Of a range the least number of nodes counts, of a list the largest."""
    segment, nodes = job.get("segment"), job.get("nodes")
    if not segment or nodes is None:
        return
    count = nodes.maximum if nodes.listed else nodes.minimum
    if count > segment and count % segment:
        raise ConflictingOptions("segment", f"{count} nodes cannot be divided into segments of {segment}")


def _check_planes(job: dict[str, Any], size: Size) -> None:
    plane = job["distribution"].plane if "distribution" in job else None
    if plane is None:
        return
    if not size.least or (size.tasks // plane < size.least and (size.least - 1) * plane >= size.tasks):
        raise ConflictingOptions("distribution", f"{size.tasks} tasks are too few for planes of {plane} on all nodes")


def _count_tasks(job: dict[str, Any], size: Size) -> None:
    """One task a node by default, or one for each socket, core and thread that is asked for; and no more nodes than
    tasks."""
    asked = size.nodes_given or "extra-node-info" in job
    if asked and size.fixed and "ntasks-per-node" not in job and not size.tasks_given:
        size.tasks = max(size.least, 1)
        for part in PARTS:
            if part in job:
                size.tasks, size.tasks_given = size.tasks * job[part], True
    elif size.nodes_given and "ntasks" in job:
        size.most = min(size.most, size.tasks)
        if size.tasks < size.least:
            size.least = size.most = size.tasks


def _follow_nodelist(job: dict[str, Any], size: Size, release: Release) -> None:
    """22.05 cuts the list to the number of nodes; with tasks laid out by the list its length is their number, and newer
    releases keep its order and repetitions."""
    if not job.get("nodelist"):
        return
    hosts = distinct(job["nodelist"])
    if release == OLDEST and size.most and size.most < len(hosts):
        job["nodelist"] = ",".join(hosts[: size.most])
    if "distribution" in job and job["distribution"].arbitrary:
        if release > OLDEST and "nodes" in job:
            raise ConflictingOptions("nodes", "does not go together with --distribution=arbitrary")
        if release > OLDEST:
            hosts = names(job["nodelist"])
            job["nodelist"] = folded(hosts)
        if not size.tasks_given:
            size.tasks, size.tasks_given = len(hosts), True


def _check_tasks_per_core(job: dict[str, Any], release: Release) -> None:
    tasks, threads = job.get("ntasks-per-core"), job.get("threads-per-core")
    if release > OLDEST and tasks is not None and threads is not None and tasks > threads:
        raise ConflictingOptions("ntasks-per-core", f"{tasks} is more than the {threads} threads of a core")


def _count_cpus(job: dict[str, Any], size: Size) -> None:
    """Those of all tasks, where the number of nodes is open those of one; and how many nodes the tasks need."""
    per_node = job.get("ntasks-per-node")
    tasks = size.tasks
    if per_node is not None and not size.tasks_given and size.fixed:
        tasks = size.least * per_node
    if job.get("overcommit"):
        size.cpus = max(size.least, 1)
    elif "cpus-per-task" in job:
        size.cpus = tasks * job["cpus-per-task"]
    else:
        size.cpus = tasks if size.least or not size.nodes_given else 0
    if per_node is not None and size.tasks_given and not size.nodes_given:
        size.least, size.least_follows = -(-size.tasks // per_node), True
