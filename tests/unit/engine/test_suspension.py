"""`suspend` and `managedBy` over a life, in memory."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from slurmjob_operator.core import marker
from slurmjob_operator.kube.port import Kind
from tests.unit.engine.cluster import POLL, Cluster

pytestmark = [pytest.mark.looptime]

SETTLED = 3 * POLL


def _job(cluster: Cluster, **spec: Any) -> str:
    template = {"script": "#!/bin/sh\n", "chdir": "/x", **spec.pop("template", {})}
    made = {"connectionRef": {"name": "campus"}, "template": template, **spec}
    uid: str = cluster.kube.create(Kind.SLURM_JOB, namespace="ns", name="job", spec=made)["metadata"]["uid"]
    return uid


async def _edit(cluster: Cluster, uid: str, **spec: Any) -> None:
    cluster.kube.edit(uid, **spec)
    await asyncio.sleep(SETTLED)


async def test_nothing_is_submitted_and_the_template_can_be_corrected(cluster: Cluster) -> None:
    cluster.connection()
    uid = _job(cluster, suspend=True)
    await asyncio.sleep(SETTLED)
    assert (cluster.status(uid)["state"], len(cluster.slurm.jobs)) == ("Suspended", 0)
    await _edit(cluster, uid, suspend=False, template={"script": "#!/bin/sh\ntrue\n", "chdir": "/y"})
    assert cluster.slurm.requests[1].chdir == "/y"
    assert cluster.status(uid)["state"] == "Pending"


async def test_held_in_the_queue_and_released_with_the_same_id(cluster: Cluster) -> None:
    cluster.connection()
    uid = _job(cluster)
    await asyncio.sleep(SETTLED)
    await _edit(cluster, uid, suspend=True)
    job = cluster.slurm.jobs[1]
    mark = marker.parse(job.comment)
    assert mark is not None
    assert (job.held, mark.suspended, mark.released) == (True, True, False)
    assert cluster.status(uid)["state"] == "Suspended"
    assert not cluster.slurm.start(1)
    before = cluster.kube.body(uid)
    await asyncio.sleep(100 * POLL)
    assert cluster.kube.body(uid) == before, "quiet"
    await _edit(cluster, uid, suspend=False)
    job = cluster.slurm.jobs[1]
    mark = marker.parse(job.comment)
    assert mark is not None
    assert (job.held, mark.suspended, mark.released) == (False, False, True)
    assert cluster.slurm.start(1)
    await asyncio.sleep(SETTLED)
    assert (cluster.status(uid)["state"], cluster.status(uid)["attempt"]) == ("Running", 1)


async def test_cancelled_while_it_runs_and_a_new_attempt_afterwards(cluster: Cluster) -> None:
    cluster.connection()
    uid = _job(cluster)
    await asyncio.sleep(SETTLED)
    assert cluster.slurm.start(1)
    await asyncio.sleep(SETTLED)
    await _edit(cluster, uid, suspend=True)
    assert cluster.slurm.jobs[1].states == {"CANCELLED"}
    status = cluster.status(uid)
    assert (status["state"], status["suspendedAttempts"], status["failed"]) == ("Suspended", 1, 0)
    await _edit(cluster, uid, suspend=False)
    status = cluster.status(uid)
    assert (status["state"], status["attempt"], status["jobId"]) == ("Pending", 2, "2")
    assert cluster.slurm.start(2)
    assert cluster.slurm.end(2)
    await asyncio.sleep(SETTLED)
    assert cluster.status(uid)["state"] == "Complete"


async def test_somebody_elses_object_is_left_alone(cluster: Cluster) -> None:
    """Also one whose status a copy of it elsewhere has, with a job id."""
    cluster.connection()
    await asyncio.sleep(SETTLED)
    uid = _job(cluster, managedBy="kueue.x-k8s.io/multikueue")
    before = cluster.kube.body(uid)
    await asyncio.sleep(SETTLED)
    assert before is not None
    assert cluster.kube.body(uid) == before
    assert not cluster.slurm.jobs
