"""What is read, held against answers as the real daemons gave them; each trap by its name."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from slurmjob_operator.slurm import following
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.errors import (
    AccountingUnavailable,
    CredentialsRejected,
    JobNotFound,
    NotSupported,
    Unavailable,
)
from slurmjob_operator.slurm.finding import LONGEST_LISTING
from slurmjob_operator.slurm.following import LARGEST_CHUNK
from tests.unit.slurm.answers import META, always, client, error, page


@pytest.mark.parametrize("body", [{"jobs": [], "errors": []}, {"jobs": [{"job_id": 8}], "errors": []}])
async def test_an_answer_without_the_job_is_not_found(body: Any) -> None:
    with pytest.raises(JobNotFound):
        await always(200, body).job(7)


@pytest.mark.parametrize(("status", "number"), [(500, 2017), (404, 2017)])
async def test_a_job_that_slurmctld_does_not_know(status: int, number: int) -> None:
    with pytest.raises(JobNotFound) as failure:
        await always(status, {"errors": [error(number, "Invalid job id specified")], "jobs": []}).job(7)
    assert (failure.value.code, failure.value.status) == (number, status)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, None, NotSupported),
        (500, {"errors": []}, Unavailable),
        (500, {"errors": [error(-1, "Unable to find JobId")]}, Unavailable),
        (404, {"errors": []}, Unavailable),
        (502, {"errors": [error(1800)]}, Unavailable),
        (511, {"errors": [error(1007)]}, CredentialsRejected),
        (200, None, Unavailable),
    ],
)
async def test_absence_needs_slurms_own_number(status: int, body: Any, kind: type[Exception]) -> None:
    """With slurmctld down job/{id} says "Unable to find JobId", and means that it could not look."""
    with pytest.raises(kind) as failure:
        await (page(status) if body is None else always(status, body)).job(7)
    assert type(failure.value) is kind


async def test_of_several_rows_the_one_with_the_id() -> None:
    rows = [{"job_id": 8, "name": "other"}, {"job_id": 7, "user_name": "alice", "name": "wing"}]
    assert (await always(200, {"jobs": rows, "errors": []}).job(7)).name == "wing"


async def test_trap_f3_of_several_records_all_come_oldest_first() -> None:
    rows = [
        {"job_id": 7, "time": {"submission": 200}, "name": "new"},
        {"job_id": 7, "time": {"submission": 100}, "name": "old"},
        {"job_id": 8, "time": {"submission": 150}, "name": "other"},
    ]
    records = await always(200, {"jobs": rows, "errors": []}).accounting(7)
    assert [record.name for record in records] == ["old", "new"]


NO_BACKLOG = httpx.Response(200, json={"statistics": {"dbd_agent_queue_size": 0}, "errors": []})


def _serving_states(sizes: list[int], *, most: int) -> SlurmrestdClient:
    """A server behind something that takes so many ids in one address."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert (request.url.path, set(request.url.params)) == ("/slurm/v0.0.45/jobs/state", {"job_id"})
        ids = [int(value) for _, value in request.url.params.multi_items()]
        sizes.append(len(ids))
        if len(ids) > most:
            return httpx.Response(414, text="URI too long")
        return httpx.Response(200, json={"jobs": [{"job_id": str(i), "state": ["RUNNING"]} for i in ids], "errors": []})

    return client(answer)


async def test_trap_p1_states_in_chunks_that_shrink_when_an_address_is_too_long() -> None:
    """One row of 80 bytes a job; the list of all jobs would cost slurmrestd gigabytes."""
    sizes: list[int] = []
    found = await _serving_states(sizes, most=200).states(range(1, 1001))
    assert found == dict.fromkeys(range(1, 1001), frozenset({"RUNNING"}))
    assert sizes[:3] == [500, 250, 125]


