"""Private authorities, host names, client certificates: who is spoken to, and who is not shown a token."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import jwt
import pytest

from slurmjob_operator.slurm import tls
from slurmjob_operator.slurm.errors import OutcomeUnknown, Unavailable, UntrustedServer
from slurmjob_operator.slurm.http import Manner, Reply, SlurmrestdServer
from slurmjob_operator.slurm.shared import Shared
from slurmjob_operator.slurm.tls import InvalidCertificate, TlsIdentity
from slurmjob_operator.slurm.token import parse_token
from tests.unit.slurm import certificates

TEXT = jwt.encode({"exp": 4_102_444_800, "sun": "alice"}, "k" * 64)
TOKEN = parse_token(TEXT.encode())


class Listening:
    """A server with TLS that answers everything, and what it was told."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                self.heard.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"meta":{}}')
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def listening(context: ssl.SSLContext) -> AsyncIterator[Listening]:
    there = Listening()
    server = await asyncio.start_server(there.handle, "127.0.0.1", 0, ssl=context)
    there.url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield there
    finally:
        server.close()


async def ask(url: str, identity: TlsIdentity, *, shared: Shared | None = None, changes: bool = False) -> Reply:
    server = SlurmrestdServer(url, allow_plain_http=False, shared=shared, manner=Manner(identity=identity))
    try:
        return await server.request("GET", "/x", token=TOKEN, timeout_seconds=5, changes=changes)
    finally:
        if shared is None:
            await server.close()


async def test_a_private_authority() -> None:
    async with listening(certificates.server_context("one")) as there:
        assert (await ask(there.url, TlsIdentity(ca=certificates.ca("one")))).status == 200
    assert TEXT.encode() in there.heard[0]


@pytest.mark.parametrize("changes", [False, True])
@pytest.mark.parametrize(
    ("identity", "words"),
    [
        (TlsIdentity(), "unable to get local issuer certificate|self.signed certificate"),
        (TlsIdentity(ca="two"), "certificate verify failed|unable to get local issuer|signature failure|self.signed"),
    ],
    ids=["well-known ones", "another one"],
)
async def test_a_server_of_another_authority_gets_no_token(identity: TlsIdentity, words: str, changes: bool) -> None:
    if identity.ca is not None:
        identity = TlsIdentity(ca=certificates.ca(identity.ca))
    async with listening(certificates.server_context("one")) as there:
        with pytest.raises(UntrustedServer, match=words):
            await ask(there.url, identity, changes=changes)
    assert there.heard == []


async def test_a_server_of_another_name_gets_no_token() -> None:
    async with listening(certificates.server_context("one", "elsewhere")) as there:
        with pytest.raises(UntrustedServer, match="IP address mismatch"):
            await ask(there.url, TlsIdentity(ca=certificates.ca("one")))
    assert there.heard == []


async def test_a_bundle_of_authorities() -> None:
    both = TlsIdentity(ca=certificates.ca("one") + certificates.ca("two"))
    for name in ("one", "two"):
        async with listening(certificates.server_context(name)) as there:
            assert (await ask(there.url, both)).status == 200


async def test_a_client_certificate() -> None:
    mine = TlsIdentity(certificates.ca("one"), *certificates.pair("two", "client"))
    async with listening(certificates.server_context("one", clients_of="two")) as there:
        assert (await ask(there.url, mine)).status == 200


@pytest.mark.parametrize("changes", [False, True])
async def test_a_server_that_wants_a_certificate_and_gets_none(changes: bool) -> None:
    """TLS 1.3 tells a client so only after its first bytes: a request that changes something may have been read."""
    async with listening(certificates.server_context("one", clients_of="two")) as there:
        with pytest.raises(OutcomeUnknown if changes else Unavailable, match=r"certificate required|lost"):
            await ask(there.url, TlsIdentity(ca=certificates.ca("one")), changes=changes)
    assert there.heard == []


async def test_a_tenants_bad_certificate_disturbs_nobody() -> None:
    """It tells nothing of the server: the circuit stays closed for all others."""
    shared = Shared()
    async with listening(certificates.server_context("one")) as there:
        for _ in range(20):
            with pytest.raises(UntrustedServer):
                await ask(there.url, TlsIdentity(ca=certificates.ca("two")), shared=shared)
        assert not shared.circuit.failing
        assert (await ask(there.url, TlsIdentity(ca=certificates.ca("one")), shared=shared)).status == 200
    await shared.close()


@pytest.mark.parametrize(
    ("identity", "why"),
    [
        (TlsIdentity(ca="no PEM"), "holds no certificates"),
        (TlsIdentity(ca=""), "holds no certificates"),
        (TlsIdentity(ca="ü"), "not PEM"),
        (TlsIdentity(ca="x" * 2**21), "longer than"),
        (TlsIdentity(certificate="no", key="no"), "no certificate and key"),
    ],
)
def test_what_is_no_certificate(identity: TlsIdentity, why: str) -> None:
    with pytest.raises(InvalidCertificate, match=why):
        tls.check(identity)


def test_a_key_of_another_certificate() -> None:
    certificate, _ = certificates.pair("one", "client")
    _, key = certificates.pair("two", "client")
    with pytest.raises(InvalidCertificate, match="does not belong"):
        tls.check(TlsIdentity(certificate=certificate, key=key))


def test_a_key_is_not_shown() -> None:
    certificate, key = certificates.pair("one", "client")
    assert key not in repr(TlsIdentity(certificate=certificate, key=key))


def test_no_old_tls() -> None:
    assert tls.context(TlsIdentity(ca=certificates.ca("one"))).minimum_version >= ssl.TLSVersion.TLSv1_2
    assert tls.context(TlsIdentity(ca=certificates.ca("one"))).check_hostname
    assert tls.context(TlsIdentity()).check_hostname
