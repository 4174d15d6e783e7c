"""What both proxies are: a server on loopback in a thread of its own, that forwards, spoils and takes note.

httpx forwards, not aiohttp's client, whose parser refuses the errors of slurmrestd 26.05 (see `slurm.http`). That
quirk, two answers in a row, is not handed on; nor is a refused connection: where the far side cannot be reached, the
operator's connection is reset.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Final, Generic, Self

import httpx
from aiohttp import web

from tests.faults.journal import Armed, E, Journal, Wanted, matches
from tests.faults.vocabulary import (
    CutAfter,
    CutBefore,
    Delay,
    DelayAnswer,
    Drip,
    DropAnswer,
    Duplicate,
    Fault,
    Say,
    Truncate,
)

LOOPBACK: Final = "127.0.0.1"
LARGEST: Final = 64 * 2**20
LONGEST_LINE: Final = 2**20
"""An address with thousands of job ids is one line."""

IDLE_SECONDS: Final = 5.0
GLANCE_SECONDS: Final = 0.05
"""How often it is looked whether the operator is still there."""

NOT_HANDED_ON: Final = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer"),
        *("transfer-encoding", "upgrade", "host", "content-length"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer of the far side, whole; the body is as encoded on the way."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    closes: bool


class Visit(Generic[E]):
    """One request on its way through the proxy."""

    def __init__(self, request: web.BaseRequest, body: bytes, number: int, exchange: E, journal: Journal[E]) -> None:
        self.request = request
        self.body = body
        self.exchange = exchange
        self._number = number
        self._journal = journal

    def note(self, **changes: Any) -> None:
        """Take note of what became of it."""
        self.exchange = replace(self.exchange, **changes)
        self._journal.update(self._number, self.exchange)

    @property
    def left(self) -> bool:
        """Whether the operator has given up."""
        transport = self.request.transport
        return transport is None or transport.is_closing()


class Proxy(ABC, Generic[E]):
    """Use as a context manager; `url` is what the operator is given in place of the far side's.

    `verify` is for https towards the far side. `port` 0: any that is free.
    """

    def __init__(self, target: str, *, verify: ssl.SSLContext | bool = True, port: int = 0) -> None:
        self._target = httpx.URL(target)
        self._verify = verify
        self._port = port
        self._journal: Journal[E] = Journal()
        self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop
        self._closing: asyncio.Event
        self._open: asyncio.Event
        self._http: httpx.AsyncClient

    # --- For tests ----------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    @property
    def url(self) -> str:
        """Where it listens; plain http."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def records(self) -> tuple[E, ...]:
        """All requests since the last reset in order of arrival, those under way included."""
        return self._journal.exchanges

    @property
    def unfired(self) -> tuple[Armed, ...]:
        """Faults that have never struck."""
        return self._journal.unfired

    def counts(self) -> Counter[str]:
        """Requests since the last reset by what they are; see `what` of the records."""
        return self._journal.counts()

    def disarm(self) -> None:
        """Nothing strikes any more; what has struck goes on."""
        self._journal.disarm()

    def reset(self) -> None:
        """Forget all records and all faults. Connections stay."""
        self._journal.reset()

    def pause(self) -> None:
        """From now on requests are kept, not forwarded, until `resume`. Watches that are open go on."""
        self._in_loop(lambda: self._open.clear())

    def resume(self) -> None:
        """Forward what was kept, and all that comes."""
        self._in_loop(lambda: self._open.set())

    def _arm(self, fault: Fault, wanted: Mapping[str, Wanted], *, nth: int, times: int | None) -> Armed:
        return self._journal.arm(fault, wanted, nth=nth, times=times)

    def _count(self, wanted: Mapping[str, Wanted], where: Callable[[E], bool] | None) -> int:
        return sum(matches(record, wanted) and (where is None or where(record)) for record in self.records)

    def _in_loop(self, act: Callable[[], None]) -> None:
        """Do it in the proxy's thread, and return when it is done."""
        done = threading.Event()

        def run() -> None:
            act()
            done.set()

        self._loop.call_soon_threadsafe(run)
        done.wait()

    # --- For the two proxies ------------------------------------------------------------------------------

    @abstractmethod
    def describe(self, request: web.BaseRequest, body: bytes) -> E:
        """What a request is."""

    def applies(self, exchange: E, fault: Fault) -> bool:
        """Whether this fault can happen to this request at all."""
        return True

    def learn(self, visit: Visit[E], answer: Answer) -> None:
        """Take note of what the far side answered."""

    async def serve(self, visit: Visit[E], fault: Fault | None) -> web.StreamResponse:
        """Forward and answer as the fault says."""
        match fault:
            case CutBefore():
                return cut(visit)
            case Say(after=False):
                return self.say(visit, fault)
            case Delay(seconds):
                await self.sleep(seconds)
                return self.hand_on(visit, await self.forward(visit))
            case _:
                return await self._spoil(visit, await self.forward(visit), fault)

    async def _spoil(self, visit: Visit[E], answer: Answer, fault: Fault | None) -> web.StreamResponse:
        match fault:
            case CutAfter():
                return cut(visit)
            case DropAnswer():
                await self.until_left(visit)
                return cut(visit)
            case Say():
                return self.say(visit, fault)
            case DelayAnswer(seconds):
                await self.sleep(seconds)
            case Duplicate():
                answer = await self.forward(visit)
            case Drip(seconds):
                return await self._drip(visit, answer, seconds)
            case Truncate(keep, mid_air):
                return await _end_mid_air(visit, answer, keep) if mid_air else self.hand_on(visit, answer, keep=keep)
        return self.hand_on(visit, answer)

    async def _drip(self, visit: Visit[E], answer: Answer, seconds: float) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status)
        put_headers(response, answer.headers)
        response.content_length = len(answer.body)
        await response.prepare(visit.request)
        for position in range(len(answer.body)):
            if visit.left or self._closing.is_set():
                break
            await response.write(answer.body[position : position + 1])
            await self.sleep(seconds)
        return cut_stream(visit, response)

    async def forward(self, visit: Visit[E]) -> Answer:
        """Ask the far side, once, for the whole answer. Raises `httpx.HTTPError`."""
        response = await self.send(visit)
        try:
            body = b"".join([part async for part in response.aiter_raw()])
        finally:
            await response.aclose()
        answer = Answer(
            status=response.status_code,
            headers=handed_on(response),
            body=body,
            closes=response.headers.get("connection", "").lower() == "close",
        )
        visit.note(far_status=answer.status)
        self.learn(visit, answer)
        return answer

    async def send(self, visit: Visit[E]) -> httpx.Response:
        """Ask the far side, once; the body of the answer is yet to be read."""
        request = httpx.Request(
            visit.request.method,
            self._target.copy_with(raw_path=visit.request.raw_path.encode()),
            headers=[(k, v) for k, v in visit.request.raw_headers if k.decode("latin-1").lower() not in NOT_HANDED_ON],
            content=visit.body or None,
            extensions={"timeout": httpx.Timeout(None).as_dict()},
        )
        visit.note(forwarded=visit.exchange.forwarded + 1)
        return await self._http.send(request, stream=True)

    def hand_on(self, visit: Visit[E], answer: Answer, *, keep: int | None = None) -> web.StreamResponse:
        """The answer of the far side, or the first bytes of it."""
        body = answer.body[:keep]
        visit.note(status=answer.status, bytes_out=len(body))
        response = web.Response(status=answer.status, body=body)
        put_headers(response, answer.headers)
        if answer.closes:
            response.force_close()
        return response

    def say(self, visit: Visit[E], said: Say) -> web.StreamResponse:
        """An answer of our own making."""
        visit.note(status=said.status, bytes_out=len(said.body))
        response = web.Response(status=said.status, body=said.body)
        put_headers(response, (("Content-Type", said.content_type), *said.headers))
        return response

    async def sleep(self, seconds: float) -> None:
        """So long, or until the proxy closes."""
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return

    async def until_left(self, visit: Visit[E]) -> None:
        """Until the operator gives up, or the proxy closes."""
        while not visit.left and not self._closing.is_set():
            await self.sleep(GLANCE_SECONDS)

    # --- The thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:
            self._failure = error
        finally:
            self._started.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._closing, self._open = asyncio.Event(), asyncio.Event()
        self._open.set()
        limits = httpx.Limits(max_connections=100, keepalive_expiry=IDLE_SECONDS)
        verify = self._verify if self._target.scheme == "https" else False  # no CAs are loaded where none is asked
        transport = httpx.AsyncHTTPTransport(verify=verify, limits=limits, trust_env=False)
        server = web.Server(
            self._handle,
            request_factory=_request,
            access_log=None,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
        )
        runner = web.ServerRunner(server, shutdown_timeout=0.5)
        async with httpx.AsyncClient(transport=transport, follow_redirects=False) as self._http:
            await runner.setup()
            try:
                await web.TCPSite(runner, LOOPBACK, self._port).start()
                self._port = runner.addresses[0][1]
                self._started.set()
                await self._closing.wait()
                self._open.set()
            finally:
                await runner.cleanup()
                await asyncio.sleep(GLANCE_SECONDS)
                await server.shutdown(0.5)  # of connections that came in that very moment
                await asyncio.sleep(0)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        began = time.monotonic()
        body = await request.read()
        described = self.describe(request, body)
        number, exchange = self._journal.open(described, lambda fault: self.applies(described, fault))
        visit = Visit(request, body, number, exchange, self._journal)
        try:
            await self._open.wait()
            if self._closing.is_set():
                return cut(visit)
            return await self.serve(visit, exchange.fault)
        except httpx.HTTPError:
            return cut(visit)
        finally:
            visit.note(seconds=time.monotonic() - began)


