"""One slurmrestd over HTTP: real bytes of a small server, each with the error that it must become."""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import jwt
import pytest

from slurmjob_operator import __version__
from slurmjob_operator.slurm import http
from slurmjob_operator.slurm.errors import OutcomeUnknown, SlurmError, Unavailable, UntrustedServer
from slurmjob_operator.slurm.http import InvalidServerUrl, Reply, SlurmrestdServer, check_url
from slurmjob_operator.slurm.sockets import SOCKETS
from slurmjob_operator.slurm.token import parse_token

TEXT = jwt.encode({"exp": 4_102_444_800, "sun": "alice"}, "k" * 64)
TOKEN = parse_token(TEXT.encode())
OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"meta":{}}'

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _serving(talk: Talk) -> AsyncIterator[SlurmrestdServer]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    server = SlurmrestdServer(f"http://127.0.0.1:{port}", allow_plain_http=True)
    try:
        yield server
    finally:
        await server.close()
        listening.close()


async def _request(server: SlurmrestdServer, *, changes: bool = False, body: object = None) -> Reply:
    return await server.request(
        "POST" if changes else "GET",
        "/slurm/v0.0.45/x",
        token=TOKEN,
        timeout_seconds=1.0,
        changes=changes,
        query=(("a", "b c"),),
        body={"script": "ü"} if changes else None,
    )


def _answers(raw: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)

    return talk


async def test_trap_s0_what_is_sent() -> None:
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        seen.append(await reader.read(100))
        writer.write(OK)

    async with _serving(talk) as server:
        assert (await _request(server, changes=True)).body == {"meta": {}}
    head, body = seen[0].decode().split("\r\n"), seen[1]
    assert head[0] == "POST /slurm/v0.0.45/x?a=b+c HTTP/1.1"
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    assert headers["content-type"] == "application/json", "TRAP S0: a charset behind it is refused"
    assert headers["x-slurm-user-name"] == "alice"
    assert headers["x-slurm-user-token"] == TEXT
    assert headers["user-agent"] == f"slurmjob-operator/{__version__}"
    assert headers["accept"] == "application/json"
    assert "authorization" not in headers
    assert "cookie" not in headers
    assert body == '{"script": "ü"}'.encode()


async def test_a_request_without_a_body_has_no_content_type() -> None:
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK)

    async with _serving(talk) as server:
        await _request(server)
    assert b"content-type" not in seen[0].lower()


async def test_no_cookie_of_one_user_goes_out_with_anothers_request() -> None:
    """All users of a server share its sockets, and a proxy may hold a session in a cookie."""
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: session=alices; Path=/\r\n\r\n"))

    async with _serving(talk) as server:
        for _ in range(2):
            await _request(server)
    assert len(seen) == 2
    assert b"cookie" not in b"".join(seen).lower()


async def test_two_answers_in_one_segment() -> None:
    """What slurmrestd 26.05 sends for an error: the JSON one closes the connection, a plain one follows it."""
    first = b"HTTP/1.1 500 I\r\nConnection: Close\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n"
    first += b'{"errors":[]}'
    second = b"HTTP/1.1 500 I\r\nConnection: Close\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nno\r\n"
    async with _serving(_answers(first + second)) as server:
        for _ in range(2):
            reply = await _request(server)
            assert (reply.status, reply.body) == (500, {"errors": []})


