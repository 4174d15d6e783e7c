"""From kubectl apply to the end of a real Slurm job, with a real operator process under its own rights."""

from __future__ import annotations

import json
import time

import pytest

from sandboxlib.daemons import SandboxError
from tests.real import cluster
from tests.real.cluster import Tenant


def test_success(tenant: Tenant) -> None:
    tenant.job("good", script="sleep 1; echo out", comment="of the user", output="good-%j.out")
    tenant.wait("good", "Complete")
    status = tenant.status("good")
    assert status["state"] == "Complete"
    assert (status["succeeded"], status["failed"], status["active"]) == (1, 0, 0)
    assert (status["exitCode"], status["user"], status["clusterName"]) == (0, "alice", cluster.SUITE)
    assert status["stdoutPath"] == f"/home/alice/good-{status['jobId']}.out"
    assert status["completionTime"] == status["endTime"] >= status["startTime"] >= status["submitTime"]
    assert status["effective"]["account"] == "research"
    assert status["effective"]["timeLimitSeconds"] == 300
    assert tenant.executions("good") == {status["jobId"]: 1}
    assert "Reconciling" not in {c["type"] for c in status["conditions"]}
    # An ended job needs nobody to let it go.
    tenant.wait_until(lambda: "finalizers" not in tenant.get("good")["metadata"], seconds=10)


def test_events_tell_the_story(tenant: Tenant) -> None:
    tenant.job("told", script="sleep 6; exit 2")
    tenant.job("no", partition="debugg")
    tenant.wait("told", "Finished")
    tenant.wait_state("no", "Rejected")
    tenant.wait_until(lambda: len(tenant.events("told")) >= 3 and tenant.events("no") != [], seconds=10)
    found = json.loads(tenant.kubectl("get", "events.v1.events.k8s.io", "-o", "json"))["items"]
    job_id = tenant.status("told")["jobId"]
    told = sorted(
        (e["eventTime"], e["reason"], e["type"], e["note"]) for e in found if e["regarding"]["name"] == "told"
    )
    assert [event[1:] for event in told] == [
        ("SlurmJobSubmitted", "Normal", f"Submitted to {cluster.SUITE} as job {job_id} of user alice."),
        ("SlurmJobStarted", "Normal", f"Slurm job {job_id} started on {tenant.status('told')['slurm']['nodes']}."),
        ("SlurmJobFailed", "Warning", f"Slurm job {job_id} ended with exit code 2."),
    ]
    refused = [(e["reason"], e["type"]) for e in found if e["regarding"]["name"] == "no"]
    assert refused == [("SlurmJobSubmissionRejected", "Warning")]
    assert "SlurmJobFailed" in tenant.kubectl("describe", "slurmjob", "told")


def test_exit_code(tenant: Tenant) -> None:
    tenant.job("bad", script="exit 3")
    tenant.wait("bad", "Failed")
    status = tenant.status("bad")
    assert (status["state"], status["exitCode"], status["failed"]) == ("Failed", 3, 1)
    failed = tenant.condition("bad", "Failed")
    assert failed["reason"] == "NonZeroExitCode"
    assert failed["message"] == f"Slurm job {status['jobId']} ended with exit code 3."
    assert tenant.condition("bad", "Stalled")["status"] == "True"
    assert tenant.condition("bad", "Finished")["status"] == "True"
    assert "completionTime" not in status


def test_rejected_at_submission_and_corrected_in_place(tenant: Tenant) -> None:
    tenant.job("typo", partition="debugg")
    tenant.wait_state("typo", "Rejected")
    submitted = tenant.condition("typo", "Submitted")
    assert submitted["reason"] == "SubmissionRejected"
    assert "Invalid partition name" in submitted["message"]
    assert tenant.condition("typo", "Stalled")["status"] == "True"
    tenant.kubectl("patch", "slurmjob", "typo", "--type=merge", '-p={"spec":{"template":{"partition":"debug"}}}')
    tenant.wait("typo", "Complete")
    assert sum(tenant.executions("typo").values()) == 1


def test_invalid_value_names_field_value_and_rule(tenant: Tenant) -> None:
    tenant.job("wrong", mem="1.5G")
    tenant.wait_state("wrong", "Rejected")
    message = tenant.condition("wrong", "Submitted")["message"]
    assert message == ("template.mem: '1.5G': must be a whole number of MiB, or one with K, M, G or T")
    tenant.kubectl("delete", "slurmjob", "wrong", "--timeout=10s")


