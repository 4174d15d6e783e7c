"""Heterogeneous jobs on a real Slurm, from `#SBATCH hetjob` to their end; executions counted by a ledger."""

from __future__ import annotations

import pytest

from sandboxlib import slurm_cluster
from sandboxlib.paths import Paths
from tests.real import cluster
from tests.real.cluster import LEDGER, Tenant

STARTS_WITHIN = 75
"""Seconds: such a job begins with the backfill pass alone, every half minute."""


def _script(tenant: Tenant, name: str, body: str, *, options: str = "") -> str:
    line = f"{tenant.namespace}/{name} $SLURM_JOB_ID ${{SLURM_RESTART_COUNT:-0}}"
    first = f"#!/bin/bash\n#SBATCH --ntasks=1 --comment=mine{options}\n"
    second = "#SBATCH hetjob\n#SBATCH --ntasks=2 --cpus-per-task=2 --time=3 --comment=also\n"
    return f"{first}{second}echo {line} >> {LEDGER}\n{body}\n"


def _job(tenant: Tenant, name: str, body: str, *, options: str = "", policy: str = "Cancel") -> None:
    manifest = tenant.manifest(name, spec={"deletionPolicy": policy})
    del manifest["spec"]["template"]["time"]
    manifest["spec"]["template"]["script"] = _script(tenant, name, body, options=options)
    tenant.apply(manifest)


def _pending(tenant: Tenant, job_id: str) -> list[str]:
    return tenant.slurm("squeue", "-h", "-j", job_id, "-o", "%T %r").splitlines()


@pytest.mark.timeout(200)
def test_from_submission_to_its_end(tenant: Tenant) -> None:
    """One ends by itself, one is deleted while it runs, one is held by its user."""
    out = f"{tenant.namespace}.out"
    _job(tenant, "ends", f"srun --het-group=0,1 sh -c 'echo $SLURM_HET_SIZE' > {out}\nexit 3")
    _job(tenant, "deleted", "sleep 600")
    _job(tenant, "held", "true", options=" --hold")
    tenant.wait_state("held", "Held")
    tenant.wait_state("deleted", "Running", seconds=STARTS_WITHIN)
    parts = tenant.status("deleted")["components"]
    assert [(one["component"], one["state"]) for one in parts] == [(0, "RUNNING"), (1, "RUNNING")]
    assert len({one["jobId"] for one in parts}) == 2
    assert tenant.status("deleted")["effective"]["cpus"] == 5
    tenant.delete("deleted")
    tenant.wait_gone("deleted")
    assert not any("RUNNING" in line for one in parts for line in _pending(tenant, one["jobId"]))
    tenant.wait("ends", "Failed", seconds=STARTS_WITHIN)
    status = tenant.status("ends")
    assert (status["exitCode"], len(status["components"])) == (3, 2)
    assert tenant.condition("ends", "Failed")["reason"] == "NonZeroExitCode"
    said = (slurm_cluster.home(tenant.paths, tenant.suite, "alice") / out).read_text().split()
    assert said == ["2", "2", "2"], "three tasks in two components"
    for name in ("ends", "deleted"):
        assert list(tenant.executions(name).values()) == [1], name
    assert not tenant.executions("held")
    tenant.delete("held")
    tenant.wait_gone("held")


@pytest.mark.alone
@pytest.mark.timeout(200)
def test_the_operator_dies_between_the_components(tenant: Tenant, operator: Paths) -> None:
    """The first is released, on 24.11 and 26.05 no other (TRAP H1): another process releases the rest, and the job
    runs once."""
    points = operator.state / "kill-points"
    points.unlink(missing_ok=True)
    with cluster.operator_replaced(operator):
        cluster.launch_test_build(operator, KILL_AT="after release", KILL_LOG=str(points))
        options = {"components": [{"ntasks": 1}, {"ntasks": 2, "comment": "also"}]}
        tenant.apply(tenant.manifest("halved", **options))
        tenant.wait_until(lambda: not cluster.operator_runs(operator))
    tenant.wait("halved", "Complete", seconds=STARTS_WITHIN + 45)
    status = tenant.status("halved")
    assert tenant.executions("halved") == {status["jobId"]: 1}
    assert [one["state"] for one in status["components"]] == ["COMPLETED", "COMPLETED"]
