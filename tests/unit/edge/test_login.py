"""Credentials for Kopf's watches, in a pod and outside."""

from __future__ import annotations

import base64
from pathlib import Path

import kopf
import pytest
import yaml

from slurmjob_operator.edge import login as edge_login
from slurmjob_operator.edge.login import login


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "token").write_text("the token\n")
    (tmp_path / "ca.crt").write_text("the CA")
    monkeypatch.setattr(edge_login, "SERVICE_ACCOUNT", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("host", "server"), [("127.20.1.1", "https://127.20.1.1:6443"), ("fd00::1", "https://[fd00::1]:6443")]
)
def test_in_a_pod(account: Path, monkeypatch: pytest.MonkeyPatch, host: str, server: str) -> None:
    """The two variables that every client reads decide, not a name that may not resolve."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    info = login()
    assert (info.server, info.token, info.scheme) == (server, "the token", "Bearer")
    assert info.ca_path == str(account / "ca.crt")
    assert info.expiration is not None, "the projected token is renewed by the kubelet: it is read anew"


def _kubeconfig(path: Path, user: dict[str, str], cluster: dict[str, str]) -> None:
    path.write_text(
        yaml.safe_dump(
            {
                "current-context": "b",
                "contexts": [
                    {"name": "a", "context": {"cluster": "other", "user": "other"}},
                    {"name": "b", "context": {"cluster": "c", "user": "u", "namespace": "n"}},
                ],
                "clusters": [{"name": "c", "cluster": {"server": "https://c", **cluster}}],
                "users": [{"name": "u", "user": user}],
            }
        )
    )


def test_outside_with_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    ca = base64.b64encode(b"CA").decode()
    _kubeconfig(tmp_path / "config", {"token": "t"}, {"certificate-authority-data": ca})
    info = login()
    assert (info.server, info.token, info.scheme, info.default_namespace) == ("https://c", "t", "Bearer", "n")
    assert info.ca_data == b"CA"


def test_the_first_file_of_several_and_paths_from_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/missing:{tmp_path}/config")
    (tmp_path / "token").write_text("t\n")
    _kubeconfig(tmp_path / "config", {"tokenFile": "token"}, {"certificate-authority": "ca.crt"})
    info = login()
    assert (info.token, info.scheme, info.ca_path) == ("t", "Bearer", str(tmp_path / "ca.crt"))


def test_a_plug_in_is_refused_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    _kubeconfig(tmp_path / "config", {"exec": "aws"}, {})
    with pytest.raises(kopf.LoginError, match="needs a plug-in"):
        login()


def test_outside_with_a_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    _kubeconfig(
        tmp_path / "config",
        {"client-certificate": "/c.crt", "client-key": "/c.key"},
        {"certificate-authority": "/ca.crt"},
    )
    info = login()
    assert (info.certificate_path, info.private_key_path, info.ca_path) == ("/c.crt", "/c.key", "/ca.crt")
    assert (info.token, info.scheme) == (None, None)
