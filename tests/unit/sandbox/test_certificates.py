"""Certificates by the real openssl, held against openssl's and Python's own verifiers, the strict one too."""

from __future__ import annotations

import ssl
import stat
import subprocess
from pathlib import Path

import pytest

from sandboxlib.certificates import Leaf, extension_file, make_ca, make_key_pair, make_leaf
from sandboxlib.daemons import SandboxError

SERVER = Leaf(name="server", common_name="kube-apiserver", alt_names=("IP:127.20.3.1", "DNS:kubernetes.default.svc"))
CLIENT = Leaf(name="admin", common_name="sandbox-admin", organisation="system:masters")


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA, a server's and a client's certificate, and a key pair."""
    folder = tmp_path_factory.mktemp("pki")
    _make_all(folder)
    return folder


def _make_all(folder: Path) -> None:
    log = folder / "openssl.log"
    make_ca(folder, log)
    make_leaf(folder, SERVER, log)
    make_leaf(folder, CLIENT, log)
    make_key_pair(folder, "service-account", log)


def _openssl(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".log"}


@pytest.mark.parametrize("purpose", ["sslserver", "sslclient"])
@pytest.mark.parametrize("name", ["server", "admin"])
def test_what_the_ca_signed_verifies(pki: Path, name: str, purpose: str) -> None:
    verify = ("verify", "-x509_strict", "-purpose", purpose, "-CAfile")
    assert _openssl(*verify, pki / "ca.crt", pki / f"{name}.crt").returncode == 0


def test_it_does_not_verify_by_another_ca(pki: Path, tmp_path: Path) -> None:
    make_ca(tmp_path / "other", tmp_path / "log")
    assert _openssl("verify", "-CAfile", tmp_path / "other" / "ca.crt", pki / "server.crt").returncode != 0


def test_a_leaf_signs_nothing(pki: Path) -> None:
    text = _openssl("x509", "-in", pki / "server.crt", "-noout", "-text").stdout
    assert "CA:FALSE" in text
    assert "Certificate Sign" not in text
    assert "Certificate Sign" in _openssl("x509", "-in", pki / "ca.crt", "-noout", "-text").stdout


def test_names_and_addresses_are_in_it(pki: Path) -> None:
    found = (
        _openssl("x509", "-in", pki / "server.crt", "-noout", "-ext", "subjectAltName").stdout.splitlines()[1].strip()
    )
    assert set(found.split(", ")) == {"IP Address:127.20.3.1", "DNS:kubernetes.default.svc"}
    assert "subjectAltName" not in extension_file(CLIENT)


def test_user_and_group_are_in_it(pki: Path) -> None:
    """Kubernetes takes CN for the user and O for the group."""
    found = _openssl("x509", "-in", pki / "admin.crt", "-noout", "-subject", "-nameopt", "RFC2253").stdout
    assert found.strip() == "subject=CN=sandbox-admin,O=system:masters"
    found = _openssl("x509", "-in", pki / "server.crt", "-noout", "-subject", "-nameopt", "RFC2253").stdout
    assert found.strip() == "subject=CN=kube-apiserver"


def test_they_outlive_a_year(pki: Path) -> None:
    for name in ("ca", "server", "admin"):
        assert _openssl("x509", "-in", pki / f"{name}.crt", "-noout", "-checkend", str(366 * 86400)).returncode == 0


def _context(protocol: int, pki: Path, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_verify_locations(pki / "ca.crt")
    context.load_cert_chain(pki / f"{name}.crt", pki / f"{name}.key")
    return context


def _handshake(pki: Path, host: str) -> ssl.SSLObject:
    """Both ends in memory; the server's side of a connection that both sides trust."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = _context(ssl.PROTOCOL_TLS_CLIENT, pki, "admin").wrap_bio(to_client, to_server, server_hostname=host)
    server = _context(ssl.PROTOCOL_TLS_SERVER, pki, "server").wrap_bio(to_server, to_client, server_side=True)
    waiting = [client, server]
    for _round in range(10):
        for end in tuple(waiting):
            try:
                end.do_handshake()
                waiting.remove(end)
            except ssl.SSLWantReadError:
                continue
    assert not waiting
    return server


@pytest.mark.parametrize("host", ["127.20.3.1", "kubernetes.default.svc"])
def test_strict_verifiers_on_both_ends_agree(pki: Path, host: str) -> None:
    peer = _handshake(pki, host).getpeercert()
    assert peer is not None
    assert (("commonName", "sandbox-admin"),) in peer["subject"]


@pytest.mark.parametrize("host", ["127.20.4.1", "localhost"])
def test_another_address_is_refused(pki: Path, host: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"mismatch|not valid for"):
        _handshake(pki, host)


def test_the_public_key_belongs_to_the_private_one(pki: Path, tmp_path: Path) -> None:
    message, signature = tmp_path / "message", tmp_path / "signature"
    message.write_text("hello")
    assert _openssl("dgst", "-sha256", "-sign", pki / "service-account.key", "-out", signature, message).returncode == 0
    verify = ("dgst", "-sha256", "-verify", pki / "service-account.pub", "-signature", signature)
    assert _openssl(*verify, message).returncode == 0
    message.write_text("other")
    assert _openssl(*verify, message).returncode != 0


def test_keys_are_for_their_owner_only(pki: Path) -> None:
    keys = list(pki.glob("*.key"))
    assert {key.name for key in keys} == {"ca.key", "server.key", "admin.key", "service-account.key"}
    assert all(stat.S_IMODE(key.stat().st_mode) == 0o600 for key in keys)


def test_a_second_time_changes_nothing(pki: Path) -> None:
    before = _contents(pki)
    _make_all(pki)
    assert _contents(pki) == before


def test_what_a_killed_run_left_is_made_anew(tmp_path: Path) -> None:
    for name in ("ca.key", "ca.crt.part", "server.key", "server.crt.part"):
        (tmp_path / name).write_text("half\n")
    make_ca(tmp_path, tmp_path / "log")
    make_leaf(tmp_path, SERVER, tmp_path / "log")
    assert _openssl("verify", "-CAfile", tmp_path / "ca.crt", tmp_path / "server.crt").returncode == 0
    assert not list(tmp_path.glob("*.part"))


def test_openssls_own_words_are_in_the_error(tmp_path: Path) -> None:
    log = tmp_path / "openssl.log"
    with pytest.raises(SandboxError, match=r"(?s)openssl failed with exit code 1\..*openssl\.log.*ca\.crt"):
        make_leaf(tmp_path, SERVER, log)
    assert not (tmp_path / "server.crt").exists()