def test_pending_says_why(tenant: Tenant) -> None:
    tenant.job("waits", account="limited", script="sleep 20")
    tenant.wait_state("waits", "Running")
    tenant.job("queued", account="limited")
    tenant.wait_until(
        lambda: "AssocMaxJobsLimit" in tenant.condition("queued", "Reconciling").get("message", ""), seconds=30
    )
    message = tenant.condition("queued", "Reconciling")["message"]
    assert "the user runs as many jobs in this account as allowed" in message
    assert tenant.status("queued")["state"] == "Pending"


def test_deleted_while_running(tenant: Tenant) -> None:
    tenant.job("long", script="sleep 600")
    tenant.wait_state("long", "Running")
    job_id = tenant.status("long")["jobId"]
    tenant.kubectl("delete", "slurmjob", "long", "--timeout=30s")
    tenant.wait_accounted({job_id: "CANCELLED"})


def test_deleted_at_once_and_after_the_end(tenant: Tenant) -> None:
    tenant.job("brief", script="sleep 600")
    tenant.kubectl("delete", "slurmjob", "brief", "--timeout=30s")
    tenant.wait_until(lambda: tenant.slurm("squeue", "-h", "-n", "brief") == "")
    tenant.job("ended")
    tenant.wait("ended", "Finished")
    tenant.kubectl("delete", "slurmjob", "ended", "--timeout=10s")


def test_orphan_runs_on(tenant: Tenant) -> None:
    tenant.job("free", script="sleep 5", deletion_policy="Orphan")
    tenant.wait_state("free", "Running")
    job_id = tenant.status("free")["jobId"]
    tenant.kubectl("delete", "slurmjob", "free", "--timeout=30s")
    tenant.wait_until(lambda: tenant.slurm("sacct", "-X", "-n", "-j", job_id, "-o", "State").startswith("COMPLETED"))


def test_template_is_frozen_once_submitted(tenant: Tenant) -> None:
    tenant.job("fixed", script="sleep 3")
    tenant.wait_until(lambda: "firstSubmitTime" in tenant.status("fixed"))
    with pytest.raises(SandboxError, match="must not change once a job has been submitted"):
        tenant.kubectl("patch", "slurmjob", "fixed", "--type=merge", '-p={"spec":{"template":{"time":"9"}}}')


def test_a_failed_run_is_tried_again(tenant: Tenant) -> None:
    """Another attempt is another Slurm job. The tests' own ledger takes one job of a SlurmJob, so this has another."""
    seen = f"/home/alice/seen-{tenant.namespace}"
    script = f"test -e {seen} && exit 0; touch {seen}; exit 3"
    spec = {"backoffLimit": 2}
    ledger = "/home/alice/ledger-of-retries"
    tenant.apply(tenant.manifest("retried", script=script, spec=spec, ledger=ledger, jobName=tenant.namespace))
    tenant.wait_state("retried", "Retrying")
    first = tenant.status("retried")
    assert tenant.condition("retried", "Finished")["status"] == "False"
    said = tenant.condition("retried", "Reconciling")
    assert said["reason"] == "RetryScheduled"
    assert said["message"].startswith(
        f"Slurm job {first['jobId']} ended with exit code 3. Attempt 2 of at most 3 begins at "
    )
    tenant.wait("retried", "Complete", seconds=60)
    status = tenant.status("retried")
    assert (status["attempt"], status["exitCode"], status["succeeded"], status["failed"]) == (2, 0, 1, 0)
    assert [(a["attempt"], a["jobId"], a["state"], a["reason"], a["exitCode"]) for a in status["attempts"]] == [
        (1, first["jobId"], "FAILED", "NonZeroExitCode", 3),
        (2, status["jobId"], "COMPLETED", "Completed", 0),
    ]
    tenant.wait_until(lambda: tenant.slurm_states(tenant.namespace) == ["FAILED", "COMPLETED"], seconds=15)


@pytest.mark.alone
@pytest.mark.timeout(180)
def test_operator_killed_again_and_again(tenant: Tenant) -> None:
    """Whatever moment the kill meets: each job runs once and its end is known."""
    names = [f"k{number}" for number in range(6)]
    for name in names:
        tenant.job(name, script="sleep 2")
        time.sleep(0.02 * (1 + names.index(name)))
        cluster.operator_kill(tenant.paths)
        cluster.operator_start(tenant.paths)
    for name in names:
        tenant.wait(name, "Complete", seconds=60)
        assert tenant.executions(name) == {tenant.status(name)["jobId"]: 1}
