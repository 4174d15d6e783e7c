"""How jobs end on a real Slurm, each with its exact reason, message, exit code and signal.

Jobs of one test run side by side: most of what a test takes is waiting.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxlib import slurm_cluster, slurm_config
from slurmjob_operator.core.times import epoch_of
from tests.real import cluster
from tests.real.cluster import Tenant
from tests.real.endings import Ending, ending_of
from tests.real.releases import Differs, expected

COMPLETED = Ending(state="Complete", reason="Completed", message="Slurm job N completed.", exit_code=0)
NOT_STARTED = Ending(
    reason="LaunchFailed",
    message=(
        "Slurm job N could not be started on its node: look at `chdir`, `output` and `error`, and whether the user "
        "may write there."
    ),
)
MUCH_MEMORY = "head -c 300M /dev/zero | tail -n 1 > /dev/null"
DEAF = 'trap "" TERM; echo $$ > $SLURM_JOB_ID.pid; while :; do sleep 1; done'


def _cancelled(signal: int | None = None) -> Ending:
    return Ending(reason="Cancelled", message="Slurm job N was cancelled.", signal=signal)


def _runs(tenant: Tenant, name: str) -> bool:
    """Whether the script, which left its process id in a file, is still there."""
    left = slurm_cluster.home(tenant.paths, cluster.SUITE, "alice") / f"{tenant.status(name)['jobId']}.pid"
    return left.exists() and Path("/proc", left.read_text().strip() or "none").exists()


def _told_of(tenant: Tenant, name: str, ending: Ending) -> tuple[Ending, ...]:
    """What may stand in status of a cancelled job. If its end was written before slurmctld could forget it, the signal
    too; slurmdbd has none. MinJobAge counts from when the job was cancelled, not from when its script is gone."""
    written = tenant.condition(name, "Finished")["lastTransitionTime"]
    in_time = epoch_of(written) - epoch_of(tenant.status(name)["endTime"]) < slurm_config.MIN_JOB_AGE_SECONDS
    return (ending,) if in_time else (ending, _cancelled())


@pytest.mark.timeout(160)
def test_time_limit(tenant: Tenant) -> None:
    """Slurm looks about every 30 s, so a limit of a minute is enforced after 76 to 90 s."""
    tenant.job("limited", script="sleep 600", time="1")
    tenant.job("polite", script='trap "exit 0" TERM; sleep 600 & wait', time="1")
    tenant.job("rude", script='trap "exit 9" TERM; sleep 600 & wait', time="1")
    words = {"reason": "TimeLimitExceeded", "message": "Slurm job N reached its time limit of 1 min."}
    assert ending_of(tenant, "limited", seconds=130) == Ending(**words, signal=15)
    assert ending_of(tenant, "polite") == Ending(**words)
    assert ending_of(tenant, "rude") == Ending(**words, exit_code=9)
    assert tenant.status("limited")["slurm"]["states"] == ["TIMEOUT"]


def test_what_scripts_and_templates_do(tenant: Tenant) -> None:
    tenant.job("success")
    tenant.job("exit-3", script="exit 3")
    tenant.job("exit-137", script="exit 137")
    tenant.job("killed", script="kill -9 $$")
    tenant.job("terminated", script="kill -TERM $$")
    tenant.job("bad-chdir", chdir="/no/such/folder")
    tenant.job("foreign-chdir", chdir="/root")
    tenant.job("bad-output", output="/no/such/folder/out")
    tenant.job("bad-interpreter", interpreter="/no/such/shell")
    failed = {
        "exit-3": Ending(reason="NonZeroExitCode", message="Slurm job N ended with exit code 3.", exit_code=3),
        "exit-137": Ending(reason="NonZeroExitCode", message="Slurm job N ended with exit code 137.", exit_code=137),
        "killed": Ending(reason="Signaled", message="Slurm job N was ended by signal 9 (SIGKILL).", signal=9),
        "terminated": Ending(reason="Signaled", message="Slurm job N was ended by signal 15 (SIGTERM).", signal=15),
        "bad-chdir": NOT_STARTED,
        "foreign-chdir": NOT_STARTED,
        "bad-output": NOT_STARTED,
        # Slurm itself cannot tell this one from a script that ends so.
        "bad-interpreter": Ending(reason="NonZeroExitCode", message="Slurm job N ended with exit code 2.", exit_code=2),
    }
    expected = {"success": COMPLETED, **failed}
    assert {name: ending_of(tenant, name) for name in expected} == expected
    not_started = {"bad-chdir", "foreign-chdir", "bad-output", "bad-interpreter"}
    for name in expected:
        assert sum(tenant.executions(name).values()) == int(name not in not_started), name


def test_out_of_memory(tenant: Tenant) -> None:
    """Where Slurm cannot enforce memory limits on this machine the job ends as if it had none."""
    tenant.job("hungry", script=MUCH_MEMORY, mem="50M")
    expected = COMPLETED
    if cluster.memory_limits_are_true(tenant.paths):
        message = "Slurm job N used more memory than it had asked for."
        expected = Ending(reason="OutOfMemory", message=message)
    assert ending_of(tenant, "hungry") == expected


def test_cancelled_in_slurm(tenant: Tenant) -> None:
    """By its user, by an administrator, while it runs and before it started: nobody runs it again."""
    for name in ("by-user", "by-admin"):
        tenant.job(name, script="sleep 600")
    tenant.job("held", hold=True)
    tenant.job("deaf", script=DEAF)
    for name in ("by-user", "by-admin", "deaf"):
        tenant.wait_state(name, "Running")
    tenant.wait_state("held", "Held")
    tenant.wait_until(lambda: _runs(tenant, "deaf"))
    tenant.slurm("scancel", tenant.status("by-user")["jobId"], user="alice")
    for name in ("by-admin", "held", "deaf"):
        tenant.slurm("scancel", tenant.status(name)["jobId"])
    signals = {"by-user": 15, "by-admin": 15, "held": None, "deaf": 9}
    ends = {name: ending_of(tenant, name) for name in signals}
    for name, signal in signals.items():
        assert ends[name] in _told_of(tenant, name, _cancelled(signal)), name
    assert "startTime" not in tenant.status("held")
    assert not tenant.executions("held")
    assert not _runs(tenant, "deaf")


def test_completing_is_not_the_end(tenant: Tenant) -> None:
    """A cancelled job's script may go on until KillWait is over, and CANCELLED stands in Slurm all the while."""
    tenant.job("deaf", script=DEAF)
    tenant.wait_state("deaf", "Running")
    tenant.wait_until(lambda: _runs(tenant, "deaf"))
    tenant.slurm("scancel", tenant.status("deaf")["jobId"])
    assert ending_of(tenant, "deaf") in _told_of(tenant, "deaf", _cancelled(9))
    assert not _runs(tenant, "deaf")


