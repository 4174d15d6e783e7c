"""The family v0.0.40 to v0.0.45: rows of slurmctld and slurmdbd as records that mean the same."""

from __future__ import annotations

from typing import Any

import pytest

from slurmjob_operator.core.records import JobRecord, Source, Spent
from slurmjob_operator.slurm.dialects import family_v0040 as family

CONTROLLER: dict[str, Any] = {
    "job_id": 4711,
    "user_name": "alice",
    "name": "wing",
    "job_state": ["PENDING"],
    "state_reason": "JobHeldUser",
    "comment": "[marker]",
    "hold": True,
    "priority": {"set": True, "infinite": False, "number": 0},
    "restart_cnt": 0,
    "submit_time": {"set": True, "infinite": False, "number": 1_800_000_000},
    "start_time": {"set": True, "infinite": False, "number": 0},
    "end_time": {"set": True, "infinite": False, "number": 0},
    "exit_code": {
        "status": ["SUCCESS"],
        "return_code": {"set": True, "infinite": False, "number": 0},
        "signal": {"id": {"set": False, "infinite": False, "number": 0}, "name": ""},
    },
    "time_limit": {"set": True, "infinite": False, "number": 5},
    "account": "aero",
    "partition": "gpu",
    "qos": "normal",
    "nodes": "",
    "node_count": {"set": True, "infinite": False, "number": 1},
    "cpus": {"set": True, "infinite": False, "number": 1},
    "standard_output": "/home/alice/slurm-%j.out",
    "standard_error": "",
    "stdout_expanded": "/home/alice/slurm-4711.out",
    "stderr_expanded": "/home/alice/slurm-4711.out",
}


def _number(value: int) -> dict[str, Any]:
    return {"set": True, "infinite": False, "number": value}


def test_a_held_job_of_slurmctld() -> None:
    assert family.controller_record(CONTROLLER) == JobRecord(
        source=Source.CONTROLLER,
        job_id=4711,
        user="alice",
        name="wing",
        states=frozenset({"PENDING"}),
        reason="JobHeldUser",
        comment="[marker]",
        held=True,
        submit_time=1_800_000_000,
        exit_code=0,
        account="aero",
        partition="gpu",
        qos="normal",
        time_limit_seconds=300,
        node_count=1,
        cpus=1,
        stdout_path="/home/alice/slurm-4711.out",
        stderr_path="/home/alice/slurm-4711.out",
    )


def test_an_ended_job_of_slurmctld() -> None:
    """As 24.11 says it: paths already expanded, no `stdout_expanded`; requeued once, killed after its time."""
    change = {
        "job_state": ["TIMEOUT", "COMPLETING"],
        "state_reason": "TimeLimit",
        "hold": False,
        "priority": _number(4_294_901_757),
        "restart_cnt": 1,
        "eligible_time": _number(1_800_000_120),
        "start_time": _number(1_800_000_121),
        "end_time": _number(1_800_000_181),
        "exit_code": {"status": ["SIGNALED"], "return_code": _number(0), "signal": {"id": _number(15), "name": "TERM"}},
        "nodes": "n[7-8]",
        "standard_output": "/home/alice/slurm-4711.out",
        "standard_error": "/home/alice/err",
    }
    raw = {key: value for key, value in CONTROLLER.items() if not key.endswith("_expanded")} | change
    record = family.controller_record(raw)
    assert record.states == {"TIMEOUT", "COMPLETING"}
    assert (record.held, record.reason, record.restarts) == (False, "TimeLimit", 1)
    assert (record.eligible_time, record.start_time, record.end_time) == (1_800_000_120, 1_800_000_121, 1_800_000_181)
    assert (record.exit_code, record.signal, record.nodes) == (0, 15, "n[7-8]")
    assert (record.stdout_path, record.stderr_path) == ("/home/alice/slurm-4711.out", "/home/alice/err")


@pytest.mark.parametrize("key", ["stdout_expanded", "standard_output"])
def test_errors_go_where_output_goes(key: str) -> None:
    record = family.controller_record({"job_id": 7, key: "/home/alice/out", "standard_error": ""})
    assert record.stdout_path == record.stderr_path == "/home/alice/out"


@pytest.mark.parametrize(
    "limit", [{"set": False, "infinite": True, "number": 0}, {"set": True, "infinite": True, "number": 0}, 4294967295]
)
def test_no_time_limit_is_not_one_of_0_minutes(limit: Any) -> None:
    assert family.controller_record(CONTROLLER | {"time_limit": limit}).time_limit_seconds is None


@pytest.mark.parametrize(
    ("change", "held"),
    [
        ({"hold": False, "priority": {"set": True, "number": 4_294_901_757}}, False),
        ({"hold": False, "priority": {"set": True, "number": 0}}, True),
        ({"hold": None, "priority": 0}, True),
        ({"hold": False, "priority": {"set": False, "number": 0}}, False),
    ],
)
def test_held_is_priority_zero(change: dict[str, Any], held: bool) -> None:
    assert family.controller_record(CONTROLLER | change).held is held


@pytest.mark.parametrize(
    ("exit_code", "code", "signal"),
    [
        ({"status": ["ERROR"], "return_code": {"set": True, "number": 3}, "signal": {"id": {"set": False}}}, 3, None),
        ({"status": ["SIGNALED"], "return_code": {"set": True, "number": 0}, "signal": {"id": {"number": 9}}}, 0, 9),
        ({"status": ["PENDING"], "return_code": {"set": True, "number": 0}}, None, None),
        ({"status": ["INVALID"], "return_code": {"set": True, "number": 254}}, None, None),
        ({"status": "SUCCESS", "return_code": 0, "signal": {"signal_id": 0}}, 0, None),
        (None, None, None),
    ],
)
def test_exit_codes(exit_code: Any, code: int | None, signal: int | None) -> None:
    record = family.controller_record(CONTROLLER | {"exit_code": exit_code})
    assert (record.exit_code, record.signal) == (code, signal)


