"""An in-memory API server for our kinds: resourceVersions, preconditions, finalizers, merge patches, events."""

from __future__ import annotations

import copy
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from slurmjob_operator.api.names import JOB_FINALIZER
from slurmjob_operator.core.times import rfc3339
from slurmjob_operator.kube.errors import Conflict, KubeError, NotFound, Terminating, Unavailable
from slurmjob_operator.kube.merge import merge_patch
from slurmjob_operator.kube.port import Body, Kind, KubeEvent, ObjectKey, Secret


class InMemoryKube:
    """`faults` is a list of faults for the next writes: an error before the effect, or `"lost"`: after it.
    `read_faults`: errors for the next reads of an object.

    `terminating` are namespaces that are being deleted: they take no events.
    `watch` is told of each change, as a watch would be: `ADDED`, `MODIFIED`, `DELETED`.
    """

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self.objects: dict[str, dict[str, Any]] = {}
        self.secrets: dict[tuple[str, str], dict[str, bytes]] = {}
        self.secret_types: dict[tuple[str, str], str] = {}
        self.config_maps: dict[tuple[str, str], dict[str, str]] = {}
        self.events: list[KubeEvent] = []
        self.terminating: set[str] = set()
        self.writes = 0
        self.faults: list[KubeError | str] = []
        self.read_faults: list[KubeError] = []
        self.watch: Callable[[str, dict[str, Any]], None] = lambda _event, _body: None
        self._version = 0

    def create(self, kind: Kind, *, namespace: str, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        """What `kubectl apply` of a new object does."""
        uid = str(uuid.uuid4())
        made = {"creationTimestamp": rfc3339(self._now())}
        body: dict[str, Any] = {
            "kind": kind.value,
            "metadata": {"namespace": namespace, "name": name, "uid": uid, "generation": 1, **made},
            "spec": copy.deepcopy(dict(spec)),
            "status": {"observedGeneration": -1},
        }
        self.objects[uid] = body
        self._bump(body, event="ADDED")
        return copy.deepcopy(body)

    def edit(self, uid: str, **spec: Any) -> None:
        """What a user's patch of spec does."""
        body = self.objects[uid]
        body["spec"].update(copy.deepcopy(spec))
        body["metadata"]["generation"] += 1
        self._bump(body)

    def touch(self, uid: str) -> None:
        """Somebody changes a label."""
        self._bump(self.objects[uid])

    def annotate(self, uid: str, key: str, value: str) -> None:
        """What `kubectl annotate --overwrite` does."""
        body = self.objects[uid]
        body["metadata"].setdefault("annotations", {})[key] = value
        self._bump(body)

    def delete(self, uid: str) -> None:
        """Gone at once, or marked while finalizers stand."""
        body = self.objects.get(uid)
        if body is None:
            return
        if "deletionTimestamp" not in body["metadata"]:
            body["metadata"]["deletionTimestamp"] = rfc3339(self._now())
            body["metadata"]["generation"] += 1
        self._bump(body)
        self._collect(body)

    def body(self, uid: str) -> dict[str, Any] | None:
        """The object as a watch would show it."""
        found = self.objects.get(uid)
        return None if found is None else copy.deepcopy(found)

    async def get(self, key: ObjectKey) -> Body:
        if self.read_faults:
            raise self.read_faults.pop(0)
        if key.uid not in self.objects:
            raise NotFound(key.name)
        return copy.deepcopy(self.objects[key.uid])

    async def write_status(self, key: ObjectKey, *, old: Body, new: Body, resource_version: str) -> Body:
        body, lost = self._checked(key, resource_version)
        before = copy.deepcopy(body)
        _apply(body["status"], merge_patch(old, new))
        return self._written(body, lost, changed=before != body)

    async def write_finalizers(self, key: ObjectKey, *, finalizers: list[str], resource_version: str) -> Body:
        body, lost = self._checked(key, resource_version)
        changed = body["metadata"].get("finalizers", []) != finalizers
        body["metadata"]["finalizers"] = list(finalizers)
        return self._written(body, lost, changed=changed)

    async def connection_in_use(self, *, namespace: str, name: str) -> bool:
        return any(
            body["metadata"]["namespace"] == namespace
            and body["spec"].get("connectionRef", {}).get("name") == name
            and JOB_FINALIZER in body["metadata"].get("finalizers", [])
            for body in self.objects.values()
        )

    async def read_secret(self, *, namespace: str, name: str) -> Secret:
        if (namespace, name) not in self.secrets:
            raise NotFound(name)
        return Secret(type=self.secret_types.get((namespace, name), "Opaque"), data=dict(self.secrets[namespace, name]))

    async def read_config_map(self, *, namespace: str, name: str) -> Mapping[str, str]:
        if (namespace, name) not in self.config_maps:
            raise NotFound(name)
        return dict(self.config_maps[namespace, name])

    async def post_event(self, event: KubeEvent) -> None:
        if event.regarding.namespace in self.terminating and not event.at_home:
            raise Terminating(event.regarding.namespace)
        self.events.append(event)

    def _checked(self, key: ObjectKey, resource_version: str) -> tuple[dict[str, Any], bool]:
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, KubeError):
            raise fault
        body = self.objects.get(key.uid)
        if body is None:
            raise NotFound(key.name)
        if body["metadata"]["resourceVersion"] != resource_version:
            raise Conflict(key.name)
        return body, fault is not None

    def _written(self, body: dict[str, Any], lost: bool, *, changed: bool) -> Body:
        """A write that changes nothing makes no new version, as in etcd; nor does one that takes the last finalizer
        of a deleted object away: the object goes at once."""
        self.writes += 1
        if changed and not _goes(body):
            self._bump(body)
        self._collect(body)
        if lost:
            raise Unavailable("the answer was lost")
        return copy.deepcopy(body)

    def _bump(self, body: dict[str, Any], *, event: str = "MODIFIED") -> None:
        self._version += 1
        body["metadata"]["resourceVersion"] = str(self._version)
        self.watch(event, copy.deepcopy(body))

    def _collect(self, body: dict[str, Any]) -> None:
        if _goes(body) and self.objects.pop(body["metadata"]["uid"], None) is not None:
            self.watch("DELETED", copy.deepcopy(body))


def _goes(body: Mapping[str, Any]) -> bool:
    metadata = body["metadata"]
    return "deletionTimestamp" in metadata and not metadata.get("finalizers")


def _apply(target: dict[str, Any], patch: Mapping[str, Any]) -> None:
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(target.get(key), dict):
            _apply(target[key], value)
        else:
            target[key] = copy.deepcopy(value)
