"""What a user meets when the far side is full, or has an opinion: connections of slurmrestd, the disk of slurmctld, a
site's job_submit plug-in."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from sandboxlib import slurm_full_disk, slurm_site
from sandboxlib.slurm_site import Site
from tests.real.cluster import SUITE, Tenant
from tests.real.own_slurmrestd import own_slurmrestd

MORE_THAN_IT_SERVES = 130
"""slurmrestd serves 123 or 124 connections at a time (measured); the others get no answer."""

SITE = """\
function slurm_job_submit(job, partitions, uid)
  if job.name ~= nil and string.find(job.name, "refused") then
    slurm.log_user("Not in the afternoon")
    return 2045
  end
  slurm.log_user("Please use QOS low")
  return slurm.SUCCESS
end
function slurm_job_modify(job, record, partitions, uid) return slurm.SUCCESS end
return slurm.SUCCESS
"""


@contextmanager
def all_connections_taken(port: int) -> Iterator[None]:
    with ExitStack() as stack:
        for _ in range(MORE_THAN_IT_SERVES):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
        yield


def test_a_slurmrestd_that_has_no_connection_left(tenant: Tenant) -> None:
    """Said in the connection; a job waits, and runs once there is room."""
    with own_slurmrestd(tenant.paths, SUITE, tenant.namespace) as (port, _daemon):
        with all_connections_taken(port):
            tenant.edit_connection(servers=[{"url": f"http://127.0.0.1:{port}"}], requestTimeoutSeconds=5)
            tenant.wait_connection("ClusterUnreachable")
            tenant.job("patient")
            tenant.wait_until(lambda: tenant.condition("patient", "Submitted").get("reason") == "ClusterUnreachable")
            assert tenant.executions("patient") == {}
        tenant.wait("patient", "Complete")
        assert tenant.executions("patient").total() == 1
        tenant.kubectl("delete", "slurmjob", "patient", "--timeout=30s")


@pytest.mark.alone
@pytest.mark.timeout(180)
def test_the_disk_of_slurmctld_is_full(tenant: Tenant) -> None:
    """A living job ends as it does; a new one is told why it waits, and runs once there is room."""
    tenant.job("living", script=tenant.until("full"))
    tenant.wait_state("living", "Running")
    with slurm_full_disk.full(tenant.paths, SUITE):
        tenant.job("patient")
        tenant.wait_until(lambda: "[Slurm error 2019]" in tenant.condition("patient", "Submitted").get("message", ""))
        assert "its disk may be full; the operator tries again" in tenant.condition("patient", "Submitted")["message"]
        tenant.go("full")
        tenant.wait("living", "Complete")
    tenant.wait("patient", "Complete", seconds=90)
    for name in ("living", "patient"):
        assert tenant.executions(name) == {tenant.status(name)["jobId"]: 1}


@pytest.mark.alone
@pytest.mark.timeout(120)
def test_what_the_site_says_and_refuses(tenant: Tenant) -> None:
    """The words of an accepted job are the user's to read; slurmrestd keeps back those of a refused one (measured)."""
    with slurm_site.applied(tenant.paths, SUITE, Site(job_submit=SITE)):
        tenant.job("accepted")
        tenant.job("refused")
        tenant.wait("accepted", "Complete")
        tenant.wait("refused", "Stalled")
    assert "It said: Please use QOS low" in tenant.condition("accepted", "Submitted")["message"]
    assert tenant.status("refused")["state"] == "Rejected"
    assert "[Slurm error 2045]" in tenant.condition("refused", "Submitted")["message"]
    assert tenant.executions("refused") == {}
