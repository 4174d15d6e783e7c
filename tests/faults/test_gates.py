"""Gates on counts: what the operator asks of the API server and of Slurm, seen by the proxies before both."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pytest

from sandboxlib import operator_process, slurm_cluster
from tests.faults import slurmrestd_proxy as rest
from tests.faults.crowd import Crowd
from tests.faults.kube_proxy import WRITES, KubeProxy
from tests.faults.slurmrestd_proxy import SlurmrestdProxy
from tests.faults.stage import Stage
from tests.real.cluster import SUITE, Tenant

SIZE: Final = 500
JOBS: Final = 10
QUIET_CYCLES: Final = 10

MOST_PATCHES_OF_A_JOB: Final = 6
MOST_EVENTS_OF_A_JOB: Final = 4
MOST_REQUESTS_OF_A_JOB: Final = 6
MOST_REQUESTS_OF_A_QUIET_CYCLE: Final = 2
MOST_LOOKS: Final = 3
"""One a minute, as long as all of it may take."""

LOOKS: Final = frozenset({rest.PING, rest.NODES, rest.PARTITIONS})
SHARED: Final = LOOKS | {rest.STATES, rest.DIAG, rest.DB_JOBS, rest.DB_JOB}
"""Asked for all jobs together: states, discovery, the sweep, once a minute what people see of the cluster."""


@pytest.mark.timeout(400)
def test_counts(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """One operator. While five hundred jobs of one namespace run on and nothing happens, jobs of another live."""
    slurm = slurm_cluster.rest_url(stage.paths, SUITE)
    with (
        KubeProxy.of(operator_process.kubeconfig(stage.paths)) as kube,
        SlurmrestdProxy(slurm) as of_crowd,
        SlurmrestdProxy(slurm) as of_jobs,
    ):
        stage.kubeconfig = operator_process.kubeconfig_through(stage.paths, server=kube.url)
        stage.patience = "{}"  # of 5 s some of 500 reads at a start take longer where other lanes are busy too
        crowd_tenant = stage.tenant("crowd", url=of_crowd.url)
        tenant = stage.tenant("lives", url=of_jobs.url)
        with Crowd.running(crowd_tenant, size=SIZE) as crowd:
            try:
                stage.start()
                crowd_tenant.wait_until(lambda: crowd.states() == {"Running": SIZE}, seconds=90)
                start = _start_again(stage, crowd_tenant, kube, of_crowd)
                kube.reset()
                of_crowd.reset()
                lives = _live(tenant, kube, of_jobs)
                _wait_polls(crowd_tenant, of_crowd, QUIET_CYCLES)
                quiet = _quiet(crowd_tenant, kube, of_crowd)
                assert crowd.states() == {"Running": SIZE}
            finally:
                stage.kill()
    with capsys.disabled():
        print(f"\ngates: {start}; {quiet}; {lives}")


def _wait_polls(tenant: Tenant, proxy: SlurmrestdProxy, polls: int) -> None:
    tenant.wait_until(lambda: proxy.count(method="GET", endpoint=rest.STATES) >= polls, seconds=90)


def _start_again(stage: Stage, tenant: Tenant, kube: KubeProxy, slurm: SlurmrestdProxy) -> str:
    stage.kill()
    kube.reset()
    slurm.reset()
    stage.start()
    tenant.wait_until(lambda: slurm.count(method="GET", endpoint=rest.JOB) >= SIZE, seconds=60)
    _wait_polls(tenant, slurm, 2)
    submits = slurm.count(method="POST")
    patches = kube.count(verb=WRITES, resource="slurmjobs")
    assert (submits, patches) == (0, 0), (slurm.counts(), kube.counts())
    reads = slurm.count(method="GET", endpoint=rest.JOB)
    return f"start-up with {SIZE} objects: submits {submits} patches {patches} (reads {reads})"


def _quiet(tenant: Tenant, kube: KubeProxy, slurm: SlurmrestdProxy) -> str:
    cycles = slurm.count(method="GET", endpoint=rest.STATES)
    mine = [it for it in kube.records if it.verb in WRITES and it.namespace == tenant.namespace]
    of_connection = sum(it.resource == "slurmconnections" for it in mine)
    writes = len(mine) - of_connection
    requests = len(slurm.records) / cycles
    assert writes == 0, kube.counts()
    assert of_connection <= MOST_LOOKS, "the other namespace's jobs change what is idle"
    assert requests <= MOST_REQUESTS_OF_A_QUIET_CYCLE, slurm.counts()
    return f"{cycles} quiet cycles of {SIZE} running jobs: writes {writes} requests per cycle {requests:.1f}"


def _story(slurm: SlurmrestdProxy, job_id: str) -> str:
    """When each request about a job came, in seconds after the first."""
    found = [it for it in slurm.records if it.endpoint not in SHARED and job_id in it.job_ids]
    return "; ".join(f"{it.time - found[0].time:.1f} {it.what}" for it in found)


def _live(tenant: Tenant, kube: KubeProxy, slurm: SlurmrestdProxy) -> str:
    """Jobs that are over at once, and jobs that several polls see running."""
    slurm.reset()
    tenant.jobs({f"j{number}": "sleep 1" if number % 2 else "sleep 12" for number in range(JOBS)})
    for number in range(JOBS):
        tenant.wait(f"j{number}", "Complete")
    tenant.wait_until(lambda: "slurmjob.dev/slurm-job" not in tenant.kubectl("get", "slurmjobs", "-o", "json"))
    patches = Counter(
        it.name
        for it in kube.records
        if (it.verb in WRITES, it.resource, it.namespace) == (True, "slurmjobs", tenant.namespace)
    )
    events = kube.count(verb="create", resource="events", where=lambda it: it.namespace == tenant.namespace)
    own = Counter(job_id for it in slurm.records if it.endpoint not in SHARED for job_id in it.job_ids)
    assert sum(own.values()) == sum(it.endpoint not in SHARED for it in slurm.records), slurm.counts()
    assert len(patches) == len(own) == JOBS
    most = max(patches.values()), events / JOBS, max(own.values())
    assert most[0] <= MOST_PATCHES_OF_A_JOB, patches
    assert most[1] <= MOST_EVENTS_OF_A_JOB
    assert most[2] <= MOST_REQUESTS_OF_A_JOB, _story(slurm, own.most_common(1)[0][0])
    return f"{JOBS} lives: patches at most {most[0]} events {most[1]:.1f} requests to Slurm at most {most[2]}"
