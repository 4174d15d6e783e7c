"""A small server that stands for slurmrestd or the API server, in a thread of its own."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from aiohttp import web

TOKEN = "eyJ.canary.token"


class FarSide:
    """Notes what it is asked, and answers with JSON that counts; `/…watch=…` streams lines until it is told to end."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes, str]] = []
        self.url = ""
        self.answer: Callable[[web.BaseRequest, int], Awaitable[web.StreamResponse]] = _numbered
        self.watching = 0
        self._loop: asyncio.AbstractEventLoop
        self._end: asyncio.Event
        self._ready = threading.Event()

    async def _main(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        runner = web.ServerRunner(web.Server(self._handle, access_log=None, max_line_size=2**20), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._ready.set()
        await self._end.wait()
        await runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        secret = request.headers.get("X-SLURM-USER-TOKEN") or request.headers.get("Authorization") or ""
        self.asked.append((request.method, request.raw_path, body, secret))
        if request.query.get("watch"):
            return await self._watch(request)
        return await self.answer(request, len(self.asked))

    async def _watch(self, request: web.BaseRequest) -> web.StreamResponse:
        stream = web.StreamResponse()
        await stream.prepare(request)
        self.watching += 1
        try:
            for number in range(3):
                await stream.write(b'{"type": "ADDED", "object": %d}\n' % number)
            while request.transport is not None and not self._end.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._end.wait(), 0.01)
        finally:
            self.watching -= 1
        return stream

    @contextmanager
    def up(self) -> Iterator[FarSide]:
        thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)
        thread.start()
        assert self._ready.wait(5)
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._end.set)
            thread.join()


async def _numbered(request: web.BaseRequest, number: int) -> web.StreamResponse:
    return web.json_response({"job_id": 100 + number, "padding": "x" * 40})


def until(what: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.005)


def lines_of(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]
