"""The environment of a batch script, beside that of the real sbatch with the same options by the same user."""

from __future__ import annotations

import re
import secrets
import shlex
from typing import Any, Final

import pytest

from sandboxlib import slurm_cluster
from tests.real.cluster import Tenant

BY_CHANCE: Final = frozenset(
    {
        *("CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ROCR_VISIBLE_DEVICES", "SLURM_JOB_GPUS", "ZE_AFFINITY_MASK"),
        *("HOSTNAME", "SLURMD_NODENAME", "SLURM_JOB_NODELIST", "SLURM_NODELIST", "SLURM_TOPOLOGY_ADDR"),
        *("SLURM_JOB_END_TIME", "SLURM_JOB_SLUID", "SLURM_JOB_START_TIME", "SLURM_TASK_PID"),
    }
)
"""Which GPU and which nodes it has, when it began, what is unique."""

OF_COMPONENT: Final = re.compile(r"_(HET|PACK)_GROUP_[0-9]+$")

COMPONENTS: Final = """#!/bin/bash
#SBATCH --job-name=het --time=5 --ntasks=1 --ntasks-per-node=1
#SBATCH hetjob
#SBATCH --time=5 --ntasks=2 --cpus-per-task=2 --mem-per-cpu=90 --distribution=cyclic --gpus-per-node=1 --partition=gpu
"""

OURS_ALONE: Final = frozenset({"SLURMJOB_ATTEMPT", "SLURMJOB_NAME", "SLURMJOB_NAMESPACE", "SLURMJOB_UID"})
THEIRS_ALONE: Final = frozenset({"SLURM_SUBMIT_HOST"})
"""Nobody submits from a host."""

SHELL: Final = {"HOME": "/home/alice", "SHELL": "/bin/bash"}
LOGIN: Final = {"USER": "alice", "LOGNAME": "alice", "PATH": "/usr/local/bin:/usr/bin:/bin", **SHELL}

JOBS: Final[dict[str, dict[str, Any]]] = {
    "gpus": {"nodes": 2, "ntasks": 2, "cpusPerTask": 2, "gpusPerNode": "1", "partition": "gpu"},
    "per-gpu": {"gpus": "1", "memPerGpu": "100", "cpusPerGpu": 1, "gpuBind": "none", "partition": "gpu"},
    "tasks": {"ntasksPerNode": 2, "distribution": "cyclic", "hint": "nomultithread", "memBind": "local"},
}


def _words(template: dict[str, Any]) -> list[str]:
    """The same options as one types them."""
    dashed = {"".join(f"-{c.lower()}" if c.isupper() else c for c in name): value for name, value in template.items()}
    return [f"--{name}={value}" for name, value in dashed.items()]


def _read(tenant: Tenant, file: str) -> dict[str, str]:
    """Without the job's id, and that of a second component."""
    text = (slurm_cluster.home(tenant.paths, tenant.suite, "alice") / file).read_text()
    found = dict(line.partition("=")[::2] for line in text.split("\0") if line)
    job_id = found["SLURM_JOB_ID"]
    return {name: value.replace(job_id, "ID").replace(str(int(job_id) + 1), "NEXT") for name, value in found.items()}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", JOBS)
def test_the_same_as_with_sbatch(tenant: Tenant, name: str) -> None:
    home = [{"name": variable, "value": value.replace("alice", "%u")} for variable, value in SHELL.items()]
    tenant.edit_connection(jobDefaults={"environment": home})
    template, mark = JOBS[name], secrets.token_hex(4)
    tenant.job(name, script=f"env -0 > {mark}.ours", **template)
    tenant.wait(name, "Complete")
    script = slurm_cluster.home(tenant.paths, tenant.suite, "alice") / f"{mark}.sh"
    script.write_text(f"#!/bin/bash\nenv -0 > {mark}.theirs\n")
    _sbatch(tenant, "--time=5", f"--job-name={name}", *_words(template), f"/home/alice/{script.name}")
    _compare(_read(tenant, f"{mark}.ours"), _read(tenant, f"{mark}.theirs"))


def _sbatch(tenant: Tenant, *words: str) -> None:
    """By alice, who has logged in and sits in her home."""
    shell = [f"{variable}={value}" for variable, value in LOGIN.items()]
    command = shlex.join(["env", "-i", *shell, "sbatch", "--wait", *words])
    tenant.slurm("sh", "-c", f"cd /home/alice && {command}", user="alice")


def _compare(ours: dict[str, str], theirs: dict[str, str]) -> None:
    assert set(ours) - set(theirs) == OURS_ALONE
    assert set(theirs) - set(ours) == THEIRS_ALONE
    differing = {one: (ours[one], theirs[one]) for one in set(ours) & set(theirs) if ours[one] != theirs[one]}
    assert {one: found for one, found in differing.items() if OF_COMPONENT.sub("", one) not in BY_CHANCE} == {}


@pytest.mark.timeout(200)
def test_the_same_as_with_sbatch_in_a_heterogeneous_job(tenant: Tenant) -> None:
    """Variables of each component, in the one script that there is."""
    home = [{"name": variable, "value": value.replace("alice", "%u")} for variable, value in SHELL.items()]
    tenant.edit_connection(jobDefaults={"environment": home})
    mark = secrets.token_hex(4)
    script = slurm_cluster.home(tenant.paths, tenant.suite, "alice") / f"{mark}.sh"
    script.write_text(f"{COMPONENTS}env -0 > {mark}.theirs\n")
    manifest = tenant.manifest("het")
    manifest["spec"]["template"] = {"chdir": "/home/alice", "script": f"{COMPONENTS}env -0 > {mark}.ours\n"}
    tenant.apply(manifest)
    _sbatch(tenant, f"/home/alice/{script.name}")
    tenant.wait("het", "Complete", seconds=90)
    ours, theirs = _read(tenant, f"{mark}.ours"), _read(tenant, f"{mark}.theirs")
    assert ours["SLURM_NTASKS_HET_GROUP_1"] == "2"
    _compare(ours, theirs)