def arrival(request: web.BaseRequest, body: bytes) -> dict[str, Any]:
    """What every exchange notes of a request."""
    return {"time": time.time(), "method": request.method, "bytes_in": len(request.raw_path) + len(body)}


def handed_on(response: httpx.Response) -> tuple[tuple[str, str], ...]:
    """The headers of an answer that are not about this one connection."""
    return tuple((name, value) for name, value in response.headers.multi_items() if name.lower() not in NOT_HANDED_ON)


def cut(visit: Visit[Any]) -> web.Response:
    """Reset the operator's connection. What is returned goes nowhere."""
    transport = visit.request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


def cut_stream(visit: Visit[Any], response: web.StreamResponse) -> web.StreamResponse:
    """End an answer before its announced length."""
    transport = visit.request.transport
    if transport is not None:
        transport.close()
    return response


async def _end_mid_air(visit: Visit[Any], answer: Answer, keep: int) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status)
    put_headers(response, answer.headers)
    response.content_length = len(answer.body)
    await response.prepare(visit.request)
    await response.write(answer.body[:keep])
    visit.note(status=answer.status, bytes_out=min(keep, len(answer.body)))
    return cut_stream(visit, response)


def put_headers(response: web.StreamResponse, headers: tuple[tuple[str, str], ...]) -> None:
    """Exactly these, besides what the server itself must add."""
    for name in {name for name, _ in headers}:
        response.headers.popall(name, None)
    for name, value in headers:
        response.headers.add(name, value)


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    """aiohttp's own, which takes larger bodies."""
    return web.BaseRequest(
        message, payload, protocol, writer, task, asyncio.get_running_loop(), client_max_size=LARGEST
    )
