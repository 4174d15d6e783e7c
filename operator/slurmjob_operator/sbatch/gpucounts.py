"""What counts of generic resources have to do with those of nodes, tasks and CPUs.

sbatch and slurmctld both see to it, but slurmctld accepts some jobs that sbatch refuses, and counts CPUs before tasks.
22.05's slurmrestd sees to most of it as sbatch does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from slurmjob_operator.sbatch.errors import ConflictingOptions
from slurmjob_operator.sbatch.jobsize import Size
from slurmjob_operator.sbatch.types.tres import amounts, gres_amounts, per_task
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, Release


@dataclass(slots=True, kw_only=True)
class Asked:
    """How much of one resource (of one type) is asked for; 0: nothing."""

    per_job: int = 0
    per_node: int = 0
    per_socket: int = 0
    per_task: int = 0

    def total(self, job: dict[str, Any], size: Size) -> int:
        """In all, as far as it is known."""
        nodes = size.least if size.nodes_given or size.least_follows else 1
        sockets: int = nodes * job.get("sockets-per-node", 1)
        tasks = size.tasks if size.tasks_given else 1
        return max(self.per_job, self.per_node * nodes, self.per_socket * sockets, self.per_task * tasks)


def settle(job: dict[str, Any], size: Size, release: Release) -> None:
    """Fix the numbers that follow. Raises `ConflictingOptions`."""
    ratio = job.get("ntasks-per-gpu", job.get("ntasks-per-tres"))
    if release == OLDEST:
        _settle_older(job, size, ratio)
        return
    if ratio is not None or "tres-per-task" in job:
        _count_tasks_by_nodes(job, size, ratio)
    asked = _asked(job)
    if ratio is not None:
        _count_tasks_by_gpus(job, size, asked, ratio)
    for (name, _), one in asked.items():
        _fix(job, size, one, name)
    gpus = sum(one.total(job, size) for (name, _), one in asked.items() if name == "gpu")
    size.cpus = max(size.cpus, gpus * job.get("cpus-per-gpu", 0))
    if release >= NEWEST and asked and size.tasks_given:
        size.cpus = max(size.cpus, size.tasks * job.get("cpus-per-task", 0))


def _settle_older(job: dict[str, Any], size: Size, ratio: int | None) -> None:
    """Where the number of tasks that `jobsize` sends would make slurmrestd overlook that none was given."""
    by_task = _some(job, "gpus-per-task")
    if ratio is not None or by_task:
        _count_tasks_by_nodes(job, size, ratio)
    if by_task and not _some(job, "gpus") and not size.tasks_given:
        raise ConflictingOptions("gpus-per-task", "needs --ntasks or --gpus")
    if ratio is not None and not size.tasks_given and not _asks_for_gpus(job):
        raise _without_numbers(job)


def _some(job: dict[str, Any], option: str) -> bool:
    """Whether this option asks for GPUs: `0` is none."""
    return any(amounts(job.get(option, "")).values())


def _asks_for_gpus(job: dict[str, Any]) -> bool:
    return any(_some(job, option) for option in ("gpus", "gpus-per-node", "gpus-per-socket")) or any(
        name == "gpu" and count for (name, _), count in gres_amounts(job.get("gres", "")).items()
    )


def _without_numbers(job: dict[str, Any]) -> ConflictingOptions:
    option = "ntasks-per-gpu" if "ntasks-per-gpu" in job else "ntasks-per-tres"
    return ConflictingOptions(option, "needs a number of GPUs, tasks or nodes")


def _asked(job: dict[str, Any]) -> dict[tuple[str, str], Asked]:
    """By name and type."""
    found: dict[tuple[str, str], Asked] = {}
    for option, what in (("gpus", "per_job"), ("gpus-per-node", "per_node"), ("gpus-per-socket", "per_socket")):
        for kind, count in amounts(job.get(option, "")).items():
            setattr(found.setdefault(("gpu", kind), Asked()), what, count)
    for (name, kind), count in gres_amounts(job.get("gres", "")).items():
        found.setdefault((name, kind), Asked()).per_node = count
    for text, count in per_task(job.get("tres-per-task", "")):
        tres, _, rest = text.partition("/")
        name, _, kind = rest.partition(":")
        if tres.lower() == "gres":
            found.setdefault((name, kind), Asked()).per_task = count
    return found


def _count_tasks_by_nodes(job: dict[str, Any], size: Size, ratio: int | None) -> None:
    if size.tasks_given or not size.nodes_given or not size.most or size.most != size.least:
        return
    if ratio is not None:
        _set_tasks(size, size.least * ratio)
    elif "ntasks-per-node" in job:
        _set_tasks(size, size.least * job["ntasks-per-node"])
    elif "cpus-per-task" not in job:
        _set_tasks(size, size.least)


def _count_tasks_by_gpus(job: dict[str, Any], size: Size, asked: dict[tuple[str, str], Asked], ratio: int) -> None:
    """So many tasks on each GPU; without GPUs as many of them as the tasks need."""
    gpus = sum(one.total(job, size) for (name, _), one in asked.items() if name == "gpu")
    if gpus:
        _set_tasks(size, ratio * gpus)
    elif size.tasks_given:
        if size.tasks > ratio and size.tasks % ratio:
            raise ConflictingOptions("ntasks", f"{size.tasks} is no multiple of the {ratio} tasks of each GPU")
    else:
        raise _without_numbers(job)


def _fix(job: dict[str, Any], size: Size, one: Asked, name: str) -> None:
    """What follows from the counts of one resource."""
    if one.per_job and one.per_node and one.per_job % one.per_node == 0:
        nodes = one.per_job // one.per_node
        if not size.nodes_given or (size.least <= nodes and (not size.most or nodes <= size.most)):
            size.least = size.most = nodes
            size.nodes_given, size.least_follows = True, False
    if one.per_task:
        _fix_tasks(size, one, name)
    if one.per_node and one.per_task and one.per_node % one.per_task == 0:
        job.setdefault("ntasks-per-node", one.per_node // one.per_task)
    if one.per_socket and one.per_task and one.per_socket % one.per_task == 0:
        job.setdefault("ntasks-per-socket", one.per_socket // one.per_task)
    if "cpus-per-gpu" in job and name == "gpu" and one.per_task:
        job.setdefault("cpus-per-task", job["cpus-per-gpu"] * one.per_task)
    if one.per_job and size.most:
        size.most = max(min(size.most, one.per_job), size.least)


def _fix_tasks(size: Size, one: Asked, name: str) -> None:
    if not one.per_job:
        if not size.tasks_given:
            raise ConflictingOptions("gpus-per-task" if name == "gpu" else "tres-per-task", "needs --ntasks or --gpus")
        return
    if one.per_job % one.per_task:
        raise ConflictingOptions("gpus", f"{one.per_job} is no multiple of the {one.per_task} of each task")
    tasks = one.per_job // one.per_task
    if size.tasks_given and size.tasks != tasks:
        raise ConflictingOptions("ntasks", f"{size.tasks} is not what the GPUs are enough for, {tasks}")
    _set_tasks(size, tasks)


def _set_tasks(size: Size, tasks: int) -> None:
    size.tasks, size.tasks_given = tasks, True
