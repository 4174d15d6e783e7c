"""One object read from the API server without a process of its own: what a test waits for is read many times."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
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
    url = f"{control_plane.server_url(paths)}/{PLACES[kind].format(namespace=namespace)}/{name}"
    try:
        with urllib.request.urlopen(url, context=_context(paths), timeout=10) as answer:  # noqa: S310 - our own https address
            body: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise SandboxError(f"GET {url}: {error.code} {error.read().decode(errors='replace')}") from None
    except OSError as error:
        raise SandboxError(f"GET {url}: {error}") from error
    return body


@lru_cache(maxsize=1)
def _context(paths: Paths) -> ssl.SSLContext:
    pki = control_plane.folder(paths) / "pki"
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.load_cert_chain(str(pki / "admin.crt"), str(pki / "admin.key"))
    return context
