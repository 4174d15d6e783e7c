"""SlurmJobs are deleted, in whatever state they are, and whatever is away then: nothing of them runs on unseen, and
nothing hangs without saying why."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxlib import control_plane, slurm_cluster
from sandboxlib.paths import Paths
from tests.real import cluster
from tests.real.cluster import Tenant
from tests.real.releases import Differs, expected

DEAF = 'trap "" TERM; echo $$ > $SLURM_JOB_ID.pid; while :; do sleep 1; done'
ABANDON = "slurmjob.dev/abandon"


def _job_id(tenant: Tenant, name: str) -> str:
    return str(tenant.status(name)["jobId"])


def _script_runs(tenant: Tenant, job_id: str) -> bool:
    """Whether the script, which left its process id in a file, is still there."""
    left = slurm_cluster.home(tenant.paths, cluster.SUITE, "alice") / f"{job_id}.pid"
    return left.exists() and Path("/proc", left.read_text().strip() or "0").exists()


def _in_queue(tenant: Tenant, *job_ids: str) -> str:
    return tenant.slurm("squeue", "-h", "-j", ",".join(job_ids), "-o", "%A %T")


def _blocked(tenant: Tenant, name: str) -> str:
    """The note of its FinalizerBlocked event, or nothing."""
    notes = [note for reason, kind, note in tenant.events(name) if (reason, kind) == ("FinalizerBlocked", "Warning")]
    assert len(notes) <= 1, "said once, not at every try"
    return "".join(notes)


def _is_blocked_by(tenant: Tenant, name: str, reason: str) -> str:
    """That the object says so in every way there is; the reason in words."""
    tenant.wait_until(lambda: _blocked(tenant, name) != "")
    synced = tenant.condition(name, "Synced")
    assert (synced["status"], synced["reason"], synced["message"]) == ("False", reason, _blocked(tenant, name))
    assert cluster.metric(tenant.paths, f'slurmjob_blocked_deletions{{reason="{reason}"}}') >= 1
    said, _, why = synced["message"].partition(": ")
    assert said == "The Slurm job cannot be cancelled now"
    return str(why)


def test_before_submission(operator: Paths, namespace: Tenant) -> None:
    """Nothing of it is in Slurm, and nobody has to be asked."""
    namespace.job("early")
    namespace.wait_state("early", "Waiting")
    namespace.kubectl("delete", "slurmjob", "early", "--timeout=5s")


@pytest.mark.timeout(90)
def test_in_every_state(tenant: Tenant) -> None:
    tenant.job("held", hold=True)
    tenant.job("running", script="sleep 600")
    tenant.job("deaf", script=DEAF)
    tenant.job("completing", script=DEAF)
    tenant.job("ended")
    tenant.job("stays", script="sleep 600")
    tenant.wait_state("running", "Running")
    tenant.wait_state("stays", "Running")
    tenant.job("pending", dependency=f"afterany:{_job_id(tenant, 'stays')}")
    tenant.wait("ended", "Finished")
    tenant.wait_state("held", "Held")
    tenant.wait_until(lambda: "slurm" in tenant.status("pending"))
    names = ("held", "running", "deaf", "completing", "ended", "pending")
    ids = {name: _job_id(tenant, name) for name in names}
    for name in ("deaf", "completing"):
        tenant.wait_until(lambda name=name: _script_runs(tenant, ids[name]))  # type: ignore[misc]  # mypy: no default in a lambda
    assert tenant.status("pending")["state"] == "Pending"
    tenant.slurm("scancel", ids["completing"])
    assert "COMPLETING" in _in_queue(tenant, ids["completing"])
    tenant.delete(*names)
    tenant.wait_gone(*names, seconds=30)
    tenant.wait_accounted({ids[name]: "COMPLETED" if name == "ended" else "CANCELLED" for name in names})
    ran = {name: tenant.executions(name) for name in names}
    assert ran == {name: {} if name in ("held", "pending") else {ids[name]: 1} for name in names}
    tenant.wait_until(lambda: _in_queue(tenant, *ids.values()) == "")
    assert not _script_runs(tenant, ids["deaf"])
    asked = [name for name in names if "SlurmJobCancelRequested" in {event[0] for event in tenant.events(name)}]
    ending = ("completing",) if expected(Differs.WHILE_COMPLETING) == {"COMPLETING"} else ()
    wanted = ["held", "running", "deaf", *ending, "pending"]
    assert asked == wanted, "what has ended, or is seen to end, needs no cancellation"


@pytest.mark.timeout(90)
def test_token_expired(operator: Paths, namespace: Tenant) -> None:
    """Said, and a new Secret mends it."""
    namespace.connect(lifespan=15)
    namespace.job("kept", script="sleep 600")
    namespace.wait_state("kept", "Running", seconds=12)
    job_id = _job_id(namespace, "kept")
    namespace.wait_connection("TokenExpired")
    namespace.delete("kept")
    why = _is_blocked_by(namespace, "kept", "TokenExpired")
    assert why.startswith("The token in Secret campus-token of user alice expired at ")
    namespace.wait_accounted({job_id: "RUNNING"})
    namespace.connect()
    namespace.wait_gone("kept")
    namespace.wait_accounted({job_id: "CANCELLED"})


def test_secret_gone(tenant: Tenant) -> None:
    """The token that was read before serves as long as something is to be let go."""
    tenant.job("kept", script="sleep 600")
    tenant.wait_state("kept", "Running")
    job_id = _job_id(tenant, "kept")
    tenant.kubectl("delete", "secret", "campus-token")
    tenant.edit_connection(pollPeriodSeconds=6)
    tenant.wait_connection("SecretNotFound")
    tenant.delete("kept")
    tenant.wait_gone("kept")
    tenant.wait_accounted({job_id: "CANCELLED"})


def test_connection_deleted_first(tenant: Tenant) -> None:
    """It stays until its last job is let go, and the job runs on until it is deleted too."""
    tenant.job("kept", script="sleep 600")
    tenant.wait_state("kept", "Running")
    job_id = _job_id(tenant, "kept")
    tenant.kubectl("delete", "slurmconnection", "campus", "--wait=false")
    tenant.job("short")
    tenant.wait("short", "Complete")
    tenant.wait_accounted({job_id: "RUNNING"})
    assert tenant.get("campus", "slurmconnection")["metadata"]["finalizers"] == ["slurmjob.dev/in-use"]
    tenant.delete("kept")
    tenant.wait_gone("kept")
    tenant.wait_gone("campus", of="slurmconnection")
    tenant.wait_accounted({job_id: "CANCELLED"})


@pytest.mark.timeout(90)
def test_namespace_deleted_with_all_that_is_in_it(tenant: Tenant) -> None:
    tenant.job("running", script="sleep 600")
    tenant.job("held", hold=True)
    tenant.job("ended", script="exit 1")
    tenant.job("refused", partition="no-such-partition")
    tenant.wait_state("refused", "Rejected")
    tenant.wait("ended", "Finished")
    tenant.wait_state("held", "Held")
    tenant.wait_state("running", "Running")
    ids = [_job_id(tenant, name) for name in ("running", "held")]
    tenant.job("just-made", script="sleep 600")  # whatever is under way for it just now
    control_plane.kubectl(tenant.paths, "delete", "namespace", tenant.namespace, "--timeout=45s")
    tenant.wait_accounted(dict.fromkeys(ids, "CANCELLED"))
    tenant.wait_until(lambda: tenant.namespace not in tenant.slurm("squeue", "-h", "-u", "alice", "-o", "%k"))


@pytest.mark.alone
@pytest.mark.timeout(180)
def test_the_operator_dies_between_submission_and_release(tenant: Tenant) -> None:
    """What was submitted and not recorded is found and cancelled; so is what was never released, also where a job
    would be let run (`Orphan`)."""
    points = tenant.paths.state / "kill-points"
    points.unlink(missing_ok=True)

    def dies(when: str, name: str, deletion_policy: str) -> str:
        cluster.launch_test_build(tenant.paths, KILL_AT=when, KILL_LOG=str(points))
        tenant.job(name, deletion_policy=deletion_policy)
        tenant.wait_until(lambda: not cluster.operator_runs(tenant.paths))
        job_id, state, why = tenant.slurm("squeue", "-h", "-n", name, "-o", "%A %T %r").split()
        assert (state, why) == ("PENDING", "JobHeldUser")
        tenant.delete(name)
        return job_id

    with cluster.operator_replaced(tenant.paths):
        unrecorded = dies("after submit", "unrecorded", "Cancel")
        assert "jobId" not in tenant.status("unrecorded")
        unreleased = dies("before release", "unreleased", "Orphan")
        assert _job_id(tenant, "unreleased") == unreleased
    tenant.wait_gone("unrecorded", "unreleased", seconds=30)
    tenant.wait_accounted({unrecorded: "CANCELLED", unreleased: "CANCELLED"})
    assert tenant.executions("unrecorded") == tenant.executions("unreleased") == {}


@pytest.mark.alone
@pytest.mark.timeout(150)
def test_slurm_is_away(tenant: Tenant) -> None:
    """Said, and it goes when Slurm is back; what a person gives up goes at once, and its job is named."""
    for name in ("patient", "given-up"):
        tenant.job(name, script="sleep 600")
    for name in ("patient", "given-up"):
        tenant.wait_state(name, "Running")
    ids = {name: _job_id(tenant, name) for name in ("patient", "given-up")}
    before = cluster.metric(tenant.paths, "slurmjob_orphans_let_go_total")
    with cluster.stopped(tenant.paths, "slurmctld"):
        tenant.delete("patient", "given-up")
        tenant.wait_connection("ClusterUnreachable")
        for name in ("patient", "given-up"):
            _is_blocked_by(tenant, name, "ClusterUnreachable")
        tenant.annotate("given-up", ABANDON, "true")
        tenant.wait_gone("given-up", seconds=expected(Differs.ABANDONED))
        named = (
            f"{tenant.namespace}/given-up is let go although Slurm job {ids['given-up']} of user alice on "
            f"{cluster.SUITE} was not cancelled: it is annotated with slurmjob.dev/abandon"
        )
        orphaned = [event for event in tenant.events("given-up") if event[0] == "SlurmJobOrphaned"]
        assert orphaned == [("SlurmJobOrphaned", "Warning", named)]
        assert cluster.metric(tenant.paths, "slurmjob_orphans_let_go_total") == before + 1
        tenant.job("unsent")
        tenant.wait_state("unsent", "Waiting")
        tenant.kubectl("delete", "slurmjob", "unsent", "--timeout=5s")
        assert tenant.exists("patient")
    tenant.wait_gone("patient")
    tenant.wait_accounted({ids["patient"]: "CANCELLED"})
    tenant.wait_accounted({ids["given-up"]: "RUNNING"})
    tenant.slurm("scancel", ids["given-up"])
