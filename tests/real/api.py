"""The API server without a process for each request: what a test waits for is read many times, and some tests make
hundreds of objects."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

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


def _request(paths: Paths, path: str, *, body: bytes | None = None) -> dict[str, Any]:
    url = f"{control_plane.server_url(paths)}/{path}"
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})  # noqa: S310 - our own https address
    try:
        with urllib.request.urlopen(request, context=_context(paths), timeout=10) as answer:  # noqa: S310 - as above
            answered: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise SandboxError(f"{request.get_method()} {url}: {error.code} {_message(error)}") from None
    except OSError as error:
        raise SandboxError(f"{request.get_method()} {url}: {error}") from error
    return answered


def _message(error: urllib.error.HTTPError) -> str:
    text = error.read().decode(errors="replace")
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError):
        return text


@lru_cache(maxsize=1)
def _context(paths: Paths) -> ssl.SSLContext:
    pki = control_plane.folder(paths) / "pki"
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.load_cert_chain(str(pki / "admin.crt"), str(pki / "admin.key"))
    return context
