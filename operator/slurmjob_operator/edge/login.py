"""Credentials for Kopf's own watches.

Kopf's in-pod login asks kubernetes.default.svc whatever KUBERNETES_SERVICE_HOST says; ours reads the same
two variables as every other client, else a kubeconfig.
"""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import kopf
import yaml

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
EXPIRES_SECONDS: Final = 600
"""The projected token is read anew so often; the kubelet renews it long before it expires."""


def login(**_kwargs: object) -> kopf.ConnectionInfo:
    """A login handler for `kopf.on.login`."""
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT")
    if host and port and (SERVICE_ACCOUNT / "token").exists():
        return _in_pod(host, port)
    return _from_kubeconfig(Path(os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config"))


def _in_pod(host: str, port: str) -> kopf.ConnectionInfo:
    address = f"[{host}]" if ":" in host else host
    return kopf.ConnectionInfo(
        server=f"https://{address}:{port}",
        ca_path=str(SERVICE_ACCOUNT / "ca.crt"),
        scheme="Bearer",
        token=(SERVICE_ACCOUNT / "token").read_text().strip(),
        expiration=_soon(),
    )


def _soon() -> datetime:
    return datetime.now(tz=UTC).replace(tzinfo=None) + timedelta(seconds=EXPIRES_SECONDS)


def _from_kubeconfig(path: Path) -> kopf.ConnectionInfo:
    config: dict[str, Any] = yaml.safe_load(path.read_text())
    context = _named(config["contexts"], config["current-context"])["context"]
    cluster = _named(config["clusters"], context["cluster"])["cluster"]
    user = _named(config["users"], context["user"])["user"]
    return kopf.ConnectionInfo(
        server=cluster["server"],
        ca_path=cluster.get("certificate-authority"),
        ca_data=_decoded(cluster.get("certificate-authority-data")),
        scheme="Bearer" if "token" in user else None,
        token=user.get("token"),
        certificate_path=user.get("client-certificate"),
        certificate_data=_decoded(user.get("client-certificate-data")),
        private_key_path=user.get("client-key"),
        private_key_data=_decoded(user.get("client-key-data")),
        default_namespace=context.get("namespace"),
    )


def _named(items: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(item for item in items if item["name"] == name)


def _decoded(value: str | None) -> bytes | None:
    return None if value is None else base64.b64decode(value)
