"""A Slurm that has no slurmdbd: what stands in status serves in its place, and what nobody can know is asked."""

from __future__ import annotations

import pytest

from tests.real import cluster
from tests.real.cluster import Tenant
from tests.real.no_slurmdbd import without_slurmdbd
from tests.real.releases import Differs, expected

OF_ITS_OWN = "/home/alice/ledger-without-slurmdbd"
"""Its job ids begin anew, so its executions are counted apart."""


def _apply(tenant: Tenant, name: str, script: str = "true") -> None:
    tenant.apply(tenant.manifest(name, script=script, ledger=OF_ITS_OWN))


@pytest.mark.alone
@pytest.mark.timeout(180)
def test_a_slurm_without_slurmdbd(tenant: Tenant) -> None:
    flags = expected(Differs.NO_SLURMDBD)
    with cluster.operator_replaced(tenant.paths), without_slurmdbd(tenant, flags):
        cluster.operator_start(tenant.paths)
        _apply(tenant, "good", "sleep 1")
        tenant.wait("good", "Complete", seconds=60)
        assert tenant.status("good")["releaseTime"] >= tenant.status("good")["submitTime"]
        cluster.operator_kill(tenant.paths)

        _killed(tenant, "after note-release", "noted")
        _killed(tenant, "after submit", "unrecorded")
        cluster.launch_test_build(tenant.paths, SHORTENED="lost:3,recheck:1")
        tenant.wait("unrecorded", "Complete", seconds=60)
        tenant.wait_state("noted", "Unknown")
        assert tenant.condition("noted", "Stalled")["reason"] == "StateRolledBack"
        job_id = str(tenant.status("noted")["jobId"])
        assert "JobHeldUser" in tenant.slurm("squeue", "-h", "-j", job_id, "-o", "%r")

        _apply(tenant, "unseen", "sleep 1")
        tenant.wait_until(lambda: tenant.slurm("squeue", "-h", "-n", "unseen", "-o", "%T") == "RUNNING")
        cluster.operator_kill(tenant.paths)
        forgotten = str(tenant.status("unseen")["jobId"])
        tenant.wait_until(lambda: tenant.slurm("scontrol", "show", "job", forgotten) == "", seconds=60)
        cluster.launch_test_build(tenant.paths, SHORTENED="lost:3,recheck:1")
        tenant.wait_state("unseen", "Unknown")
        lost = tenant.condition("unseen", "Stalled")
        assert lost["reason"] == "JobRecordLost"
        assert "there is no slurmdbd" in lost["message"]

        tenant.delete("noted", "unseen")
        tenant.wait_gone("noted", "unseen")
        assert tenant.slurm("squeue", "-h", "-j", job_id, "-t", "PENDING") == ""


def _killed(tenant: Tenant, when: str, name: str) -> None:
    """The operator dies there while it works on this job."""
    points = tenant.paths.state / f"kill-points-{name}"
    points.unlink(missing_ok=True)
    cluster.launch_test_build(tenant.paths, KILL_AT=when, KILL_LOG=str(points))
    _apply(tenant, name)
    tenant.wait_until(lambda: not cluster.operator_runs(tenant.paths))
