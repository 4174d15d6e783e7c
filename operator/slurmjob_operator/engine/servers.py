"""What all connections to one slurmrestd share is kept here, once for each: by resolved host and port."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from slurmjob_operator.api.connection import SlurmConnectionSpec
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.credentials import Credentials
from slurmjob_operator.slurm.http import InvalidServerUrl, Manner, SlurmrestdServer, check_url
from slurmjob_operator.slurm.port import SlurmPort
from slurmjob_operator.slurm.shared import ServerLimits, Shared
from slurmjob_operator.slurm.turns import Limits

RESOLVE_SECONDS: Final = 5.0
KEPT_SECONDS: Final = 3600.0
"""What is shared of a server that nobody names any more: its tokens that were refused, its circuit."""

DEFAULT_PORTS: Final = {"https": 443, "http": 80}

SERVER_LIMITS: Final = ServerLimits()

Resolve = Callable[[str, int], Awaitable[str]]


async def resolve(host: str, port: int) -> str:
    """The lowest address of a host, so that two names of one server are one; the name, where none is found now."""
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError):
        return host
    return min(str(address[0]) for *_, address in found)


class Servers:
    """A server is known from when the first connection needs it, as long as one does and some time after."""

    def __init__(
        self,
        *,
        allow_plain_http: bool,
        limits: ServerLimits = SERVER_LIMITS,
        resolve: Resolve = resolve,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allow_plain_http = allow_plain_http
        self._limits = limits
        self._resolve = resolve
        self._monotonic = monotonic
        self._shared = WeakValueDictionary[tuple[str, int], Shared]()
        self._kept: dict[tuple[str, int], tuple[Shared, float]] = {}
        """With when it was last asked for."""

    async def open(self, spec: SlurmConnectionSpec, credentials: Credentials, *, name: str) -> SlurmPort:
        """See `SlurmPorts`."""
        manner = Manner(
            name=name, limits=self._own_limits(spec), identity=credentials.identity, headers=credentials.headers
        )
        servers = [await self._server(number, server.url, manner) for number, server in enumerate(spec.servers)]
        return SlurmrestdClient(
            servers[0],
            credentials.token,
            others=servers[1:],
            api_version=spec.api_version,
            timeout_seconds=float(spec.request_timeout_seconds),
            period_seconds=float(spec.poll_period_seconds),
        )

    async def _server(self, number: int, url: str, manner: Manner) -> SlurmrestdServer:
        try:
            parts = urlsplit(check_url(url, allow_plain_http=self._allow_plain_http))
        except InvalidServerUrl as error:
            error.number = number
            raise
        host, port = parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]
        shared = await self.shared(host, port)
        return SlurmrestdServer(url, allow_plain_http=self._allow_plain_http, shared=shared, manner=manner)

    async def shared(self, host: str, port: int) -> Shared:
        """What all connections to this server share; its idle sockets have closed by themselves long before it goes."""
        key = await self._resolve(host, port), port
        now = self._monotonic()
        self._kept = {other: kept for other, kept in self._kept.items() if now - kept[1] < KEPT_SECONDS}
        found = self._shared.get(key) or Shared(self._limits)
        self._shared[key], self._kept[key] = found, (found, now)
        return found

    def _own_limits(self, spec: SlurmConnectionSpec) -> Limits:
        own = spec.limits
        in_flight = self._limits.sockets if own is None or own.in_flight is None else own.in_flight
        return Limits(
            in_flight=min(in_flight, self._limits.sockets),
            per_second=None if own is None else own.requests_per_second,
        )

    async def close(self) -> None:
        """See `SlurmPorts`."""
        for shared in tuple(self._shared.values()):
            await shared.close()
