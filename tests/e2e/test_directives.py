"""`#SBATCH` lines count as for sbatch; fields win over them, and they over the connection's defaults."""

from __future__ import annotations

from tests.real.cluster import Tenant

WITHOUT_EFFECT = "SlurmJobOptionsWithoutEffect"


def _script(*directives: str, body: str = "true") -> str:
    return "\n".join(("#!/bin/sh", *(f"#SBATCH {line}" for line in directives), body, ""))


def _apply(tenant: Tenant, name: str, script: str, **template: object) -> None:
    """Exactly this template: no field that the others have by default."""
    manifest = tenant.manifest(name)
    manifest["spec"]["template"] = {"script": script, **template}
    tenant.apply(manifest)


def _defaults(tenant: Tenant, **defaults: object) -> None:
    tenant.edit_connection(jobDefaults=defaults)
    tenant.wait_until(
        lambda: (
            tenant.get("campus", "slurmconnection")["status"]["observedGeneration"] > 1
            and tenant.condition("campus", "Ready", of="slurmconnection")["status"] == "True"
        )
    )


def test_a_script_from_elsewhere_runs_as_it_is(tenant: Tenant) -> None:
    lines = ("-J wing -t 0-00:07", "--chdir=/home/alice", "-o wing-%j.out # of the wing", "--ntasks 2 --mem=64M")
    _apply(tenant, "wing", _script(*lines, body="echo $SLURM_JOB_NAME $SLURM_NTASKS"))
    tenant.wait("wing", "Complete")
    status = tenant.status("wing")
    assert status["effective"]["timeLimitSeconds"] == 420
    assert status["stdoutPath"] == f"/home/alice/wing-{status['jobId']}.out"
    assert tenant.slurm("cat", status["stdoutPath"]).split()[0] == "wing"
    assert tenant.slurm("sacct", "-X", "-n", "-P", "-o", "JobName", "-j", status["jobId"]) == "wing"


def test_a_field_wins_over_a_directive_and_that_over_a_default(tenant: Tenant) -> None:
    _defaults(tenant, chdir="/home/%u", time="9", qos="normal", environment=[{"name": "SITE", "value": "campus"}])
    _apply(tenant, "default", _script(body="echo $SITE > site-of-default"))
    _apply(tenant, "directive", _script("--time=8"))
    _apply(tenant, "field", _script("--time=8 --account=nobody"), time="7", account="research")
    for name, minutes in (("default", 9), ("directive", 8), ("field", 7)):
        tenant.wait(name, "Complete")
        assert tenant.status(name)["effective"]["timeLimitSeconds"] == minutes * 60
    assert tenant.slurm("cat", "/home/alice/site-of-default") == "campus"


def test_options_without_effect_are_told_once(tenant: Tenant) -> None:
    _apply(tenant, "told", _script("--parsable", "--wait"), chdir="/home/alice")
    tenant.wait("told", "Complete")
    found = [note for reason, kind, note in tenant.events("told") if (reason, kind) == (WITHOUT_EFFECT, "Warning")]
    assert len(found) == 1
    for option in ("line 2: --parsable", "line 3: --wait"):
        assert option in found[0]
        assert option in tenant.condition("told", "Submitted")["message"]


def test_an_unknown_option_is_refused_and_can_be_corrected(tenant: Tenant) -> None:
    _apply(tenant, "typo", _script("-n 1", "--partitoin=debug"), chdir="/home/alice")
    tenant.wait_state("typo", "Rejected")
    message = tenant.condition("typo", "Submitted")["message"]
    assert message.startswith("template.script, line 3: ")
    assert "partitoin" in message
    assert "--partition" in message
    _apply(tenant, "typo", _script("-n 1", "--partition=debug"), chdir="/home/alice")
    tenant.wait("typo", "Complete")


def test_the_users_hold_stays_until_somebody_releases_it(tenant: Tenant) -> None:
    _apply(tenant, "held", _script("-H"), chdir="/home/alice")
    tenant.wait_state("held", "Held")
    job_id = tenant.status("held")["jobId"]
    assert "JobHeldUser" in tenant.slurm("squeue", "-h", "-j", job_id, "-o", "%r")
    tenant.slurm("scontrol", "release", job_id)
    tenant.wait("held", "Complete", seconds=60)


def test_a_priority_that_slurm_refuses_is_left_out_with_a_warning(tenant: Tenant) -> None:
    _apply(tenant, "first", _script("--priority=1000000"), chdir="/home/alice")
    tenant.wait("first", "Complete")
    assert ("SlurmJobPriorityRefused", "Warning") in {event[:2] for event in tenant.events("first")}


def test_what_nobody_runs_is_refused_with_a_sentence(tenant: Tenant) -> None:
    _apply(tenant, "many", _script("--array=0-999999"), chdir="/home/alice")
    _apply(tenant, "mixed", _script("-n1", "hetjob", "-n2 --array=1"), chdir="/home/alice")
    _apply(tenant, "nowhere", _script())
    for name, words in (
        ("many", "--array: '0-999999': must name at most 100000 indexes"),
        ("mixed", "heterogeneous job (`#SBATCH hetjob`) is no array"),
        ("nowhere", "template.chdir"),
    ):
        tenant.wait_state(name, "Rejected")
        assert words in tenant.condition(name, "Submitted")["message"]
