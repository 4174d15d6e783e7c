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
    return _from_kubeconfig(_kubeconfig())


def _kubeconfig() -> Path:
    """The first file that is there of those that KUBECONFIG lists, else kubectl's own."""
    listed = [Path(name) for name in os.environ.get("KUBECONFIG", "").split(os.pathsep) if name]
    return next((path for path in listed if path.exists()), Path.home() / ".kube" / "config")


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
    user = _named(config["users"], context["user"])["user"] or {}
    if "exec" in user or "auth-provider" in user:
        raise kopf.LoginError(f"user {context['user']} of {path} needs a plug-in: use a service account's token")

    def file(value: str | None) -> str | None:
        """Relative paths are meant from the kubeconfig's folder, as for kubectl."""
        return None if value is None else str(path.parent / value)

    token = user.get("token") or (Path(str(file(user["tokenFile"]))).read_text() if "tokenFile" in user else None)
    return kopf.ConnectionInfo(
        server=cluster["server"],
        ca_path=file(cluster.get("certificate-authority")),
        ca_data=_decoded(cluster.get("certificate-authority-data")),
        scheme="Bearer" if token else None,
        token=token.strip() if token else None,
        certificate_path=file(user.get("client-certificate")),
        certificate_data=_decoded(user.get("client-certificate-data")),
        private_key_path=file(user.get("client-key")),
        private_key_data=_decoded(user.get("client-key-data")),
        default_namespace=context.get("namespace"),
    )


def _named(items: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(item for item in items if item["name"] == name)


def _decoded(value: str | None) -> bytes | None:
    return None if value is None else base64.b64decode(value)