@pytest.mark.parametrize("first", [1, 4_294_900_000])
async def test_the_largest_chunk_fits_into_an_address(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """httpx itself refuses more than 65,536 characters, with an exception that nobody expects."""
    monkeypatch.setattr(following, "FIRST_CHUNK", LARGEST_CHUNK)
    sizes: list[int] = []
    ids = range(first, first + LARGEST_CHUNK + 100)
    assert len(await _serving_states(sizes, most=10**6).states(ids)) == len(ids)
    assert sizes == [LARGEST_CHUNK, 100]


async def test_after_bad_times_the_chunks_grow_again() -> None:
    bad = True

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        return httpx.Response(400, text="no") if bad else httpx.Response(200, json={"jobs": []})

    port = client(answer)
    asked = 0
    with pytest.raises(Unavailable):
        await port.states(range(1, 101))
    bad = False
    for _ in range(5):
        asked = 0
        await port.states(range(1, 101))
    assert asked <= 2


async def test_nobody_is_asked_for_no_states() -> None:
    assert await client(lambda _request: pytest.fail("asked")).states([]) == {}


async def test_trap_h2_only_a_plain_id_is_one() -> None:
    """`160_1` is a task of an array (raw id and index), `6+0` a component: neither is a job of ours."""
    ids = ["183", 184, "160_1", "6+0", "158_[2-9]", "", None]
    rows = [{"job_id": job_id, "state": ["RUNNING"]} for job_id in ids]
    found = await always(200, {"jobs": rows, "errors": []}).states([183])
    assert found == {183: {"RUNNING"}}, "and nobody else's"


async def test_an_error_is_not_an_empty_set_of_states() -> None:
    with pytest.raises(Unavailable):
        await always(500, {"errors": [error(1800)], "jobs": []}).states([7])
    with pytest.raises(Unavailable):
        await always(200, {"errors": [error(1800)], "jobs": []}).states([7])


async def test_trap_a1_a2_search_asks_slurmdbd_by_submit_time_and_slurmctld_for_the_comment() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/diag"):
            return NO_BACKLOG
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
            return httpx.Response(404, json={"errors": [error(2017)]})
        job = {"job_id": 7, "name": "wing", "user_name": "alice", "comment": "[marker]"}
        return httpx.Response(200, json={"jobs": [job], "errors": []})

    records = await client(answer).search(name="wing", since=100)
    assert [(record.job_id, record.comment) for record in records] == [(7, "[marker]"), (10, "x")]
    assert "submit_time=uts100" in asked[0]
    assert "job_name=wing" in asked[0]
    assert "users=alice" in asked[0]


@pytest.mark.parametrize(
    ("name", "kept", "others"),
    [
        ("a,b", "a,b", ["a", "b"]),
        ('say "x"', "say `x`", ["say x"]),
        ("n" * 300, "n" * 255, ["n" * 10]),
    ],
)
async def test_names_that_slurmdbd_would_not_find_are_compared_here(name: str, kept: str, others: list[str]) -> None:
    """Its filter is a list separated by commas, and it keeps some names in another form."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/diag"):
            return NO_BACKLOG
        if not request.url.path.startswith("/slurmdb/"):
            return httpx.Response(404, json={"errors": [error(2017)]})
        assert "job_name" not in request.url.params
        rows = [{"job_id": n, "name": text, "user": "alice"} for n, text in enumerate([kept, *others], start=7)]
        return httpx.Response(200, json={"jobs": rows, "errors": []})

    assert [record.job_id for record in await client(answer).search(name=name, since=100)] == [7]


async def test_of_a_requeued_job_the_newest_record_is_found_once() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/diag"):
            return NO_BACKLOG
        if not request.url.path.startswith("/slurmdb/"):
            return httpx.Response(404, json={"errors": [error(2017)]})
        rows = [
            {"job_id": 7, "name": "wing", "user": "alice", "time": {"submission": at}, "state": {"current": [state]}}
            for at, state in ((300, "PENDING"), (200, "NODE_FAIL"))
        ]
        return httpx.Response(200, json={"jobs": rows, "errors": []})

    (record,) = await client(answer).search(name="wing", since=100)
    assert (record.submit_time, record.states) == (300, {"PENDING"})


async def test_trap_a2_a_comment_that_cannot_be_read_is_not_an_empty_one() -> None:
    """slurmdbd's comment is empty until the end, so its record is no substitute for slurmctld's."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/slurmdb/"):
            row = {"job_id": 7, "name": "wing", "user": "alice", "time": {"submission": 200}, "comment": {"job": ""}}
            return httpx.Response(200, json={"jobs": [row], "errors": []})
        return httpx.Response(502, json={"errors": [error(1800)], "jobs": []})

    with pytest.raises(Unavailable):
        await client(answer).search(name="wing", since=100)


@pytest.mark.parametrize(("status", "number"), [(502, 7000), (200, 7000), (200, 1007), (502, 1800)])
async def test_no_answer_of_slurmdbd_is_not_an_empty_history(status: int, number: int) -> None:
    """22.05 says 200 with no jobs when slurmdbd is down or the token bad."""
    port = always(status, {"errors": [error(number, "Unable to connect to database")], "jobs": []})
    kind = CredentialsRejected if number == 1007 else Unavailable
    for attempt in (port.accounting(7), port.search(name="wing", since=100), port.accounting_backlog()):
        with pytest.raises(kind):
            await attempt


async def test_trap_p1_q1_nobody_asks_for_the_list_of_all_jobs() -> None:
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        job = {"job_id": 7, "name": "wing", "user": "alice", "user_name": "alice"}
        return httpx.Response(200, json={"jobs": [job], "meta": META, "errors": [], "statistics": {}})

    port = client(answer)
    await port.info()
    await port.job(7)
    await port.states([7])
    await port.accounting(7)
    await port.search(name="wing", since=100)
    await port.accounting_backlog()
    assert {url.path for url in asked} == {
        "/slurm/v0.0.45/diag",
        "/slurm/v0.0.45/job/7",
        "/slurm/v0.0.45/jobs/state",
        "/slurmdb/v0.0.45/job/1",
        "/slurmdb/v0.0.45/job/7",
        "/slurmdb/v0.0.45/jobs",
    }
    assert not any("update_time" in url.params for url in asked)


async def test_backlog() -> None:
    body = {"statistics": {"dbd_agent_queue_size": 3}, "errors": [], "meta": META}
    assert await always(200, body).accounting_backlog() == 3
    assert await always(200, {"statistics": {}, "errors": []}).accounting_backlog() is None


