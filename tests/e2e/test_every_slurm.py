"""One namespace with three connections, one operator, and the same SlurmJob on three releases of Slurm side by side."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from sandboxlib import cli, slurm_cluster, slurm_state
from sandboxlib.paths import Paths
from tests.real.cluster import Tenant

SCRIPT = "date +%s > began-$SLURM_JOB_ID; sleep 2; date +%s > ended-$SLURM_JOB_ID"
SECONDS_APART = 3
"""Between what a script reads from the clock and what Slurm says of its start and its end."""


@pytest.mark.every_slurm
def test_one_manifest_on_three_slurms_at_once(operator: Paths, namespace: Tenant) -> None:
    assert cli.main(["up"]) == 0
    there = {suite: replace(namespace, suite=suite) for suite in slurm_cluster.SUITES}
    for suite, tenant in there.items():
        tenant.connect(name=suite)
    namespace.apply({"apiVersion": "v1", "kind": "List", "items": [_job(namespace, suite) for suite in there]})
    for suite, tenant in there.items():
        tenant.wait(suite, "Complete")
        status = tenant.status(suite)
        assert status["clusterName"] == suite
        assert tenant.executions(suite) == {status["jobId"]: 1}
        _times_are_those_of_the_clock(tenant, status)
    connections = {suite: namespace.get(suite, "slurmconnection")["status"] for suite in there}
    assert {suite: it["apiVersion"] for suite, it in connections.items()} == {
        suite: slurm_state.row(operator, suite).api_versions[0] for suite in there
    }
    assert {suite: it["slurmVersion"] for suite, it in connections.items()} == slurm_cluster.releases(operator)


def _job(tenant: Tenant, suite: str) -> dict[str, Any]:
    return tenant.manifest(
        suite, script=SCRIPT, spec={"connectionRef": {"name": suite}}, jobName="one", output="%j.out"
    )


def _times_are_those_of_the_clock(tenant: Tenant, status: dict[str, Any]) -> None:
    """bookworm's daemons live in another time zone: nothing is shifted by it."""
    home = slurm_cluster.home(tenant.paths, tenant.suite, "alice")
    for key, file in (("startTime", "began"), ("endTime", "ended")):
        said = datetime.fromisoformat(status[key]).timestamp()
        clock = int((home / f"{file}-{status['jobId']}").read_text())
        assert abs(said - clock) <= SECONDS_APART, f"{key} of {tenant.suite}"
    submitted = datetime.fromisoformat(status["submitTime"]).timestamp()
    assert 0 <= datetime.fromisoformat(status["startTime"]).timestamp() - submitted < 30
    assert status["stdoutPath"] == f"/home/alice/{status['jobId']}.out"