@pytest.mark.parametrize("changes", [False, True])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_is_not_followed(status: int, changes: bool) -> None:
    """Wherever it leads, the token was not meant for it."""
    visits = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal visits
        visits += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status} Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n".encode())

    async with _serving(talk) as server:
        assert (await _request(server, changes=changes)).status == status
    assert visits == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 502 Bad\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n[1,2,3]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{{{",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + b"[" * 4000,
        b"HTTP/1.1 204 No\r\n\r\n",
    ],
)
async def test_no_json_object_is_no_body(raw: bytes) -> None:
    async with _serving(_answers(raw)) as server:
        reply = await _request(server)
    assert reply.body is None
    assert len(reply.text) <= 200


async def _nothing(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    return


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN, as a killed process or a firewall does."""
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _reset_at_once(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    _reset(writer)


async def _reset_after_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    _reset(writer)


async def _reset_in_the_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    _reset(writer)


async def _silence(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    while await reader.read(1000):
        pass


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("changes", [False, True])
@pytest.mark.parametrize(
    "talk",
    [
        _nothing,
        _reset_at_once,
        _reset_after_reading,
        _reset_in_the_answer,
        _silence,
        _drip,
        _answers(b""),
        _answers(b"not HTTP at all\r\n\r\n"),
        _answers(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
        _answers(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"),
    ],
    ids=[
        "closes",
        "resets",
        "resets later",
        "resets in the middle",
        "never answers",
        "drips",
        "empty",
        "no HTTP",
        "cut",
        "broken gzip",
    ],
)
async def test_an_answer_that_does_not_come_whole(talk: Talk, changes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request may have taken effect: unknown where it changes something, else tried again later."""
    monkeypatch.setattr(http, "CONNECT_SECONDS", 0.3)
    async with _serving(talk) as server:
        with pytest.raises(SlurmError) as failure:
            await server.request(
                "POST", "/x", token=TOKEN, timeout_seconds=0.1, changes=changes, body={} if changes else None
            )
    assert isinstance(failure.value, OutcomeUnknown if changes else Unavailable)
    _shows_no_token(failure.value)


@pytest.mark.parametrize("changes", [False, True])
async def test_nobody_listens(changes: bool) -> None:
    """The request cannot have left, so even one that changes something is known to have changed nothing."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and never listens
        server = SlurmrestdServer(f"http://127.0.0.1:{taken.getsockname()[1]}", allow_plain_http=True)
        await _cannot_be_reached(server, changes=changes)


@pytest.mark.parametrize("changes", [False, True])
@pytest.mark.parametrize("problem", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
async def test_no_connection_was_made(problem: type[httpx.TransportError], changes: bool) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise problem(f"with {request.headers}")

    server = SlurmrestdServer("https://slurm", allow_plain_http=False, transport=httpx.MockTransport(fail))
    await _cannot_be_reached(server, changes=changes)


async def test_a_server_that_speaks_no_tls_gets_no_token() -> None:
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(4000))
        writer.write(b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n")

    async with _serving(talk) as plain:
        server = SlurmrestdServer(plain.url.replace("http:", "https:"), allow_plain_http=False)
        with pytest.raises(UntrustedServer, match="wrong version number") as failure:
            await _request(server, changes=True)
        _shows_no_token(failure.value)
        await server.close()
    assert seen
    assert TEXT.encode() not in b"".join(seen)


async def _cannot_be_reached(server: SlurmrestdServer, *, changes: bool) -> None:
    with pytest.raises(Unavailable) as failure:
        await _request(server, changes=changes)
    assert str(failure.value).startswith("slurmrestd cannot be reached")
    _shows_no_token(failure.value)
    await server.close()


@pytest.mark.parametrize("changes", [False, True])
async def test_an_answer_without_end_is_cut(changes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_ANSWER", 1000)
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b" " * 2000
    async with _serving(_answers(raw)) as server:
        with pytest.raises(OutcomeUnknown if changes else Unavailable, match="larger than") as failure:
            await _request(server, changes=changes)
    assert failure.value.status == 200


async def test_an_answer_is_measured_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_ANSWER", 1000)
    packed = gzip.compress(b" " * 100_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    assert len(packed) < 1000
    async with _serving(_answers(head.encode() + packed)) as server:
        with pytest.raises(Unavailable, match="larger than"):
            await _request(server)


async def test_trap_p2_at_most_eight_sockets() -> None:
    open_now = most = 0
    gate = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await reader.readuntil(b"\r\n\r\n")
        if open_now == SOCKETS:
            gate.set()
        await gate.wait()
        open_now -= 1
        writer.write(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    async with _serving(talk) as server:
        await asyncio.gather(*(_request(server) for _ in range(24)))
    assert most == SOCKETS == 8, "slurmrestd serves about 124 connections in all"


async def test_trap_p2_who_waits_for_a_socket_has_not_begun() -> None:
    """Its time runs from when it has one: else a burst would end in timeouts."""
    begun = most = 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal begun, most
        assert set(request.extensions["timeout"].values()) == {1.0, http.CONNECT_SECONDS}
        begun += 1
        most = max(most, begun)
        await asyncio.sleep(0)
        begun -= 1
        return httpx.Response(200, json={})

    server = SlurmrestdServer("https://slurm", allow_plain_http=False, transport=httpx.MockTransport(answer))
    await asyncio.gather(*(_request(server) for _ in range(24)))
    assert most == SOCKETS
    await server.close()


def _shows_no_token(error: BaseException) -> None:
    """Neither the exception nor what a log shows of it."""
    shown = f"{error!r}{vars(error)}{''.join(traceback.format_exception(error))}"
    assert TEXT not in shown
    assert TEXT.rpartition(".")[2] not in shown


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://slurm.example.org:6820", "https://slurm.example.org:6820"),
        ("https://slurm.example.org/", "https://slurm.example.org"),
        ("https://[::1]:6820", "https://[::1]:6820"),
        ("https://gate/slurm-api/", "https://gate/slurm-api"),
        ("https://gate/a/b.c~1", "https://gate/a/b.c~1"),
    ],
)
def test_good_addresses(url: str, base: str) -> None:
    assert check_url(url, allow_plain_http=False) == base


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://a:6820", "--allow-plain-http"),
        ("ftp://a", "scheme must be https"),
        ("a:6820", "scheme must be https"),
        ("https://", "names no host"),
        ("https://a:0", "names no host"),
        ("https://a:99999", "not a URL"),
        ("https://u:p@a", "user or password"),
        ("https://a/../b", "its path must be"),
        ("https://a/./b", "its path must be"),
        ("https://a//b", "its path must be"),
        ("https://a/%2e%2e/b", "its path must be"),
        ("https://a/b c", "its path must be"),
        ("https://a?q=1", "nothing else"),
        ("https://a#f", "nothing else"),
    ],
)
def test_bad_addresses(url: str, why: str) -> None:
    with pytest.raises(InvalidServerUrl, match=why):
        check_url(url, allow_plain_http=False)


def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    server = SlurmrestdServer("https://a:6820", allow_plain_http=False)
    client = server._http()
    assert isinstance(client, httpx.AsyncClient)
    assert client._mounts == {}


async def test_a_server_that_says_the_token_back_does_not_get_it_into_a_message() -> None:
    server = SlurmrestdServer(
        "https://slurm:6820",
        allow_plain_http=False,
        transport=httpx.MockTransport(
            lambda request: httpx.Response(500, text="x" * 190 + request.headers["X-SLURM-USER-TOKEN"])
        ),
    )
    reply = await server.request("GET", "/", token=TOKEN, timeout_seconds=5, changes=False)
    assert reply.text
    assert TOKEN.reveal()[:20] not in reply.text
