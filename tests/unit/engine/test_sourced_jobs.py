"""Lives of SlurmJobs whose script stands in a ConfigMap, by the engine's own clock."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from slurmjob_operator.core.attempts import FIRST_BACKOFF_SECONDS
from slurmjob_operator.core.unrecorded import LATEST_SOURCES_SECONDS
from slurmjob_operator.kube import errors as kube_errors
from slurmjob_operator.kube.port import Kind
from tests.unit.engine.cluster import POLL, Cluster

pytestmark = pytest.mark.looptime

SCRIPT = "#!/bin/sh\n#SBATCH --job-name=from-script\n#SBATCH --hold\ntrue\n"
PLAIN = "#!/bin/sh\ntrue\n"


def put(cluster: Cluster, text: str) -> None:
    cluster.kube.config_maps["ns", "wing"] = {"run.sh": text}


def sourced(cluster: Cluster, **spec: Any) -> str:
    template = {"scriptFrom": {"configMapKeyRef": {"name": "wing", "key": "run.sh"}}, "chdir": "/x"}
    whole = {"connectionRef": {"name": "campus"}, "template": template, **spec}
    uid: str = cluster.kube.create(Kind.SLURM_JOB, namespace="ns", name="job", spec=whole)["metadata"]["uid"]
    return uid


async def failed(cluster: Cluster, job_id: int) -> None:
    cluster.slurm.start(job_id)
    cluster.slurm.end(job_id, state="FAILED")
    await asyncio.sleep(POLL)


async def test_its_script_is_what_stands_there(cluster: Cluster) -> None:
    put(cluster, SCRIPT)
    cluster.connection()
    job = sourced(cluster)
    await asyncio.sleep(1)
    assert cluster.slurm.requests[1].script == SCRIPT
    assert cluster.slurm.jobs[1].name == "from-script"
    assert cluster.status(job)["sourced"]["jobName"] == "from-script"
    assert len(cluster.status(job)["sourced"]["scriptHash"]) == 64


async def test_it_waits_for_the_configmap(cluster: Cluster) -> None:
    cluster.connection()
    job = sourced(cluster)
    await asyncio.sleep(1)
    assert (cluster.status(job)["state"], cluster.reason(job, "Submitted")) == ("Waiting", "SourceNotFound")
    put(cluster, PLAIN)
    await asyncio.sleep(LATEST_SOURCES_SECONDS)
    assert cluster.status(job)["state"] == "Pending"


async def test_a_script_that_is_none_is_corrected_in_place(cluster: Cluster) -> None:
    put(cluster, "echo no interpreter\n")
    cluster.connection()
    job = sourced(cluster)
    await asyncio.sleep(1)
    assert (cluster.status(job)["state"], cluster.reason(job, "Stalled")) == ("Rejected", "InvalidTemplate")
    put(cluster, PLAIN)
    await asyncio.sleep(LATEST_SOURCES_SECONDS)
    assert cluster.status(job)["state"] == "Pending"


async def test_an_api_server_that_is_away_is_no_missing_configmap(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(cluster, PLAIN)
    cluster.connection()
    await asyncio.sleep(1)

    async def away(**_: Any) -> Any:
        raise kube_errors.Unavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(cluster.kube, "read_config_map", away)
        job = sourced(cluster)
        await asyncio.sleep(1)
        assert cluster.status(job).get("conditions", []) == []
    await asyncio.sleep(POLL)
    assert cluster.status(job)["state"] == "Pending"


async def test_what_the_script_said_is_known_after_a_restart_without_it(cluster: Cluster) -> None:
    """Held by its user's wish, which stands in the script alone."""
    put(cluster, SCRIPT)
    cluster.connection()
    job = sourced(cluster)
    await asyncio.sleep(1)
    assert cluster.status(job)["state"] == "Held"
    del cluster.kube.config_maps["ns", "wing"]
    await cluster.start()
    await asyncio.sleep(2 * POLL)
    assert cluster.status(job)["state"] == "Held"
    assert cluster.slurm.jobs[1].held


async def test_a_script_that_moves_into_the_template(cluster: Cluster) -> None:
    """Nothing of the other one is left: neither its name nor its user's wish to hold it."""
    put(cluster, SCRIPT.replace("--hold", "--hold --partition=nope"))
    cluster.connection()
    job = sourced(cluster)
    await asyncio.sleep(1)
    assert (cluster.status(job)["state"], cluster.status(job)["sourced"]["hold"]) == ("Rejected", True)
    cluster.kube.edit(job, template={"script": PLAIN, "chdir": "/x"})
    await asyncio.sleep(POLL)
    assert cluster.status(job)["state"] == "Pending"
    assert "sourced" not in cluster.status(job)
    assert (cluster.slurm.jobs[1].name, cluster.slurm.jobs[1].held) == ("job", False)
    await cluster.start()
    await asyncio.sleep(POLL)
    assert cluster.status(job)["state"] == "Pending"


async def test_another_script_is_no_second_attempt_of_the_first(cluster: Cluster) -> None:
    put(cluster, PLAIN)
    cluster.connection()
    job = sourced(cluster, backoffLimit=1)
    await asyncio.sleep(1)
    put(cluster, PLAIN + "# edited\n")
    await failed(cluster, 1)
    await asyncio.sleep(FIRST_BACKOFF_SECONDS + POLL)
    assert (cluster.status(job)["attempt"], cluster.reason(job, "Stalled")) == (2, "SourceChanged")
    assert list(cluster.slurm.jobs) == [1]
    put(cluster, PLAIN)
    await asyncio.sleep(LATEST_SOURCES_SECONDS)
    assert cluster.status(job)["state"] == "Pending"
    assert cluster.slurm.requests[2].environment["SLURMJOB_ATTEMPT"] == "2"


async def test_each_variable_that_the_operator_sets(cluster: Cluster) -> None:
    put(cluster, PLAIN)
    cluster.connection()
    job = sourced(cluster)
    await asyncio.sleep(1)
    found = {k: v for k, v in cluster.slurm.requests[1].environment.items() if k.startswith("SLURMJOB_")}
    assert found == {
        "SLURMJOB_NAME": "job",
        "SLURMJOB_NAMESPACE": "ns",
        "SLURMJOB_UID": job,
        "SLURMJOB_ATTEMPT": "1",
    }