ACCOUNTING: dict[str, Any] = {
    "job_id": 4711,
    "association": {"user": "alice", "account": "aero", "cluster": "campus", "partition": "", "id": 3},
    "user": "alice",
    "account": "aero",
    "partition": "gpu",
    "qos": "normal",
    "name": "wing",
    "state": {"current": ["COMPLETED"], "reason": "None"},
    "comment": {"administrator": "", "job": "[marker released]", "system": ""},
    "restart_cnt": 1,
    "time": {
        "submission": 1_800_000_000,
        "eligible": 1_800_000_001,
        "start": 1_800_000_002,
        "end": 1_800_000_012,
        "elapsed": 10,
        "limit": {"set": True, "infinite": False, "number": 5},
    },
    "exit_code": {
        "status": ["SUCCESS"],
        "return_code": {"set": True, "infinite": False, "number": 0},
        "signal": {"id": {"set": False, "infinite": False, "number": 0}, "name": ""},
    },
    "nodes": "n[7-8]",
    "allocation_nodes": 2,
    "tres": {"allocated": [{"type": "mem", "name": "", "count": 100}, {"type": "cpu", "name": "", "count": 8}]},
    "stdout_expanded": "/home/alice/slurm-4711.out",
    "stderr_expanded": "/home/alice/err",
    "steps": [],
}


def test_an_ended_job_of_slurmdbd() -> None:
    assert family.accounting_record(ACCOUNTING) == JobRecord(
        source=Source.ACCOUNTING,
        job_id=4711,
        user="alice",
        name="wing",
        states=frozenset({"COMPLETED"}),
        comment="[marker released]",
        restarts=1,
        submit_time=1_800_000_000,
        eligible_time=1_800_000_001,
        start_time=1_800_000_002,
        end_time=1_800_000_012,
        exit_code=0,
        account="aero",
        partition="gpu",
        qos="normal",
        time_limit_seconds=300,
        nodes="n[7-8]",
        node_count=2,
        cpus=8,
        stdout_path="/home/alice/slurm-4711.out",
        stderr_path="/home/alice/err",
        elapsed_seconds=10,
        spent=Spent(memory_bytes=100 * 2**20),
    )


@pytest.mark.parametrize("start", [None, 0, 4_294_967_294])
def test_a_job_of_slurmdbd_that_was_cancelled_before_its_start(start: int | None) -> None:
    """It had no nodes and no start, and slurmdbd has three ways to say so."""
    times = {"submission": 1_800_000_000, "eligible": 0, "start": start, "end": 1_800_000_012, "elapsed": 0}
    change = {"state": {"current": ["CANCELLED"]}, "nodes": "None assigned", "time": times, "tres": {"allocated": []}}
    record = family.accounting_record(ACCOUNTING | change)
    assert record.states == {"CANCELLED"}
    assert (record.eligible_time, record.start_time, record.end_time) == (None, None, 1_800_000_012)
    assert (record.nodes, record.cpus, record.time_limit_seconds) == (None, None, None)


@pytest.mark.parametrize("state", [{"current": ["RUNNING"]}, {"current": "RUNNING"}, ["RUNNING"], "RUNNING"])
@pytest.mark.parametrize("comment", [{"job": "mine", "system": "theirs"}, "mine"])
def test_older_shapes_of_slurmdbds_words(state: Any, comment: Any) -> None:
    record = family.accounting_record(ACCOUNTING | {"state": state, "comment": comment})
    assert (record.states, record.comment) == ({"RUNNING"}, "mine")


def test_whose_the_association_is_counts() -> None:
    assert family.accounting_record(ACCOUNTING | {"user": "somebody"}).user == "alice"
    assert family.accounting_record(ACCOUNTING | {"association": None}).user == "alice"


def test_slurms_sentence_and_the_node_that_failed() -> None:
    record = family.controller_record(
        {**CONTROLLER, "state_description": "job requeued in held state", "failed_node": "n7"}
    )
    assert (record.description, record.failed_node) == ("job requeued in held state", "n7")
    assert family.accounting_record({"job_id": 1, "failed_node": "n7"}).failed_node == "n7"
    assert family.accounting_record({"job_id": 1, "failed_node": ""}).failed_node is None


V0_0_39: dict[str, Any] = CONTROLLER | {
    "job_state": "FAILED",
    "exit_code": _number(768),
    "submit_time": 1_800_000_000,
    "start_time": 1_800_000_010,
    "end_time": 1_800_000_020,
}


@pytest.mark.parametrize(
    ("status", "exit_code", "signal"), [(_number(768), 3, None), (_number(9), None, 9), (_number(0), 0, None)]
)
def test_v0_0_39_document_only_slurmctld_answers_in_words_of_v0_0_38(
    status: dict[str, Any], exit_code: int | None, signal: int | None
) -> None:
    record = family.controller_record(V0_0_39 | {"exit_code": status})
    assert (record.states, record.exit_code, record.signal) == (frozenset({"FAILED"}), exit_code, signal)
    assert (record.submit_time, record.start_time, record.end_time) == (1_800_000_000, 1_800_000_010, 1_800_000_020)


def test_v0_0_39_document_only_slurmdbd_calls_a_signals_number_signal_id() -> None:
    exit_code = {"status": "SIGNALED", "return_code": 0, "signal": {"signal_id": 9, "name": "Killed"}}
    record = family.accounting_record({"job_id": 7, "state": {"current": "FAILED"}, "exit_code": exit_code})
    assert (record.states, record.exit_code, record.signal) == (frozenset({"FAILED"}), 0, 9)
