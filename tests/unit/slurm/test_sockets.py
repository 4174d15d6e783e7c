"""At most eight sockets to one server, whoever opens them, and none that is kept without use."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from slurmjob_operator.slurm import sockets
from slurmjob_operator.slurm.http import Manner, SlurmrestdServer
from slurmjob_operator.slurm.shared import Shared
from slurmjob_operator.slurm.tls import TlsIdentity
from slurmjob_operator.slurm.turns import Limits
from tests.unit.slurm import certificates
from tests.unit.slurm.answers import TOKEN

CA = "one"
CLIENTS = 60


class Daemon:
    """A slow slurmrestd with TLS that counts its sockets."""

    def __init__(self) -> None:
        self.open = self.most = self.made = 0
        self.port = 0
        self.seen: list[str] = []
        self.left = asyncio.Event()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.made += 1
        self.most = max(self.most, self.open)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.seen.append(head.split(b" ")[1].decode())
                await asyncio.sleep(0.002)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            self.open -= 1
            self.left.set()
            writer.close()


@pytest_asyncio.fixture
async def daemon() -> AsyncIterator[Daemon]:
    there = Daemon()
    server = await asyncio.start_server(there.handle, "127.0.0.1", 0, ssl=certificates.server_context(CA))
    there.port = server.sockets[0].getsockname()[1]
    yield there
    server.close()
    while there.open:
        there.left.clear()
        await asyncio.wait_for(there.left.wait(), 5)


def connection(daemon: Daemon, shared: Shared, number: int, *, alike: bool = False) -> SlurmrestdServer:
    """As of a tenant of its own, with authorities of its own unless they are `alike`."""
    bundle = certificates.ca(CA) + ("" if alike else f"\n# {number}\n")
    manner = Manner(name=f"ns{number}/campus", limits=Limits(in_flight=8), identity=TlsIdentity(ca=bundle))
    return SlurmrestdServer(f"https://127.0.0.1:{daemon.port}", allow_plain_http=False, shared=shared, manner=manner)


async def ask(server: SlurmrestdServer, path: str = "/x") -> None:
    await server.request("GET", path, token=TOKEN, timeout_seconds=20, changes=False)


async def test_trap_p2_sixty_connections_with_authorities_of_their_own(daemon: Daemon) -> None:
    """Each gets its share: when the first has been answered five times, so has, nearly, everybody."""
    shared = Shared()
    servers = [connection(daemon, shared, number) for number in range(CLIENTS)]

    async def five(number: int, server: SlurmrestdServer) -> None:
        for _ in range(5):
            await ask(server, f"/{number}")

    await asyncio.gather(*(five(number, server) for number, server in enumerate(servers)))
    assert daemon.most <= sockets.SOCKETS == 8
    assert len(daemon.seen) == 5 * CLIENTS
    halfway = daemon.seen[: len(daemon.seen) // 2]
    counts = [halfway.count(f"/{number}") for number in range(CLIENTS)]
    assert max(counts) - min(counts) <= 2
    await shared.close()


async def test_one_identity_keeps_its_sockets(daemon: Daemon) -> None:
    shared = Shared()
    servers = [connection(daemon, shared, number, alike=True) for number in range(CLIENTS)]
    for _ in range(5):
        await asyncio.gather(*(ask(server) for server in servers))
    assert daemon.most <= 8
    assert daemon.made < CLIENTS / 2, "not one for each request, and not one for each connection"
    await shared.close()


async def test_a_socket_without_use_is_closed(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """httpcore itself looks at it only when the next request comes."""
    monkeypatch.setattr(sockets, "IDLE_SECONDS", 0.05)
    shared = Shared()
    await ask(connection(daemon, shared, 1))
    assert daemon.open == 1
    await asyncio.wait_for(daemon.left.wait(), 2)
    assert shared.sockets.open_by_identity.total() == 0
    await ask(connection(daemon, shared, 1))
    await shared.close()


async def test_an_idle_socket_makes_room_for_another_identity(daemon: Daemon) -> None:
    shared = Shared()
    for number in range(12):
        await ask(connection(daemon, shared, number))
    assert daemon.most == 8
    assert sorted(shared.sockets.open_by_identity.values()) == [0] * 4 + [1] * 8
    await shared.close()
    assert shared.sockets.open_by_identity.total() == 0
