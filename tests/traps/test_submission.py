"""TRAPS S0 to S5 and POISON: what slurmrestd takes, refuses and answers of a submission.

Each is shown on the daemon that has it, and then met by our client: with the defence, and with it taken away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from pydantic.alias_generators import to_snake

from sandboxlib.daemons import is_running
from sandboxlib.slurm_suites import SUITES
from slurmjob_operator.api.template import JobTemplate
from slurmjob_operator.sbatch import job
from slurmjob_operator.sbatch.settings import Setting
from slurmjob_operator.sbatch.value import Release
from slurmjob_operator.slurm.calling import Caller, checked
from slurmjob_operator.slurm.classify import Operation
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.dialects import DIALECTS
from slurmjob_operator.slurm.errors import Refused, SlurmError
from slurmjob_operator.slurm.http import Reply
from slurmjob_operator.slurm.request import JobRequest, Target
from slurmjob_operator.slurm.template import InvalidTemplate, build_request, components
from tests.openapi.sent import Sent, sending
from tests.real.own_slurmrestd import own_slurmrestd
from tests.traps.defended import defended
from tests.traps.slurm import SCRIPT, Slurm, changed

Suites = Callable[[str], Slurm]
ALL_SUITES = pytest.mark.parametrize("suite", ["bookworm", "trixie", "forky"])
OLDEST = pytest.mark.parametrize("suite", ["bookworm"])
NEWER = pytest.mark.parametrize("suite", ["trixie", "forky"])


def by_code_and_errors(patch: pytest.MonkeyPatch) -> None:
    """An answer to a submission is a success where code and errors say so, and a job then, whatever its id."""
    send = Caller.send

    async def believing(self: Caller, method: str, path: str, **how: Any) -> Reply:
        reply = await send(self, method, path, **how)
        if how["operation"] is not Operation.SUBMIT:
            return reply
        body = checked(reply, Operation.SUBMIT)
        return replace(reply, body={**body, "job_id": body.get("job_id") or 1})

    patch.setattr(Caller, "send", believing)


# --- S0 -------------------------------------------------------------------------------------------------------


def with_a_charset(patch: pytest.MonkeyPatch) -> None:
    """As many clients say it."""
    build = httpx.AsyncClient.build_request

    def named(self: httpx.AsyncClient, *words: Any, **how: Any) -> httpx.Request:
        request = build(self, *words, **how)
        if "Content-Type" in request.headers:
            request.headers["Content-Type"] += "; charset=utf-8"
        return request

    patch.setattr(httpx.AsyncClient, "build_request", named)


async def _submits(there: Slurm) -> bool:
    async with there.port() as port:
        try:
            return (await port.submit_held(there.request(), comment="x")).job_id > 0
        except SlurmError:
            return False


@ALL_SUITES
async def test_trap_s0_the_content_type_to_the_letter(
    slurm: Suites, suite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = slurm(suite)
    assert there.submit({}, content_type="application/json; charset=utf-8").status_code in (400, 415)

    await defended(monkeypatch, probe=partial(_submits, there), without=with_a_charset)


# --- S1, S2, S3 -----------------------------------------------------------------------------------------------


@OLDEST
async def test_trap_s1_errors_beside_a_job_id_are_a_success(
    slurm: Suites, suite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = slurm(suite)
    shown = there.submit({})
    assert (shown.status_code, shown.json()["job_id"] > 0, bool(shown.json()["errors"])) == (200, True, True)

    await defended(monkeypatch, probe=partial(_submits, there), without=by_code_and_errors)


@NEWER
async def test_trap_s2_success_without_a_job_id_submitted_nothing(
    slurm: Suites, suite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = slurm(suite)
    shown = there.submit({"tasks": "abc"})
    assert (shown.status_code, shown.json()["errors"], shown.json().get("job_id")) == (200, [], None)

    async def garbled(request: httpx.Request) -> None:
        if request.url.path.endswith("/job/submit"):
            changed(request, {"tasks": "abc"})

    async def probe() -> bool:
        async with there.port(between=garbled) as port:
            try:
                await port.submit_held(there.request(), comment="x")
            except Refused:
                return True
            return False

    await defended(monkeypatch, probe=probe, without=by_code_and_errors)


@pytest.mark.parametrize(
    ("suite", "version"), [("trixie", "v0.0.41"), ("trixie", "v0.0.42"), ("forky", "v0.0.42"), ("forky", "v0.0.45")]
)
async def test_trap_s3_an_error_500_beside_a_job_id_has_submitted(
    slurm: Suites, suite: str, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = slurm(suite)
    unknown_word = {"mail_type": ["NOSUCH"]}
    shown = there.submit(unknown_word, version=version)
    assert shown.status_code >= 400
    assert shown.json()["job_id"] > 0
    assert there.ask("GET", f"slurm/{version}/job/{shown.json()['job_id']}").json()["jobs"][0]["name"] == there.name

    async def garbled(request: httpx.Request) -> None:
        if request.url.path.endswith("/job/submit"):
            changed(request, unknown_word)

    async def probe() -> bool:
        async with there.port(version=version, between=garbled) as port:
            try:
                return (await port.submit_held(there.request(), comment="x")).job_id > 0
            except SlurmError:
                return False

    await defended(monkeypatch, probe=probe, without=by_code_and_errors)


# --- S4, POISON: keys that kill slurmrestd -------------------------------------------------------------------


def always_with(**keys: Any) -> Callable[[pytest.MonkeyPatch], None]:
    """Every dialect sends these keys where it has no value for them."""

    def without(patch: pytest.MonkeyPatch) -> None:
        for version, dialect in tuple(DIALECTS.items()):

            def encode(request: Any, *, _encode: Any = dialect.encode, **how: Any) -> dict[str, Any]:
                body: dict[str, Any] = _encode(request, **how)
                return {**body, "job": {**keys, **body["job"]}}

            patch.setitem(DIALECTS, version, replace(dialect, encode=encode))

    return without


FIELDS: dict[str, Any] = {"script": SCRIPT, "chdir": "/tmp"}  # noqa: S108 - of the node
TEMPLATES: tuple[dict[str, Any], ...] = ({}, {"output": "o"}, {"output": "none", "error": "e"}, {"nodes": 2, "mem": 0})


def built(template: dict[str, Any], *, version: str) -> JobRequest:
    """The request for a template, as the engine makes it."""
    release = next((suite.release for suite in SUITES.values() if version in suite.api_versions), "23.02.0")
    target = Target.of(release=release, api_version=version)
    parsed = JobTemplate.model_validate({**FIELDS, **template})
    return build_request(parsed, components(parsed, target=target)[0], name="n", target=target)


async def submitted(version: str) -> list[dict[str, Any]]:
    """The jobs of some submissions, as they leave."""
    found: list[Sent] = []
    for template in TEMPLATES:
        request = built(template, version=version)
        found += await sending(version, partial(SlurmrestdClient.submit_held, request=request, comment="c"))
    return [request.body["job"] for request in found if request.body is not None]


@OLDEST
async def test_trap_s4_argv_kills_slurmrestd(slurm: Suites, suite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there = slurm(suite)
    with own_slurmrestd(there.paths, suite, there.name) as (port, daemon):
        url = f"http://127.0.0.1:{port}"
        assert there.submit({}, url=url).json()["job_id"] > 0
        with pytest.raises(httpx.RemoteProtocolError):
            there.submit({"argv": ["a"]}, url=url)
        there.until(lambda: not is_running(daemon))

    async def probe() -> bool:
        jobs = [job for version in DIALECTS for job in await submitted(version)]
        return bool(jobs) and all("argv" not in job for job in jobs)

    await defended(monkeypatch, probe=probe, without=always_with(argv=["script"]))


FILES = ("standard_input", "standard_output", "standard_error")


async def test_trap_poison_an_empty_file_name_kills_slurmrestd_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not shown here: whoever then reads a job of 24.11 loses slurmrestd, and others use it at the same time."""
    assert built({"output": ""}, version="v0.0.42").options["output"] == "/tmp/"  # noqa: S108 - of the node

    async def probe() -> bool:
        jobs = [job for version in DIALECTS for job in await submitted(version)]
        return bool(jobs) and all(job.get(name) != "" for job in jobs for name in FILES)

    await defended(monkeypatch, probe=probe, without=always_with(**dict.fromkeys(FILES, "")))


