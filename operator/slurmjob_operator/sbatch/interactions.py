"""What options do to each other, as sbatch has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from slurmjob_operator.sbatch import exclusions, gpucounts, jobsize, pertask
from slurmjob_operator.sbatch.errors import ConflictingOptions
from slurmjob_operator.sbatch.option import Handled, Saying
from slurmjob_operator.sbatch.rest import flag, plain
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """An entry that sbatch works out and no option of the user's gives. `of`: the options that it comes from."""

    of: tuple[str, ...]
    v38: Saying
    v40: Saying


_BY_TASKS = Handled(where="the number of tasks")

DERIVED: Final = {
    "minimum-cpus": Derived(of=("nodes", "ntasks", "cpus-per-task"), v38=_BY_TASKS, v40=plain("minimum_cpus")),
    "minimum-nodes": Derived(of=("ntasks", "ntasks-per-node"), v38=_BY_TASKS, v40=plain("minimum_nodes")),
    "exact-cpus": Derived(of=("cpus-per-task", "tres-per-task"), v38=_BY_TASKS, v40=flag("EXACT_CPU_COUNT_REQUESTED")),
}
"""Entries of `applied` that are no options."""

GIVERS: Final = {
    "sockets-per-node": ("extra-node-info",),
    "cores-per-socket": ("extra-node-info", "hint"),
    "threads-per-core": ("extra-node-info", "hint"),
    "ntasks": ("extra-node-info", "nodes"),
    "licenses": ("resources",),
    "tres-bind": ("gpus-per-task", "tres-per-task"),
    "tres-per-task": ("cpus-per-task", "gpus-per-task"),
}
"""Options that give another one, for messages."""

BESIDE_HINT: Final = ("ntasks-per-core", "threads-per-core", "extra-node-info")
BESIDE_HINT_NEWER: Final = (*BESIDE_HINT, "sockets-per-node", "cores-per-socket")
"""A hint has no effect beside these."""


def applied(values: Mapping[str, Any], *, release: Release) -> dict[str, Any]:
    """Parsed values by long option name; the same as sbatch of this release would send them out, and entries of
    `DERIVED`. Where the order counts in sbatch, that of `values` is the one in which options were given last.

    Raises `ConflictingOptions` where sbatch refuses them together.
    """
    exclusions.check(values, release=release)
    job = dict(values)
    for step in STEPS:
        step(job, release)
    size = jobsize.counted(job, release)
    gpucounts.settle(job, size, release)
    jobsize.write(job, size, release)
    return job


def _parts_of_a_node(job: dict[str, Any], release: Release) -> None:
    """`--extra-node-info` gives all three numbers anew; those that are given later count."""
    del release
    parts = job.get("extra-node-info")
    if parts is None:
        return
    given = list(job)
    for name, value in (
        ("sockets-per-node", parts.sockets),
        ("cores-per-socket", parts.cores),
        ("threads-per-core", parts.threads),
    ):
        if name in job and given.index(name) > given.index("extra-node-info"):
            continue
        job.pop(name, None)
        if value is not None:
            job[name] = value


def _hint(job: dict[str, Any], release: Release) -> None:
    """It takes the place of what a node must have; its words count one after the other."""
    words = job.get("hint", ())
    if not words or any(name in job for name in (BESIDE_HINT_NEWER if release >= NEWEST else BESIDE_HINT)):
        return
    for part in jobsize.PARTS:
        job.pop(part, None)
    for word in words:
        if word == "compute_bound":
            job.pop("cores-per-socket", None)
        if word == "memory_bound":
            job["cores-per-socket"] = 1
        if word == "multithread":
            job.pop("threads-per-core", None)
        else:
            job["threads-per-core"] = 1
    if release > OLDEST and "multithread" in words and "threads-per-core" in job:
        raise ConflictingOptions("hint", "multithread does not go together with what follows it")


def _sharing(job: dict[str, Any], release: Release) -> None:
    """Of `--exclusive` and `--oversubscribe` the later one counts (newer releases refuse both)."""
    del release
    if not job.get("oversubscribe"):
        job.pop("oversubscribe", None)
    elif "exclusive" in job:
        given = list(job)
        del job[min(("exclusive", "oversubscribe"), key=given.index)]


def _licenses(job: dict[str, Any], release: Release) -> None:
    del release
    texts = [job.get(name, "") for name in ("licenses", "resources")]
    if texts[1]:
        job["licenses"] = ",".join(text for text in texts if text)


def _bindings(job: dict[str, Any], release: Release) -> None:
    """Of `--gpu-bind` and `--tres-bind` the later one counts."""
    if release == OLDEST or "gpu-bind" not in job:
        return
    given = list(job)
    if "tres-bind" not in job or given.index("gpu-bind") > given.index("tres-bind"):
        job["tres-bind"] = f"gres/gpu:{job['gpu-bind']}"
    del job["gpu-bind"]


def _gres(job: dict[str, Any], release: Release) -> None:
    """`--gpus-per-node` stands before it."""
    del release
    if "gres" in job:
        job["gres"] = job.pop("gres")


def _per_task(job: dict[str, Any], release: Release) -> None:
    if release > OLDEST:
        pertask.settle(job, release)


def _cpus_of_a_node(job: dict[str, Any], release: Release) -> None:
    """A node has the CPUs of a task at least."""
    del release
    if "mincpus" in job:
        job["mincpus"] = max(job["mincpus"], job.get("cpus-per-task", 0))


def _tasks_of_a_gpu(job: dict[str, Any], release: Release) -> None:
    """One number of two names."""
    del release
    if "ntasks-per-gpu" in job:
        job.pop("ntasks-per-tres", None)


STEPS: Final[tuple[Callable[[dict[str, Any], Release], None], ...]] = (
    _sharing,
    _licenses,
    _bindings,
    _gres,
    _per_task,
    _hint,
    _parts_of_a_node,
    _cpus_of_a_node,
    _tasks_of_a_gpu,
)
"""In sbatch's order."""
