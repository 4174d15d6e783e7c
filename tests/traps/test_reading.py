"""TRAPS Q1 to Q3, A1, A2, F3, F4, P1 and P2: what slurmrestd tells of jobs, and what it costs to ask.

Each is shown on the daemon that has it where that hurts nobody, and then met by our client: with the defence, and with
it taken away.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from slurmjob_operator.api.conditions import Reason
from slurmjob_operator.api.status import SlurmView
from slurmjob_operator.core import identity, states
from slurmjob_operator.core.identity import Identity, identify
from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.core.times import rfc3339
from slurmjob_operator.slurm import classify, finding
from slurmjob_operator.slurm.calling import Caller
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.dialects import DIALECTS
from slurmjob_operator.slurm.error_numbers import TABLE
from slurmjob_operator.slurm.errors import OutcomeUnknown, SlurmError, Unavailable
from slurmjob_operator.slurm.finding import Finder
from slurmjob_operator.slurm.http import Manner, SlurmrestdServer
from slurmjob_operator.slurm.shared import ServerLimits, Shared
from slurmjob_operator.slurm.turns import Limits
from tests.openapi.sent import Call, sending
from tests.traps.defended import defended
from tests.traps.slurm import Slurm
from tests.unit.core import values
from tests.unit.slurm.answers import always, client

Suites = Callable[[str], Slurm]
ALL_SUITES = pytest.mark.parametrize("suite", ["bookworm", "trixie", "forky"])
Patch = pytest.MonkeyPatch


# --- Q1 -------------------------------------------------------------------------------------------------------


def only_what_is_new(patch: Patch) -> None:
    read = Caller.read

    async def since(self: Caller, path: str, **how: Any) -> Mapping[str, Any]:
        return await read(self, path, **({**how, "query": [("update_time", "1")]} if path == "jobs" else how))

    patch.setattr(Caller, "read", since)


async def test_trap_q1_nobody_asks_for_what_is_new(monkeypatch: Patch) -> None:
    """`update_time` is all jobs or none, and all each time where a scheduler has passed."""
    calls: list[Call] = [
        partial(SlurmrestdClient.search, name="n", since=1),
        partial(SlurmrestdClient.states, job_ids=[1, 2]),
    ]

    async def probe() -> bool:
        asked = [
            request
            for version in DIALECTS
            for call in calls
            for request in await sending(version, call, slurmdbd=False)
        ]
        listings = [request for request in asked if request.path.endswith("/jobs")]
        return len(listings) == len(DIALECTS) and all("update_time" not in request.query for request in asked)

    await defended(monkeypatch, probe=probe, without=only_what_is_new)


# --- Q2 -------------------------------------------------------------------------------------------------------


def by_exit_code(record: JobRecord) -> states.End:
    """As a shell would judge."""
    return states.End(succeeded=record.exit_code == 0, reason=Reason.COMPLETED, message="")


@ALL_SUITES
async def test_trap_q2_the_state_alone_decides(slurm: Suites, suite: str, monkeypatch: Patch) -> None:
    """A job that was cancelled before it began carries exit code 0."""
    there = slurm(suite)
    job_id = there.submit({}).json()["job_id"]
    there.ask("DELETE", f"slurm/{there.version}/job/{job_id}")
    async with there.port() as port:
        record = await port.job(job_id)
    assert (set(record.states), record.exit_code) == ({"CANCELLED"}, 0)

    async def probe() -> bool:
        return not states.end_of(record).succeeded

    await defended(monkeypatch, probe=probe, without=lambda patch: patch.setattr(states, "end_of", by_exit_code))


# --- Q3 -------------------------------------------------------------------------------------------------------


@ALL_SUITES
async def test_trap_q3_a_requeue_moves_the_submit_time(slurm: Suites, suite: str, monkeypatch: Patch) -> None:
    there = slurm(suite)
    async with there.port() as port:
        request = replace(there.request(requeue=True), script="#!/bin/sh\nsleep 60\n")
        job_id = (await port.submit_held(request, comment="no marker")).job_id
        await port.release(job_id, comment="no marker")
        before = await _until(port, job_id, lambda record: "RUNNING" in record.states)
        there.until(lambda: time.time() >= (before.submit_time or 0) + 1.1)
        there.inside("scontrol", "requeue", str(job_id))
        after = await _until(port, job_id, lambda record: record.submit_time != before.submit_time)
    assert before.submit_time is not None
    assert ("PENDING" in after.states, after.restarts) == (True, 1)
    status = replace(
        values.recorded(),
        attempt_time=rfc3339(before.submit_time - 60),
        submit_time=rfc3339(before.submit_time),
        slurm=SlurmView(restarts=0),
    )
    view = values.view(status, slurm_name=there.name)

    async def probe() -> bool:
        return identify(view, after) is Identity.OURS

    def the_same_time(view: Any, submit_time: int, restarts: int) -> bool:
        return submit_time == before.submit_time

    await defended(
        monkeypatch, probe=probe, without=lambda patch: patch.setattr(identity, "_submit_time_matches", the_same_time)
    )


async def _until(port: SlurmrestdClient, job_id: int, what: Callable[[JobRecord], bool]) -> JobRecord:
    async with asyncio.timeout(30):
        while True:
            record = await port.job(job_id)
            if what(record):
                return record
            await asyncio.sleep(0.1)


# --- A1, A2 ---------------------------------------------------------------------------------------------------


def by_start_time(patch: Patch) -> None:
    ask = Caller.ask_slurmdbd

    async def started(self: Caller, path: str, *, query: Any = ()) -> Mapping[str, Any]:
        return await ask(
            self, path, query=[("start_time" if name == "submit_time" else name, value) for name, value in query]
        )

    patch.setattr(Caller, "ask_slurmdbd", started)


ALL_SUITES_AT_ONCE = pytest.mark.parametrize("suite", ["bookworm", "trixie", "forky"], scope="module")
"""One job for all the tests of a suite: on 22.05 slurmdbd hears of a held one seconds later."""


@ALL_SUITES_AT_ONCE
async def test_trap_a1_a_window_of_start_times_misses_held_jobs(
    accounted: tuple[Slurm, int], monkeypatch: Patch
) -> None:
    there, job_id = accounted
    assert (len(there.accounted("start_time")), len(there.accounted("submit_time"))) == (0, 1)

    async def probe() -> bool:
        async with there.port() as port:
            found = await port.search(name=there.name, since=int(time.time()) - 3600)
            return [record.job_id for record in found] == [job_id]

    await defended(monkeypatch, probe=probe, without=by_start_time)


@ALL_SUITES_AT_ONCE
async def test_trap_a2_slurmdbd_learns_the_comment_at_the_end(accounted: tuple[Slurm, int], monkeypatch: Patch) -> None:
    there, _ = accounted
    assert [row["comment"]["job"] or "" for row in there.accounted("submit_time")] == [""]

    async def probe() -> bool:
        async with there.port() as port:
            found = await port.search(name=there.name, since=int(time.time()) - 3600)
            return [record.comment for record in found] == ["[marker]"]

    async def slurmdbds(self: Finder, known: JobRecord) -> JobRecord:
        return known

    await defended(monkeypatch, probe=probe, without=lambda patch: patch.setattr(Finder, "_job_or", slurmdbds))


# --- F3, F4 ---------------------------------------------------------------------------------------------------


async def test_trap_f3_of_several_records_the_oldest_comes_first(monkeypatch: Patch) -> None:
    """Not shown here: ids must go round for it. An id that was somebody else's, ours that Slurm ran again, and ours."""
    began = int(values.OPENED) + 10
    stranger = values.told({"COMPLETED"}, user="bob", submit_time=began - 86_400)
    first = values.told({"NODE_FAIL"}, submit_time=began)
    second = values.told({"COMPLETED"}, submit_time=began + 600)
    view = values.view(replace(values.recorded(), submit_time=rfc3339(began)))

    async def probe() -> bool:
        return identity.newest_of_ours(view, (stranger, first, second)) is second

    await defended(
        monkeypatch,
        probe=probe,
        without=lambda patch: patch.setattr(identity, "newest_of_ours", lambda _view, records: records[0]),
    )


