"""Two authorities and certificates of theirs, made once for all tests of a process."""

from __future__ import annotations

import atexit
import shutil
import ssl
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from sandboxlib.certificates import Leaf, make_ca, make_leaf


@cache
def authority(name: str) -> Path:
    """A folder with `ca.crt`, certificates of a server at 127.0.0.1 (`here`) and at another name (`elsewhere`), and of
    a client (`client`)."""
    folder = Path(mkdtemp(prefix=f"certificates-{name}-"))
    atexit.register(shutil.rmtree, folder)
    log = folder / "openssl.log"
    make_ca(folder, log)
    make_leaf(folder, Leaf(name="here", common_name="here", alt_names=("IP:127.0.0.1", "DNS:localhost")), log)
    make_leaf(folder, Leaf(name="elsewhere", common_name="elsewhere", alt_names=("DNS:elsewhere.example",)), log)
    make_leaf(folder, Leaf(name="client", common_name="client"), log)
    return folder


def ca(name: str) -> str:
    """Of this authority, in PEM."""
    return (authority(name) / "ca.crt").read_text()


def pair(name: str, leaf: str) -> tuple[str, str]:
    """Certificate and key, in PEM."""
    return (authority(name) / f"{leaf}.crt").read_text(), (authority(name) / f"{leaf}.key").read_text()


def server_context(name: str, leaf: str = "here", *, clients_of: str | None = None) -> ssl.SSLContext:
    """For a server; `clients_of`: it wants a certificate of this authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority(name) / f"{leaf}.crt", authority(name) / f"{leaf}.key")
    if clients_of is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority(clients_of) / "ca.crt")
    return context
