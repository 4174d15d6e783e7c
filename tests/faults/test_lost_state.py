"""`kill -9` of slurmctld while its newest jobs are not saved yet: it forgets them, and gives their ids away.

What Slurm loses by itself nobody can tell the end of: `Unknown`, with a reason, and the policy decides. What it starts
a second time under one id is its own restart, counted apart (TRAPS F2 and F5).
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any, Final

import pytest

from sandboxlib import slurm_cluster
from sandboxlib.daemons import Daemon, kill, start
from sandboxlib.paths import Paths
from tests.faults.conftest import Close
from tests.faults.stage import SHORTENED, SLURMDBD_LAGS, Stage
from tests.faults.verdict import Floor
from tests.real.cluster import SUITE, Tenant

QUICKLY_LOST: Final = f"{SHORTENED},lost:10,recheck:4"
TRIES: Final = 8
"""State is saved at once when nothing was saved for five seconds, else when they are over: jobs that come just after
another one are mostly lost, not always."""

BOBS_JOB: Final = ("sbatch", "--parsable", "--chdir=/tmp", "--output=/dev/null", "--wrap=sleep 25")
POLICIES: Final = ("Ask", "Fail", "Retry")


@pytest.mark.long
@pytest.mark.timeout(400)
def test_the_id_of_a_lost_job_is_given_to_a_stranger(stage: Stage, close: Close) -> None:
    stage.shortened = QUICKLY_LOST
    tenant = stage.tenant("lost")
    stage.start()
    tries, names = _lose(stage.paths, tenant)
    ids = {name: tenant.status(name)["jobId"] for name in names}
    strangers = _give_away(tenant, newest=max(map(int, ids.values())))
    assert set(ids.values()) <= set(strangers)
    ask, fail, retry = names
    tenant.wait_until(lambda: tenant.status(ask).get("state") == "Unknown", seconds=90)
    assert tenant.condition(ask, "Stalled")["reason"] == "JobRecordLost"
    tenant.wait(fail, "Failed", seconds=90)
    assert tenant.condition(fail, "Failed")["reason"] == "JobRecordLost"
    tenant.wait_until(lambda: tenant.status(retry).get("attempt") == 2, seconds=90)
    tenant.wait_state(retry, "Held")
    tenant.slurm("scontrol", "release", tenant.status(retry)["jobId"])
    tenant.wait(retry, "Complete")
    _wait_completed(tenant, strangers)
    tenant.slurm("scancel", "--user=bob")
    close(stage.settled(kills=tries), Floor(kills=1, executions=1))


def _lose(paths: Paths, tenant: Tenant) -> tuple[int, list[str]]:
    """Three recorded jobs, held by their user, that slurmctld has forgotten; after how many tries."""
    slurmctld = _slurmctld(paths)
    for number in range(TRIES):
        names = [f"{policy.lower()}{number}" for policy in POLICIES]
        items = [_of_policy(tenant, name, policy) for name, policy in zip(names, POLICIES, strict=True)]
        tenant.slurm(*BOBS_JOB, "--hold", user="bob")
        tenant.apply({"apiVersion": "v1", "kind": "List", "items": items})
        tenant.wait_until(partial(_all_recorded, tenant, names))
        kill(slurmctld)
        start(slurmctld)
        ids = [tenant.status(name)["jobId"] for name in names]
        if not any(f"JobId={job_id} " in tenant.slurm("scontrol", "show", "job", job_id) for job_id in ids):
            return number + 1, names
        tenant.kubectl("delete", "slurmjobs", *names, "--timeout=60s")
    raise AssertionError(f"slurmctld had saved its newest jobs {TRIES} times")


def _all_recorded(tenant: Tenant, names: list[str]) -> bool:
    return all("jobId" in tenant.status(name) for name in names)


def _of_policy(tenant: Tenant, name: str, policy: str) -> dict[str, Any]:
    body = tenant.manifest(name, hold=True)
    body["spec"] |= {"unknownOutcomePolicy": policy, "backoffLimit": 1}
    return body


def _give_away(tenant: Tenant, *, newest: int) -> list[str]:
    """Jobs of bob, up to the last id of ours."""
    found: list[str] = []
    while not found or int(found[-1]) < newest:
        found.append(tenant.slurm(*BOBS_JOB, user="bob"))
    return found


def _wait_completed(tenant: Tenant, job_ids: list[str]) -> None:
    """The strangers were never touched."""
    sacct = ["sacct", "-X", "-n", "-P", "-u", "bob", "-j", ",".join(job_ids), "-o", "JobIDRaw,State"]
    wanted = {f"{job_id}|COMPLETED" for job_id in job_ids}
    tenant.wait_until(lambda: set(tenant.slurm(*sacct).split("\n")) == wanted, seconds=60)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_killed_just_after_releases(stage: Stage, close: Close) -> None:
    stage.shortened = QUICKLY_LOST
    tenant = stage.tenant("rolled-back")
    stage.start()
    slurmctld = _slurmctld(stage.paths)
    rounds = 5
    for number in range(rounds):
        names = [f"r{number}-{job}" for job in range(6)]
        tenant.jobs(dict.fromkeys(names, "sleep 8"))
        tenant.wait_until(partial(_all_recorded, tenant, names))
        time.sleep(number * 0.7)
        kill(slurmctld)
        start(slurmctld)
    evidence = stage.wait_ended(seconds=120, or_unknown=True)
    print(f"unknown: {', '.join(seen.object for seen in evidence.objects if seen.unknown) or 'none'}")
    # Where slurmdbd lags nothing proves that a held job has not begun, once slurmctld has been killed: none of these is
    # released again, and a person is asked about each.
    close(stage.settled(kills=rounds), Floor(kills=rounds, executions=0 if SLURMDBD_LAGS else rounds))


def _slurmctld(paths: Paths) -> Daemon:
    return next(it for it in slurm_cluster.daemons(paths, SUITE) if it.name == f"{SUITE}-slurmctld")