@pytest.mark.parametrize(
    ("pings", "start", "since"),
    [
        ([{"hostname": "a"}], {"set": True, "infinite": False, "number": 1_800_000_000}, 1_800_000_000),
        ([{"hostname": "a"}], 1_800_000_000, 1_800_000_000),
        ([{"hostname": "a"}], {"set": True, "infinite": False, "number": 0}, None),
        ([{"hostname": "a"}], None, None),
        ([{"hostname": "a"}, {"hostname": "b"}], 1_800_000_000, None),
        ([], 1_800_000_000, None),
    ],
)
async def test_since_when_slurmctld_is_up_is_told_by_one_slurmctld_only(
    pings: list[object], start: object, since: int | None
) -> None:
    """Of two, one may have taken over with an older state."""
    body = {"pings": pings, "statistics": {"req_time_start": start}, "errors": [], "meta": META}
    assert await always(200, body).up_since() == since


async def test_only_slurmrestd_can_say_that_slurmdbd_is_away() -> None:
    for status in (429, 502, 503):
        with pytest.raises(Unavailable) as told:
            await page(status).accounting(7)
        assert not isinstance(told.value, AccountingUnavailable), "a proxy's page tells nothing of slurmdbd"
    with pytest.raises(AccountingUnavailable):
        await always(502, {"errors": [error(7000)], "jobs": []}).accounting(7)


@pytest.mark.looptime
async def test_what_slurmdbd_has_not_heard_yet_is_not_missing() -> None:
    port = always(200, {"statistics": {"dbd_agent_queue_size": 3}, "jobs": [], "errors": []})
    with pytest.raises(AccountingUnavailable, match="not yet heard all"):
        await port.search(name="wing", since=100)
    with pytest.raises(AccountingUnavailable, match="not yet heard all"):
        await port.held_jobs(since=100, known=())


@pytest.mark.looptime
async def test_messages_on_their_way_to_slurmdbd_are_waited_for() -> None:
    left = [2, 1, 0]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/diag"):
            return httpx.Response(200, json={"statistics": {"dbd_agent_queue_size": left.pop(0)}, "errors": []})
        assert not left
        return httpx.Response(200, json={"jobs": [], "errors": []})

    assert await client(answer).search(name="wing", since=100) == ()


async def test_held_jobs_are_those_that_slurmctld_holds() -> None:
    """slurmdbd tells which of our user's jobs wait, slurmctld which of them are held; known ones are not asked for."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path.rpartition("/")[2])
        if request.url.path.endswith("/diag"):
            return NO_BACKLOG
        if request.url.path.startswith("/slurmdb/"):
            rows = [
                {"job_id": n, "name": "x", "user": "alice", "state": {"current": [state]}, "time": {"submission": 200}}
                for n, state in ((5, "RUNNING"), (6, "PENDING"), (7, "PENDING"), (8, "PENDING"), (9, "PENDING"))
            ]
            return httpx.Response(200, json={"jobs": rows, "errors": []})
        job_id = int(asked[-1])
        if job_id == 9:
            return httpx.Response(404, json={"errors": [error(2017)]})
        job = {"job_id": job_id, "user_name": "alice", "job_state": ["PENDING"], "hold": job_id == 7}
        return httpx.Response(200, json={"jobs": [job], "errors": []})

    records = await client(answer).held_jobs(since=100, known={6})
    assert [record.job_id for record in records] == [7]
    assert asked == ["diag", "jobs", "7", "8", "9"]


def _without_slurmdbd(count: int, asked: list[str]) -> SlurmrestdClient:
    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path.removeprefix("/slurm/v0.0.45/"))
        if request.url.path.startswith("/slurmdb"):
            return httpx.Response(404, text="Unable to find requested URL")
        rows = [
            {"job_id": n, "name": "wing", "user_name": user, "job_state": ["PENDING"], "hold": True,
             "submit_time": {"set": True, "number": at}}
            for n, user, at in ((7, "alice", 200), (8, "bob", 200), (9, "alice", 50))
        ]  # fmt: skip
        short = asked[-1] == "jobs/state"
        return httpx.Response(200, json={"jobs": [{}] * count if short else rows, "meta": META, "errors": []})

    return client(answer)


async def test_without_slurmdbd_the_list_is_searched_and_no_record_is_had() -> None:
    asked: list[str] = []
    port = _without_slurmdbd(3, asked)
    await port.info()
    assert await port.accounting(7) == ()
    assert [record.job_id for record in await port.search(name="wing", since=100)] == [7]
    assert [record.job_id for record in await port.held_jobs(since=10, known={7})] == [9]
    assert asked[2:] == ["jobs/state", "jobs"] * 2


async def test_trap_p1_a_long_list_is_never_read() -> None:
    asked: list[str] = []
    port = _without_slurmdbd(LONGEST_LISTING + 1, asked)
    await port.info()
    with pytest.raises(Unavailable, match="there are 3001"):
        await port.search(name="wing", since=100)
    assert "jobs" not in asked
