"""What slurmctld has forgotten, what it has lost, and what only slurmdbd knows."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from sandboxlib import slurm_cluster
from sandboxlib.daemons import start
from tests.faults.slurmrestd_proxy import SlurmrestdProxy
from tests.real import cluster
from tests.real.cluster import SUITE, Tenant
from tests.real.releases import Differs, expected
from tests.real.state_loss import StateLoss

RESOLVE = "slurmjob.dev/resolve"
ROUNDS = 5
ASKED = ("succeeded", "failed", "again", "nobody")
OF_SLURMS_OWN = "/home/alice/ledger-of-restarts"


@pytest.mark.alone
@pytest.mark.timeout(180)
def test_forgotten_while_slurmdbd_is_away(tenant: Tenant) -> None:
    """slurmctld forgets an ended job after MinJobAge (10 s here); then only slurmdbd's record tells. Until it can be
    asked nothing is concluded, and that is said."""
    for name in ("away", "deleted"):
        tenant.job(name, script=f"{tenant.until('killed')}; exit 3")
    for name in ("away", "deleted"):
        tenant.wait_until(lambda name=name: bool(tenant.executions(name)))  # type: ignore[misc]  # mypy: no default in a lambda
    ids = {name: str(tenant.status(name)["jobId"]) for name in ("away", "deleted")}
    cluster.operator_kill(tenant.paths)
    with cluster.stopped(tenant.paths, "slurmdbd") as slurmdbd:
        tenant.go("killed")
        tenant.wait_until(lambda: not any(tenant.slurm("scontrol", "show", "job", job_id) for job_id in ids.values()))
        cluster.operator_start(tenant.paths)
        reason = "AccountingUnavailable"
        tenant.wait_until(lambda: tenant.condition("away", "Synced").get("reason") == reason)
        assert tenant.condition("away", "Synced")["status"] == "False"
        assert tenant.condition("away", "Finished")["status"] == "False"
        tenant.delete("deleted")
        tenant.wait_until(lambda: "FinalizerBlocked" in {event[0] for event in tenant.events("deleted")})
        assert tenant.condition("deleted", "Synced")["reason"] == reason
        start(slurmdbd)
        tenant.wait("away", "Failed", seconds=60)
        tenant.wait_gone("deleted", seconds=60)
    status = tenant.status("away")
    code = expected(Differs.LATE_EXIT_CODE)
    assert (status.get("exitCode"), tenant.condition("away", "Failed")["reason"]) == (code, "NonZeroExitCode")
    assert tenant.condition("away", "Synced")["status"] == "True"
    assert tenant.executions("away") == {ids["away"]: 1}


def _submit_and_lose(tenant: Tenant, loss: StateLoss) -> dict[str, str]:
    """Six SlurmJobs whose recorded jobs slurmctld has lost, each with its id. They are held by their template, so
    that none of them can have begun."""
    specs = {f"ask-{word}": {"backoffLimit": 0} for word in ASKED}
    specs |= {"fail": {"unknownOutcomePolicy": "Fail"}, "retry": {"unknownOutcomePolicy": "Retry", "backoffLimit": 1}}
    items = [tenant.manifest(name, spec=spec, hold=True) for name, spec in specs.items()]
    for _ in range(ROUNDS):
        loss.save_now()
        tenant.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        tenant.wait_until(lambda: all("jobId" in tenant.status(name) for name in specs))
        loss.lose()
        ids = {name: str(tenant.status(name)["jobId"]) for name in specs}
        if not any(loss.known(job_id) for job_id in ids.values()):
            return ids
        tenant.kubectl("delete", "slurmjobs", "--all", "--timeout=45s")
    raise AssertionError(f"in {ROUNDS} rounds slurmctld did not lose what it had just been given")


@pytest.mark.alone
@pytest.mark.timeout(180)
def test_lost_by_slurmctld(tenant: Tenant, loss: StateLoss) -> None:
    """Nobody knows what became of them, one of their ids is a stranger's now, and a word decides, or the policy."""
    with cluster.operator_replaced(tenant.paths):
        cluster.launch_test_build(tenant.paths, SHORTENED="lost:3,recheck:1")
        ids = _submit_and_lose(tenant, loss)
        argv = ("sbatch", "--parsable", "--chdir=/tmp", "--output=/dev/null", "--wrap=sleep 15")
        stranger = tenant.slurm(*argv, user="bob")
        assert stranger in ids.values(), "Slurm gives the lost id to the next one"
        tenant.apply(tenant.manifest("known", script="sleep 4", annotations={RESOLVE: "1/failed"}))
        for word in ASKED:
            _asks(tenant, f"ask-{word}", ids[f"ask-{word}"])
        for ignored in ("2/failed", "1/perhaps", "1", "/retry", "failed"):
            tenant.annotate("ask-nobody", RESOLVE, ignored)
        _decided_by_a_person(tenant)
        _decided_by_policy(tenant)
        tenant.wait("known", "Complete")
        assert tenant.status("ask-nobody")["state"] == "Unknown", "none of those words was one"
        tenant.wait_until(lambda: "COMPLETED" in tenant.accounted(stranger), seconds=30)
        for name in ("ask-again", "retry"):
            _runs_once_more(tenant, name, ids[name])
        _given_up(tenant, "ask-nobody", ids["ask-nobody"])


