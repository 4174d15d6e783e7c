"""All sockets to one slurmrestd: few, whoever opens them, and none that is kept without use.

slurmrestd serves about 124 connections in all and never times out idle ones (TRAP P2). Connections with different
certificates cannot share a socket, so each such identity has a pool of its own, and one that needs a new socket closes
an idle one of another's where there are as many as may be.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Final

import httpcore
import httpx

from slurmjob_operator.slurm import tls
from slurmjob_operator.slurm.tls import TlsIdentity

SOCKETS: Final = 8
IDLE_SECONDS: Final = 5.0


class _Pool(httpx.AsyncHTTPTransport):
    """The sockets of one identity. What httpx keeps to itself of httpcore's pool is used in `open` alone."""

    def __init__(self, of: Sockets, identity: TlsIdentity) -> None:
        limits = httpx.Limits(max_connections=of.most, max_keepalive_connections=of.most, keepalive_expiry=IDLE_SECONDS)
        super().__init__(verify=tls.context(identity), limits=limits, trust_env=False)
        self._of = of
        self.identity = identity

    @property
    def open(self) -> list[httpcore.AsyncConnectionInterface]:
        """Connections that are open, or being opened."""
        return [one for one in self._pool.connections if not one.is_closed()]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._of.make_room(self)
        return await super().handle_async_request(request)


class Sockets:
    """Of one server. Whoever sends must have seen to it that no more than `most` requests are under way."""

    def __init__(self, *, most: int = SOCKETS) -> None:
        self.most = most
        self._pools: list[_Pool] = []
        """Those with open sockets, and new ones."""
        self._reaper: asyncio.Task[None] | None = None

    def transport(self, identity: TlsIdentity) -> httpx.AsyncBaseTransport:
        """For requests of this identity. Raises `InvalidCertificate`."""
        found = next((pool for pool in self._pools if pool.identity == identity), None)
        if found is None:
            found = _Pool(self, identity)
            self._pools.append(found)
        return found

    @property
    def open_by_identity(self) -> Counter[TlsIdentity]:
        """How many are open, of each identity."""
        counts = Counter[TlsIdentity]()
        for pool in self._pools:
            counts[pool.identity] += len(pool.open)
        return counts

    async def make_room(self, wanted: _Pool) -> None:
        """Close idle sockets of others until a new one may be opened, if `wanted` needs one. Between the last look and
        the opening nothing else runs."""
        if wanted not in self._pools:
            self._pools.append(wanted)
        if self._reaper is None or self._reaper.done():
            self._reaper = asyncio.create_task(self._reap(), name="idle sockets")
        while not any(one.is_available() for one in wanted.open):
            everything = [one for pool in self._pools for one in pool.open]
            idle = next((one for one in everything if one.is_idle()), None)
            if len(everything) < self.most or idle is None:
                return
            await idle.aclose()

    async def _reap(self) -> None:
        """httpcore closes an idle socket only when its pool is used again: here they are, after their time."""
        while self._pools:
            await asyncio.sleep(IDLE_SECONDS)
            for one in [one for pool in self._pools for one in pool.open]:
                if one.is_idle() and one.has_expired():
                    await one.aclose()
            self._pools = [pool for pool in self._pools if pool.open]

    async def close(self) -> None:
        """Close all of them."""
        if self._reaper is not None:
            self._reaper.cancel()
            with suppress(asyncio.CancelledError):
                await self._reaper
        pools, self._pools = self._pools, []
        for pool in pools:
            await pool.aclose()
