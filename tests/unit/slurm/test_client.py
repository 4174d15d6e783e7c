"""Discovery and what changes something, held against answers as the real daemons gave them; each trap by its name."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from slurmjob_operator.core.records import Accepted
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.dialects import family_v0040 as family
from slurmjob_operator.slurm.errors import (
    CredentialsRejected,
    JobNotFound,
    NotSupported,
    OutcomeUnknown,
    RateLimited,
    Refused,
    RefusedForNow,
    Unavailable,
)
from slurmjob_operator.slurm.request import JobRequest
from tests.unit.slurm.answers import META, TOKEN, always, client, error, page

REQUEST = JobRequest(script="#!/bin/sh\n", name="wing", chdir="/home/alice")


async def _submit(port: SlurmrestdClient) -> Any:
    return await port.submit_held(REQUEST, comment="[marker]")


# --- Dependencies -----------------------------------------------------------------------------------------


def _knows_job_12(asked: list[str], *, version: str) -> SlurmrestdClient:
    """It takes every submission."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path.rpartition('/')[2]}")
        if request.method == "POST":
            return httpx.Response(200, json={"job_id": 99, "errors": []})
        if request.url.path.endswith("/12"):
            return httpx.Response(200, json={"jobs": [{"job_id": 12, "user_name": "bob"}], "errors": []})
        return httpx.Response(500, json={"jobs": [], "errors": [error(2017)]})

    return client(answer, api_version=version)


@pytest.mark.parametrize(
    ("version", "dependency", "requests"),
    [
        ("v0.0.38", "", ["POST submit"]),
        ("v0.0.38", "singleton", ["POST submit"]),
        ("v0.0.38", "afterok:12", ["GET 12", "POST submit"]),
        ("v0.0.38", "afterok:12,afterany:12_3", ["GET 12", "POST submit"]),
        ("v0.0.38", "afterok:12:13:14", ["GET 12", "GET 13"]),
        ("v0.0.45", "afterok:13", ["POST submit"]),
    ],
)
async def test_a_job_that_is_waited_for_has_to_be_known_where_slurm_does_not_care(
    version: str, dependency: str, requests: list[str]
) -> None:
    asked: list[str] = []
    port = _knows_job_12(asked, version=version)
    request = replace(REQUEST, options={"dependency": dependency} if dependency else {})
    if "POST submit" in requests:
        assert (await port.submit_held(request, comment="[marker]")).job_id == 99
    else:
        with pytest.raises(Refused, match="slurmctld does not know job 13, and this release of Slurm would drop"):
            await port.submit_held(request, comment="[marker]")
    assert asked == requests


# --- Submitting -------------------------------------------------------------------------------------------


async def test_trap_s1_errors_beside_a_job_id_are_a_success() -> None:
    """22.05 puts these into errors, later releases into warnings; that it is held is what was asked for."""
    held, late = error(2042, "Job is in held state, pending scheduler release"), error(2015, "PartitionTimeLimit")
    assert await _submit(always(200, {"job_id": 7, "errors": [held]})) == Accepted(job_id=7)
    assert await _submit(always(200, {"job_id": 7, "errors": [late]})) == Accepted(job_id=7, messages=(late["error"],))
    body = {"job_id": 7, "errors": [], "warnings": [{"description": held["error"], "source": "x"}, {}]}
    assert await _submit(always(200, body)) == Accepted(job_id=7)


async def test_trap_s2_success_without_a_job_id_submitted_nothing() -> None:
    body = {"errors": [], "warnings": [{"description": 'Expected integer but got "abc"'}]}
    with pytest.raises(Refused, match="nothing was submitted: Expected integer"):
        await _submit(always(200, body))


