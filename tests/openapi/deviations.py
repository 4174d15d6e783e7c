"""Where slurmrestd does not do what its own document says, each measured. A row that nothing needs fails a test."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.openapi.documents import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """`documents` and `versions` are those where it is so; `key` and `rule` are a `Problem`'s. `why`: what was
    measured on a daemon, in words."""

    versions: tuple[str, ...]
    operation: str
    key: str
    rule: str
    why: str


SINCE_41 = ("v0.0.41", "v0.0.42", "v0.0.43", "v0.0.44", "v0.0.45")

OLDEST = ("v0.0.38",)
SINCE_40 = ("v0.0.40", *SINCE_41)


def _of_a_submission(key: str, rule: str, why: str, *, versions: tuple[str, ...] = OLDEST) -> Deviation:
    return Deviation(versions=versions, operation="POST /job/submit", key=f"job.{key}", rule=rule, why=why)


OF_OPTIONS: tuple[Deviation, ...] = (
    _of_a_submission(
        "begin_time",
        "type",
        "a text is read by Slurm's own parser of times, in the cluster's time zone, which a number would need to know",
        versions=(*OLDEST, "v0.0.39", *SINCE_40),
    ),
    _of_a_submission("deadline", "type", "as begin_time", versions=("v0.0.39", *SINCE_40)),
    _of_a_submission(
        "delay_boot", "format", "UNLIMITED is the largest number of 32 bits without a sign", versions=SINCE_40
    ),
    _of_a_submission("delay_boot", "type", "the document asks for a text; a number of minutes works"),
    _of_a_submission("cpus_per_gpu", "type", "the document asks for a text; a number works"),
    _of_a_submission("exclusive", "enum", "`exclusive` is what the bare --exclusive sends; the document forgets it"),
    _of_a_submission("no_kill", "type", "`true` is refused (400); the text `no` does what --no-kill does"),
    _of_a_submission("wait_all_nodes", "type", "`true` is refused (400); the number is --wait-all-nodes' own"),
    _of_a_submission("signal", "pattern", "the document forbids what --signal takes; the text is read as sbatch does"),
    *(
        _of_a_submission(key, "additionalProperties", f"not in the document, and does what {option} does")
        for key, option in (
            ("nodelist", "--nodelist"),
            ("exclude_nodes", "--exclude"),
            ("ntasks_per_gpu", "--ntasks-per-gpu"),
            ("ntasks_per_tres", "--ntasks-per-tres"),
            ("profile", "--profile"),
            ("temporary_disk_per_node", "--tmp"),
        )
    ),
)
"""Keys of options that slurmrestd reads although its document says otherwise: held by the comparison with sbatch."""

DEVIATIONS: tuple[Deviation, ...] = (
    *OF_OPTIONS,
    Deviation(
        versions=("v0.0.38",),
        operation="POST /job/submit",
        key="job.nodes",
        rule="type",
        why="the document asks for an array of numbers; 22.05 takes that and ignores it; a number or '2-4' works",
    ),
    Deviation(
        versions=("v0.0.38",),
        operation="POST /job/submit",
        key="job.no_requeue",
        rule="additionalProperties",
        why="`requeue: false` is ignored; this key, which the document does not name, does what --no-requeue does",
    ),
    Deviation(
        versions=SINCE_41,
        operation="GET db/jobs",
        key="?submit_time",
        rule="undocumented",
        why="24.11 and 26.05 filter by it; start_time, which is documented, misses what is held (TRAP A1)",
    ),
    Deviation(
        versions=("v0.0.38",),
        operation="POST /job/{job_id}",
        key="environment",
        rule="required",
        why="the document uses the schema of a submission; 22.05 changes a job without it",
    ),
    Deviation(
        versions=("v0.0.39",),
        operation="POST /job/{job_id}",
        key="environment",
        rule="required",
        why="not measured: as in v0.0.38 before it the schema is a submission's; v0.0.40's no longer requires it",
    ),
)


def unexplained(version: str, operation: str, problems: Iterable[Problem]) -> tuple[list[Problem], set[Deviation]]:
    """The problems that no row explains, and the rows that explained others."""
    left, used = [], set()
    for problem in problems:
        row = next((row for row in DEVIATIONS if _explains(row, version, operation, problem)), None)
        if row is None:
            left.append(problem)
        else:
            used.add(row)
    return left, used


def _explains(row: Deviation, version: str, operation: str, problem: Problem) -> bool:
    return version in row.versions and (row.operation, row.key, row.rule) == (operation, problem.key, problem.rule)