def test_deadline(tenant: Tenant) -> None:
    tenant.job("first", script="sleep 30")
    tenant.wait_until(lambda: "jobId" in tenant.status("first"))
    tenant.job("late", dependency=f"afterany:{tenant.status('first')['jobId']}", time="1", deadline="now+65seconds")
    assert ending_of(tenant, "late") == Ending(
        reason="DeadlineExceeded", message="Slurm job N did not end before its deadline."
    )
    assert "startTime" not in tenant.status("late")
    assert not tenant.executions("late")


@pytest.mark.timeout(150)
def test_dependency_that_is_never_satisfied(tenant: Tenant) -> None:
    """It waits for ever, and says so to whoever watches: only its user can know what to do. The reason of a pending job
    is read after 10, 30, 70 seconds."""
    tenant.job("first", script="exit 1")
    tenant.wait_until(lambda: "jobId" in tenant.status("first"))
    tenant.job("second", dependency=f"afterok:{tenant.status('first')['jobId']}")
    said = "the job it waits for can no longer fulfil the condition; it will not start as it is"
    tenant.wait_until(lambda: said in tenant.condition("second", "Stalled").get("message", ""), seconds=100)
    job_id = tenant.status("second")["jobId"]
    assert tenant.condition("second", "Stalled")["message"] == (
        f"Slurm job {job_id} waits: DependencyNeverSatisfied ({said})."
    )
    assert tenant.condition("second", "Stalled")["reason"] == "NeverStarts"
    assert tenant.condition("second", "Reconciling") == {}
    assert tenant.status("second")["state"] == "Pending"
    tenant.slurm("scontrol", "update", f"jobid={job_id}", "dependency=")
    tenant.wait("second", "Complete", seconds=60)
    assert tenant.condition("second", "Stalled") == {}


