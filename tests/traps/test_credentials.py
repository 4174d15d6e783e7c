"""TRAPS V1 and J1 to J3: which API version, and whose word a token is.

Each is shown on the daemon that has it, and then met by our client: with the defence, and with it taken away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from sandboxlib.slurm_suites import SUITES
from slurmjob_operator.slurm import classify, discovery
from slurmjob_operator.slurm.calling import Caller
from slurmjob_operator.slurm.discovery import AUTO
from slurmjob_operator.slurm.errors import (
    CredentialsRejected,
    NotSupported,
    SlurmError,
    Unavailable,
)
from slurmjob_operator.slurm.finding import Finder
from slurmjob_operator.slurm.token import InvalidToken, parse_token
from tests.traps.defended import Without, defended
from tests.traps.slurm import Slurm

Suites = Callable[[str], Slurm]
ALL_SUITES = pytest.mark.parametrize("suite", ["bookworm", "trixie", "forky"])


# --- V1 -------------------------------------------------------------------------------------------------------


def test_no_api_version_is_common_to_all_three() -> None:
    assert set.intersection(*(set(suite.api_versions) for suite in SUITES.values())) == set()


@ALL_SUITES
async def test_trap_v1_the_version_is_found(slurm: Suites, suite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there = slurm(suite)
    other = "v0.0.45" if suite != "forky" else "v0.0.38"
    shown = there.ask("GET", f"slurm/{other}/diag")
    assert (shown.status_code, shown.headers["Content-Type"].partition(";")[0]) == (404, "text/plain")

    async def probe() -> bool:
        async with there.port(version=AUTO) as port:
            try:
                info = await port.info()
            except NotSupported:
                return False
            accepted = await port.submit_held(there.request(), comment="x")
            return info.api_version == there.version and accepted.job_id > 0

    await defended(
        monkeypatch,
        probe=probe,
        without=lambda patch: patch.setattr(discovery, "FOUND_BY_ITSELF", (other,)),
    )


# --- J1 -------------------------------------------------------------------------------------------------------


def only_a_401_is_a_refused_token(patch: pytest.MonkeyPatch) -> None:
    by_status = classify._by_status

    def as_documented(operation: Any, status: int, *, answered_by_slurm: bool) -> type[SlurmError]:
        if status == 401:
            return CredentialsRejected
        return by_status(operation, 500 if status == 511 else status, answered_by_slurm=answered_by_slurm)

    patch.setattr(classify, "TABLE", {})
    patch.setattr(classify, "HUNG_UP", None)
    patch.setattr(classify, "_by_status", as_documented)


def slurmdbd_is_not_asked(patch: pytest.MonkeyPatch) -> None:
    async def unasked(self: Caller, error: SlurmError) -> SlurmError:
        return error

    patch.setattr(Caller, "_seen_by_slurmdbd", unasked)


@pytest.mark.parametrize(
    ("suite", "without"),
    [
        ("bookworm", slurmdbd_is_not_asked),
        ("trixie", only_a_401_is_a_refused_token),
        ("forky", only_a_401_is_a_refused_token),
    ],
)
async def test_trap_j1_a_bad_token_is_no_401(
    slurm: Suites, suite: str, without: Without, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = slurm(suite)
    shown = there.ask("GET", f"slurm/{there.version}/diag", token=there.token(good=False))
    assert shown.status_code in (500, 511)

    async def probe() -> bool:
        async with there.port(good=False) as port:
            try:
                await port.info()
            except CredentialsRejected:
                return True
            except Unavailable:
                return False
        return False

    await defended(monkeypatch, probe=probe, without=without)


@pytest.mark.parametrize("suite", ["bookworm"])
async def test_trap_j1_a_controller_that_hung_up_looks_like_a_bad_token(
    slurm: Suites, suite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a submission with a bad token is told is put in the place of slurmctld's answers to a good one."""
    there = slurm(suite)
    refused = there.submit({}, token=there.token(good=False))
    assert (refused.status_code, refused.json()["errors"][0]["error_code"]) == (500, 5005)

    async def hung_up(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.startswith("/slurm/"):
            return None
        return httpx.Response(refused.status_code, content=refused.content)

    async def probe() -> bool:
        async with there.port(between=hung_up) as port:
            try:
                await port.job(1)
            except Unavailable:
                return True
            except CredentialsRejected:
                return False
        return False

    await defended(monkeypatch, probe=probe, without=slurmdbd_is_not_asked)


# --- J2 -------------------------------------------------------------------------------------------------------


@ALL_SUITES
@pytest.mark.parametrize("user", ["root", "slurm"])
async def test_trap_j2_a_privileged_token_acts_as_anybody(
    slurm: Suites, suite: str, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = slurm(suite)
    shown = there.submit({}, token=there.token(user), user="alice")
    raw = there.ask("GET", f"slurm/{there.version}/job/{shown.json()['job_id']}").json()["jobs"][0]
    assert raw["user_name"] == "alice"

    async def probe() -> bool:
        try:
            there.parsed(there.token(user))
        except InvalidToken:
            return True
        return False

    await defended(
        monkeypatch,
        probe=probe,
        without=lambda patch: patch.setattr(parse_token, "__kwdefaults__", {"privileged": frozenset()}),
    )


# --- J3 -------------------------------------------------------------------------------------------------------


def ping_is_asked(patch: pytest.MonkeyPatch) -> None:
    read = Caller.read

    async def pinging(self: Caller, path: str, **how: Any) -> Mapping[str, Any]:
        return await read(self, "ping" if path == "diag" else path, **how)

    patch.setattr(Caller, "read", pinging)


@pytest.mark.parametrize("suite", ["trixie", "forky"])
async def test_trap_j3_ping_proves_nothing(slurm: Suites, suite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there = slurm(suite)
    assert there.ask("GET", f"slurm/{there.version}/ping", token=there.token(good=False)).status_code == 200

    async def probe() -> bool:
        async with there.port(good=False) as port:
            try:
                await port.info()
            except CredentialsRejected:
                return True
        return False

    await defended(monkeypatch, probe=probe, without=ping_is_asked)


class Anybody(str):
    """A user that every user is."""

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True


@ALL_SUITES
async def test_trap_j3_everybody_reads_everybodys_jobs(
    slurm: Suites, suite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without slurmdbd's filter by user, too (22.05 has none)."""
    there = slurm(suite)
    job_id = there.submit({}).json()["job_id"]
    assert there.ask("GET", f"slurm/{there.version}/job/{job_id}", user="bob").json()["jobs"][0]["user_name"] == "alice"

    async def without_slurmdbd(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(404, text="not here") if request.url.path.startswith("/slurmdb/") else None

    async def probe() -> bool:
        async with there.port("bob", between=without_slurmdbd) as port:
            await port.info()
            return await port.search(name=there.name, since=1) == ()

    await defended(
        monkeypatch,
        probe=probe,
        without=lambda patch: patch.setattr(Finder, "user", property(lambda self: Anybody("bob"))),
    )
