"""Each field of `template` means what the option of the real sbatch means: the same job, but for its id and times.

One job is submitted by `sbatch --hold` inside the cluster, one through slurmrestd from a template; `scontrol show job`
must say the same of both.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from typing import Any

import pytest

from sandboxlib import slurm_cluster
from sandboxlib.paths import Paths
from sandboxlib.slurm_suites import SUITES
from slurmjob_operator.api.template import JobTemplate
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.http import SlurmrestdServer
from slurmjob_operator.slurm.template import build_request
from slurmjob_operator.slurm.token import parse_token
from tests.real.cluster import SUITE

SCRIPT = "#!/bin/sh\ntrue\n"
OF_ONE_JOB_ALONE = {
    "JobId", "JobName", "SubmitTime", "EligibleTime", "AccrueTime", "LastSchedEval", "Comment", "Command", "SubmitLine",
    "AllocNode:Sid", "Priority", "Scheduler", "BatchFlag",
}  # fmt: skip
CANNOT_BE_SAID = {"v0.0.40": {"OOMKillStep"}, "v0.0.41": {"OOMKillStep"}}
"""Fields that a version has no key for: slurmrestd sets them as it likes."""
"""`Command` and `SubmitLine` name sbatch's file, `AllocNode:Sid` who asked."""

FILES = {"StdOut", "StdErr"}

ROWS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"account": "research"}, ["--account=research"]),
    ({"partition": "gpu"}, ["--partition=gpu"]),
    ({"partition": "debug,gpu"}, ["--partition=debug,gpu"]),
    ({"qos": "high"}, ["--qos=high"]),
    ({"nodes": 2}, ["--nodes=2"]),
    ({"nodes": "2-4"}, ["--nodes=2-4"]),
    ({"nodes": "2-4", "cpusPerTask": 3}, ["--nodes=2-4", "--cpus-per-task=3"]),
    ({"nodes": "2-4", "ntasks": 8}, ["--nodes=2-4", "--ntasks=8"]),
    ({"nodes": "2-4", "ntasksPerNode": 2}, ["--nodes=2-4", "--ntasks-per-node=2"]),
    ({"nodes": "1-4"}, ["--nodes=1-4"]),
    ({"nodes": 3, "cpusPerTask": 2}, ["--nodes=3", "--cpus-per-task=2"]),
    ({"cpusPerTask": 4}, ["--cpus-per-task=4"]),
    ({"ntasks": 3}, ["--ntasks=3"]),
    ({"nodes": 2, "ntasksPerNode": 4}, ["--nodes=2", "--ntasks-per-node=4"]),
    ({"ntasks": 2, "cpusPerTask": 3}, ["--ntasks=2", "--cpus-per-task=3"]),
    ({"mem": "1G"}, ["--mem=1G"]),
    ({"mem": 500}, ["--mem=500"]),
    ({"mem": "2000K"}, ["--mem=2000K"]),
    ({"mem": 0}, ["--mem=0"]),
    ({"memPerCpu": "200M"}, ["--mem-per-cpu=200M"]),
    ({"time": "90"}, ["--time=90"]),
    ({"time": "1:30"}, ["--time=1:30"]),
    ({"time": "0-01"}, ["--time=0-01"]),
    ({"time": "UNLIMITED", "partition": "gpu"}, ["--time=UNLIMITED", "--partition=gpu"]),
    ({"gres": "gpu:1,widget:2"}, ["--gres=gpu:1,widget:2"]),
    ({"gpusPerNode": 2, "nodes": 2}, ["--gpus-per-node=2", "--nodes=2"]),
    ({"gpus": 3, "nodes": 2}, ["--gpus=3", "--nodes=2"]),
    ({"dependency": "singleton"}, ["--dependency=singleton"]),
    ({"requeue": True}, ["--requeue"]),
    ({"requeue": False}, ["--no-requeue"]),
    ({"constraint": "fast"}, ["--constraint=fast"]),
    ({"output": "out-%j", "error": "err-%j"}, ["--output=out-%j", "--error=err-%j"]),
    ({"output": "/home/alice/%x.out"}, ["--output=/home/alice/%x.out"]),
    ({"output": "none"}, ["--output=none"]),
]


def _inside(paths: Paths, *argv: str) -> str:
    done = subprocess.run(
        slurm_cluster.exec_argv(paths, SUITE, argv, "alice"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{argv}: {done.stdout} {done.stderr}"
    return done.stdout.strip()


def _sbatch(paths: Paths, name: str) -> list[int]:
    """Submit all rows by sbatch, held, in one go; their ids in order."""
    plain = ["sbatch", "--hold", "--parsable", "--export=NONE", "--chdir=/home/alice", f"--job-name={name}"]
    lines = [f"printf {shlex.quote(SCRIPT)} | {shlex.join([*plain, *options])}" for _, options in ROWS]
    return [int(line) for line in _inside(paths, "sh", "-ec", "\n".join(lines)).splitlines()]


def _shown(paths: Paths) -> dict[int, dict[str, str]]:
    """`scontrol show job` by id, without what belongs to one job alone; its own id in file names is blanked."""
    blocks = [_fields(block) for block in _inside(paths, "scontrol", "show", "job").split("\n\n")]
    return {int(fields["JobId"]): fields for fields in blocks if "JobId" in fields}


def _fields(block: str) -> dict[str, str]:
    lines = [line.strip() for line in block.splitlines() if not line.strip().startswith("SubmitLine=")]
    return dict(pair for line in lines for pair in re.findall(r"(\S+?)=(.*?)(?= \S+?=|$)", line))


def _differences(ours: dict[str, str], theirs: dict[str, str]) -> dict[str, tuple[str | None, str | None]]:
    """By field: what ours says, what sbatch's says."""
    seen = [{key: value.replace(job["JobId"], "ID") if key in FILES else value for key, value in job.items()}
            for job in (ours, theirs)]  # fmt: skip
    keys = (ours.keys() | theirs.keys()) - OF_ONE_JOB_ALONE
    return {key: (seen[0].get(key), seen[1].get(key)) for key in keys if seen[0].get(key) != seen[1].get(key)}


@pytest.mark.parametrize("version", SUITES[SUITE].api_versions)
async def test_the_same_job_as_sbatch(sandbox: Paths, version: str) -> None:
    token = parse_token(slurm_cluster.token(sandbox, SUITE, user="alice", lifespan=600).encode())
    server = SlurmrestdServer(slurm_cluster.rest_url(sandbox, SUITE), allow_plain_http=True)
    port = SlurmrestdClient(server, token, api_version=version)
    name = f"row-{version}"
    ours = []
    for template, _ in ROWS:
        full = {"script": SCRIPT, "chdir": "/home/alice", **template}
        request = build_request(JobTemplate.model_validate(full), name=name, now=time.time())
        ours.append((await port.submit_held(request, comment="x")).job_id)
    await server.close()
    theirs = _sbatch(sandbox, name)
    shown = _shown(sandbox)
    _inside(sandbox, "scancel", *(str(job_id) for job_id in (*ours, *theirs)))
    differing = {
        " ".join(options): {
            field: values
            for field, values in _differences(shown[mine], shown[other]).items()
            if field not in CANNOT_BE_SAID.get(version, ())
        }
        for (_, options), mine, other in zip(ROWS, ours, theirs, strict=True)
    }
    assert not any(differing.values()), {row: found for row, found in differing.items() if found}
