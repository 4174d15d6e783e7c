"""The port on the official client's asyncio part.

Custom objects and events (events.k8s.io/v1) go as plain dictionaries through CustomObjectsApi, so that no
generated model stands between us and the API server.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar, cast

import aiohttp
from kubernetes.aio import client, config
from kubernetes.aio.client.exceptions import ApiException

from slurmjob_operator.api.names import API_VERSION, GROUP, JOB_FINALIZER, VERSION
from slurmjob_operator.kube.errors import Conflict, Forbidden, Invalid, KubeError, NotFound, Terminating, Unavailable
from slurmjob_operator.kube.merge import merge_patch
from slurmjob_operator.kube.port import Body, Kind, KubeEvent, ObjectKey, Secret

MERGE_PATCH = "application/merge-patch+json"
CONTROLLER = "slurmjob.dev/operator"
REQUEST_SECONDS = 30.0
HOME = "slurmjob-system"
PAGE = 500
NOTE_BYTES = 1024

KIND_NAMES = {Kind.SLURM_JOB: "SlurmJob", Kind.SLURM_CONNECTION: "SlurmConnection"}

_ERRORS: dict[int, type[KubeError]] = {
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    400: Invalid,
    422: Invalid,
}

Answer = TypeVar("Answer")


class KubeClient:
    """One pool of connections to the API server. Use as an async context manager.

    In a pod the service account is used; else `kubeconfig`, or the file that kubectl would take. `home` is the
    operator's own namespace.
    """

    def __init__(
        self, *, instance: str, home: str = HOME, connections: int = 32, kubeconfig: Path | None = None
    ) -> None:
        self._instance = instance
        self._home = home
        self._kubeconfig = kubeconfig
        self._connections = connections
        self._api: client.ApiClient | None = None

    async def __aenter__(self) -> Self:
        configuration = client.Configuration()
        try:
            config.load_incluster_config(client_configuration=configuration)
        except config.ConfigException:
            await config.load_kube_config(
                config_file=None if self._kubeconfig is None else str(self._kubeconfig),
                client_configuration=configuration,
            )
        configuration.connection_pool_maxsize = self._connections
        self._api = client.ApiClient(configuration)
        return self

    async def __aexit__(self, *_error: object) -> None:
        if self._api is not None:
            await self._api.close()

    @property
    def _objects(self) -> client.CustomObjectsApi:
        return client.CustomObjectsApi(self._api)

    async def get(self, key: ObjectKey) -> Body:
        """See `KubePort`."""
        body = await _call(
            self._objects.get_namespaced_custom_object(
                GROUP, VERSION, key.namespace, key.kind.value, key.name, _request_timeout=REQUEST_SECONDS
            )
        )
        found = cast("dict[str, Any]", body)
        if found["metadata"]["uid"] != key.uid:
            raise NotFound(f"{key.kind.value} {key.namespace}/{key.name} is another object now")
        return found

    async def write_status(self, key: ObjectKey, *, old: Body, new: Body, resource_version: str) -> Body:
        """See `KubePort`."""
        # the uid of a patch of status is not looked at; the version alone tells an object's successor apart
        patch = {"metadata": {"resourceVersion": resource_version}, "status": merge_patch(old, new)}
        body = await _call(
            self._objects.patch_namespaced_custom_object_status(
                GROUP,
                VERSION,
                key.namespace,
                key.kind.value,
                key.name,
                patch,
                _content_type=MERGE_PATCH,
                _request_timeout=REQUEST_SECONDS,
            )
        )
        return cast("dict[str, Any]", body)

    async def write_finalizers(self, key: ObjectKey, *, finalizers: list[str], resource_version: str) -> Body:
        """See `KubePort`."""
        patch = {
            "metadata": {"resourceVersion": resource_version, "uid": key.uid, "finalizers": finalizers},
        }
        body = await _call(
            self._objects.patch_namespaced_custom_object(
                GROUP,
                VERSION,
                key.namespace,
                key.kind.value,
                key.name,
                patch,
                _content_type=MERGE_PATCH,
                _request_timeout=REQUEST_SECONDS,
            )
        )
        return cast("dict[str, Any]", body)

    async def connection_in_use(self, *, namespace: str, name: str) -> bool:
        """See `KubePort`. Page by page, until one is found."""
        page = ""
        while True:
            body = await _call(
                self._objects.list_namespaced_custom_object(
                    GROUP,
                    VERSION,
                    namespace,
                    Kind.SLURM_JOB.value,
                    field_selector=f"spec.connectionRef.name={name}",
                    limit=PAGE,
                    _continue=page,
                    _request_timeout=REQUEST_SECONDS,
                )
            )
            found = cast("dict[str, Any]", body)
            if any(JOB_FINALIZER in (item["metadata"].get("finalizers") or ()) for item in found["items"]):
                return True
            page = found["metadata"].get("continue") or ""
            if not page:
                return False

    async def read_secret(self, *, namespace: str, name: str) -> Secret:
        """See `KubePort`."""
        found = await _call(
            client.CoreV1Api(self._api).read_namespaced_secret(name, namespace, _request_timeout=REQUEST_SECONDS)
        )
        data = {
            key: value if isinstance(value, bytes) else base64.b64decode(value)
            for key, value in (found.data or {}).items()
        }
        return Secret(type=str(found.type or ""), data=data)

    async def read_config_map(self, *, namespace: str, name: str) -> Mapping[str, str]:
        """See `KubePort`."""
        found = await _call(
            client.CoreV1Api(self._api).read_namespaced_config_map(name, namespace, _request_timeout=REQUEST_SECONDS)
        )
        return dict(found.data or {})

    async def namespace_uid(self, name: str) -> str:
        """The uid of a namespace. Raises `NotFound`, `Forbidden`, `Unavailable`."""
        found = await _call(client.CoreV1Api(self._api).read_namespace(name, _request_timeout=REQUEST_SECONDS))
        return str(found.metadata.uid if found.metadata else "")

    async def post_event(self, event: KubeEvent) -> None:
        """See `KubePort`."""
        key = event.regarding
        namespace = self._home if event.at_home else key.namespace
        about = {
            "apiVersion": API_VERSION,
            "kind": KIND_NAMES[key.kind],
            "namespace": key.namespace,
            "name": key.name,
            "uid": key.uid,
        }
        home = {"apiVersion": "v1", "kind": "Namespace", "namespace": self._home, "name": self._home}
        body: dict[str, Any] = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"generateName": f"{key.name[:200].rstrip('.-')}-", "namespace": namespace},
            "eventTime": datetime.fromtimestamp(event.time, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": CONTROLLER,
            "reportingInstance": self._instance[:128],
            "action": "Reconcile",
            "reason": event.reason,
            "note": event.message.encode()[:NOTE_BYTES].decode(errors="ignore"),
            "type": "Warning" if event.warning else "Normal",
            "regarding": home if event.at_home else about,
        }
        if event.at_home:
            body["related"] = about
        await _call(
            self._objects.create_namespaced_custom_object(
                "events.k8s.io", "v1", namespace, "events", body, _request_timeout=REQUEST_SECONDS
            )
        )


async def _call(request: Awaitable[Answer]) -> Answer:
    """The one place where the client's exceptions become ours. Bodies of answers are not repeated."""
    try:
        return await request
    except ApiException as error:
        said = _said(error)
        kind = _ERRORS.get(error.status or 0, Unavailable)
        if kind is Forbidden and "NamespaceTerminating" in said.causes:
            kind = Terminating
        raise kind(f"the API server answered {error.status}: {said.message}") from None
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise Unavailable(f"the API server did not answer ({type(error).__name__})") from None


class _Said(NamedTuple):
    message: str
    causes: tuple[str, ...]


def _said(error: ApiException) -> _Said:
    """The API server's own sentence, which names fields and nothing that a Secret holds, and its causes."""
    try:
        status = json.loads(error.body or "")
        message = str(status["message"])
        causes = tuple(str(cause.get("reason")) for cause in (status.get("details") or {}).get("causes") or ())
    except (ValueError, TypeError, KeyError, AttributeError):
        return _Said(str(error.reason)[:500], ())
    return _Said(message[:500], causes)