async def test_trap_f4_a_403_on_a_cancel_may_be_a_controller_that_is_down(monkeypatch: Patch) -> None:
    """Not shown here: it would take slurmctld from others. The answer is as 26.05 gives it then."""
    error = {"error_number": 1, "error": "Operation not permitted", "description": "x", "source": "x"}

    async def probe() -> bool:
        try:
            await always(403, {"errors": [error]}).cancel(7)
        except SlurmError as raised:
            return isinstance(raised, OutcomeUnknown)
        return False

    await defended(monkeypatch, probe=probe, without=lambda patch: patch.setattr(classify, "TABLE", {**TABLE, 1: None}))


# --- P1, P2 ---------------------------------------------------------------------------------------------------


class Everybody:
    """A lock that holds nobody back."""

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *_exc: object) -> None:
        return None


def listings_at_once(patch: Patch) -> None:
    patch.setattr(Shared, "listing", property(lambda _self: Everybody(), lambda _self, _value: None), False)


class ListOfJobs:
    """A Slurm without slurmdbd that has so many jobs; counts who reads the whole list at the same time."""

    def __init__(self, jobs: int) -> None:
        self.at_once = self.most = self.read = 0
        self._states = {"errors": [], "jobs": [{"job_id": str(number + 1), "state": []} for number in range(jobs)]}
        self._diag = {"errors": [], "statistics": {"jobs_pending": jobs, "jobs_running": 0}}

    async def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.startswith("/slurmdb/"):
            return httpx.Response(404, text="not here")
        if not path.endswith("/jobs"):
            return httpx.Response(200, json=self._diag if path.endswith("/diag") else self._states)
        self.read += 1
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        for _ in range(20):
            await asyncio.sleep(0)
        self.at_once -= 1
        return httpx.Response(200, json={"errors": [], "jobs": []})


