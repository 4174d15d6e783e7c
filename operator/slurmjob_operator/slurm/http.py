"""One slurmrestd over HTTP: few sockets, bounded answers, no redirects, exceptions mapped in one place.

slurmrestd serves about 124 connections in all and never times out idle ones (TRAP P2), so sockets are few
and idle ones are closed after seconds. It wants `Content-Type: application/json` to the letter (TRAP S0).

httpx's own transport is used, not the faster httpx-aiohttp: slurmrestd 26.05 answers an error with two whole
responses in a row (the JSON one says `Connection: Close`, a plain-text one follows it in the same segment), and
aiohttp's parser then refuses both with an exception that shows the request's headers, token included. h11
reads the first and closes, as the standard says.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from slurmjob_operator import __version__
from slurmjob_operator.slurm.budget import ReadBudget
from slurmjob_operator.slurm.errors import OutcomeUnknown, SlurmError, Unavailable
from slurmjob_operator.slurm.token import SlurmToken, redact

SOCKETS: Final = 8
IDLE_SECONDS: Final = 5.0
CONNECT_SECONDS: Final = 5.0
LARGEST_ANSWER: Final = 64 * 2**20

Query = Sequence[tuple[str, str]]


class InvalidServerUrl(ValueError):
    """Not an address that we would send a token to. The text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer of any status. `body` is the JSON object in it, or None where there was none."""

    status: int
    body: Mapping[str, Any] | None
    text: str


def check_url(url: str, *, allow_plain_http: bool) -> str:
    """The base URL without a trailing slash: scheme, host and port, nothing else. Raises `InvalidServerUrl`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InvalidServerUrl("it is not a URL") from None
    if parts.scheme not in ("http", "https"):
        raise InvalidServerUrl("its scheme must be https")
    if parts.scheme == "http" and not allow_plain_http:
        raise InvalidServerUrl("plain http:// is refused; the operator's flag --allow-plain-http allows it")
    if not parts.hostname or port == 0:
        raise InvalidServerUrl("it names no host")
    if parts.username is not None or parts.password is not None:
        raise InvalidServerUrl("it must not hold a user or password")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise InvalidServerUrl("it must be scheme, host and port, nothing else")
    return f"{parts.scheme}://{parts.netloc}"


class SlurmrestdServer:
    """The sockets to one slurmrestd, shared by all connections that name it. No cookie is kept: users differ."""

    def __init__(self, url: str, *, allow_plain_http: bool, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.url = check_url(url, allow_plain_http=allow_plain_http)
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._slots = asyncio.Semaphore(SOCKETS)
        self.listing = asyncio.Lock()
        """Held by who reads the whole list of jobs."""
        self.reads = ReadBudget(time.monotonic)

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            limits = httpx.Limits(
                max_connections=SOCKETS, max_keepalive_connections=SOCKETS, keepalive_expiry=IDLE_SECONDS
            )
            self._client = httpx.AsyncClient(
                transport=self._transport or httpx.AsyncHTTPTransport(limits=limits, trust_env=False),
                headers={"User-Agent": f"slurmjob-operator/{__version__}", "Accept": "application/json"},
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                follow_redirects=False,
                trust_env=False,
            )
        return self._client

    async def close(self) -> None:
        """Close all sockets."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def request(
        self,
        method: str,
        path: str,
        *,
        token: SlurmToken,
        timeout_seconds: float,
        changes: bool,
        query: Query = (),
        body: Mapping[str, Any] | None = None,
    ) -> Reply:
        """One request, once. Raises `Unavailable` (nothing was changed) or, where `changes`, `OutcomeUnknown`."""
        headers = {"X-SLURM-USER-NAME": token.user, "X-SLURM-USER-TOKEN": token.reveal()}
        content: bytes | None = None
        if body is not None:
            content = json.dumps(body, ensure_ascii=False).encode()
            headers["Content-Type"] = "application/json"
        timeout = httpx.Timeout(timeout_seconds, connect=CONNECT_SECONDS)
        async with self._slots:
            with _mapped(changes=changes):
                request = self._http().build_request(
                    method,
                    f"{self.url}{path}",
                    params=httpx.QueryParams(list(query)) if query else None,
                    content=content,
                    headers=headers,
                    timeout=timeout,
                )
                async with asyncio.timeout(timeout_seconds + CONNECT_SECONDS):
                    response = await self._http().send(request, stream=True)
                    try:
                        raw = await _read(response, changes=changes)
                    finally:
                        await response.aclose()
        return _reply(response.status_code, raw)


async def _read(response: httpx.Response, *, changes: bool) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > LARGEST_ANSWER:
            kind = OutcomeUnknown if changes else Unavailable
            raise kind("slurmrestd's answer is larger than 64 MiB", status=response.status_code)
        parts.append(part)
    return b"".join(parts)


def _reply(status: int, raw: bytes) -> Reply:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        body = None
    text = redact(raw[:1000].decode(errors="replace"))[:200].strip() if body is None else ""
    return Reply(status=status, body=body if isinstance(body, dict) else None, text=text)


@contextmanager
def _mapped(*, changes: bool) -> Iterator[None]:
    """The one place where httpx's exceptions become ours. Their texts may hold addresses, never headers."""
    try:
        yield
    except SlurmError:
        raise
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise Unavailable(f"slurmrestd cannot be reached ({type(error).__name__})") from None
    except (httpx.HTTPError, TimeoutError, OSError) as error:
        what = f"slurmrestd's answer was lost ({type(error).__name__})"
        raise (OutcomeUnknown(what) if changes else Unavailable(what)) from None
