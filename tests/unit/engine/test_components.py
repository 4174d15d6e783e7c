"""A heterogeneous job from its submission to its end, in memory."""

from __future__ import annotations

import asyncio

import pytest

from slurmjob_operator.kube.port import Kind
from slurmjob_operator.slurm.errors import OutcomeUnknown, Refused
from tests.unit.engine.cluster import POLL, Cluster

pytestmark = [pytest.mark.looptime]

SCRIPT = "#!/bin/sh\n#SBATCH -n1 --comment=mine\n#SBATCH hetjob\n#SBATCH -n2 -c2\n#SBATCH hetjob\n#SBATCH -n3 -Jthird\n"
SETTLED = 3 * POLL


def _job(cluster: Cluster, script: str = SCRIPT) -> str:
    spec = {"connectionRef": {"name": "campus"}, "template": {"script": script, "chdir": "/x"}}
    uid: str = cluster.kube.create(Kind.SLURM_JOB, namespace="ns", name="job", spec=spec)["metadata"]["uid"]
    return uid


async def test_from_its_submission_to_its_end(cluster: Cluster) -> None:
    cluster.connection()
    uid = _job(cluster)
    await asyncio.sleep(1)
    jobs = list(cluster.slurm.jobs.values())
    assert [job.job_id for job in jobs] == [1, 2, 3]
    assert cluster.status(uid)["jobId"] == "1"
    assert [job.name for job in jobs] == ["job", "job", "third"]
    assert all("released" in job.comment and not job.held for job in jobs)
    assert jobs[0].comment.endswith("mine")
    environment = cluster.slurm.requests[1].environment
    told = {name: environment[name] for name in environment if "HET_GROUP" in name}
    assert told["SLURM_NTASKS_HET_GROUP_2"] == "3"
    assert told["SLURM_CPUS_PER_TASK_HET_GROUP_1"] == "2"
    assert "SLURM_CPUS_PER_TASK" not in environment
    assert cluster.slurm.start(1)
    await asyncio.sleep(SETTLED)
    assert cluster.status(uid)["state"] == "Running"
    assert [one["state"] for one in cluster.status(uid)["components"]] == ["RUNNING"] * 3
    cluster.slurm.end(1)
    await asyncio.sleep(SETTLED)
    assert cluster.status(uid)["state"] == "Complete"
    assert cluster.slurm.executions.total() == 1


@pytest.mark.parametrize("lost", [OutcomeUnknown("lost"), "lost"])
async def test_the_rest_is_released_after_a_lost_answer(cluster: Cluster, lost: OutcomeUnknown | str) -> None:
    cluster.slurm.faults["release"] = [lost]
    cluster.connection()
    _job(cluster)
    await asyncio.sleep(60)
    assert not any(job.held for job in cluster.slurm.jobs.values())
    assert cluster.slurm.start(1)


async def test_a_component_whose_release_is_refused_takes_all_down(cluster: Cluster) -> None:
    cluster.slurm.faults["release"] = [Refused("the site says no")]
    cluster.connection()
    uid = _job(cluster)
    await asyncio.sleep(60)
    assert {min(job.states) for job in cluster.slurm.jobs.values()} == {"CANCELLED"}
    assert cluster.reason(uid, "Failed") == "ReleaseRefused"
    assert not cluster.slurm.executions


async def test_held_by_one_of_its_components(cluster: Cluster) -> None:
    cluster.connection()
    uid = _job(cluster, SCRIPT.replace("-n2 -c2", "-n2 --hold"))
    await asyncio.sleep(SETTLED)
    assert cluster.status(uid)["state"] == "Held"
    assert all(job.held and "released" in job.comment for job in cluster.slurm.jobs.values())


async def test_deletion_cancels_all_components(cluster: Cluster) -> None:
    cluster.connection()
    uid = _job(cluster)
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    await asyncio.sleep(SETTLED)
    cluster.kube.delete(uid)
    await asyncio.sleep(SETTLED)
    assert uid not in cluster.kube.objects
    assert {min(job.states) for job in cluster.slurm.jobs.values()} == {"CANCELLED"}


async def test_a_sweep_leaves_its_components_alone(cluster: Cluster) -> None:
    """Each has the marker of its attempt, and another id than the recorded one."""
    cluster.slurm.faults["release"] = [OutcomeUnknown("lost")] * 40
    cluster.connection()
    _job(cluster)
    await asyncio.sleep(4000)
    assert cluster.slurm.calls["held_jobs"] >= 2
    assert {min(job.states) for job in cluster.slurm.jobs.values()} == {"PENDING"}
