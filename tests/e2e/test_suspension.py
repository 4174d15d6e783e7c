"""`suspend` and `managedBy`, as a user of batch/v1 Job sets them, and what becomes of the job in Slurm."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandboxlib.daemons import SandboxError
from tests.real.cluster import Tenant

OF_TASKS = "/home/alice/ledger-of-tasks"


def _suspend(tenant: Tenant, name: str, suspend: bool = True) -> None:
    patch = json.dumps({"spec": {"suspend": suspend}})
    tenant.kubectl("patch", "slurmjob", name, "--type=merge", f"-p={patch}")


def _wait_suspended(tenant: Tenant, name: str) -> dict[str, Any]:
    tenant.kubectl("wait", "slurmjob", name, "--for=condition=Suspended", "--timeout=60s")
    return tenant.status(name)


def test_before_submission_and_corrected_in_place(tenant: Tenant) -> None:
    tenant.apply(tenant.manifest("planned", spec={"suspend": True}))
    status = _wait_suspended(tenant, "planned")
    assert (status["state"], status["active"], "jobId" in status) == ("Suspended", 0, False)
    assert not tenant.get("planned")["metadata"].get("finalizers"), "nothing is in Slurm"
    tenant.kubectl("patch", "slurmjob", "planned", "--type=merge", '-p={"spec":{"template":{"time":"3"}}}')
    _suspend(tenant, "planned", suspend=False)
    tenant.wait("planned", "Complete")
    assert tenant.status("planned")["effective"]["timeLimitSeconds"] == 180
    resumed = tenant.condition("planned", "Suspended")
    assert (resumed["status"], resumed["reason"]) == ("False", "JobResumed")


def test_in_the_queue_it_is_held_and_keeps_its_id(tenant: Tenant) -> None:
    tenant.job("first", account="limited", script=tenant.until("go"))
    tenant.wait_state("first", "Running")
    tenant.job("second", account="limited")
    tenant.wait_until(lambda: tenant.status("second").get("slurm", {}).get("reason") == "AssocMaxJobsLimit", seconds=60)
    job_id = tenant.status("second")["jobId"]
    submitted = _show(tenant, job_id, "SubmitTime")
    _suspend(tenant, "second")
    assert _wait_suspended(tenant, "second")["jobId"] == job_id
    assert _show(tenant, job_id, "Priority") == "0"
    assert " suspended]" in _show(tenant, job_id, "Comment")
    tenant.go("go")
    tenant.wait("first", "Complete")
    tenant.job("third", account="limited")  # what was behind it in the queue is not
    tenant.wait("third", "Complete")
    assert tenant.status("second")["state"] == "Suspended"
    _suspend(tenant, "second", suspend=False)
    tenant.wait("second", "Complete")
    status = tenant.status("second")
    assert (status["jobId"], status["attempt"]) == (job_id, 1)
    assert _show(tenant, job_id, "SubmitTime") == submitted
    assert sum(tenant.executions("second").values()) == 1


def test_running_it_is_cancelled_and_a_new_attempt_does_not_count(tenant: Tenant) -> None:
    tenant.apply(tenant.manifest("long", script=tenant.until("go"), ledger=OF_TASKS))  # it runs twice, as it should
    tenant.wait_state("long", "Running")
    first = tenant.status("long")["jobId"]
    _suspend(tenant, "long")
    status = _wait_suspended(tenant, "long")
    tenant.wait_accounted({first: "CANCELLED"})
    assert (status["state"], status["suspendedAttempts"], status["active"]) == ("Suspended", 1, 0)
    assert "startTime" not in status
    tenant.go("go")
    _suspend(tenant, "long", suspend=False)
    tenant.wait("long", "Complete")
    status = tenant.status("long")
    assert (status["attempt"], status["succeeded"]) == (2, 1)
    assert [(one["jobId"], one["reason"]) for one in status["attempts"]] == [
        (first, "JobSuspended"),
        (status["jobId"], "Completed"),
    ]
    reasons = [reason for reason, _, _ in tenant.events("long")]
    assert (reasons.count("SlurmJobSuspended"), reasons.count("SlurmJobResumed")) == (1, 1)


def test_of_an_array_the_tasks_that_succeeded_never_run_again(tenant: Tenant) -> None:
    script = f"if test $SLURM_ARRAY_TASK_ID -gt 1; then {tenant.until('go')}; fi"
    tenant.apply(tenant.manifest("tasks", script=script, ledger=OF_TASKS, array="1-3"))
    tenant.wait_until(lambda: tenant.status("tasks").get("array", {}).get("succeeded") == 1, seconds=90)
    _suspend(tenant, "tasks")
    assert _wait_suspended(tenant, "tasks")["array"]["succeededIndexes"] == "1"
    tenant.go("go")
    _suspend(tenant, "tasks", suspend=False)
    tenant.wait("tasks", "Complete", seconds=120)
    assert tenant.status("tasks")["array"]["succeededIndexes"] == "1-3"


@pytest.mark.parametrize("suspended", ["held", "before"])
def test_deleted_while_it_is_suspended(tenant: Tenant, suspended: str) -> None:
    tenant.job(suspended, begin="now+1hour")
    if suspended == "held":
        tenant.wait_state(suspended, "Pending")
    _suspend(tenant, suspended)
    job_id = _wait_suspended(tenant, suspended).get("jobId")
    tenant.kubectl("delete", "slurmjob", suspended, "--timeout=30s")
    if job_id is not None:
        tenant.wait_accounted({job_id: "CANCELLED"})


def test_somebody_elses_object_is_left_alone_and_stays_his(tenant: Tenant) -> None:
    tenant.apply(tenant.manifest("theirs", spec={"managedBy": "kueue.x-k8s.io/multikueue"}))
    tenant.job("ours")
    tenant.wait("ours", "Complete")
    assert tenant.status("theirs") == {"observedGeneration": -1}
    with pytest.raises(SandboxError, match="`managedBy` must not change"):
        tenant.kubectl(
            "patch", "slurmjob", "theirs", "--type=merge", '-p={"spec":{"managedBy":"slurmjob.dev/operator"}}'
        )
    tenant.kubectl("delete", "slurmjob", "theirs", "--timeout=10s")


def _show(tenant: Tenant, job_id: str, field: str) -> str:
    """A field of `scontrol show job`."""
    lines = tenant.slurm("scontrol", "show", "job", job_id).splitlines()
    if field == "Comment":
        return next(line for line in lines if line.strip().startswith("Comment="))
    return next(
        word.removeprefix(f"{field}=") for line in lines for word in line.split() if word.startswith(f"{field}=")
    )
