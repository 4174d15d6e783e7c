"""Names of files and folders. sbatch makes them absolute by putting a folder before them, and nothing else."""

from __future__ import annotations

from typing import Final

from slurmjob_operator.sbatch.types.words import checked_type
from slurmjob_operator.sbatch.value import Release

LONGEST: Final = 4095
"""Bytes: what slurmctld takes, and Linux."""

NOWHERE: Final = "/dev/null"
PATH_RULE: Final = "must be the name of a folder"
FILE_RULE: Final = 'must be the name of a file, or "none" for /dev/null'


def absolute(path: str, *, folder: str) -> str:
    """As sbatch does it: `~`, `.`, `..` and variables are names like any other. An empty name is the folder itself."""
    return path if path.startswith("/") else f"{folder}/{path}"


def _path(text: str, release: Release) -> str:
    del release
    return text


def _file(text: str, release: Release) -> str:
    del release
    return NOWHERE if text.lower() == "none" else text


PATH: Final = checked_type(
    "path",
    rule=PATH_RULE,
    check=_path,
    examples=("/scratch/wing", "runs/7", "", "~/x"),
    wrong=(),
    longest=LONGEST,
)

FILE: Final = checked_type(
    "file",
    rule=FILE_RULE,
    check=_file,
    examples=("slurm-%j.out", "/scratch/%x-%A_%a.log", "none", "", "two words"),
    wrong=(),
    longest=LONGEST,
)
"""Empty where sbatch is given an empty one, which is the working directory. It must never be sent so: it kills
slurmrestd 24.11 for as long as the job lives (TRAP POISON)."""
