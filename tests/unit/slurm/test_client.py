"""The port on slurmrestd, held against answers as the real daemons gave them; each trap by its name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest

from slurmjob_operator.slurm.client import LARGEST_CHUNK, SlurmrestdClient
from slurmjob_operator.slurm.errors import (
    CredentialsRejected,
    JobNotFound,
    NotSupported,
    OutcomeUnknown,
    Refused,
    RefusedForNow,
    Unavailable,
)
from slurmjob_operator.slurm.http import SlurmrestdServer
from slurmjob_operator.slurm.request import JobRequest
from slurmjob_operator.slurm.token import parse_token

TOKEN = parse_token(jwt.encode({"exp": 4_102_444_800, "sun": "alice"}, "k" * 64).encode())
REQUEST = JobRequest(script="#!/bin/sh\n", name="wing", chdir="/home/alice")
META = {"slurm": {"cluster": "campus", "release": "26.05.5"}}

Answer = Callable[[httpx.Request], httpx.Response]


def _client(answer: Answer, *, api_version: str = "v0.0.45") -> SlurmrestdClient:
    server = SlurmrestdServer("https://slurm", allow_plain_http=False, transport=httpx.MockTransport(answer))
    return SlurmrestdClient(server, TOKEN, api_version=api_version)


def _always(status: int, body: Any) -> SlurmrestdClient:
    return _client(lambda _request: httpx.Response(status, json=body))


def _error(number: int, text: str = "words") -> dict[str, Any]:
    return {"error_number": number, "error": text, "description": text, "source": "x"}


async def _submit(client: SlurmrestdClient) -> Any:
    return await client.submit_held(REQUEST, comment="[marker]")


# --- Submitting -------------------------------------------------------------------------------------------


async def test_trap_s1_errors_beside_a_job_id_are_a_success() -> None:
    accepted = await _submit(_always(200, {"job_id": 7, "errors": [_error(2042, "Job is in held state")]}))
    assert (accepted.job_id, accepted.messages) == (7, ())


async def test_trap_s2_success_without_a_job_id_submitted_nothing() -> None:
    body = {"errors": [], "warnings": [{"description": 'Expected integer but got "abc"'}]}
    with pytest.raises(Refused, match="nothing was submitted: Expected integer"):
        await _submit(_always(200, body))


@pytest.mark.parametrize("job_id", [0, None, -1, "x", {"set": False, "number": 0}])
async def test_trap_s2_without_a_reason_the_outcome_is_unknown(job_id: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        await _submit(_always(200, {"errors": [], "job_id": job_id}))


async def test_trap_s3_an_error_500_beside_a_job_id_is_a_success() -> None:
    """The job is in the queue; another submission would be a duplicate."""
    accepted = await _submit(_always(500, {"job_id": 7, "errors": [_error(9207, "Unknown flag")]}))
    assert (accepted.job_id, accepted.messages) == (7, ("Unknown flag",))


@pytest.mark.parametrize("place", [{"job_id": 7}, {"result": {"job_id": 7}}, {"job_id": "7"}])
async def test_where_the_job_id_stands(place: dict[str, Any]) -> None:
    assert (await _submit(_always(200, place))).job_id == 7


async def test_the_sites_own_words_are_kept() -> None:
    accepted = await _submit(_always(200, {"job_id": 7, "job_submit_user_msg": "Use QOS long", "errors": []}))
    assert accepted.messages == ("Use QOS long",)


@pytest.mark.parametrize(
    ("status", "errors", "kind"),
    [
        (500, [_error(2000, "Invalid partition name specified")], Refused),
        (500, [_error(2050, "Job violates accounting/QOS policy")], RefusedForNow),
        (500, [_error(1800, "Unable to contact slurm controller")], OutcomeUnknown),
        (511, [_error(1007, "Protocol authentication error")], CredentialsRejected),
        (500, [], OutcomeUnknown),
        (401, [], CredentialsRejected),
    ],
)
async def test_trap_f1_what_is_known_of_a_submission(status: int, errors: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind) as failure:
        await _submit(_always(status, {"errors": errors}))
    assert type(failure.value) is kind


async def test_a_proxys_page_is_no_word_about_the_submission() -> None:
    client = _client(lambda _request: httpx.Response(502, html="<html>Bad Gateway</html>"))
    with pytest.raises(OutcomeUnknown):
        await _submit(client)


async def test_slurms_words_and_number_reach_the_user() -> None:
    row = {"error_number": 2000, "error": "Invalid partition", "description": "Batch job submission failed"}
    with pytest.raises(Refused) as refusal:
        await _submit(_always(500, {"errors": [row]}))
    assert str(refusal.value) == "Batch job submission failed (Invalid partition) [Slurm error 2000]"


# --- Discovery --------------------------------------------------------------------------------------------


async def test_the_newest_version_that_both_know_is_taken() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if "v0.0.43" in request.url.path:
            return httpx.Response(200, json={"meta": META, "errors": []})
        return httpx.Response(404, text="Unable to find requested URL")

    info = await _client(answer, api_version="Auto").info()
    assert (info.cluster_name, info.release, info.api_version) == ("campus", "26.05.5", "v0.0.43")
    assert asked == [f"/slurm/v0.0.{minor}/diag" for minor in (45, 44, 43)]


async def test_trap_j3_ping_proves_nothing_so_it_is_not_asked() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(511, json={"errors": [_error(1007)]})

    with pytest.raises(CredentialsRejected):
        await _client(answer).info()
    assert asked == ["/slurm/v0.0.45/diag"]


async def test_trap_j1_a_refused_token_is_told_from_a_missing_version() -> None:
    for status, body in ((500, {"errors": [_error(1007)]}), (511, {"errors": [_error(1007)]}), (401, {})):
        with pytest.raises(CredentialsRejected):
            await _client(lambda _r, s=status, b=body: httpx.Response(s, json=b), api_version="Auto").info()


@pytest.mark.parametrize(("version", "named"), [("Auto", "v0.0.40 to v0.0.45"), ("v0.0.41", "v0.0.41")])
async def test_trap_v1_no_version_in_common(version: str, named: str) -> None:
    client = _client(lambda _request: httpx.Response(404, text="no"), api_version=version)
    with pytest.raises(NotSupported, match=named):
        await client.info()


async def test_nothing_is_asked_before_the_version_is_known() -> None:
    client = _client(lambda _request: pytest.fail("asked"), api_version="Auto")
    with pytest.raises(Unavailable, match="not discovered"):
        await client.job(7)


# --- Changing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("job_id", [0, -1, True, "", "7", None])
async def test_only_a_positive_number_gets_into_a_path(job_id: Any) -> None:
    """DELETE on an empty id would cancel by filter."""
    client = _client(lambda _request: pytest.fail("asked"))
    for attempt in (client.cancel(job_id), client.job(job_id), client.release(job_id, comment="c")):
        with pytest.raises(ValueError, match="positive"):
            await attempt


async def test_a_release_is_one_update_with_the_note() -> None:
    seen: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.method, request.url.path, json.loads(request.content)))
        return httpx.Response(200, json={"errors": []})

    await _client(answer).release(7, comment="[marker released]")
    assert seen == [("POST", "/slurm/v0.0.45/job/7", {"hold": False, "comment": "[marker released]"})]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"errors": [], "status": []}, None),
        (200, {"errors": [], "status": [{"error": {"code": 0}}]}, None),
        (500, {"errors": [_error(2021, "already completed")]}, None),
        (500, {"errors": [_error(2017, "Invalid job id")]}, None),
        (200, {"errors": [], "status": [{"error": {"code": 2021}}]}, None),
        (200, {"errors": [], "status": [{"error": {"code": 2002}}]}, Refused),
        (403, {"errors": [_error(2002, "denied")]}, Refused),
        (403, {"errors": [_error(1, "Operation not permitted")]}, OutcomeUnknown),
        (500, {"errors": []}, OutcomeUnknown),
    ],
)
async def test_cancel(status: int, body: Any, kind: type[Exception] | None) -> None:
    client = _always(status, body)
    if kind is None:
        await client.cancel(7)
        return
    with pytest.raises(kind) as failure:
        await client.cancel(7)
    assert type(failure.value) is kind


async def test_a_cancel_carries_no_signal() -> None:
    """An unknown signal name kills the job at once (measured)."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.query, request.content) == ("DELETE", b"", b"")
        return httpx.Response(200, json={"errors": []})

    await _client(answer).cancel(7)


