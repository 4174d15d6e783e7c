"""One slurmrestd as one connection reaches it over HTTP: bounded answers, no redirects, exceptions mapped in one place.

It wants `Content-Type: application/json` to the letter (TRAP S0).

httpx's own transport is used, not the faster httpx-aiohttp: slurmrestd 26.05 answers an error with two whole
responses in a row (the JSON one says `Connection: Close`, a plain-text one follows it in the same segment), and
aiohttp's parser then refuses both with an exception that shows the request's headers, token included. h11
reads the first and closes, as the standard says.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from slurmjob_operator import __version__
from slurmjob_operator.slurm.circuit import Attempt
from slurmjob_operator.slurm.errors import AnswerTooLarge, ConnectionLost, OutcomeUnknown, Unavailable, UntrustedServer
from slurmjob_operator.slurm.shared import NO_LIMITS, Shared
from slurmjob_operator.slurm.tls import NO_IDENTITY, TlsIdentity
from slurmjob_operator.slurm.token import SlurmToken, redact
from slurmjob_operator.slurm.turns import Limits

CONNECT_SECONDS: Final = 5.0
LARGEST_ANSWER: Final = 64 * 2**20

Query = Sequence[tuple[str, str]]

_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*/?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer of any status. `body` is the JSON object in it, or None where there was none."""

    status: int
    body: Mapping[str, Any] | None
    text: str


def no_slurm_answers(reply: Reply) -> bool | None:
    """Whether somebody else says that slurmrestd is away: a proxy."""
    if reply.body is not None or reply.status < 300:
        return False
    return True if reply.status >= 500 else None


class InvalidServerUrl(ValueError):
    """Not an address that we would send a token to. The text says why, `number` is its place among servers, from 0."""

    number = 0


def check_url(url: str, *, allow_plain_http: bool) -> str:
    """The base URL without a trailing slash: scheme, host, port and a path before slurmrestd's own. Raises
    `InvalidServerUrl`."""
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
    if parts.query or parts.fragment:
        raise InvalidServerUrl("it must be scheme, host, port and perhaps a path, nothing else")
    if not _PATH.fullmatch(parts.path) or {".", ".."}.intersection(parts.path.split("/")):
        raise InvalidServerUrl("its path must be of letters, digits and -._~, without `.` and `..` as parts")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How one connection speaks to its servers. `name`: the connection's, for fair shares; `headers`: for a proxy in
    between, from a Secret."""

    name: str = ""
    limits: Limits = NO_LIMITS
    identity: TlsIdentity = NO_IDENTITY
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


class SlurmrestdServer:
    """One slurmrestd under one URL. `shared` is what all connections to it have in common. No cookie is kept: users
    differ. Raises `InvalidServerUrl`, `tls.InvalidCertificate`."""

    def __init__(
        self,
        url: str,
        *,
        allow_plain_http: bool,
        shared: Shared | None = None,
        manner: Manner = Manner(),
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = check_url(url, allow_plain_http=allow_plain_http)
        self.shared = shared or Shared()
        self._manner = manner
        self._transport = transport or self.shared.sockets.transport(manner.identity)
        self._client: httpx.AsyncClient | None = None

    @property
    def way(self) -> Hashable:
        """What decides which slurmrestd answers: the address with its path, certificates, a proxy's headers. Only
        connections with the same of all may believe each other: what another one trusts may be somebody else's."""
        return self.url, self._manner.identity, self._manner.headers

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                transport=self._transport,
                headers={
                    **dict(self._manner.headers),
                    "User-Agent": f"slurmjob-operator/{__version__}",
                    "Accept": "application/json",
                },
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                follow_redirects=False,
                trust_env=False,
            )
        return self._client

    async def close(self) -> None:
        """Close all sockets, those of other connections to this server too."""
        await self.shared.close()

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
        tells_of_outage: Callable[[Reply], bool | None] = no_slurm_answers,
    ) -> Reply:
        """One request, once, when its turn has come. Raises `Unavailable` (nothing was changed) or, where `changes`,
        `OutcomeUnknown`.

        `tells_of_outage`: whether an answer shows that slurmrestd, or slurmctld behind it, is away; None: it tells
        nothing of that.
        """
        async with self.shared.admission.turn(self._manner.name, self._manner.limits):
            attempt = self.shared.circuit.begin()
            try:
                with _mapped(changes=changes, attempt=attempt):
                    request = self._request(
                        method, path, token=token, timeout_seconds=timeout_seconds, query=query, body=body
                    )
                    async with asyncio.timeout(timeout_seconds + CONNECT_SECONDS):
                        reply = await self._send(request, changes=changes)
                attempt.failed = tells_of_outage(reply)
            finally:
                self.shared.circuit.end(attempt)
        return reply

    def _request(
        self,
        method: str,
        path: str,
        *,
        token: SlurmToken,
        timeout_seconds: float,
        query: Query,
        body: Mapping[str, Any] | None,
    ) -> httpx.Request:
        headers = {"X-SLURM-USER-NAME": token.user, "X-SLURM-USER-TOKEN": token.reveal()}
        content: bytes | None = None
        if body is not None:
            content = json.dumps(body, ensure_ascii=False).encode()
            headers["Content-Type"] = "application/json"
        return self._http().build_request(
            method,
            f"{self.url}{path}",
            params=httpx.QueryParams(list(query)) if query else None,
            content=content,
            headers=headers,
            timeout=httpx.Timeout(timeout_seconds, connect=CONNECT_SECONDS),
        )

    async def _send(self, request: httpx.Request, *, changes: bool) -> Reply:
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
            kind = OutcomeUnknown if changes else AnswerTooLarge
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
def _mapped(*, changes: bool, attempt: Attempt) -> Iterator[None]:
    """The one place where httpx's exceptions become ours. Their texts may hold addresses, never headers.

    A certificate that is not accepted tells nothing of the server: another connection may accept it. Nor does an
    answer that is too large: the next one may not be.
    """
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        refused = _tls_error(error)
        if refused is not None:
            raise UntrustedServer(f"no TLS with slurmrestd: {refused}") from None
        attempt.failed = True
        raise Unavailable(f"slurmrestd cannot be reached ({type(error).__name__})") from None
    except (httpx.HTTPError, TimeoutError, OSError) as error:
        refused = _tls_error(error)
        if refused is not None:
            raise (OutcomeUnknown if changes else UntrustedServer)(f"no TLS with slurmrestd: {refused}") from None
        attempt.failed = True
        what = f"slurmrestd's answer was lost ({type(error).__name__})"
        if changes:
            raise OutcomeUnknown(what) from None
        cut = isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError)
        raise (ConnectionLost if cut else Unavailable)(what) from None


def _tls_error(error: BaseException) -> str | None:
    """What TLS has against it, in OpenSSL's words; they hold names of certificates at most."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the server's certificate is not accepted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return (cause.reason or "the handshake failed").replace("_", " ").lower()
        cause = cause.__cause__ or cause.__context__
    return None
