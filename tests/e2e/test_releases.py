"""What a user meets that differs between releases of Slurm: the rows of `tests.real.releases` that need a SlurmJob."""

from __future__ import annotations

import pytest

from tests.real import cluster
from tests.real.cluster import Tenant
from tests.real.releases import Differs, expected


def test_more_nodes_than_the_partition_has(tenant: Tenant) -> None:
    """24.11 and 26.05 call the release an error, and it has taken effect: the job waits for a larger partition."""
    tenant.job("wide", nodes=99)
    tenant.wait_state("wide", "Pending")
    tenant.wait_until(lambda: tenant.status("wide").get("slurm", {}).get("reason") == "PartitionConfig")
    assert tenant.condition("wide", "Failed")["status"] == "False"
    assert tenant.condition("wide", "Stalled")["reason"] == "NeverStarts"
    tenant.kubectl("delete", "slurmjob", "wide", "--timeout=30s")


def test_a_dependency_on_a_job_that_slurm_does_not_know(tenant: Tenant) -> None:
    tenant.job("after", dependency="afterok:60000000")
    tenant.wait_state("after", "Rejected")
    assert expected(Differs.UNKNOWN_DEPENDENCY) in tenant.condition("after", "Submitted")["message"]
    assert tenant.executions("after") == {}


def test_the_marker_in_extra(tenant: Tenant) -> None:
    works = expected(Differs.EXTRA)
    tenant.edit_connection(markerFields=["Comment", "Extra"])
    if works:
        tenant.job("marked", hold=True)
        tenant.wait_state("marked", "Held")
        shown = tenant.slurm("scontrol", "show", "job", tenant.status("marked")["jobId"]).split("\n")
        extra = next(line for line in shown if line.strip().startswith("Extra="))
        assert f"o={tenant.namespace}/marked " in extra
        tenant.kubectl("delete", "slurmjob", "marked", "--timeout=30s")
        return
    tenant.wait_until(lambda: tenant.condition("campus", "Ready", of="slurmconnection").get("status") == "False")
    ready = tenant.condition("campus", "Ready", of="slurmconnection")
    assert ready["reason"] == "UnsupportedServer"
    assert ready["message"].startswith("spec.markerFields: Extra: jobs of Slurm 22.05")
    assert tenant.condition("campus", "Stalled", of="slurmconnection")["status"] == "True"


@pytest.mark.alone
@pytest.mark.timeout(120)
def test_the_state_while_a_node_is_cleaned_up(tenant: Tenant) -> None:
    tenant.job("dead", script="sleep 600")
    tenant.wait_state("dead", "Running")
    status = tenant.status("dead")
    with cluster.nodes_dead(tenant.paths, status["slurm"]["nodes"]):
        tenant.slurm("scancel", status["jobId"])
        wanted = sorted(expected(Differs.WHILE_COMPLETING))
        tenant.wait_until(lambda: sorted(tenant.status("dead")["slurm"]["states"]) == wanted, seconds=30)
    tenant.wait("dead", "Failed", seconds=60)
    assert tenant.condition("dead", "Failed")["reason"] == "Cancelled"
