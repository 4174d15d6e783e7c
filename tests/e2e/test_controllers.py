"""Two slurmctld: the second takes over when the first dies, and gives back when it returns."""

from __future__ import annotations

import pytest

from sandboxlib import slurm_backup
from sandboxlib.daemons import kill, start
from sandboxlib.slurm_config import BACKUP_HOST
from tests.real import cluster
from tests.real.cluster import SUITE, Tenant
from tests.real.state_loss import StateLoss

LOOK_SECONDS = 90
"""What people see of the cluster is asked for once a minute."""


def _controllers(tenant: Tenant) -> dict[str, bool]:
    found = tenant.get("campus", "slurmconnection")["status"].get("controllers", [])
    return {str(one["host"]): bool(one["up"]) for one in found}


@pytest.mark.alone
@pytest.mark.long
@pytest.mark.timeout(400)
def test_a_second_slurmctld_takes_over_and_gives_back(tenant: Tenant, loss: StateLoss) -> None:
    first = cluster.slurm_daemon(tenant.paths, "slurmctld")
    with slurm_backup.running(tenant.paths, SUITE):
        tenant.job("living", script=tenant.until("taken-over"))
        tenant.wait_state("living", "Running")
        loss.save_now()
        kill(first)
        tenant.job("meanwhile")
        tenant.wait("meanwhile", "Complete", seconds=120)
        tenant.go("taken-over")
        tenant.wait("living", "Complete", seconds=60)
        tenant.wait_until(lambda: _controllers(tenant).get(BACKUP_HOST) is True, seconds=LOOK_SECONDS)
        assert sorted(_controllers(tenant).values()) == [False, True]
        start(first)
        tenant.wait_until(lambda: _has_given_back(tenant), seconds=60)
        tenant.job("after")
        tenant.wait("after", "Complete", seconds=60)
    for name in ("living", "meanwhile", "after"):
        assert tenant.executions(name) == {tenant.status(name)["jobId"]: 1}
        assert tenant.status(name)["attempt"] == 1


def _has_given_back(tenant: Tenant) -> bool:
    """Whether the second one stands by again."""
    log = slurm_backup.daemon(tenant.paths, SUITE).log.read_text()
    return "running in background mode" in log.rpartition("taking over")[2]
