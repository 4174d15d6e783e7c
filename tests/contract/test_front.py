"""Our client through what operations put before a slurmrestd: a real reverse proxy with TLS, before the real one.

None of its pages is Slurm's word: no job is gone, none refused, because a proxy says so.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sandboxlib import front, ports, slurm_cluster
from sandboxlib.daemons import Daemon, kill, pause, resume, start, stop
from sandboxlib.front import Front
from sandboxlib.paths import Paths
from sandboxlib.slurm_suites import SUITES
from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.discovery import AUTO
from slurmjob_operator.slurm.errors import (
    CredentialsRejected,
    JobNotFound,
    NotSupported,
    OutcomeUnknown,
    RateLimited,
    Refused,
    SlurmError,
    Unavailable,
    UntrustedServer,
)
from slurmjob_operator.slurm.http import Manner, SlurmrestdServer
from slurmjob_operator.slurm.port import SlurmPort
from slurmjob_operator.slurm.request import JobRequest
from slurmjob_operator.slurm.tls import TlsIdentity
from slurmjob_operator.slurm.token import parse_token
from tests.fakes.free_port import free_port
from tests.real.cluster import SUITE
from tests.real.own_slurmrestd import own_slurmrestd

HEADER = ("X-Gateway", "s3cret")
VERSION = SUITES[SUITE].api_versions[0]
LISTS_STATES = SUITE != "bookworm"
FIRST_UNKNOWN_ID = 60_000_000
PAGES: dict[int, tuple[type[SlurmError], type[SlurmError]]] = {
    200: (Unavailable, OutcomeUnknown),
    302: (Unavailable, OutcomeUnknown),
    403: (Unavailable, Refused),
    404: (NotSupported, NotSupported),
    408: (Unavailable, OutcomeUnknown),
    413: (Unavailable, Refused),
    429: (RateLimited, RateLimited),
    502: (Unavailable, OutcomeUnknown),
    503: (Unavailable, OutcomeUnknown),
}
"""What a page comes to where something is read, and where something is changed."""


@dataclass(frozen=True, kw_only=True)
class Fronted:
    """A running proxy, and our client through it."""

    paths: Paths
    front: Front
    daemon: Daemon
    name: str

    def pem(self, name: str) -> str:
        return (front.folder(self.paths, self.front) / name).read_text()

    def identity(self, *, client: bool = True) -> TlsIdentity:
        own = (self.pem("client.crt"), self.pem("client.key")) if client else (None, None)
        return TlsIdentity(self.pem("ca.crt"), *own)

    @property
    def requests(self) -> list[str]:
        return front.requests(self.daemon)

    @asynccontextmanager
    async def port(
        self,
        *,
        url: str | None = None,
        identity: TlsIdentity | None = None,
        headers: tuple[tuple[str, str], ...] = (HEADER,),
        version: str = VERSION,
        timeout_seconds: float = 30.0,
    ) -> AsyncIterator[SlurmrestdClient]:
        manner = Manner(name="campus", identity=identity or self.identity(), headers=headers)
        server = SlurmrestdServer(url or self.front.url, allow_plain_http=False, manner=manner)
        token = parse_token(slurm_cluster.token(self.paths, SUITE, user="alice", lifespan=600).encode())
        try:
            yield SlurmrestdClient(server, token, api_version=version, timeout_seconds=timeout_seconds)
        finally:
            await server.close()

    def request(self, *, script: str = "#!/bin/sh\ntrue\n") -> JobRequest:
        return JobRequest(
            script=script, name=self.name, chdir="/home/alice", environment={"PATH": "/usr/bin:/bin"}, options={}
        )


@contextmanager
def fronted(paths: Paths, server_port: int, **how: object) -> Iterator[Fronted]:
    """A proxy of this test's own."""
    name = f"front-{secrets.token_hex(4)}"
    made = Front(name=name, port=free_port(), server_port=server_port)
    made = replace(made, **how)  # type: ignore[arg-type]  # values of several types
    with front.running(paths, made) as daemon:
        yield Fronted(paths=paths, front=made, daemon=daemon, name=name)


@pytest.fixture(scope="module")
def strict(sandbox: Paths) -> Iterator[Fronted]:
    """It asks for everything that a proxy may ask for, before the slurmrestd that all tests share."""
    with fronted(
        sandbox,
        ports.port(sandbox, f"{SUITE}-slurmrestd"),
        prefix="/slurm-api",
        header=HEADER,
        client_certificate=True,
        longest_url=8192,
        largest_body=100_000,
        pages=tuple(PAGES),
    ) as made:
        yield made