@pytest.mark.parametrize("job_id", [0, None, -1, "x", {"set": False, "number": 0}])
async def test_trap_s2_without_a_reason_the_outcome_is_unknown(job_id: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        await _submit(always(200, {"errors": [], "job_id": job_id}))


@pytest.mark.parametrize("place", [{"job_id": 7}, {"result": {"job_id": 7, "error_code": 9207}}])
async def test_trap_s3_an_error_500_beside_a_job_id_is_a_success(place: dict[str, Any]) -> None:
    """The job is in the queue; another submission would be a duplicate."""
    accepted = await _submit(always(500, {**place, "errors": [error(9207, "Unknown flag")]}))
    assert (accepted.job_id, accepted.messages) == (7, ("Unknown flag",))


@pytest.mark.parametrize("place", [{"job_id": 7}, {"result": {"job_id": 7}}, {"job_id": "7"}])
async def test_where_the_job_id_stands(place: dict[str, Any]) -> None:
    assert (await _submit(always(200, place))).job_id == 7


async def test_the_sites_own_words_are_kept() -> None:
    accepted = await _submit(always(200, {"job_id": 7, "job_submit_user_msg": "Use QOS long", "errors": []}))
    assert accepted.messages == ("Use QOS long",)


@pytest.mark.parametrize(
    ("status", "errors", "kind"),
    [
        (500, [error(2000, "Invalid partition name specified")], Refused),
        (500, [error(2050, "Job violates accounting/QOS policy")], RefusedForNow),
        (500, [error(1800, "Unable to contact slurm controller")], OutcomeUnknown),
        (511, [error(1007, "Protocol authentication error")], CredentialsRejected),
        (502, [error(1800, "Unable to contact slurm controller")], OutcomeUnknown),
        (504, [error(5004, "Socket timed out on send/recv operation")], OutcomeUnknown),
        (500, [error(5005, "Zero Bytes were transmitted or received")], OutcomeUnknown),
        (422, [error(2072, "Invalid generic resource (gres) specification")], Refused),
        (500, [], OutcomeUnknown),
        (429, [], RateLimited),
        (401, [], CredentialsRejected),
    ],
)
async def test_trap_f1_what_is_known_of_a_submission(status: int, errors: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind) as failure:
        await _submit(always(status, {"errors": errors}))
    assert type(failure.value) is kind


UNSPECIFIED = "Unspecified error"


@pytest.mark.parametrize(
    ("status", "errors", "kind"),
    [
        (500, [error(-1, UNSPECIFIED)], Refused),
        (500, [{"error_code": -1, "error": UNSPECIFIED}], Refused),
        (500, [{"error_code": -1, "error": UNSPECIFIED}, {"error_code": 2050, "error": "limit"}], RefusedForNow),
        (500, [error(12345, "Unknown error 12345")], Refused),
        (500, [error(12345, "Unknown error 12346")], OutcomeUnknown),
        (500, [error(12345, "The new network is gone")], OutcomeUnknown),
        (500, [error(104, "Connection reset by peer")], OutcomeUnknown),
        (422, [error(2045, "Invalid account or account/partition combination specified")], Refused),
        (500, [error(7405, "Lua function execution failed due to runtime error")], Refused),
    ],
)
async def test_a_plug_in_of_the_site_refuses_a_submission(status: int, errors: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind) as failure:
        await _submit(always(status, {"errors": errors}))
    assert type(failure.value) is kind


@pytest.mark.parametrize(
    ("status", "number", "words", "kind"),
    [
        (500, -1, UNSPECIFIED, Refused),
        (500, 12345, "Unknown error 12345", Refused),
        (500, 2045, "Invalid account", Refused),
        (500, 1000, "Unexpected message received", OutcomeUnknown),
        (504, 5004, "Socket timed out on send/recv operation", OutcomeUnknown),
        (200, -1, UNSPECIFIED, OutcomeUnknown),
    ],
)
async def test_a_plug_in_of_the_site_refuses_an_update(
    status: int, number: int, words: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind) as failure:
        await always(status, {"errors": [error(number, words)]}).release(7, comment="c")
    assert type(failure.value) is kind


@pytest.mark.parametrize("number", [-1, 12345])
async def test_no_plug_in_is_asked_of_a_cancellation(number: int) -> None:
    with pytest.raises(OutcomeUnknown):
        await always(500, {"errors": [error(number, f"Unknown error {number}")]}).cancel(7)


async def test_a_refusal_without_a_reason_names_who_has_it() -> None:
    body = {"errors": [error(-1, UNSPECIFIED)], "job_submit_user_msg": "Not in the afternoon"}
    with pytest.raises(Refused, match="job_submit plug-in") as failure:
        await _submit(always(500, body))
    assert "[Slurm error -1]" in str(failure.value)
    assert str(failure.value).endswith("The site says: Not in the afternoon")
    assert "cannot talk to each other" not in str(failure.value)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, OutcomeUnknown), (302, OutcomeUnknown), (408, OutcomeUnknown), (502, OutcomeUnknown), (404, NotSupported)],
)
async def test_a_proxys_page_is_no_word_about_a_change(status: int, kind: type[Exception]) -> None:
    """Above all is it no success. Only a path that is not there is known to have done nothing."""
    for attempt in (_submit(page(status)), page(status).cancel(7), page(status).release(7, comment="c")):
        with pytest.raises(kind) as failure:
            await attempt
        assert type(failure.value) is kind


@pytest.mark.parametrize("version", family.VERSIONS)
async def test_trap_s0_s4_what_is_sent_to_submit(version: str) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"job_id": 7, "errors": []})

    await _submit(client(answer, api_version=version))
    (request,) = seen
    assert (request.method, request.url.path) == ("POST", f"/slurm/{version}/job/submit")
    assert request.headers["content-type"] == "application/json"
    body = json.loads(request.content)
    assert (body["job"]["hold"], body["job"]["comment"]) == (True, "[marker]")
    assert "argv" not in body["job"]
    assert body == family.encode(REQUEST, comment="[marker]", version=version)