# --- S5 -------------------------------------------------------------------------------------------------------


def unchecked(patch: pytest.MonkeyPatch) -> None:
    """Whatever stands in a template is taken as it is."""

    def taken(_name: str, setting: Setting, *, release: Release) -> int | str:
        del release
        return int(setting.text) if setting.text.lstrip("-").isdecimal() else setting.text

    patch.setattr(job, "value_of", taken)
    patch.setattr(JobTemplate, "model_validate", lambda raw: JobTemplate.model_construct(**_by_attribute(raw)))


def _by_attribute(raw: dict[str, Any]) -> dict[str, Any]:
    return {to_snake(name): value for name, value in raw.items()}


@NEWER
@pytest.mark.parametrize(("key", "field", "value"), [("tasks", "ntasks", -1), ("cpus_per_task", "cpusPerTask", -5)])
async def test_trap_s5_values_out_of_all_bounds_are_taken(
    slurm: Suites, suite: str, key: str, field: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = slurm(suite)
    shown = there.submit({key: value})
    assert (shown.status_code, shown.json()["job_id"] > 0) == (200, True)

    async def probe() -> bool:
        try:
            request = built({field: value}, version=there.version)
        except (InvalidTemplate, ValidationError):
            return True
        call = partial(SlurmrestdClient.submit_held, request=request, comment="c")
        return all((one.body or {})["job"].get(key) != value for one in await sending(there.version, call))

    await defended(monkeypatch, probe=probe, without=unchecked)
