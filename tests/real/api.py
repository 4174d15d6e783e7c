"""The API server without a process for each request: what a test waits for is read many times, and some tests make
hundreds of objects."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import httpx

from sandboxlib import control_plane
from sandboxlib.daemons import SandboxError
from sandboxlib.paths import Paths

PLACES: Final = {
    "slurmjob": "apis/slurmjob.dev/v1alpha1/namespaces/{namespace}/slurmjobs",
    "slurmconnection": "apis/slurmjob.dev/v1alpha1/namespaces/{namespace}/slurmconnections",
    "secret": "api/v1/namespaces/{namespace}/secrets",
}
"""Where the objects of a kind are."""


def read(paths: Paths, *, namespace: str, kind: str, name: str) -> dict[str, Any]:
    """An object as the API server has it now. Raises `SandboxError` where there is none, or no answer in 10 s."""
    return _request(paths, f"{PLACES[kind].format(namespace=namespace)}/{name}")


def read_all(paths: Paths, *, namespace: str, kind: str) -> list[dict[str, Any]]:
    """All objects of a kind in a namespace. Raises `SandboxError` as `read` does."""
    found: list[dict[str, Any]] = _request(paths, PLACES[kind].format(namespace=namespace))["items"]
    return found


def create(paths: Paths, manifest: Mapping[str, Any], *, namespace: str, kind: str) -> None:
    """Make an object. Raises `SandboxError` with the API server's message where it refuses."""
    _request(paths, PLACES[kind].format(namespace=namespace), body=json.dumps(manifest).encode())


def make_namespace(paths: Paths, name: str, *, labels: Mapping[str, str]) -> None:
    """A namespace. Raises `SandboxError`."""
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}}
    _request(paths, "api/v1/namespaces", body=json.dumps(manifest).encode())


def delete_namespace(paths: Paths, name: str) -> None:
    """Ask for its deletion, and do not wait for it. One that is gone already is well."""
    try:
        _request(paths, f"api/v1/namespaces/{name}", method="DELETE")
    except SandboxError as error:
        if "not found" not in str(error):
            raise


def _request(paths: Paths, path: str, *, method: str = "GET", body: bytes | None = None) -> dict[str, Any]:
    method = method if body is None else "POST"
    try:
        answer = _client(paths).request(method, f"/{path}", content=body, headers={"Content-Type": "application/json"})
    except httpx.HTTPError as error:
        raise SandboxError(f"{method} {path}: {error!r}") from error
    if not answer.is_success:
        raise SandboxError(f"{method} {path}: {answer.status_code} {_message(answer.text)}")
    answered: dict[str, Any] = answer.json()
    return answered


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError):
        return text


@lru_cache(maxsize=1)
def _client(paths: Paths) -> httpx.Client:
    """One socket for all requests of this process. One that the API server has closed meanwhile is seen before it is
    used again."""
    pki = control_plane.folder(paths) / "pki"
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.load_cert_chain(str(pki / "admin.crt"), str(pki / "admin.key"))
    return httpx.Client(base_url=control_plane.server_url(paths), verify=context, timeout=10, trust_env=False)
