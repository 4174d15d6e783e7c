"""What we make of a script: the body of job/submit that the table gives, and slurmrestd's answer to it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from sandboxlib import slurm_cluster
from sandboxlib.paths import Paths
from sandboxlib.slurm_suites import SUITES
from slurmjob_operator.api.connection import JobDefaults
from slurmjob_operator.api.template import JobTemplate
from slurmjob_operator.sbatch.value import Release
from slurmjob_operator.slurm.dialects import DIALECTS
from slurmjob_operator.slurm.http import Reply, SlurmrestdServer
from slurmjob_operator.slurm.request import Target
from slurmjob_operator.slurm.template import InvalidTemplate, Wanted, build_request, components
from slurmjob_operator.slurm.token import SlurmToken, parse_token
from tests.differential.cases import HOME, Case, Held, Outcome, Refused
from tests.differential.reasons import SLURMCTLD, SLURMRESTD, of_ours

AT_ONCE: Final = 4
PART_OF_THE_SAME: Final = 5
CRASHED: Final = "our code crashed:"
FILES: Final = ("standard_output", "standard_error", "standard_input")
DEFAULTS: Final = JobDefaults.model_validate({"chdir": HOME})

Body = Mapping[str, Any]


def release_of(suite: str) -> Release:
    """E.g. `Release(24, 11)` of trixie."""
    year, month = SUITES[suite].release.split(".")
    return Release(int(year), int(month))


async def submit(paths: Paths, suite: str, cases: Sequence[Case], *, version: str) -> dict[str, Outcome]:
    """By name what becomes of each script, submitted as alice over this API version."""
    token = parse_token(slurm_cluster.token(paths, suite, user="alice", lifespan=600).encode())
    server = SlurmrestdServer(slurm_cluster.rest_url(paths, suite), allow_plain_http=True)
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(case: Case) -> Outcome:
        try:
            body = body_of(case, release=release_of(suite), version=version)
        except (InvalidTemplate, ValidationError) as error:
            return Refused(reason=of_ours(error), text=str(error))
        except Exception as error:  # any script may be read, so whatever else comes is a finding
            return Refused(reason=f"{CRASHED} {type(error).__name__}", text=repr(error))
        async with turns:
            return _outcome(await _posted(server, token, body, version=version))

    try:
        outcomes = await asyncio.gather(*(one(case) for case in cases))
    finally:
        await server.close()
    return {case.name: outcome for case, outcome in zip(cases, outcomes, strict=True)}


def telling(cases: Sequence[Case], *, release: Release, version: str, newest: str) -> list[Case]:
    """Those whose body is another one over this version than over the newest, or that only one of them refuses, and a
    part of the others: a version may take the same key in another way."""
    plain = Case(name="plain", script="#!/bin/sh\n")
    always = {key for key, _ in _differing(plain, release, version, newest)}
    return [
        case
        for at, case in enumerate(cases)
        if at % PART_OF_THE_SAME == 0 or {key for key, _ in _differing(case, release, version, newest)} - always
    ]


def _differing(case: Case, release: Release, *versions: str) -> set[tuple[str, str]]:
    """Keys of the bodies with values that not all of these versions have."""
    bodies = [_texts(case, release, version) for version in versions]
    return {pair for body in bodies for pair in body if any(pair not in other for other in bodies)}


def _texts(case: Case, release: Release, version: str) -> set[tuple[str, str]]:
    try:
        body = body_of(case, release=release, version=version)
    except Exception as error:  # as in `submit`
        return {("refused", of_ours(error))}
    return {(key, str(part[key])) for part in body.get("jobs") or [body["job"]] for key in part}


def body_of(case: Case, *, release: Release, version: str) -> Body:
    """The body of job/submit, made as the operator makes it of a SlurmJob; it would not send all of them yet.

    Raises `ValidationError` as the API server refuses, and `InvalidTemplate`.
    """
    target = Target(release=release, api_version=version)
    template = JobTemplate.model_validate({"script": case.script})
    parts = [
        _part(template, asked, name=case.name, target=target)
        for asked in components(template, target=target, defaults=DEFAULTS)
    ]
    if any(part.get(key) == "" for part in parts for key in FILES):
        raise AssertionError(f"{case.name}: an empty path kills slurmrestd of 24.11")
    return {"script": case.script, **({"job": parts[0]} if len(parts) == 1 else {"jobs": parts})}


def _part(template: JobTemplate, asked: Wanted, *, name: str, target: Target) -> Body:
    """The job, or a component of it, without the operator's marker."""
    request = build_request(
        template, asked, name=asked.text("job-name") or name, target=target, user="alice", defaults=DEFAULTS
    )
    encode = DIALECTS[target.api_version].encode
    comment, extra = asked.text("comment"), asked.text("extra")
    part: dict[str, Any] = encode(request, comment=comment or "", extra=extra, version=target.api_version)["job"]
    return part if comment is not None else {key: value for key, value in part.items() if key != "comment"}


async def _posted(server: SlurmrestdServer, token: SlurmToken, body: Body, *, version: str) -> Reply:
    return await server.request(
        "POST", f"/slurm/{version}/job/submit", token=token, timeout_seconds=60, changes=True, body=body
    )


def _outcome(reply: Reply) -> Outcome:
    """A job id counts whatever the status is; of errors the last that has a number of slurmctld's tells."""
    body = reply.body or {}
    job_id = body.get("job_id") or (body.get("result") or {}).get("job_id")
    if job_id:
        return Held(job_id=int(job_id), said="; ".join(_misunderstood(body)))
    errors = [error for error in body.get("errors") or () if isinstance(error, dict)]
    of_slurmctld = [error for error in errors if 1000 <= _number(error) < 9000]
    text = str(of_slurmctld[-1].get("error") or "") if of_slurmctld else f"{reply.status} {errors or reply.text}"
    return Refused(reason=(SLURMCTLD if of_slurmctld else SLURMRESTD) + text.strip(), text=str(errors))


def _number(error: Mapping[str, Any]) -> int:
    return int(error.get("error_number") or error.get("error_code") or 0)


def _misunderstood(body: Mapping[str, Any]) -> list[str]:
    """Warnings about a key of ours: it was ignored, or taken for something else."""
    warnings = [warning for warning in body.get("warnings") or () if isinstance(warning, dict)]
    return [str(w.get("description")) for w in warnings if str(w.get("source") or "").startswith("#/")]
