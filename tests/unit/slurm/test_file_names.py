"""File names with patterns, as slurmctld fills them in (man sbatch, "filename pattern")."""

from __future__ import annotations

import pytest

from slurmjob_operator.slurm.dialects.file_names import OfJob, expanded

JOB = OfJob(job_id=12, array_id=11, index=3, user="alice", name="wing")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("slurm-%j.out", "/home/alice/slurm-12.out"),
        ("/abs/%x", "/abs/wing"),
        ("%A_%a.log", "/home/alice/11_3.log"),
        ("%5A_%2a", "/home/alice/00011_03"),
        ("%u/%%j", "/home/alice/alice/%j"),
        ("%N-%t", "/home/alice/%N-%t"),
        ("plain", "/home/alice/plain"),
        ("/dev/null", "/dev/null"),
        ("50%", "/home/alice/50%"),
        (r"a\%j", "/home/alice/a%j"),
        (r"b\\%j", r"/home/alice/b\%j"),
        (r"c\\\\%j-x\y", r"/home/alice/c\\%j-xy"),
        ("d\\", "/home/alice/d"),
        ("%99j", "/home/alice/0000000012"),
    ],
)
def test_patterns(path: str, name: str) -> None:
    assert expanded(path, chdir="/home/alice", job=JOB) == name


def test_outside_of_an_array_the_index_is_unset() -> None:
    alone = OfJob(job_id=12, array_id=12, index=None, user="alice", name="wing")
    assert expanded("%a", chdir="/", job=alone) == "/4294967294"
