"""Certificates for the control plane, by openssl: EC P-256, in a form that strict verifiers accept too.

Python 3.13 wants key usages in a CA and an authority key identifier in what it signs; curl and Go do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sandboxlib.progress import run_logged

DAYS = "3650"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A certificate to be made: user and groups for clients, names and addresses for servers."""

    name: str
    common_name: str
    organisation: str | None = None
    alt_names: tuple[str, ...] = ()


def make_ca(folder: Path, log: Path) -> None:
    """`ca.crt` and `ca.key`, unless they are there."""
    if (folder / "ca.crt").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    _openssl(log, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(folder / "ca.key"))
    _openssl(
        log,
        *("req", "-x509", "-new", "-key", str(folder / "ca.key"), "-days", DAYS, "-subj", "/CN=sandbox-ca"),
        *("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        *("-out", str(folder / "ca.crt.part")),
    )
    (folder / "ca.crt.part").rename(folder / "ca.crt")


def make_key_pair(folder: Path, name: str, log: Path) -> None:
    """`NAME.key` and `NAME.pub`: for service account tokens."""
    if (folder / f"{name}.pub").exists():
        return
    _openssl(log, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(folder / f"{name}.key"))
    _openssl(log, "ec", "-in", str(folder / f"{name}.key"), "-pubout", "-out", str(folder / f"{name}.pub"))


def make_leaf(folder: Path, leaf: Leaf, log: Path) -> None:
    """`NAME.crt` and `NAME.key`, signed by the CA of the folder, unless they are there."""
    certificate, key = folder / f"{leaf.name}.crt", folder / f"{leaf.name}.key"
    if certificate.exists():
        return
    request, extensions = folder / f"{leaf.name}.csr", folder / f"{leaf.name}.ext"
    extensions.write_text(extension_file(leaf))
    subject = f"/O={leaf.organisation}" if leaf.organisation else ""
    _openssl(log, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(key))
    _openssl(log, "req", "-new", "-key", str(key), "-subj", f"{subject}/CN={leaf.common_name}", "-out", str(request))
    _openssl(
        log,
        *("x509", "-req", "-in", str(request), "-CA", str(folder / "ca.crt"), "-CAkey", str(folder / "ca.key")),
        *("-CAcreateserial", "-days", DAYS, "-extfile", str(extensions), "-out", f"{certificate}.part"),
    )
    Path(f"{certificate}.part").rename(certificate)


def extension_file(leaf: Leaf) -> str:
    """openssl's extension section for a leaf."""
    lines = [
        "basicConstraints=critical,CA:FALSE",
        "keyUsage=critical,digitalSignature,keyEncipherment",
        "extendedKeyUsage=serverAuth,clientAuth",
        "subjectKeyIdentifier=hash",
        "authorityKeyIdentifier=keyid",
    ]
    if leaf.alt_names:
        lines.append(f"subjectAltName={','.join(leaf.alt_names)}")
    return "\n".join(lines) + "\n"


def _openssl(log: Path, *arguments: str) -> None:
    run_logged(["openssl", *arguments], log=log)
