"""What `KubePort` promises, held against the in-memory API server and the real one under the operator's own rights."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from sandboxlib import control_plane, operator_process
from sandboxlib.daemons import SandboxError
from sandboxlib.paths import Paths
from slurmjob_operator.kube.client import KubeClient
from slurmjob_operator.kube.errors import Conflict, Invalid, NotFound
from slurmjob_operator.kube.port import Body, Kind, KubeEvent, KubePort, ObjectKey, Secret
from tests.fakes.kube import InMemoryKube
from tests.real.cluster import Tenant

OTHERS = "example.org/not-the-operators"
"""A finalizer that an operator which runs besides these tests leaves alone."""
SPEC = {
    "connectionRef": {"name": "nowhere"},
    "template": {"script": "#!/bin/sh\ntrue\n", "chdir": "/home/alice"},
}


@dataclass
class Contract:
    """The port, and what a user does with kubectl."""

    port: KubePort
    namespace: str
    memory: InMemoryKube | None = None
    paths: Paths | None = None

    def create(self, name: str = "job") -> Body:
        if self.memory is not None:
            return self.memory.create(Kind.SLURM_JOB, namespace=self.namespace, name=name, spec=SPEC)
        manifest = {
            "apiVersion": "slurmjob.dev/v1alpha1",
            "kind": "SlurmJob",
            "metadata": {"name": name},
            "spec": SPEC,
        }
        body: dict[str, Any] = json.loads(self._kubectl("create", "-o", "json", "-f", "-", stdin=json.dumps(manifest)))
        return body

    def label(self, body: Body) -> None:
        if self.memory is not None:
            self.memory.touch(body["metadata"]["uid"])
        else:
            self._kubectl("label", "slurmjob", body["metadata"]["name"], "a=b")

    def delete(self, body: Body) -> None:
        if self.memory is not None:
            self.memory.delete(body["metadata"]["uid"])
        else:
            self._kubectl("delete", "slurmjob", body["metadata"]["name"], "--wait=false")

    def secret(self, name: str, key: str, value: str) -> None:
        if self.memory is not None:
            self.memory.secrets[self.namespace, name] = {key: value.encode()}
        else:
            self._kubectl("create", "secret", "generic", name, f"--from-literal={key}={value}")

    def config_map(self, name: str, key: str, value: str) -> None:
        if self.memory is not None:
            self.memory.config_maps[self.namespace, name] = {key: value}
        else:
            self._kubectl("create", "configmap", name, f"--from-literal={key}={value}")

    def _kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        assert self.paths is not None
        return control_plane.kubectl(self.paths, "-n", self.namespace, *arguments, stdin=stdin)


@pytest_asyncio.fixture(params=["memory", "real"])
async def contract(request: pytest.FixtureRequest) -> AsyncIterator[Contract]:
    if request.param == "memory":
        memory = InMemoryKube()
        yield Contract(port=memory, namespace="ns", memory=memory)
        return
    async with _real(request.getfixturevalue("rights"), request.getfixturevalue("namespace").namespace) as made:
        yield made


@asynccontextmanager
async def _real(paths: Paths, namespace: str) -> AsyncIterator[Contract]:
    async with KubeClient(instance="contract-test", kubeconfig=operator_process.kubeconfig(paths)) as port:
        yield Contract(port=port, namespace=namespace, paths=paths)


def _key(body: Body, **changes: str) -> ObjectKey:
    metadata = body["metadata"]
    values = {"namespace": metadata["namespace"], "name": metadata["name"], "uid": metadata["uid"]} | changes
    return ObjectKey(kind=Kind.SLURM_JOB, **values)


def _version(body: Body) -> str:
    return str(body["metadata"]["resourceVersion"])


async def _settled(contract: Contract, name: str = "job") -> Body:
    """A new object that says it is finished: an operator that runs besides these tests never touches it again."""
    body = contract.create(name)
    if contract.paths is not None:
        await asyncio.to_thread(_finish, contract.paths, contract.namespace, name)
    return await contract.port.get(_key(body))


def _finish(paths: Paths, namespace: str, name: str) -> None:
    finished = {
        "type": "Finished",
        "status": "True",
        "reason": "Completed",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    patch = json.dumps({"status": {"conditions": [finished]}})
    control_plane.kubectl(
        paths, "-n", namespace, "patch", "slurmjob", name, "--subresource=status", "--type=merge", "-p", patch
    )


async def test_get(contract: Contract) -> None:
    body = await _settled(contract)
    assert (await contract.port.get(_key(body)))["metadata"]["uid"] == body["metadata"]["uid"]
    with pytest.raises(NotFound):
        await contract.port.get(_key(body, uid=str(uuid.uuid4())))
    with pytest.raises(NotFound):
        await contract.port.get(_key(body, name="other", uid=str(uuid.uuid4())))


async def test_status_changes_and_the_rest_does_not(contract: Contract) -> None:
    body = await _settled(contract)
    old = body["status"]
    new = {**old, "state": "Running", "slurm": {"states": ["RUNNING"]}}
    written = await contract.port.write_status(_key(body), old=old, new=new, resource_version=_version(body))
    assert written["status"] == new
    assert written["spec"] == body["spec"]
    assert int(_version(written)) > int(_version(body))
    assert written["metadata"]["generation"] == body["metadata"]["generation"]
    without = {key: value for key, value in new.items() if key != "slurm"}
    again = await contract.port.write_status(_key(body), old=new, new=without, resource_version=_version(written))
    assert again["status"] == without


async def test_a_write_that_changes_nothing_is_no_new_version(contract: Contract) -> None:
    body = await _settled(contract)
    same = body["status"]
    written = await contract.port.write_status(_key(body), old=same, new=same, resource_version=_version(body))
    assert _version(written) == _version(body)


async def test_decided_on_an_old_version(contract: Contract) -> None:
    body = await _settled(contract)
    contract.label(body)
    new = {**body["status"], "state": "Running"}
    with pytest.raises(Conflict):
        await contract.port.write_status(_key(body), old=body["status"], new=new, resource_version=_version(body))
    with pytest.raises(Conflict):
        await contract.port.write_finalizers(_key(body), finalizers=[OTHERS], resource_version=_version(body))
    assert (await contract.port.get(_key(body)))["status"] == body["status"]


async def test_finalizer_keeps_the_object_until_it_is_taken_away(contract: Contract) -> None:
    body = await _settled(contract)
    held = await contract.port.write_finalizers(_key(body), finalizers=[OTHERS], resource_version=_version(body))
    assert held["metadata"]["finalizers"] == [OTHERS]
    contract.delete(body)
    marked = await contract.port.get(_key(body))
    assert marked["metadata"]["deletionTimestamp"]
    last = await contract.port.write_finalizers(_key(body), finalizers=[], resource_version=_version(marked))
    assert last["metadata"].get("finalizers") in (None, [])
    assert _version(last) == _version(marked), "what goes with this write has no newer version"
    with pytest.raises(NotFound):
        await contract.port.get(_key(body))


async def test_another_object_of_that_name(contract: Contract) -> None:
    """What was decided about a deleted object is never written to its successor."""
    old = await _settled(contract)
    contract.delete(old)
    new = await _settled(contract)
    with pytest.raises((NotFound, Conflict)):
        await contract.port.write_status(
            _key(old), old=old["status"], new={**old["status"], "state": "Running"}, resource_version=_version(old)
        )
    with pytest.raises((NotFound, Conflict)):
        await contract.port.write_finalizers(_key(old), finalizers=[OTHERS], resource_version=_version(old))
    now = await contract.port.get(_key(new))
    assert (now["status"], now["metadata"].get("finalizers")) == (new["status"], None)


async def test_write_to_what_is_gone(contract: Contract) -> None:
    body = await _settled(contract)
    contract.delete(body)
    with pytest.raises(NotFound):
        await contract.port.get(_key(body))
    with pytest.raises(NotFound):
        await contract.port.write_status(_key(body), old={}, new={"state": "x"}, resource_version=_version(body))
    with pytest.raises(NotFound):
        await contract.port.write_finalizers(_key(body), finalizers=[], resource_version=_version(body))


async def test_connection_in_use(contract: Contract) -> None:
    body = await _settled(contract)
    assert not await contract.port.connection_in_use(namespace=contract.namespace, name="nowhere")
    wanted = [OTHERS, "slurmjob.dev/slurm-job"]
    held = await contract.port.write_finalizers(_key(body), finalizers=wanted, resource_version=_version(body))
    assert await contract.port.connection_in_use(namespace=contract.namespace, name="nowhere")
    assert not await contract.port.connection_in_use(namespace=contract.namespace, name="elsewhere")
    await contract.port.write_finalizers(_key(body), finalizers=[], resource_version=_version(held))


async def test_secrets(contract: Contract) -> None:
    contract.secret("token", "SLURM_JWT", "value of it")
    found = await contract.port.read_secret(namespace=contract.namespace, name="token")
    assert found == Secret(type="Opaque", data={"SLURM_JWT": b"value of it"})
    with pytest.raises(NotFound):
        await contract.port.read_secret(namespace=contract.namespace, name="other")


async def test_config_maps(contract: Contract) -> None:
    contract.config_map("authorities", "ca.crt", "text of it")
    found = await contract.port.read_config_map(namespace=contract.namespace, name="authorities")
    assert found == {"ca.crt": "text of it"}
    with pytest.raises(NotFound):
        await contract.port.read_config_map(namespace=contract.namespace, name="other")


async def test_events(contract: Contract) -> None:
    body = await _settled(contract, "a.name.with.dots")
    long = KubeEvent(regarding=_key(body), reason="Started", message="ü" * 5000, warning=True, time=time.time())
    await contract.port.post_event(long)
    if contract.paths is not None:
        text = control_plane.kubectl(contract.paths, "-n", contract.namespace, "events", "-o", "json")
        mine = [item for item in json.loads(text)["items"] if item["reason"] == "Started"]
        assert [(item["type"], len(item["message"].encode())) for item in mine] == [("Warning", 1024)]
        assert mine[0]["involvedObject"]["uid"] == body["metadata"]["uid"]


@pytest.mark.parametrize(
    ("verb", "what", "allowed"),
    [
        ("get", "secrets", True),
        ("list", "secrets", False),
        ("watch", "secrets", False),
        ("create", "slurmjobs", False),
        ("delete", "slurmjobs", False),
        ("update", "slurmconnections", False),
        ("get", "configmaps", True),
        ("list", "configmaps", False),
        ("watch", "configmaps", False),
        ("create", "pods", False),
        ("get", "nodes", False),
        ("impersonate", "users", False),
    ],
)
def test_rights_of_the_service_account(rights: Paths, verb: str, what: str, allowed: bool) -> None:
    """The real one alone: what is shipped lets the operator do its work, and nothing else."""
    account = "system:serviceaccount:slurmjob-system:slurmjob-operator"
    if allowed:
        assert control_plane.kubectl(rights, "auth", "can-i", verb, what, "--as", account).strip() == "yes"
    else:
        with pytest.raises(SandboxError, match="auth can-i"):
            control_plane.kubectl(rights, "auth", "can-i", verb, what, "--as", account)


async def test_a_status_that_the_schema_refuses(rights: Paths, namespace: Tenant) -> None:
    """The real one alone: what the CRD does not allow is `Invalid`, with the API server's own sentence."""
    async with _real(rights, namespace.namespace) as contract:
        body = await _settled(contract)
        new = {**body["status"], "active": 7}
        with pytest.raises(Invalid, match=r"status\.active"):
            await contract.port.write_status(_key(body), old=body["status"], new=new, resource_version=_version(body))
