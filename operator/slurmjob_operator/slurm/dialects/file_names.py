"""Names of a job's output files where slurmrestd gives them as they were submitted (22.05).

Source: man sbatch, "filename pattern"; what slurmctld itself fills in was measured (`scontrol show job`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

DEFAULT: Final = "slurm-%j.out"
DEFAULT_OF_TASKS: Final = "slurm-%A_%a.out"

_ESCAPED = re.compile(r"\\(.?)")
"""A backslash is taken away, and with one anywhere nothing is replaced; of two one is left (measured: the files of jobs
on 22.05 and 24.11; 26.05 takes both away, and scontrol shows neither)."""

_PATTERN = re.compile(r"%([0-9]{0,4})[0-9]*([%Aajux])")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfJob:
    """What the patterns stand for. `index` is the task's of an array, None outside of one."""

    job_id: int
    array_id: int
    index: int | None
    user: str
    name: str


def expanded(path: str, *, chdir: str, job: OfJob) -> str:
    """The absolute name of a file. Patterns that only the node can fill in (`%N`, `%t` …) stay."""
    absolute = path if path.startswith("/") else f"{chdir.rstrip('/')}/{path}"
    if "\\" in path:
        return _ESCAPED.sub(r"\1", absolute)
    values: dict[str, int | str] = {
        "%": "%",
        "A": job.array_id,
        "a": 4294967294 if job.index is None else job.index,
        "j": job.job_id,
        "u": job.user,
        "x": job.name,
    }

    def fill(match: re.Match[str]) -> str:
        width, letter = match.groups()
        value = values[letter]
        return str(value).zfill(min(int(width or 0), 10)) if isinstance(value, int) else value

    return _PATTERN.sub(fill, absolute)
