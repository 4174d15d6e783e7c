"""Slurm is upgraded under living jobs, 24.11 to the newest: nothing is lost, nothing runs twice."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from sandboxlib import cli, operator_process, slurm_cluster, slurm_upgrade
from sandboxlib.daemons import is_running, running_pid
from sandboxlib.paths import Paths
from sandboxlib.slurm_suites import SUITES, USERS
from tests.real import cluster
from tests.real.cluster import Tenant

pytestmark = [pytest.mark.upgrade, pytest.mark.alone, pytest.mark.timeout(180)]

OLD: Final = SUITES["trixie"]
NEW: Final = SUITES["forky"]
RETRIES: Final = "/home/alice/ledger-of-retries"


@pytest.fixture
def old(sandbox: Paths) -> Iterator[None]:
    """The cluster as trixie has it; in the end it is so again, and knows nothing but the executions."""
    assert cli.main(["up", "--slurm", OLD.name]) == 0
    assert slurm_cluster.release(sandbox, OLD.name).startswith(OLD.release), "it was upgraded before"
    yield
    ledger = _home(sandbox) / "ledger"
    executions = ledger.read_text() if ledger.exists() else ""
    slurm_cluster.down(sandbox, OLD.name)
    slurm_cluster.purge(sandbox, OLD.name)
    slurm_cluster.up(sandbox, OLD.name)
    ledger.write_text(executions)
    os.chown(ledger, USERS["alice"], USERS["alice"])


@pytest.fixture
def there(operator: Paths, old: None, namespace: Tenant) -> Tenant:
    """A namespace with three connections to it: Auto, one pinned to a version that the newest has too, and one pinned
    to one that goes."""
    tenant = replace(namespace, suite=OLD.name)
    for name, version in (("auto", "Auto"), ("kept", "v0.0.42"), ("gone", "v0.0.40")):
        tenant.connect(name=name)
        _pin(tenant, name, version)
        tenant.wait(name, "Ready", of="slurmconnection")
    return tenant


def test_slurm_is_upgraded_under_living_jobs(there: Tenant) -> None:
    """slurmdbd goes first, as Slurm's guide has it, and then all the rest. A job ends while no slurmctld is there, one
    fails, others run on under the old release's slurmstepd; one is held by its user, others wait for a limit, for
    another job, for their next attempt, or are applied in the middle."""
    began = time.monotonic()
    pid = running_pid(operator_process.daemon(there.paths).pid_file)
    _apply(there, {"before": "true", "long": there.until("after"), "ends": there.until("between")})
    _apply(there, {"fails": f"{there.until('between')}; exit 3"})
    _apply(there, {"limited": there.until("after")}, account="limited")
    _apply(there, {"held": "true"}, hold=True)
    _apply(there, {"kept-long": there.until("after")}, connection="kept")
    _apply(there, {"gone-long": there.until("after"), "gone-ends": there.until("between")}, connection="gone")
    for name in ("long", "ends", "fails", "limited", "kept-long", "gone-long", "gone-ends"):
        there.wait_state(name, "Running")
    _apply(there, {"queued": "true"}, account="limited")
    _apply(there, {"depends": "true"}, dependency=f"afterok:{there.status('long')['jobId']}")
    there.wait("before", "Complete")
    for name, state in (("queued", "Pending"), ("held", "Held"), ("depends", "Pending")):
        there.wait_state(name, state)
    first_end = there.status("before")

    slurm_upgrade.slurmdbd_first(there.paths, OLD.name, to=NEW.name)
    _apply(there, {"dbd-first": "true"})
    there.wait("dbd-first", "Complete")
    _apply_retried(there, "retried")
    there.wait_state("retried", "Retrying")

    def between() -> None:
        there.go("between")
        for connection in ("auto", "kept", "gone"):
            _apply(there, {f"{connection}-meanwhile": "true"}, connection=connection)

    away = slurm_upgrade.upgrade(there.paths, OLD.name, to=NEW.name, between=between)
    there.wait_until(lambda: _release(there, "auto").startswith(NEW.release))
    print(f"away for {away:.1f} s; told after {time.monotonic() - began:.1f} s")
    assert there.get("auto", "slurmconnection")["status"]["apiVersion"] == NEW.api_versions[0]
    for name in ("ends", "retried", "auto-meanwhile", "kept-meanwhile"):
        there.wait(name, "Complete")
    there.wait("fails", "Failed")
    assert there.status("fails")["exitCode"] == 3
    there.wait_until(lambda: _release(there, "kept").startswith(NEW.release))
    assert there.get("kept", "slurmconnection")["status"]["apiVersion"] == "v0.0.42"

    there.wait_until(lambda: there.condition("gone", "Ready", of="slurmconnection")["reason"] == "UnsupportedServer")
    stalled = there.condition("gone", "Stalled", of="slurmconnection")
    assert stalled["message"] == (
        f"this slurmrestd serves none of the API versions asked for (v0.0.40); it serves {', '.join(NEW.api_versions)}."
    )
    for name in ("gone-long", "gone-ends"):
        there.wait_until(lambda name=name: there.condition(name, "Synced")["reason"] == "UnsupportedServer")  # type: ignore[misc]  # mypy: no default in a lambda
        assert there.status(name)["state"] == "Running"
        assert there.condition(name, "Failed")["status"] == "False"
    there.wait_state("gone-meanwhile", "Waiting")

    there.go("after")
    there.slurm("scontrol", "release", there.status("held")["jobId"])
    _pin(there, "gone", "Auto")
    ended = ("long", "limited", "queued", "held", "depends", "kept-long", "gone-long", "gone-ends", "gone-meanwhile")
    for name in ended:
        there.wait(name, "Complete")
        assert there.executions(name) == {there.status(name)["jobId"]: 1}
    assert there.status("before") == first_end
    assert [(a["attempt"], a["state"]) for a in there.status("retried")["attempts"]] == [
        (1, "FAILED"),
        (2, "COMPLETED"),
    ]
    assert sum(there.executions("retried", ledger=RETRIES).values()) == 2
    assert running_pid(operator_process.daemon(there.paths).pid_file) == pid, "it was started anew"
    assert "Traceback" not in cluster.operator_log(there.paths)
    print(f"in all {time.monotonic() - began:.1f} s")


def test_the_operator_is_killed_while_slurm_is_upgraded(there: Tenant) -> None:
    """Before it, in the middle of a submission: one job is in Slurm and recorded nowhere, another one is recorded and
    not released. Then while no Slurm is there, and once more when the new one comes."""
    _apply(there, {"long": there.until("after"), "ends": there.until("between")})
    for name in ("long", "ends"):
        there.wait_state(name, "Running")
    cluster.operator_stop(there.paths)
    for when, name in (("after submit", "unrecorded"), ("before release", "unreleased")):
        points = there.paths.state / f"kill-points-{there.namespace}-{name}"
        cluster.launch_test_build(there.paths, KILL_AT=when, KILL_LOG=str(points))
        _apply(there, {name: "true"})
        there.wait_until(lambda: not is_running(operator_process.daemon(there.paths)))

    def between() -> None:
        there.go("between")
        cluster.operator_start(there.paths)
        _apply(there, {"meanwhile": "true"})
        there.wait_until(lambda: there.condition("meanwhile", "Submitted").get("reason") == "ClusterUnreachable")
        cluster.operator_kill(there.paths)
        cluster.operator_start(there.paths)

    slurm_upgrade.upgrade(there.paths, OLD.name, to=NEW.name, between=between)
    cluster.operator_kill(there.paths)
    cluster.operator_start(there.paths)
    there.go("after")
    for name in ("long", "ends", "unrecorded", "unreleased", "meanwhile"):
        there.wait(name, "Complete")
        assert there.executions(name) == {there.status(name)["jobId"]: 1}
        assert there.slurm_states(name) == ["COMPLETED"]


# --- Helpers ----------------------------------------------------------------------------------------------


def _apply(tenant: Tenant, scripts: dict[str, str], *, connection: str = "auto", **template: Any) -> None:
    tenant.jobs(scripts, spec={"connectionRef": {"name": connection}}, **template)


def _apply_retried(tenant: Tenant, name: str) -> None:
    seen = f"/home/alice/seen-{tenant.namespace}"
    script = f"test -e {seen} && exit 0; touch {seen}; exit 3"
    spec = {"connectionRef": {"name": "auto"}, "backoffLimit": 1}
    tenant.apply(tenant.manifest(name, script=script, spec=spec, ledger=RETRIES))


def _home(paths: Paths) -> Path:
    return slurm_cluster.home(paths, OLD.name, "alice")


def _pin(tenant: Tenant, name: str, version: str) -> None:
    tenant.edit_connection(name, apiVersion=version, requestTimeoutSeconds=5)


def _release(tenant: Tenant, name: str) -> str:
    return str(tenant.get(name, "slurmconnection")["status"].get("slurmVersion"))
