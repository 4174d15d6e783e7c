"""Resources of each task and their binding (24.11 and newer)."""

from __future__ import annotations

import re
from typing import Any

from slurmjob_operator.sbatch.errors import ConflictingOptions
from slurmjob_operator.sbatch.types.tres import per_task
from slurmjob_operator.sbatch.value import NEWEST, Release


def settle(job: dict[str, Any], release: Release) -> None:
    """CPUs and GPUs of a task are said once more among its resources, and the latter are bound to it; beside a text
    that is empty, too."""
    asked = job.get("tres-per-task", "")
    _check_said_once(job, asked)
    cpus = next((count for name, count in per_task(asked) if name.lower() == "cpu"), None)
    if cpus is not None:
        job["cpus-per-task"] = cpus
    gpus = _gpus_of_a_task(job, release)
    whole = [*gpus, *([asked] if "tres-per-task" in job else [])]
    if "cpus-per-task" in job:
        job["exact-cpus"] = True
        if "cpu" not in asked.lower():
            whole.insert(0, f"cpu={job['cpus-per-task']}")
    if whole:
        job["tres-per-task"] = ",".join(whole)
        _bind(job, asked=asked, gpus=",".join(gpus), release=release)


def _check_said_once(job: dict[str, Any], asked: str) -> None:
    said = {name.lower().partition(":")[0] for name, _ in per_task(asked)}
    for name, option in (("cpu", "cpus-per-task"), ("cpu", "cpus-per-gpu"), ("gres/gpu", "gpus-per-task")):
        if name in said and job.get(option):
            raise ConflictingOptions("tres-per-task", f"{name} does not go together with --{option}")


def _gpus_of_a_task(job: dict[str, Any], release: Release) -> list[str]:
    """`a100:1` as `gres/gpu:a100=1`. Of a count only its digits are read, and none is none. 24.11 overlooks all types
    but the first; later releases put the last one first."""
    counts: dict[str, int] = {}
    for entry in job.get("gpus-per-task", "").split(","):
        kind, _, count = entry.replace("=", ":").rpartition(":")
        digits = re.match("[0-9]*", count)
        if digits is not None and int(digits[0] or 0):
            counts.setdefault(f"gres/gpu:{kind}" if kind else "gres/gpu", int(digits[0]))
    texts = [f"{name}={count}" for name, count in counts.items()]
    return texts[::-1] if release >= NEWEST else texts[:1]


def _bind(job: dict[str, Any], *, asked: str, gpus: str, release: Release) -> None:
    """Each generic resource of a task is bound to it, unless the user binds it otherwise. Of several types of one 24.11
    counts the first, later releases all."""
    newest = release >= NEWEST
    bound: dict[str, int] = {}
    for text, count in per_task(f"{asked},{gpus}" if newest else f"{gpus},{asked}"):
        tres, _, rest = text.partition("/")
        name = rest.partition(":")[0]
        if tres.lower() == "gres":
            bound[name] = bound.get(name, 0) + count if newest else bound.get(name, count)
    users = job.get("tres-bind", "")
    parts = [f"gres/{name}:per_task:{count}" for name, count in bound.items() if name not in users]
    if parts:
        job["tres-bind"] = "+".join([*([users] if "tres-bind" in job else []), *parts])
