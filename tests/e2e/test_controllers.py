"""Two slurmctld: the second takes over when the first dies, and gives back when it returns."""

from __future__ import annotations

import pytest

from sandboxlib import slurm_backup
from sandboxlib.daemons import kill, start
from sandboxlib.slurm_site import BACKUP_HOST
from tests.real import cluster
from tests.real.cluster import SUITE, Tenant

LOOK_SECONDS = 90
"""What people see of the cluster is asked for once a minute."""


def _controllers(tenant: Tenant) -> dict[str, bool]:
    found = tenant.get("campus", "slurmconnection")["status"].get("controllers", [])
    return {str(one["host"]): bool(one["up"]) for one in found}


@pytest.mark.alone
@pytest.mark.timeout(400)
def test_a_second_slurmctld_takes_over_and_gives_back(tenant: Tenant) -> None:
    first = cluster.slurm_daemon(tenant.paths, "slurmctld")
    with slurm_backup.running(tenant.paths, SUITE):
        tenant.job("living", script=tenant.until("taken-over"))
        tenant.wait_state("living", "Running")
        kill(first)
        tenant.job("meanwhile")
        tenant.wait("meanwhile", "Complete", seconds=120)
        tenant.go("taken-over")
        tenant.wait("living", "Complete", seconds=60)
        tenant.wait_until(lambda: _controllers(tenant).get(BACKUP_HOST) is True, seconds=LOOK_SECONDS)
        assert sorted(_controllers(tenant).values()) == [False, True]
        start(first)
        tenant.wait_until(lambda: not _in_control(tenant), seconds=60)
        tenant.job("after")
        tenant.wait("after", "Complete", seconds=60)
    for name in ("living", "meanwhile", "after"):
        assert tenant.executions(name) == {tenant.status(name)["jobId"]: 1}
        assert tenant.status(name)["attempt"] == 1


def _in_control(tenant: Tenant) -> bool:
    """Whether the second one still is."""
    return "slurmctld running in background mode" not in slurm_backup.daemon(tenant.paths, SUITE).log.read_text()