# --- Reading ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [{"jobs": [], "errors": []}, {"jobs": [{"job_id": 8}], "errors": []}])
async def test_an_answer_without_the_job_is_not_found(body: Any) -> None:
    with pytest.raises(JobNotFound):
        await _always(200, body).job(7)


async def test_absence_needs_slurms_own_word() -> None:
    for response in (httpx.Response(404, text="no"), httpx.Response(500, json={"errors": []})):
        with pytest.raises(Exception) as failure:  # noqa: PT011 - the class is the question
            await _client(lambda _request, r=response: r).job(7)
        assert not isinstance(failure.value, JobNotFound)


async def test_trap_f3_of_several_records_all_come_oldest_first() -> None:
    rows = [
        {"job_id": 7, "time": {"submission": 200}, "name": "new"},
        {"job_id": 7, "time": {"submission": 100}, "name": "old"},
        {"job_id": 8, "time": {"submission": 150}, "name": "other"},
    ]
    records = await _always(200, {"jobs": rows, "errors": []}).accounting(7)
    assert [record.name for record in records] == ["old", "new"]


async def test_states_in_chunks_that_shrink_when_an_address_is_too_long() -> None:
    sizes: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        ids = [int(value) for _, value in request.url.params.multi_items()]
        sizes.append(len(ids))
        if len(ids) > 200:
            return httpx.Response(414, text="URI too long")
        return httpx.Response(200, json={"jobs": [{"job_id": i, "state": ["RUNNING"]} for i in ids], "errors": []})

    found = await _client(answer).states(range(1, 1001))
    assert set(found) == set(range(1, 1001))
    assert sizes[:3] == [500, 250, 125]
    assert max(sizes) <= 500 < LARGEST_CHUNK