def _asks(tenant: Tenant, name: str, job_id: str) -> None:
    tenant.wait_state(name, "Unknown", seconds=30)
    stalled = tenant.condition(name, "Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", "JobRecordLost")
    assert stalled["message"].startswith(f"slurmctld has not known job {job_id} for ")
    assert "annotate this object with slurmjob.dev/resolve: ATTEMPT/succeeded" in stalled["message"]
    assert tenant.condition(name, "Finished")["status"] == "False"
    assert [event[1] for event in tenant.events(name) if event[0] == "SlurmJobOutcomeUnknown"] == ["Warning"]


def _decided_by_a_person(tenant: Tenant) -> None:
    for word, kind, event in (("succeeded", "Complete", "Normal"), ("failed", "Failed", "Warning")):
        name = f"ask-{word}"
        tenant.annotate(name, RESOLVE, f"1/{word}")
        tenant.wait(name, "Finished")
        assert (tenant.status(name)["state"], tenant.condition(name, kind)["reason"]) == (kind, "Resolved")
        assert tenant.condition(name, kind)["message"].endswith(f"A person says: {word}.")
        assert "exitCode" not in tenant.status(name)
        assert [e[1] for e in tenant.events(name) if e[0] == "SlurmJobResolved"] == [event]
        assert tenant.executions(name) == {}
    tenant.annotate("ask-again", RESOLVE, "1/retry")


def _decided_by_policy(tenant: Tenant) -> None:
    tenant.wait("fail", "Failed")
    assert tenant.condition("fail", "Failed")["reason"] == "JobRecordLost"
    assert tenant.status("fail")["attempts"][0]["state"] == "UNKNOWN"


def _runs_once_more(tenant: Tenant, name: str, lost: str) -> None:
    """The second attempt is a job of its own; let go, it runs once."""
    tenant.wait_until(lambda: tenant.status(name).get("attempt") == 2 and "jobId" in tenant.status(name))
    tenant.wait_state(name, "Held")
    status = tenant.status(name)
    reason = "Resolved" if name == "ask-again" else "JobRecordLost"
    before = status["attempts"][0]
    assert (before["attempt"], before["jobId"], before["state"], before["reason"]) == (1, lost, "UNKNOWN", reason)
    tenant.slurm("scontrol", "release", status["jobId"])
    tenant.wait(name, "Complete")
    assert tenant.executions(name) == {status["jobId"]: 1}


