"""What administrators and users do to our jobs in Slurm: the status follows, and nothing fights them."""

from __future__ import annotations

from tests.real.cluster import Tenant
from tests.real.endings import Ending, ending_of

COMPLETED = Ending(state="Complete", reason="Completed", message="Slurm job N completed.", exit_code=0)
ONCE_MORE = 'test "$SLURM_RESTART_COUNT" || sleep 600'
"""Runs until somebody ends it; started again it ends at once."""


def _job_id(tenant: Tenant, name: str) -> str:
    return str(tenant.status(name)["jobId"])


def _update(tenant: Tenant, name: str, *changes: str) -> None:
    tenant.slurm("scontrol", "update", f"jobid={_job_id(tenant, name)}", *changes)


def _waits_held(tenant: Tenant, name: str) -> bool:
    shown = tenant.slurm("scontrol", "show", "job", _job_id(tenant, name))
    return "JobState=PENDING" in shown and "Priority=0" in shown


def _let_the_operator_work(tenant: Tenant) -> None:
    """A job submitted after all this has come to its end: the operator has looked at everything meanwhile."""
    tenant.job("meanwhile", script="sleep 5")
    assert ending_of(tenant, "meanwhile") == COMPLETED


def test_requeued(tenant: Tenant) -> None:
    """The same attempt under the same id, a restart counted; also when somebody has rewritten its comment."""
    for name in ("kept", "rewritten"):
        tenant.job(name, script=ONCE_MORE)
    for name in ("kept", "rewritten"):
        tenant.wait_state(name, "Running")
    _update(tenant, "rewritten", "comment=ticket 17")
    before = {name: tenant.status(name) for name in ("kept", "rewritten")}
    for name, status in before.items():
        tenant.slurm("scontrol", "requeue", status["jobId"])
        tenant.wait_state(name, "Pending")
        said = tenant.condition(name, "Reconciling")["message"]
        assert said.startswith(f"Slurm job {status['jobId']} waits: BeginTime (")
        assert "startTime" not in tenant.status(name)
        tenant.start_now(name)
    for name, status in before.items():
        assert ending_of(tenant, name) == COMPLETED
        after = tenant.status(name)
        assert (after["jobId"], after["attempt"], after["slurm"]["restarts"]) == (status["jobId"], 1, 1)
        assert after["submitTime"] > status["submitTime"]
        assert after["startTime"] > status["startTime"]
        assert tenant.executions(name) == {status["jobId"]: 2}


def test_requeued_and_held(tenant: Tenant) -> None:
    """Held by an administrator, it stays so until an administrator lets it go."""
    tenant.job("parked", script=ONCE_MORE)
    tenant.wait_state("parked", "Running")
    tenant.slurm("scontrol", "requeuehold", _job_id(tenant, "parked"))
    tenant.wait_state("parked", "Held")
    held = tenant.condition("parked", "Reconciling")
    job_id = _job_id(tenant, "parked")
    assert (held["reason"], held["message"].partition(" Slurm expects")[0]) == (
        "Held",
        f"Slurm job {job_id} waits: JobHeldUser (job requeued in held state; `scontrol release` lets it go).",
    )
    _let_the_operator_work(tenant)
    assert _waits_held(tenant, "parked")
    tenant.slurm("scontrol", "release", _job_id(tenant, "parked"))
    tenant.start_now("parked")
    assert ending_of(tenant, "parked") == COMPLETED
    assert tenant.status("parked")["slurm"]["restarts"] == 1


def test_held_by_its_template_released_by_its_user(tenant: Tenant) -> None:
    tenant.job("later", hold=True)
    tenant.wait_state("later", "Held")
    job_id = _job_id(tenant, "later")
    held = tenant.condition("later", "Reconciling")
    assert (held["reason"], held["message"]) == (
        "Held",
        f"Slurm job {job_id} waits: JobHeldUser (its user holds it; `scontrol release` lets it go).",
    )
    _let_the_operator_work(tenant)
    assert _waits_held(tenant, "later")
    tenant.slurm("scontrol", "release", job_id, user="alice")
    assert ending_of(tenant, "later") == COMPLETED


