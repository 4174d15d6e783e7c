"""The family v0.0.40 to v0.0.45: what every body of job/submit has, beside the options of sbatch's table."""

from __future__ import annotations

from typing import Any

import pytest

from slurmjob_operator.sbatch.types.times import TimeLimit
from slurmjob_operator.slurm.dialects import family_v0040 as family
from slurmjob_operator.slurm.request import JobRequest

BARE = JobRequest(script="#!/bin/sh\ntrue\n", name="wing", chdir="/home/alice", environment={"A": "b=c", "EMPTY": ""})


def _job(request: JobRequest, *, version: str = "v0.0.45", extra: str | None = None) -> dict[str, Any]:
    job: dict[str, Any] = family.encode(request, comment="[marker] x", version=version, extra=extra)["job"]
    return job


@pytest.mark.parametrize("version", family.VERSIONS)
def test_a_bare_job_is_held_and_has_nothing_without_a_value(version: str) -> None:
    body = family.encode(BARE, comment="[marker] x", version=version)
    body["job"].pop("oom_kill_step", None)
    assert body == {
        "script": "#!/bin/sh\ntrue\n",
        "job": {
            "name": "wing",
            "comment": "[marker] x",
            "hold": True,
            "current_working_directory": "/home/alice",
            "environment": ["A=b=c", "EMPTY="],
        },
    }


@pytest.mark.parametrize("version", family.VERSIONS)
def test_options_are_said_as_the_table_has_it(version: str) -> None:
    request = JobRequest(
        script="#!", name="n", chdir="/", options={"partition": "gpu", "time": TimeLimit(minutes=None), "hold": True}
    )
    job = _job(request, version=version)
    assert job["partition"] == "gpu"
    assert job["time_limit"] == {"set": True, "infinite": True, "number": 0}
    assert job["hold"] is True


def test_the_marker_in_extra() -> None:
    assert _job(BARE, extra="[marker]")["extra"] == "[marker]"
    assert "extra" not in _job(BARE)


def test_what_sbatch_leaves_to_the_cluster_is_left_to_it() -> None:
    """Without the key slurmrestd says no; 65534 is unset in 16 bits. The three oldest versions do not know the key."""
    sent = {version: _job(BARE, version=version).get("oom_kill_step") for version in family.VERSIONS}
    assert sent == {v: None if v in ("v0.0.39", "v0.0.40", "v0.0.41") else 65534 for v in family.VERSIONS}


def test_numbers() -> None:
    assert family.number(50) == {"set": True, "number": 50}