VERSIONS = pytest.mark.parametrize("version", ["v0.0.38", "v0.0.40", "v0.0.45"])


@VERSIONS
async def test_trap_p1_never_two_lists_at_once(version: str, monkeypatch: Patch) -> None:
    """Not shown here: it costs gigabytes."""

    async def probe() -> bool:
        there = ListOfJobs(10)
        port = client(there.answer, api_version=version)
        await port.info()
        await asyncio.gather(*(port.search(name="n", since=1) for _ in range(4)))
        return (there.read, there.most) == (4, 1)

    await defended(monkeypatch, probe=probe, without=listings_at_once)


@VERSIONS
async def test_trap_p1_never_a_long_list(version: str, monkeypatch: Patch) -> None:
    longest = finding.LONGEST_LISTING

    async def probe() -> bool:
        there = ListOfJobs(longest + 1)
        port = client(there.answer, api_version=version)
        await port.info()
        try:
            await port.search(name="n", since=1)
        except Unavailable:
            return there.read == 0
        return False

    await defended(monkeypatch, probe=probe, without=lambda patch: patch.setattr(finding, "LONGEST_LISTING", 10**9))


def _sockets_to(port: int) -> int:
    """Established connections of this process to a port of this machine."""
    own = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            own.add(str(descriptor.readlink()))
        except OSError:
            continue
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(
        int(row[2].rpartition(":")[2], 16) == port and row[3] == "01" and f"socket:[{row[9]}]" in own for row in rows
    )


@ALL_SUITES
async def test_trap_p2_slurmrestd_has_few_connections_and_keeps_idle_ones(
    slurm: Suites, suite: str, monkeypatch: Patch
) -> None:
    """Not shown here: the 125th client of this slurmrestd would be somebody's."""
    there = slurm(suite)
    number = httpx.URL(there.url).port
    assert number is not None

    async def probe() -> bool:
        async with there.port() as port:
            await asyncio.gather(*(port.accounting_backlog() for _ in range(60)))
            return 1 <= _sockets_to(number) <= 8

    await defended(monkeypatch, probe=probe, without=with_forty_sockets)


def with_forty_sockets(patch: Patch) -> None:
    """No limit of a server's or a connection's keeps them few."""
    patch.setattr(Shared.__init__, "__defaults__", (ServerLimits(sockets=40),))
    defaults = SlurmrestdServer.__init__.__kwdefaults__ or {}
    wide = Manner(limits=Limits(in_flight=40))
    patch.setattr(SlurmrestdServer.__init__, "__kwdefaults__", {**defaults, "manner": wide})