def operations(request: JobRequest) -> dict[str, Callable[[SlurmPort], Awaitable[object]]]:
    """All that is asked of Slurm for a job; those that change something begin with `!`."""
    return {
        "job": lambda port: port.job(1),
        "states": lambda port: port.states([1, 2]),
        "accounting": lambda port: port.accounting(1),
        "!submit": lambda port: port.submit_held(request, comment="[marker]"),
        "!release": lambda port: port.release(1, comment="note"),
        "!cancel": lambda port: port.cancel(1),
    }


OPERATIONS = list(operations(JobRequest(script="", name="", chdir="", environment={}, options={})))


async def error_of(call: Awaitable[object]) -> SlurmError | None:
    try:
        await call
    except SlurmError as error:
        return error
    return None


# --- What it asks -------------------------------------------------------------------------------------------


async def test_a_job_through_it(strict: Fronted) -> None:
    async with strict.port(version=AUTO) as port:
        info = await port.info()
        assert (info.cluster_name, info.api_version, info.accounting) == (SUITE, VERSION, True)
        job_id = (await port.submit_held(strict.request(), comment="[marker]")).job_id
        assert (await port.job(job_id)).comment == "[marker]"
        await port.release(job_id, comment="note", keep_held=True)
        assert await port.states([job_id]) == {job_id: {"PENDING"}}
        await port.cancel(job_id)
        assert "CANCELLED" in (await port.job(job_id)).states
        with pytest.raises(JobNotFound):
            await port.job(FIRST_UNKNOWN_ID)
    assert any(f"POST /slurm-api/slurm/{VERSION}/job/submit tokens=1" in line for line in strict.requests)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("wrong", ["authority", "host name"])
async def test_who_is_not_trusted_sees_no_token(strict: Fronted, wrong: str, name: str) -> None:
    identity = replace(strict.identity(), ca=None) if wrong == "authority" else strict.identity()
    url = strict.front.url if wrong == "authority" else strict.front.url.replace("127.0.0.1", "localhost")
    before = len(strict.requests)
    async with strict.port(url=url, identity=identity) as port:
        error = await error_of(operations(strict.request())[name](port))
    assert isinstance(error, UntrustedServer), error
    assert "certificate" in str(error)
    assert len(strict.requests) == before


async def test_who_shows_no_certificate_of_its_own_gets_nowhere(strict: Fronted) -> None:
    before = len(strict.requests)
    async with strict.port(identity=strict.identity(client=False)) as port:
        read = await error_of(port.job(1))
        change = await error_of(port.submit_held(strict.request(), comment="[marker]"))
    assert isinstance(read, UntrustedServer), read
    assert isinstance(change, UntrustedServer | OutcomeUnknown), change
    assert "certificate" in str(read)
    assert len(strict.requests) == before


async def test_the_header_from_a_secret(strict: Fronted) -> None:
    for name, call in operations(strict.request()).items():
        async with strict.port(headers=()) as port:
            error = await error_of(call(port))
        assert isinstance(error, CredentialsRejected), f"{name}: {error!r}"
        assert HEADER[1] not in str(error)


# --- What it says -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", PAGES)
async def test_its_pages_are_not_slurms_words(strict: Fronted, status: int) -> None:
    read, changed = PAGES[status]
    for name, call in operations(strict.request()).items():
        async with strict.port(url=f"{strict.front.origin}/says-{status}") as port:
            error = await error_of(call(port))
        assert error is not None, f"{name}: no error"
        assert isinstance(error, changed if name.startswith("!") else read), f"{name}: {error!r}"
        assert not isinstance(error, JobNotFound)


async def test_a_prefix_that_is_wrong(strict: Fronted) -> None:
    async with strict.port(url=f"{strict.front.origin}/slurm", version=AUTO) as port:
        with pytest.raises(NotSupported):
            await port.info()


async def test_a_submission_that_is_too_large_for_it_is_refused(strict: Fronted) -> None:
    """One so large that haproxy hangs up before it is sent may lose the answer with the connection."""
    async with strict.port() as port:
        error = await error_of(port.submit_held(strict.request(script=script_of(150_000)), comment="[marker]"))
        assert isinstance(error, Refused), error
        assert error.status == 413
        error = await error_of(port.submit_held(strict.request(script=script_of(3_000_000)), comment="[marker]"))
        assert isinstance(error, Refused | OutcomeUnknown), error


def script_of(size: int) -> str:
    return "#!/bin/sh\n" + "#" * size


