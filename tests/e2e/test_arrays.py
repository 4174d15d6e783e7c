"""Arrays of jobs on a real Slurm: each task runs once, whoever has a hand in it; executions counted by a ledger."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from sandboxlib import slurm_cluster, slurm_config
from sandboxlib.paths import Paths
from tests.real import cluster
from tests.real.cluster import Tenant

OF_TASKS = "/home/alice/ledger-of-tasks"
"""In the other one no SlurmJob has two jobs; here each task has an id of its own."""


def _array(tenant: Tenant, name: str, array: str, *, script: str = "true", **spec: Any) -> None:
    """An array whose tasks also note, in a file of their own, whose they are and which."""
    note = f"echo $SLURM_ARRAY_JOB_ID $SLURM_ARRAY_TASK_ID $SLURMJOB_ATTEMPT >> {_file(tenant, name)}"
    hold = spec.pop("hold", False)
    manifest = tenant.manifest(name, script=f"{note}\n{script}", spec=spec, ledger=OF_TASKS, array=array, hold=hold)
    tenant.apply(manifest)


def _file(tenant: Tenant, name: str) -> str:
    return f"/home/alice/{tenant.namespace}-{name}.tasks"


def _ran(tenant: Tenant, name: str) -> Counter[tuple[int, int]]:
    """How often each task ran, by its index and attempt."""
    file = slurm_cluster.home(tenant.paths, tenant.suite, "alice") / _file(tenant, name).rpartition("/")[2]
    lines = file.read_text().splitlines() if file.exists() else []
    return Counter((int(line.split()[1]), int(line.split()[2])) for line in lines)


def _once(indexes: range, *, attempt: int = 1) -> dict[tuple[int, int], int]:
    return {(index, attempt): 1 for index in indexes}


def _counts(tenant: Tenant, name: str) -> tuple[int, ...]:
    array = tenant.status(name)["array"]
    return tuple(array[key] for key in ("total", "pending", "running", "succeeded", "failed"))


def test_from_submission_to_its_end_with_a_retry_of_what_failed(tenant: Tenant) -> None:
    """One task fails, and runs again as the only one of a second array; another array succeeds beside it."""
    _array(tenant, "retried", "0-9%4", script='test "$SLURM_ARRAY_TASK_ID.$SLURMJOB_ATTEMPT" != 4.1', backoffLimit=1)
    _array(tenant, "plain", "1,5-6")
    tenant.wait("plain", "Complete", seconds=90)
    assert _ran(tenant, "plain") == {(1, 1): 1, (5, 1): 1, (6, 1): 1}
    status = tenant.status("plain")
    assert _counts(tenant, "plain") == (3, 0, 0, 3, 0)
    assert (status["array"]["succeededIndexes"], status["exitCode"]) == ("1,5-6", 0)
    assert status["stdoutPath"] == f"/home/alice/slurm-{status['jobId']}_%a.out"
    condition = tenant.condition("plain", "Complete")
    assert condition["message"] == f"All 3 tasks of Slurm job {status['jobId']} completed."
    tenant.wait("retried", "Complete", seconds=120)
    assert _ran(tenant, "retried") == {**_once(range(10)), (4, 2): 1}
    assert tenant.executions("retried", ledger=OF_TASKS).total() == 11
    status = tenant.status("retried")
    assert (status["attempt"], status["array"]["progress"], status["array"]["failures"]) == (2, "10/10", [])
    first = status["attempts"][0]
    assert (first["state"], first["reason"], first["exitCode"]) == ("FAILED", "NonZeroExitCode", 1)
    table = tenant.kubectl("get", "slurmjob", "retried").splitlines()
    assert table[1].split()[:3] == ["retried", "Complete", "10/10"]


@pytest.mark.timeout(200)
def test_tasks_in_an_administrators_hands(tenant: Tenant) -> None:
    """One is cancelled, one requeued, one held and released, while the others go on."""
    _array(tenant, "handled", "0-4%4", script=tenant.until("handled"))
    tenant.wait_until(lambda: tenant.status("handled").get("state") == "Running")
    array_id = tenant.status("handled")["jobId"]
    tenant.wait_until(lambda: len(_ran(tenant, "handled")) == 4)
    tenant.slurm("scontrol", "hold", f"{array_id}_4")
    tenant.slurm("scancel", f"{array_id}_1")
    tenant.slurm("scontrol", "requeue", f"{array_id}_2")
    tenant.wait_until(lambda: tenant.status("handled")["array"].get("failedIndexes") == "1", seconds=75)
    assert tenant.status("handled")["array"]["pending"] >= 1
    tenant.wait_until(lambda: _ran(tenant, "handled")[2, 1] == 2, seconds=75)
    tenant.slurm("scontrol", "release", f"{array_id}_4")
    tenant.go("handled")
    tenant.wait("handled", "Failed", seconds=100)
    assert tenant.condition("handled", "Failed")["reason"] == "Cancelled"
    assert _counts(tenant, "handled") == (5, 0, 0, 4, 1)
    assert _ran(tenant, "handled") == {**_once(range(5)), (2, 1): 2}, "Slurm itself ran one again"
    failures = tenant.status("handled")["array"]["failures"]
    assert [(one["state"], one["count"], one["indexes"]) for one in failures] == [("CANCELLED", 1, "1")]


def test_held_and_deleted_as_a_whole(tenant: Tenant) -> None:
    _array(tenant, "held", "0-2", hold=True)
    _array(tenant, "deleted", "0-99%3", script="sleep 600")
    tenant.wait_state("held", "Held")
    tenant.wait_state("deleted", "Running")
    deleted = tenant.status("deleted")["jobId"]
    assert not _ran(tenant, "held")
    tenant.slurm("scontrol", "release", tenant.status("held")["jobId"])
    tenant.delete("deleted")
    tenant.wait_gone("deleted")
    assert tenant.slurm("squeue", "-h", "-j", deleted, "-t", "PENDING,RUNNING") == ""
    assert sorted(_ran(tenant, "deleted").values()) == [1, 1, 1]
    tenant.wait("held", "Complete", seconds=90)
    assert _ran(tenant, "held") == _once(range(3))


@pytest.mark.alone
@pytest.mark.timeout(150)
def test_what_slurmctld_forgot_while_the_operator_was_away(tenant: Tenant, operator: Paths) -> None:
    _array(
        tenant,
        "missed",
        "0-5",
        script=f"test $SLURM_ARRAY_TASK_ID = 5 && {tenant.until('missed')}\nexit $((SLURM_ARRAY_TASK_ID % 3 % 2))",
    )
    tenant.wait_until(lambda: "jobId" in tenant.status("missed"))
    array_id = tenant.status("missed")["jobId"]
    tenant.wait_until(lambda: len(_ran(tenant, "missed")) == 6)
    cluster.operator_kill(operator)
    tenant.wait_until(
        lambda: tenant.slurm("scontrol", "-o", "show", "job", array_id).count("JobState=") == 1,
        seconds=slurm_config.MIN_JOB_AGE_SECONDS + 30,
    )
    cluster.operator_start(operator)
    tenant.wait_until(lambda: _counts(tenant, "missed") == (6, 0, 1, 3, 2), seconds=75)
    tenant.go("missed")
    tenant.wait("missed", "Failed", seconds=60)
    assert _counts(tenant, "missed") == (6, 0, 0, 4, 2)
    assert tenant.status("missed")["array"]["failedIndexes"] == "1,4"
    assert _ran(tenant, "missed") == _once(range(6))