async def test_who_asks_and_how_long_an_answer_may_take() -> None:
    """slurmrestd needs up to 20 s to say that slurmctld is away, and both names in its headers."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.extensions["timeout"]["read"] > 20
        assert request.headers["x-slurm-user-name"] == "alice"
        assert request.headers["x-slurm-user-token"] == TOKEN.reveal()
        return httpx.Response(200, json={"meta": META, "errors": []})

    port = client(answer)
    await port.info()
    assert port.user == "alice"


async def test_slurms_words_and_number_reach_the_user() -> None:
    row = {"error_number": 2000, "error": "Invalid partition", "description": "Batch job submission failed"}
    with pytest.raises(Refused) as refusal:
        await _submit(always(500, {"errors": [row]}))
    assert str(refusal.value) == (
        "Batch job submission failed (Invalid partition) [Slurm error 2000]: name a partition that exists, in "
        "`partition` or in the connection's `jobDefaults`"
    )


# --- Discovery --------------------------------------------------------------------------------------------


async def test_the_newest_version_that_both_know_is_taken() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if "v0.0.43" in request.url.path:
            return httpx.Response(200, json={"meta": META, "errors": []})
        return httpx.Response(404, text="Unable to find requested URL")

    info = await client(answer, api_version="Auto").info()
    assert (info.cluster_name, info.release, info.api_version) == ("campus", "26.05.5", "v0.0.43")
    assert asked == [*(f"/slurm/v0.0.{minor}/diag" for minor in (45, 44, 43)), "/slurmdb/v0.0.43/job/1"]


@pytest.mark.parametrize(
    ("answer", "accounting"),
    [
        (httpx.Response(404, text="Unable to find requested URL endpoint."), False),
        (httpx.Response(200, json={"jobs": [], "errors": []}), True),
        (httpx.Response(502, json={"jobs": [], "errors": [error(7000)]}), True),
        (httpx.Response(404, json={"jobs": [], "errors": [error(2017)]}), True),
    ],
)
async def test_a_slurm_without_slurmdbd_serves_no_path_of_it(answer: httpx.Response, accounting: bool) -> None:
    port = client(
        lambda request: answer if request.url.path.startswith("/slurmdb") else httpx.Response(200, json={"meta": META})
    )
    assert (await port.info()).accounting is accounting


async def test_trap_j3_ping_proves_nothing_so_it_is_not_asked() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(511, json={"errors": [error(1007)]})

    with pytest.raises(CredentialsRejected):
        await client(answer).info()
    assert asked == ["/slurm/v0.0.45/diag"]


async def test_trap_j1_a_refused_token_is_told_from_a_missing_version() -> None:
    for status, body in ((500, {"errors": [error(1007)]}), (511, {"errors": [error(1007)]}), (401, {})):
        with pytest.raises(CredentialsRejected):
            await client(lambda _r, s=status, b=body: httpx.Response(s, json=b), api_version="Auto").info()


@pytest.mark.parametrize(("version", "named"), [("Auto", "v0.0.38 to v0.0.45"), ("v0.0.41", "v0.0.41")])
async def test_trap_v1_no_version_in_common(version: str, named: str) -> None:
    port = client(lambda _request: httpx.Response(404, text="no"), api_version=version)
    with pytest.raises(NotSupported, match=named):
        await port.info()


async def test_the_version_that_was_found_is_used_from_then_on() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if "v0.0.42" in request.url.path:
            row = {"job_id": 7, "user_name": "alice"}
            return httpx.Response(200, json={"jobs": [row], "errors": [], "statistics": {"jobs_running": 1}})
        return httpx.Response(404, text="Unable to find requested URL")

    port = client(answer, api_version="Auto")
    info = await port.info()
    assert (info.cluster_name, info.release) == ("unknown", "unknown")
    await port.job(7)
    await port.accounting(7)
    assert asked[-2:] == ["/slurm/v0.0.42/job/7", "/slurmdb/v0.0.42/job/7"]


@pytest.mark.parametrize("status", [200, 404, 500])
async def test_trap_v1_a_version_is_missing_only_by_slurmrestds_own_word(status: int) -> None:
    """A 404 in JSON comes from a version that is there; nothing else says that it is not."""
    with pytest.raises(Unavailable):
        await client(lambda _r: httpx.Response(status, json={"errors": [error(1800)]}), api_version="Auto").info()


async def test_nothing_is_asked_before_the_version_is_known() -> None:
    port = client(lambda _request: pytest.fail("asked"), api_version="Auto")
    with pytest.raises(Unavailable, match="not discovered"):
        await port.job(7)


# --- Changing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("job_id", [0, -1, True, "", "7", None])
async def test_only_a_positive_number_gets_into_a_path(job_id: Any) -> None:
    """DELETE on an empty id would cancel by filter."""
    port = client(lambda _request: pytest.fail("asked"))
    for attempt in (port.cancel(job_id), port.job(job_id), port.release(job_id, comment="c")):
        with pytest.raises(ValueError, match="positive"):
            await attempt


async def test_a_release_is_one_update_with_the_note() -> None:
    seen: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.method, request.url.path, json.loads(request.content)))
        return httpx.Response(200, json={"errors": []})

    await client(answer).release(7, comment="[marker released]")
    assert seen == [("POST", "/slurm/v0.0.45/job/7", {"hold": False, "comment": "[marker released]"})]


async def test_the_priority_has_an_update_of_its_own_and_its_refusal_is_told() -> None:
    """Beside `hold` an ordinary user's is refused, and the job stays held though the comment is taken."""
    seen: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(json.loads(request.content))
        return httpx.Response(200, json={"errors": [error(2002, "Access denied")] if len(seen) == 2 else []})

    said = await client(answer).release(7, comment="[marker released]", priority=50)
    assert seen == [{"hold": False, "comment": "[marker released]"}, {"priority": {"set": True, "number": 50}}]
    assert said is not None
    assert "Access denied" in said
    seen.clear()
    assert await client(answer).release(7, comment="c", keep_held=True, priority=50) is None
    assert seen == [{"comment": "c"}]


