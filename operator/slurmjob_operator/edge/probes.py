"""Liveness that proves that the loops move, readiness, and metrics, on one small HTTP server."""

from __future__ import annotations

from aiohttp import web
from prometheus_client.exposition import choose_encoder

from slurmjob_operator.engine.engine import Engine


class Probes:
    """`/healthz` fails when a session's loop hangs or has ended; `/readyz` until the watches have started.

    `/metrics` is in Prometheus' text format, or OpenMetrics' where that is asked for.
    """

    def __init__(self, engine: Engine, *, host: str, port: int) -> None:
        self._engine = engine
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None
        self.ready = False

    async def start(self) -> None:
        """Listen."""
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _healthz(self, _request: web.Request) -> web.Response:
        stuck = self._engine.stuck()
        if stuck:
            return web.Response(status=503, text=f"loops that do not move: {', '.join(stuck)}\n")
        return web.Response(text="ok\n")

    async def _readyz(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n") if self.ready else web.Response(status=503, text="starting\n")

    async def _metrics(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._engine.metrics.registry), headers={"Content-Type": content_type})
