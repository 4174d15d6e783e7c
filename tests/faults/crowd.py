"""Five hundred SlurmJobs whose Slurm jobs run, on nodes that could not bear as many processes.

Each Slurm job is an allocation without a step (`salloc --no-shell` over REST): RUNNING to slurmctld and whoever asks
it, while its node has nothing to do. They share cores of a partition of their own. The SlurmJobs stand as their
operator left them: recorded, with the finalizer; what follows is the operator's.
"""

from __future__ import annotations

import ssl
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx

from sandboxlib import control_plane, slurm_cluster
from slurmjob_operator.api.names import JOB_FINALIZER
from slurmjob_operator.core.marker import Marker
from slurmjob_operator.core.times import rfc3339
from slurmjob_operator.engine.views import template_hash
from tests.real.cluster import SUITE, Tenant

PARTITION: Final = "crowd"
NODES: Final = "n[7-8]"
ON_ONE_CORE: Final = 64
INSTALLATION: Final = "slurmjob-system/slurmjob-operator"
VERSION: Final = "v0.0.45"


class Crowd:
    """So many objects of a namespace, and their jobs."""

    def __init__(self, tenant: Tenant, *, size: int) -> None:
        self._tenant = tenant
        self._size = size
        self._kube = _administrator(tenant)
        self._slurm = httpx.Client(base_url=slurm_cluster.rest_url(tenant.paths, SUITE), headers=_alice(tenant))

    @classmethod
    @contextmanager
    def running(cls, tenant: Tenant, *, size: int) -> Iterator[Crowd]:
        """They run, until the end; then nothing of them is left. No operator may run at the end."""
        crowd = cls(tenant, size=size)
        tenant.slurm(
            *("scontrol", "create", f"partitionname={PARTITION}", f"nodes={NODES}", "state=up"),
            *("maxtime=infinite", f"oversubscribe=force:{ON_ONE_CORE}"),
        )
        try:
            crowd._gather()
            yield crowd
        finally:
            crowd._disperse()

    def states(self) -> dict[str, int]:
        """How many objects are in which state."""
        found: dict[str, int] = {}
        for body in self._objects():
            state = (body.get("status") or {}).get("state", "")
            found[state] = found.get(state, 0) + 1
        return found

    def synced(self) -> dict[str, int]:
        """How many objects show the states of their jobs (condition `Synced`), how many do not."""
        found = [(body.get("status") or {}).get("conditions", ()) for body in self._objects()]
        return dict(Counter(one["status"] for conditions in found for one in conditions if one["type"] == "Synced"))

    def _gather(self) -> None:
        for number in range(self._size):
            body = self._tenant.manifest(f"c{number}", partition=PARTITION)
            body["metadata"]["finalizers"] = [JOB_FINALIZER]
            made = self._ask("POST", "", json=body)
            self._ask("PATCH", f"/c{number}/status", json={"status": self._recorded(made, self._allocate(made))})

    def _disperse(self) -> None:
        self._tenant.slurm("scancel", f"--partition={PARTITION}", "--full")
        for body in self._objects():
            self._ask("PATCH", f"/{body['metadata']['name']}", json={"metadata": {"finalizers": None}})
            self._ask("DELETE", f"/{body['metadata']['name']}")
        left = ["squeue", "--noheader", f"--partition={PARTITION}"]
        self._tenant.wait_until(lambda: not self._tenant.slurm(*left))
        self._tenant.slurm("scontrol", "delete", f"partitionname={PARTITION}")
        self._kube.close()
        self._slurm.close()

    def _allocate(self, made: dict[str, Any]) -> int:
        name, hashed = made["metadata"]["name"], template_hash(made["spec"]["template"])
        mark = Marker(
            installation=INSTALLATION,
            namespace=self._tenant.namespace,
            name=name,
            uid=made["metadata"]["uid"],
            attempt=1,
            template_hash=hashed,
            released=True,
        )
        job = {
            "name": name,
            "comment": mark.comment(""),
            "partition": PARTITION,
            "current_working_directory": "/home/alice",
            "environment": ["PATH=/bin"],
            "memory_per_node": {"set": True, "number": 1},
            "time_limit": {"set": True, "number": 60},
        }
        answer = self._slurm.post(f"/slurm/{VERSION}/job/allocate", json={"job": job})
        job_id = answer.json().get("job_id")
        assert job_id, answer.text
        return int(job_id)

    def _recorded(self, made: dict[str, Any], job_id: int) -> dict[str, Any]:
        now = rfc3339(time.time())
        return {
            "observedGeneration": made["metadata"]["generation"],
            "state": "Pending",
            "clusterName": SUITE,
            "user": "alice",
            "attempt": 1,
            "attemptTime": now,
            "templateHash": template_hash(made["spec"]["template"]),
            "jobId": str(job_id),
            "firstSubmitTime": now,
            "submitTime": now,
        }

    def _objects(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("GET", "")["items"]
        return found

    def _ask(self, method: str, path: str, *, json: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else {}
        address = f"/apis/slurmjob.dev/v1alpha1/namespaces/{self._tenant.namespace}/slurmjobs{path}"
        answer = self._kube.request(method, address, json=json, headers=headers)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found


def _administrator(tenant: Tenant) -> httpx.Client:
    pki = control_plane.folder(tenant.paths) / "pki"
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.load_cert_chain(str(pki / "admin.crt"), str(pki / "admin.key"))
    return httpx.Client(base_url=control_plane.server_url(tenant.paths), verify=context, timeout=30)


def _alice(tenant: Tenant) -> dict[str, str]:
    token = slurm_cluster.token(tenant.paths, SUITE, user="alice", lifespan=3600)
    return {"X-SLURM-USER-NAME": "alice", "X-SLURM-USER-TOKEN": token}