def test_held_by_an_administrator_while_it_waits(tenant: Tenant) -> None:
    tenant.job("first", script="sleep 600")
    tenant.wait_until(lambda: "jobId" in tenant.status("first"))
    tenant.job("waits", dependency=f"afterany:{_job_id(tenant, 'first')}")
    tenant.wait_state("waits", "Pending")
    tenant.wait_until(lambda: "jobId" in tenant.status("waits"))
    job_id = _job_id(tenant, "waits")
    tenant.wait_until(lambda: not _waits_held(tenant, "waits"))
    tenant.slurm("scontrol", "hold", job_id)
    tenant.wait_state("waits", "Held")
    message = tenant.condition("waits", "Reconciling")["message"]
    assert message == f"Slurm job {job_id} waits: JobHeldAdmin (an administrator holds it)."
    _update(tenant, "waits", "dependency=", "comment=hands off")
    _let_the_operator_work(tenant)
    assert _waits_held(tenant, "waits")
    tenant.slurm("scontrol", "release", job_id)
    assert ending_of(tenant, "waits") == COMPLETED
    assert tenant.executions("waits") == {job_id: 1}


def test_suspended_and_resumed(tenant: Tenant) -> None:
    tenant.job("nap", script="sleep 15")
    tenant.wait_state("nap", "Running")
    job_id = _job_id(tenant, "nap")
    tenant.slurm("scontrol", "suspend", job_id)
    tenant.wait_state("nap", "Suspended")
    said = tenant.condition("nap", "Reconciling")
    assert (said["reason"], said["message"]) == ("SuspendedInSlurm", f"Slurm job {job_id} is suspended in Slurm.")
    assert tenant.status("nap")["active"] == 1
    _let_the_operator_work(tenant)
    assert "JobState=SUSPENDED" in tenant.slurm("scontrol", "show", "job", job_id)
    tenant.slurm("scontrol", "resume", job_id)
    assert ending_of(tenant, "nap") == COMPLETED


def test_modified(tenant: Tenant) -> None:
    """What Slurm says counts, not what was asked for; nothing is set back."""
    tenant.job("waits", hold=True)
    tenant.job("runs", script="sleep 20")
    tenant.wait_state("waits", "Held")
    tenant.wait_state("runs", "Running")
    _update(tenant, "waits", "TimeLimit=3", "Partition=gpu", "comment=moved")
    _update(tenant, "runs", "TimeLimit=7", "JobName=another")
    tenant.wait_until(lambda: tenant.status("waits")["effective"]["partition"] == "gpu")
    assert tenant.status("waits")["effective"]["timeLimitSeconds"] == 180
    assert tenant.status("waits")["state"] == "Held"
    assert ending_of(tenant, "runs") == COMPLETED
    assert tenant.status("runs")["effective"]["timeLimitSeconds"] == 420
    shown = tenant.slurm("scontrol", "show", "job", _job_id(tenant, "waits"))
    assert "Comment=moved" in shown
    tenant.slurm("scontrol", "release", _job_id(tenant, "waits"))
    assert ending_of(tenant, "waits") == COMPLETED
    assert tenant.executions("waits") == {_job_id(tenant, "waits"): 1}


def test_what_cannot_be_proven_ours_is_left_alone(tenant: Tenant) -> None:
    """Without marker and name nothing but the id is left, and Slurm reuses ids. Followed again once it is proven."""
    tenant.job("masked", hold=True)
    tenant.wait_state("masked", "Held")
    _update(tenant, "masked", "comment=", "JobName=another")
    tenant.wait_until(lambda: tenant.condition("masked", "Synced")["reason"] == "IdentityUnproven")
    job_id = _job_id(tenant, "masked")
    assert tenant.condition("masked", "Synced")["message"] == (
        f"Slurm job {job_id} cannot be proven to be this object's; it is left alone."
    )
    assert tenant.condition("masked", "Finished")["status"] == "False"
    assert _waits_held(tenant, "masked")
    _update(tenant, "masked", "JobName=masked")
    tenant.slurm("scontrol", "release", job_id)
    assert ending_of(tenant, "masked") == COMPLETED
