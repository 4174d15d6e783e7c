"""Answers of shapes that no release has: each is read for what it says, or is an error of `errors`, and never says that
a job has ended, is not there, or is another one."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import httpx
import pytest

from slurmjob_operator.core.states import is_over
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.errors import (
    AccountingUnavailable,
    JobNotFound,
    NotSupported,
    OutcomeUnknown,
    Refused,
    SlurmError,
    Unavailable,
)
from slurmjob_operator.slurm.request import JobRequest, Target
from tests.unit.slurm.answers import META, always, client, error

REQUEST = JobRequest(script="#!/bin/sh\n", name="wing", chdir="/home/alice", environment={"A": "b"})
ROW: dict[str, Any] = {"job_id": 7, "user_name": "alice", "name": "wing", "job_state": ["RUNNING"]}
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdW4iOiJhbGljZSJ9.c2lnbmF0dXJl"
EITHER = pytest.mark.parametrize("version", ["v0.0.38", "v0.0.39", "v0.0.42", "v0.0.45"])


def _of(version: str, body: Any, status: int = 200) -> SlurmrestdClient:
    return client(lambda _request: httpx.Response(status, json=body), api_version=version)


# --- Values of a record -----------------------------------------------------------------------------------------------


@EITHER
@pytest.mark.parametrize(
    "states",
    [
        ["COMPLETED", "NEW_FLAG"],
        ["COMPLETED", 3],
        ["COMPLETED", {"flag": "REQUEUE"}],
        ["COMPLETED", ["REQUEUED"]],
        ["COMPLETED", True],
        ["COMPLETED", *["X"] * 40],
        ["X"] * 40 + ["COMPLETED"],
        "COMPLETED,REQUEUED",
        "COMPLETED+NEW_FLAG",
        ["COMPLETED BUT NOT QUITE"],
        {"current": ["COMPLETED"]},
        [["COMPLETED"]],
        None,
        7,
        "",
        [],
        {},
        True,
    ],
)
async def test_only_a_state_that_is_known_with_all_its_flags_is_an_end(version: str, states: Any) -> None:
    record = await _of(version, {"jobs": [{**ROW, "job_state": states}]}).job(7)
    assert not is_over(record.states)
    row = {"job_id": 7, "user": "alice", "state": {"current": states}}
    assert not any(is_over(record.states) for record in await _of(version, {"jobs": [row]}).accounting(7))


@EITHER
@pytest.mark.parametrize("value", [None, {}, [], "", "x", True, {"set": False, "number": 0}, 10**400, -1, 2**64, 0.5])
async def test_no_value_of_any_kind_breaks_a_record(version: str, value: Any) -> None:
    """All of them at once; what is known by other keys stays."""
    keys = (
        "state_reason", "state_description", "comment", "extra", "hold", "priority", "restart_cnt", "submit_time",
        "eligible_time", "start_time", "end_time", "exit_code", "account", "partition", "qos", "time_limit", "nodes",
        "failed_node", "node_count", "cpus", "standard_output", "standard_error", "stdout_expanded", "array_job_id",
        "array_task_id", "current_working_directory",
    )  # fmt: skip
    record = await _of(version, {"jobs": [{**ROW, **dict.fromkeys(keys, value)}]}).job(7)
    assert (record.job_id, record.user, record.name, record.states) == (7, "alice", "wing", {"RUNNING"})
    assert record.submit_time is None
    assert (record.restarts, record.exit_code, record.signal, record.account) == (0, None, None, None) or value in (
        "x",
        0.5,
    )


@pytest.mark.parametrize(
    ("raw", "changes"),
    [
        ({"submit_time": "1800000000"}, {"submit_time": 1_800_000_000}),
        ({"submit_time": {"set": True, "infinite": False, "number": "1800000000"}}, {"submit_time": 1_800_000_000}),
        ({"submit_time": 253_402_300_800}, {}),
        ({"start_time": -5}, {}),
        ({"end_time": {"infinite": True, "set": True, "number": 5}}, {}),
        ({"restart_cnt": {"set": True, "number": 2}}, {"restarts": 2}),
        ({"restart_cnt": 2**31}, {}),
        ({"time_limit": {"set": False, "infinite": True, "number": 0}}, {}),
        ({"time_limit": "90"}, {"time_limit_seconds": 5400}),
        ({"node_count": -1}, {}),
        ({"cpus": 1e300}, {}),
        ({"priority": "0"}, {"held": True}),
        ({"name": 5}, {"name": "5"}),
        ({"name": ["wing"]}, {"name": ""}),
        ({"comment": {"job": "x"}}, {}),
        ({"account": "a" * 5000}, {"account": "a" * 1024}),
        ({"partition": "\ud800x"}, {"partition": "?x"}),
        ({"qos": JWT}, {"qos": "[redacted]"}),
        ({"unknown": {"deep": [[[[]]]]}}, {}),
        ({"job_id": "7"}, {}),
        ({"job_id": {"set": True, "number": 7}}, {}),
        ({"job_id": 7.0}, {}),
    ],
)
async def test_what_a_value_is_read_as(raw: dict[str, Any], changes: dict[str, Any]) -> None:
    plain = await always(200, {"jobs": [ROW]}).job(7)
    body = json.dumps({"jobs": [{**ROW, **raw}]}).encode()
    assert await client(lambda _r: httpx.Response(200, content=body)).job(7) == replace(plain, **changes)


@pytest.mark.parametrize(
    ("value", "exit_code", "signal"),
    [
        ({"status": ["ERROR"], "return_code": 3, "signal": {}}, 3, None),
        ({"status": "SIGNALED", "return_code": None, "signal": {"id": "9"}}, None, 9),
        ({"status": ["SIGNALED"], "signal": {"signal_id": {"set": True, "number": 15}}}, None, 15),
        ({"status": ["PENDING"], "return_code": 0}, None, None),
        ({"status": ["ERROR"], "return_code": -3, "signal": {"id": 2**40}}, None, None),
        ({"status": [], "return_code": {"set": False, "number": 0}, "signal": []}, None, None),
        (768, 3, None),
        (-1, None, None),
        (2**20, None, None),
        ("9", None, 9),
        (None, None, None),
        (["ERROR"], None, None),
    ],
)
async def test_exit_codes(value: Any, exit_code: int | None, signal: int | None) -> None:
    record = await always(200, {"jobs": [{**ROW, "exit_code": value}]}).job(7)
    assert (record.exit_code, record.signal) == (exit_code, signal)


@pytest.mark.parametrize("release", [None, 5, "", "next", "26", "26.", "x.y.z", "9" * 5000, {}, ["26.05"]])
@pytest.mark.parametrize("version", ["v0.0.38", "v0.0.45"])
async def test_a_release_that_is_none_is_no_crash(release: Any, version: str) -> None:
    info = await _of(
        version, {"meta": {"slurm": {"release": release}}, "statistics": {"jobs_running": 1}, "jobs": []}
    ).info()
    assert Target.of(release=info.release, api_version=version).release.year == (22 if version == "v0.0.38" else 26)


# --- Whose record, and whether there is one ---------------------------------------------------------------------------

UNREADABLE: list[Any] = [
    {},
    {"jobs": {}},
    {"jobs": "none"},
    {"jobs": 0},
    {"jobs": {"0": ROW}},
    {"jobs": [None]},
    {"jobs": [[ROW]]},
    {"jobs": ["7"]},
    {"jobs": [{**ROW, "job_id": None}]},
    {"jobs": [{**ROW, "job_id": 7.5}]},
    {"jobs": [{**ROW, "job_id": -7}]},
    {"jobs": [{**ROW, "job_id": {"set": False, "number": 7}}]},
    {"jobs": [{**ROW, "job_id": 2**32 + 7}]},
    {"jobs": [{"user_name": "alice", "job_state": ["COMPLETED"]}]},
    {"errors": "slurmctld is away", "jobs": []},
    {"errors": ["slurmctld is away"], "jobs": []},
    {"errors": {"error": "slurmctld is away"}, "jobs": []},
    {"errors": [{"error_number": "1800"}], "jobs": []},
    {"errors": [[]], "jobs": {}},
    {"errors": [{"error_number": None}], "jobs": []},
    {"errors": True, "jobs": []},
]


@EITHER
@pytest.mark.parametrize("body", UNREADABLE)
async def test_what_cannot_be_read_is_not_missing(version: str, body: Any) -> None:
    """Neither "not found", from which the loss of a job may be concluded, nor a list of nothing."""
    port = _of(version, body)
    for asked in (port.job(7), port.accounting(7), port.search(name="wing", since=1), port.states([7])):
        if asked.__name__ == "states" and set(body) == {"jobs"} and isinstance(body["jobs"], list):
            asked.close()
            continue  # Rows of other jobs, as tasks of arrays have ids of their own.
        with pytest.raises(Unavailable):
            await asked


async def test_a_record_that_names_nobody_is_nobodys() -> None:
    """A record of another user is not ours, and then our job is gone: so a name that is not there is no answer."""
    for user in (None, "", [], {"name": "alice"}, True):
        with pytest.raises(Unavailable, match="whose job 7 is"):
            await always(200, {"jobs": [{**ROW, "user_name": user}]}).job(7)


async def test_nothing_in_slurmdbd_may_be_no_list() -> None:
    assert await always(200, {"meta": META}).accounting(7) == ()
    assert await always(200, {"meta": META, "jobs": None}).accounting(7) == ()
    with pytest.raises(AccountingUnavailable):
        await always(200, {"status": "ok"}).accounting(7)


async def test_rows_of_jobs_that_were_not_asked_for_are_left_out() -> None:
    rows = [{"job_id": n, "state": ["COMPLETED"]} for n in (6, 7, 8)]
    assert await always(200, {"jobs": rows}).states([7]) == {7: {"COMPLETED"}}
    assert await always(200, {"jobs": []}).states([7]) == {7: frozenset()}


async def test_of_two_rows_of_one_job_neither_is_believed_alone() -> None:
    rows = [{"job_id": 7, "state": ["COMPLETED"]}, {"job_id": "7", "state": "RUNNING"}]
    assert not is_over((await always(200, {"jobs": rows}).states([7]))[7])


@pytest.mark.parametrize(
    ("told", "backlog"), [("3", 3), ({"set": True, "number": 3}, 3), (None, None), ({"set": False, "number": 0}, None)]
)
async def test_backlogs_that_can_be_read(told: Any, backlog: int | None) -> None:
    assert await always(200, {"statistics": {"dbd_agent_queue_size": told}}).accounting_backlog() == backlog


@pytest.mark.parametrize("told", ["none", -1, [], {"set": True}, 2**40, True])
async def test_a_backlog_that_cannot_be_read_is_not_none(told: Any) -> None:
    """Or what slurmdbd has not heard yet would be submitted again."""
    port = always(200, {"statistics": {"dbd_agent_queue_size": told}, "jobs": []})
    for asked in (port.accounting_backlog(), port.search(name="wing", since=1), port.held_jobs(since=1, known=())):
        with pytest.raises(Unavailable):
            await asked


# --- Changing ---------------------------------------------------------------------------------------------------------


@EITHER
@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, {"job_id": "7"}, 7),
        (200, {"job_id": {"set": True, "number": 7}}, 7),
        (200, {"job_id": None, "result": {"job_id": 7}}, 7),
        (500, {"job_id": 7, "errors": "something"}, 7),
        (200, {"job_id": 7.5}, OutcomeUnknown),
        (200, {"job_id": [7], "warnings": ["look"]}, OutcomeUnknown),
        (500, {"job_id": "seven", "errors": [error(2000)]}, OutcomeUnknown),
        (200, {"job_id": 2**40}, OutcomeUnknown),
        (200, {}, OutcomeUnknown),
        (200, {"errors": "bad luck"}, OutcomeUnknown),
        (200, {"errors": ["bad luck"], "job_id": 0}, OutcomeUnknown),
        (500, {"errors": [{"error_number": "2000"}]}, Refused),
        (500, {"errors": {"error_number": 2000}}, Refused),
        (200, {"job_id": 0, "warnings": ["a value was ignored"]}, Refused),
        (200, {"job_id": {"set": False, "number": 0}, "warnings": "a value was ignored"}, Refused),
    ],
)
async def test_a_submission_is_accepted_by_a_job_id_alone(version: str, status: int, body: Any, outcome: Any) -> None:
    asked = _of(version, body, status).submit_held(REQUEST, comment="x")
    if isinstance(outcome, int):
        assert (await asked).job_id == outcome
        return
    with pytest.raises(outcome) as failure:
        await asked
    assert type(failure.value) is outcome


@EITHER
@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, {"status": None}, None),
        (200, {"status": "done", "errors": []}, None),
        (200, {"errors": "no"}, OutcomeUnknown),
        (200, {"errors": ["no"]}, OutcomeUnknown),
        (200, {"status": [{"error": {"code": "2002", "string": "Access/permission denied"}}]}, Refused),
        (200, {"status": [{"error": {"code": {"set": True, "number": 2021}}}]}, None),
        (200, {"status": [{"error": {"code": "x"}}]}, OutcomeUnknown),
        (200, {"status": [{"error": {"code": 0}}, {"error": {"code": 2002}}]}, Refused),
        (500, {"errors": {"error_number": 2017}}, None),
        (500, {}, OutcomeUnknown),
    ],
)
async def test_cancelling(version: str, status: int, body: Any, outcome: type[Exception] | None) -> None:
    asked = _of(version, body, status).cancel(7)
    with nullcontext() if outcome is None else pytest.raises(outcome):
        await asked


async def test_a_refused_cancellation_says_so_in_slurms_words() -> None:
    row = {"error": {"code": 2002, "string": "Access/permission denied", "message": "no"}}
    with pytest.raises(Refused, match=r"Access/permission denied \(no\) \[Slurm error 2002\]: the user is not"):
        await always(200, {"status": [row], "errors": []}).cancel(7)


# --- What is no JSON, or too much of it -------------------------------------------------------------------------------

Call = Callable[[SlurmrestdClient], Coroutine[Any, Any, Any]]
CALLS: dict[str, Call] = {
    "info": lambda port: port.info(),
    "job": lambda port: port.job(7),
    "states": lambda port: port.states([7]),
    "accounting": lambda port: port.accounting(7),
    "search": lambda port: port.search(name="wing", since=1),
    "submit": lambda port: port.submit_held(REQUEST, comment="x"),
    "release": lambda port: port.release(7, comment="x", priority=3),
    "cancel": lambda port: port.cancel(7),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [200, 204, 404, 500, 503])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"\xff\xfe\xfd",
        b"null",
        b"[]",
        b'"jobs"',
        b"7",
        b"{",
        b'{"jobs": [',
        b'{"jobs": []} {"jobs": []}',
        b'{"jobs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"job_id": ' + b"9" * 10_000 + b"}",
        b"NaN",
    ],
    ids=range(14),
)
async def test_what_is_no_json_object_is_an_error(call: str, status: int, content: bytes) -> None:
    changes = call in ("submit", "release", "cancel")
    with pytest.raises(SlurmError) as failure:
        await CALLS[call](client(lambda _r: httpx.Response(status, content=content)))
    expected = NotSupported if status == 404 else OutcomeUnknown if changes else Unavailable
    assert isinstance(failure.value, expected)
    assert not isinstance(failure.value, JobNotFound)


async def test_of_a_key_that_is_there_twice_the_last_counts() -> None:
    """As in every common reader of JSON; another id is not asked for, and so is not found."""
    content = b'{"jobs": [{"job_id": 7, "job_id": 8, "job_state": ["COMPLETED"], "user_name": "alice"}]}'
    with pytest.raises(JobNotFound):
        await client(lambda _r: httpx.Response(200, content=content)).job(7)


# --- Messages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {"errors": [{"description": f"bad token {JWT}", "error_number": 1007}]},
        {"errors": f"bad token {JWT}"},
        {"errors": [{"error": JWT}], "job_submit_user_msg": JWT},
        {"errors": [{"description": "x" * 100_000}], "result": {"job_submit_user_msg": "y" * 100_000}},
        {"errors": [{"description": "\ud800"}]},
    ],
)
async def test_a_message_is_short_and_holds_no_token(body: Any) -> None:
    for call in CALLS.values():
        content = json.dumps(body).encode()
        with pytest.raises(SlurmError) as failure:
            await call(client(lambda _r, content=content: httpx.Response(500, content=content)))
        text = str(failure.value)
        assert "eyJ" not in text
        assert len(text.encode()) < 4000


async def test_of_many_messages_some_are_told() -> None:
    body = {"job_id": 7, "warnings": ["w"] * 1000, "errors": [JWT], "job_submit_user_msg": "hello"}
    messages = (await always(200, body).submit_held(REQUEST, comment="x")).messages
    assert messages[-1] == "hello"
    assert len(messages) < 20
