"""How a connection proves a slurmrestd, and itself to it: a private CA, a client certificate.

Two connections with the same of both may share sockets, others may not.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import httpx

LARGEST_PEM: Final = 2**20
KEPT_CONTEXTS: Final = 128


class InvalidCertificate(ValueError):
    """Not what TLS could use. The text says why and holds nothing of it."""


@dataclass(frozen=True, slots=True)
class TlsIdentity:
    """`ca`: PEM of the authorities that a server's certificate must come from; None: those of the system. `certificate`
    and `key`: PEM of our own; None: none is shown."""

    ca: str | None = None
    certificate: str | None = None
    key: str | None = field(default=None, repr=False)


NO_IDENTITY: Final = TlsIdentity()


def check(identity: TlsIdentity) -> TlsIdentity:
    """The same, if TLS can use it. Raises `InvalidCertificate`."""
    context(identity)
    return identity


@lru_cache(maxsize=KEPT_CONTEXTS)
def context(identity: TlsIdentity) -> ssl.SSLContext:
    """Host names are checked, TLS is 1.2 or newer. Raises `InvalidCertificate`.

    httpx's own way to the system's authorities is used where none are given: certifi's list.
    """
    if identity.ca is None:
        made = httpx.create_ssl_context()
    else:
        made, text = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), _ascii(identity.ca)
        try:
            made.load_verify_locations(cadata=text)
        except (ssl.SSLError, ValueError):
            raise InvalidCertificate("it holds no certificates in PEM") from None
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if identity.certificate is not None and identity.key is not None:
        _show(made, f"{_ascii(identity.certificate)}\n{_ascii(identity.key)}\n")
    return made


def _ascii(text: str) -> str:
    if len(text) > LARGEST_PEM:
        raise InvalidCertificate("it is longer than 1 MiB")
    if not text.isascii():
        raise InvalidCertificate("it is not PEM: it holds other characters than ASCII")
    return text


def _show(made: ssl.SSLContext, pem: str) -> None:
    """ssl takes keys from files only: one in memory, that nobody else can open and that leaves no trace."""
    file = os.memfd_create("client-certificate", os.MFD_CLOEXEC)
    try:
        os.write(file, pem.encode())
        made.load_cert_chain(f"/proc/self/fd/{file}", password=_no_password)
    except ssl.SSLError as error:
        wrong = error.reason == "KEY_VALUES_MISMATCH"
        why = "its key does not belong to its certificate" if wrong else "it holds no certificate and key in PEM"
        raise InvalidCertificate(why) from None
    finally:
        os.close(file)


def _no_password() -> str:
    raise InvalidCertificate("its key is protected by a password")