async def test_an_error_is_not_an_empty_set_of_states() -> None:
    with pytest.raises(Unavailable):
        await _always(500, {"errors": [_error(1800)], "jobs": []}).states([7])
    with pytest.raises(Unavailable):
        await _always(200, {"errors": [_error(1800)], "jobs": []}).states([7])


async def test_trap_a1_a2_search_asks_slurmdbd_by_submit_time_and_slurmctld_for_the_comment() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        if request.url.path.startswith("/slurmdb/"):
            rows = [
                {"job_id": 7, "name": "wing", "user": "alice", "time": {"submission": 200}, "comment": {"job": ""}},
                {"job_id": 8, "name": "wing", "user": "bob", "time": {"submission": 200}},
                {"job_id": 9, "name": "wing", "user": "alice", "time": {"submission": 50}},
                {"job_id": 10, "name": "wing", "user": "alice", "time": {"submission": 300}, "comment": {"job": "x"}},
            ]
            return httpx.Response(200, json={"jobs": rows, "errors": []})
        if request.url.path.endswith("/10"):
            return httpx.Response(404, json={"errors": [_error(2017)]})
        job = {"job_id": 7, "name": "wing", "user_name": "alice", "comment": "[marker]"}
        return httpx.Response(200, json={"jobs": [job], "errors": []})

    records = await _client(answer).search(name="wing", since=100)
    assert [(record.job_id, record.comment) for record in records] == [(7, "[marker]"), (10, "x")]
    assert "submit_time=100" in asked[0]
    assert "job_name=wing" in asked[0]
    assert "users=alice" in asked[0]


async def test_backlog() -> None:
    body = {"statistics": {"dbd_agent_queue_size": 3}, "errors": [], "meta": META}
    assert await _always(200, body).accounting_backlog() == 3
    assert await _always(200, {"statistics": {}, "errors": []}).accounting_backlog() is None