def _given_up(tenant: Tenant, name: str, job_id: str) -> None:
    """What is lost holds nothing: it goes at once, and is named."""
    tenant.kubectl("delete", "slurmjob", name, "--timeout=10s")
    notes = [note for reason, _, note in tenant.events(name) if reason == "SlurmJobOrphaned"]
    assert len(notes) == 1
    assert f"Slurm job {job_id} of user alice on {SUITE} was not found" in notes[0]


def _released_then_lost(tenant: Tenant, loss: StateLoss, proxy: SlurmrestdProxy, name: str) -> str:
    """A job that slurmctld has saved held, that is then released and starts, and slurmctld loses that; its id."""
    points = tenant.paths.state / "kill-points"
    points.unlink(missing_ok=True)
    cluster.launch_test_build(tenant.paths, KILL_AT="before release", KILL_LOG=str(points))
    tenant.apply(tenant.manifest(name, script="sleep 600", ledger=OF_SLURMS_OWN))
    tenant.wait_until(lambda: not cluster.operator_runs(tenant.paths))
    job_id = str(tenant.status(name)["jobId"])
    proxy.pause()
    cluster.operator_start(tenant.paths)
    loss.save_now()
    proxy.resume()
    tenant.wait_until(lambda: tenant.executions(name, ledger=OF_SLURMS_OWN) == {job_id: 1})
    loss.lose()
    return job_id


def _outcome(shown: str) -> str:
    held, noted = "Priority=0" in shown, " released" in shown
    if "JobState=PENDING" in shown and held and not noted:
        return "held again"
    return "started again" if noted else "lost"


@pytest.mark.alone
@pytest.mark.timeout(180)
def test_slurmctld_rolls_back(tenant: Tenant, loss: StateLoss) -> None:
    """A job that has begun is held again and without our note: nobody but a person may let it go. Where the release
    was saved, Slurm itself starts it again, under the same id."""
    seen: Counter[str] = Counter()
    with (
        SlurmrestdProxy(slurm_cluster.rest_url(tenant.paths, SUITE)) as proxy,
        cluster.operator_replaced(tenant.paths),
    ):
        tenant.connect(url=proxy.url)
        for number in range(ROUNDS):
            name = f"back-{number}"
            job_id = _released_then_lost(tenant, loss, proxy, name)
            outcome = _outcome(loss.known(job_id))
            seen[outcome] += 1
            if outcome == "held again":
                _stays_held(tenant, loss, name, job_id)
            else:
                assert set(tenant.executions(name, ledger=OF_SLURMS_OWN)) == {job_id}
                assert tenant.status(name)["attempt"] == 1
                tenant.kubectl("delete", "slurmjob", name, "--timeout=45s")
            cluster.operator_stop(tenant.paths)
            if outcome == "held again":
                break
    print(f"rolled back: {dict(seen)}")
    assert seen["held again"] == 1, f"in {ROUNDS} rounds slurmctld did not forget a release: {dict(seen)}"


def _stays_held(tenant: Tenant, loss: StateLoss, name: str, job_id: str) -> None:
    tenant.wait_state(name, "Unknown", seconds=30)
    stalled = tenant.condition(name, "Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", "StateRolledBack")
    assert stalled["message"].startswith(
        f"Slurm job {job_id} is held again although it had been released: slurmctld has lost its newest state, and "
        "the script may have begun. It stays held. A person has to decide: "
    )
    tenant.annotate(name, "example.org/look", "again")
    tenant.job("meanwhile")
    tenant.wait("meanwhile", "Complete")
    assert _outcome(loss.known(job_id)) == "held again"
    tenant.annotate(name, RESOLVE, "1/failed")
    tenant.wait(name, "Failed")
    assert tenant.condition(name, "Failed")["reason"] == "Resolved"
    assert tenant.executions(name, ledger=OF_SLURMS_OWN) == {job_id: 1}
    tenant.wait_until(lambda: "JobState=CANCELLED" in loss.known(job_id))