async def test_an_update_of_a_job_that_no_node_can_hold_has_taken_effect() -> None:
    assert await always(500, {"errors": [error(2015)]}).release(7, comment="c") is None


@pytest.mark.parametrize(
    ("status", "number", "kind"),
    [
        (404, 2017, JobNotFound),
        (422, 2010, Refused),
        (500, 2002, Refused),
        (504, 5004, OutcomeUnknown),
        (502, 1800, OutcomeUnknown),
        (511, 1007, CredentialsRejected),
        (200, 2042, Refused),
    ],
)
async def test_a_release_that_did_not_go_well(status: int, number: int, kind: type[Exception]) -> None:
    with pytest.raises(kind) as failure:
        await always(status, {"errors": [error(number)]}).release(7, comment="c")
    assert type(failure.value) is kind


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"errors": [], "status": []}, None),
        (200, {"errors": [], "status": [{"error": {"code": 0}}]}, None),
        (500, {"errors": [error(2021, "already completed")]}, None),
        (500, {"errors": [error(2017, "Invalid job id")]}, None),
        (200, {"errors": [], "status": [{"error": {"code": 2021}}]}, None),
        (200, {"errors": [], "status": [{"error": {"code": 2002}}]}, Refused),
        (403, {"errors": [error(2002, "denied")]}, Refused),
        (200, {"errors": [], "status": [{"error": {"code": 2017}}]}, None),
        (200, {"errors": [], "status": [{"error": {"code": 2017}}, {"error": {"code": 2002}}]}, Refused),
        (511, {"errors": [error(1007)]}, CredentialsRejected),
        (504, {"errors": [error(5004)]}, OutcomeUnknown),
        (500, {"errors": []}, OutcomeUnknown),
    ],
)
async def test_cancel(status: int, body: Any, kind: type[Exception] | None) -> None:
    port = always(status, body)
    if kind is None:
        await port.cancel(7)
        return
    with pytest.raises(kind) as failure:
        await port.cancel(7)
    assert type(failure.value) is kind


@pytest.mark.parametrize("status", [500, 403])
async def test_trap_f4_a_refused_cancel_may_be_a_controller_that_is_down(status: int) -> None:
    """24.11 says it with 500, 26.05 with 403, both with EPERM: the job may run on."""
    with pytest.raises(OutcomeUnknown):
        await always(status, {"errors": [error(1, "Operation not permitted")], "status": []}).cancel(7)


async def test_a_cancel_carries_no_signal() -> None:
    """An unknown signal name kills the job at once (measured)."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.query, request.content) == ("DELETE", b"", b"")
        return httpx.Response(200, json={"errors": []})

    await client(answer).cancel(7)


async def test_22_05_refuses_with_unspecified_errors_before_the_one_that_says_why() -> None:
    """As for a deadline that has passed: nothing was submitted, and nothing has to be searched for."""
    errors = [error(-1, "Unspecified error"), error(-1, "Unspecified error"), error(9001, "Conversion failure")]
    with pytest.raises(Refused, match="9001"):
        await always(400, {"errors": errors}).submit_held(REQUEST, comment="c")
    with pytest.raises(Unavailable):
        await always(500, {"errors": [error(-1), error(2017)], "jobs": []}).job(7)