@pytest.mark.parametrize("longest", [4096, 8192, None])
async def test_states_of_thousands_fit_into_what_it_allows(sandbox: Paths, longest: int | None) -> None:
    """Where it has no rule of its own, haproxy's buffer is the limit, and its answer 400. Of 22.05 jobs are read one by
    one: as many as the budget has, and no address is long."""
    many = 3000 if LISTS_STATES else 40
    with fronted(sandbox, ports.port(sandbox, f"{SUITE}-slurmrestd"), longest_url=longest) as made:
        async with made.port() as port:
            known = [(await port.submit_held(made.request(), comment="[marker]")).job_id for _ in range(3)]
            unknown = list(range(FIRST_UNKNOWN_ID, FIRST_UNKNOWN_ID + many))
            wanted = [known[0], *unknown[: many // 2], known[1], *unknown[many // 2 :], known[2]]
            states = await port.states(wanted)
            for job_id in known:
                await port.cancel(job_id)
        refused = [line for line in made.requests if line.startswith("414" if longest else "400")]
    assert set(states) == set(wanted)
    assert {job_id for job_id, words in states.items() if words} == set(known)
    assert bool(refused) == LISTS_STATES


# --- What is behind it ----------------------------------------------------------------------------------------


async def test_slurmrestd_is_away_hangs_and_dies(sandbox: Paths) -> None:
    with (
        own_slurmrestd(sandbox, SUITE, f"front-{secrets.token_hex(4)}") as (server_port, slurmrestd),
        fronted(sandbox, server_port, server_seconds=0.25) as made,
    ):
        await _sees(made, 200)
        pause(slurmrestd)
        await _sees(made, 504)
        resume(slurmrestd)
        await _sees(made, 200)
        stop([slurmrestd])
        await _sees(made, 503)
        start(slurmrestd)
        await _sees(made, 200)


async def _sees(made: Fronted, status: int) -> None:
    for name, call in operations(made.request()).items():
        async with made.port() as port:
            error = await error_of(call(port))
            silent = port.silent
        assert silent is (status != 200), name
        if status == 200:
            assert error is None or (error.code and not isinstance(error, OutcomeUnknown)), f"{name}: {error!r}"
        else:
            assert error is not None
            assert error.status == status, f"{name}: {error!r}"
            assert isinstance(error, OutcomeUnknown if name.startswith("!") else Unavailable), f"{name}: {error!r}"


async def test_submissions_that_ended_in_504_may_be_jobs(sandbox: Paths) -> None:
    """The proxy waits for a thousandth of a second: of twenty some ten became jobs, and each was answered alike."""
    server_port = ports.port(sandbox, f"{SUITE}-slurmrestd")
    with fronted(sandbox, server_port) as patient, fronted(sandbox, server_port, server_seconds=0.001) as made:
        for _ in range(20):
            async with made.port() as port:
                error = await error_of(port.submit_held(made.request(), comment="[marker]"))
            assert isinstance(error, OutcomeUnknown), error
            assert error.status == 504
        async with patient.port() as port:
            found: list[JobRecord] = []
            async with asyncio.timeout(20):
                while not found:
                    await asyncio.sleep(0.1)
                    found = list(await port.search(name=made.name, since=int(time.time()) - 60))
            for one in found:
                await port.cancel(one.job_id)
    assert {(one.comment, one.held) for one in found} == {("[marker]", True)}


async def test_slurmrestd_dies_while_it_has_a_request(sandbox: Paths) -> None:
    """haproxy cuts the connection of some requests with a body instead of answering 502 (its log: -1, SD)."""
    with (
        own_slurmrestd(sandbox, SUITE, f"front-{secrets.token_hex(4)}") as (server_port, slurmrestd),
        fronted(sandbox, server_port) as made,
    ):
        for change in (False, True):
            async with made.port() as port:
                pause(slurmrestd)
                call = port.submit_held(made.request(), comment="[marker]") if change else port.job(1)
                asked = asyncio.create_task(error_of(call))
                await _arrived(server_port)
                kill(slurmrestd)
                error = await asked
            assert isinstance(error, OutcomeUnknown if change else Unavailable)
            assert error.status == 502 or change, error
            start(slurmrestd)


def _connections() -> str:
    return Path("/proc/net/tcp").read_text()


async def _arrived(port: int) -> None:
    """Until the kernel keeps bytes for whoever listens there and does not read."""
    ours = f":{port:04X}"
    async with asyncio.timeout(10):
        while True:
            rows = [line.split() for line in _connections().splitlines()[1:]]
            if any(row[1].endswith(ours) and row[3] == "01" and not row[4].endswith(":00000000") for row in rows):
                return
            await asyncio.sleep(0.01)


async def test_its_certificate_is_renewed_under_requests(sandbox: Paths) -> None:
    with fronted(sandbox, ports.port(sandbox, f"{SUITE}-slurmrestd")) as made:
        async with made.port() as port:
            await port.info()
            old = front.shown(made.front)
            renewing = asyncio.create_task(asyncio.to_thread(front.renew_certificate, made.paths, made.front))
            asked = 0
            while not renewing.done():
                assert (await port.states([1])) == {1: frozenset()}
                asked += 1
            await renewing
            assert (await port.states([1])) == {1: frozenset()}
        assert front.shown(made.front) != old
        assert asked > 1