def test_preempted(tenant: Tenant) -> None:
    """A job of QOS high takes the widgets of both nodes: one job is started again by Slurm, the other one ends."""
    tenant.job(
        "again", script='test "$SLURM_RESTART_COUNT" || sleep 600', partition="gpu", gres="widget:4", requeue=True
    )
    tenant.job("ended", script="sleep 600", partition="gpu", gres="widget:4", requeue=False)
    tenant.wait_state("again", "Running")
    tenant.wait_state("ended", "Running")
    tenant.job("urgent", script="sleep 4", partition="gpu", gres="widget:4", nodes=2, qos="high")
    assert ending_of(tenant, "ended") == Ending(
        reason="Preempted", message="Slurm job N was preempted by another job.", signal=15
    )
    tenant.wait_until(lambda: tenant.status("again")["slurm"]["restarts"] == 1)
    tenant.start_now("again")
    assert ending_of(tenant, "urgent") == COMPLETED
    assert ending_of(tenant, "again") == COMPLETED
    assert tenant.status("again")["attempt"] == 1
    assert tenant.executions("again") == {tenant.status("again")["jobId"]: 2}


@pytest.mark.alone
@pytest.mark.timeout(120)
def test_nodes_die(tenant: Tenant) -> None:
    """One job is started again elsewhere, one ends; a third one, cancelled, is ending until its node is back."""
    tenant.job("again", script='test "$SLURM_RESTART_COUNT" || sleep 600', partition="gpu", mem="8000M", requeue=True)
    tenant.job("ended", script="sleep 600", partition="gpu", mem="8000M", requeue=False)
    tenant.job("cut-off", script="sleep 600")
    names = ("again", "ended", "cut-off")
    for name in names:
        tenant.wait_state(name, "Running")
    first = tenant.status("again")["jobId"]
    nodes = {name: tenant.status(name)["slurm"]["nodes"] for name in names}
    with cluster.nodes_dead(tenant.paths, *nodes.values()):
        tenant.slurm("scancel", tenant.status("cut-off")["jobId"])
        tenant.wait_state("cut-off", "Completing")
        assert tenant.condition("cut-off", "Finished")["status"] == "False"
        assert tenant.condition("cut-off", "Reconciling")["reason"] == "Completing"
        assert tenant.status("cut-off")["active"] == 1
        down = f"{nodes['again']},{nodes['ended']}"
        tenant.slurm("scontrol", "update", f"nodename={down}", "state=down", "reason=test")
        node = f"node {nodes['ended']}" if expected(Differs.LOST_NODE) else "a node"
        lost = Ending(reason="NodeFailure", message=f"Slurm job N lost {node}.")
        assert ending_of(tenant, "ended") == lost
        tenant.wait_until(lambda: tenant.status("again")["slurm"]["restarts"] == 1)
        assert tenant.status("again")["state"] == "Pending"
    # Slurm learns the signal only if the node is back before it is given up.
    assert ending_of(tenant, "cut-off") in (_cancelled(15), _cancelled())
    tenant.start_now("again")
    assert ending_of(tenant, "again") == COMPLETED
    status = tenant.status("again")
    assert (status["jobId"], status["attempt"], status["slurm"]["restarts"]) == (first, 1, 1)
    assert tenant.executions("again") == {first: 2}
