"""The family v0.0.38: bodies of submissions, and rows of slurmctld and slurmdbd as 22.05 gave them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slurmjob_operator.core.records import JobRecord, Source, Spent
from slurmjob_operator.sbatch.types.times import TimeLimit
from slurmjob_operator.slurm.dialects import family_v0038 as family
from slurmjob_operator.slurm.request import JobRequest

BARE = JobRequest(script="#!/bin/sh\ntrue\n", name="n", chdir="/home/alice", environment={"A": "1"})

CONTROLLER: dict[str, Any] = {
    "job_id": 4711,
    "user_name": "alice",
    "name": "wing",
    "job_state": "PENDING",
    "state_reason": "JobHeldUser",
    "state_description": "",
    "comment": "[marker]",
    "priority": 0,
    "restart_cnt": 0,
    "submit_time": 1_800_000_000,
    "eligible_time": 0,
    "start_time": 0,
    "end_time": 0,
    "exit_code": 0,
    "time_limit": 5,
    "account": "aero",
    "partition": "gpu",
    "qos": "normal",
    "nodes": "",
    "node_count": 1,
    "cpus": 1,
    "array_job_id": 0,
    "array_task_id": None,
    "current_working_directory": "/home/alice",
    "standard_output": "",
    "standard_error": "",
}

ACCOUNTING: dict[str, Any] = {
    "job_id": 4711,
    "user": "alice",
    "association": {"account": "aero", "cluster": "campus", "partition": None, "user": "alice"},
    "name": "wing",
    "state": {"current": "FAILED", "reason": "JobHeldUser"},
    "comment": {"administrator": None, "job": "[marker]", "system": None},
    "time": {
        "submission": 1_800_000_000,
        "eligible": 0,
        "start": 1_800_000_010,
        "end": 1_800_000_020,
        "elapsed": 10,
        "limit": 5,
    },
    "exit_code": {"status": "SUCCESS", "return_code": 0},
    "account": "aero",
    "partition": "gpu",
    "qos": "normal",
    "nodes": "n1",
    "allocation_nodes": 1,
    "tres": {"allocated": [{"type": "cpu", "count": 2}], "requested": []},
}


def test_a_bare_job() -> None:
    assert family.encode(BARE, comment="[marker]", version="v0.0.38") == {
        "script": "#!/bin/sh\ntrue\n",
        "job": {
            "name": "n",
            "comment": "[marker]",
            "hold": True,
            "current_working_directory": "/home/alice",
            "environment": {"A": "1"},
        },
    }


def test_options_are_said_as_the_table_has_it() -> None:
    options = {"partition": "gpu", "time": TimeLimit(minutes=None), "requeue": False}
    job = family.encode(replace(BARE, options=options), comment="c", version="v0.0.38", extra="never")["job"]
    assert (job["partition"], job["time_limit"], job["no_requeue"]) == ("gpu", 0, True)
    assert not {"extra", "requeue", "argv"} & set(job)


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
        account="aero",
        partition="gpu",
        qos="normal",
        time_limit_seconds=300,
        node_count=1,
        cpus=1,
        stdout_path="/home/alice/slurm-4711.out",
        stderr_path="/home/alice/slurm-4711.out",
    )


@pytest.mark.parametrize(
    ("state", "status", "exit_code", "signal"),
    [
        ("RUNNING", 0, None, None),
        ("COMPLETED", 0, 0, None),
        ("FAILED", 768, 3, None),
        ("FAILED", 65280, 255, None),
        ("FAILED", 9, None, 9),
        ("FAILED", 4021, None, 53),
        ("OUT_OF_MEMORY", 253, None, 125),
        ("TIMEOUT", 15, None, 15),
        ("TIMEOUT", 0, 0, None),
        ("FAILED", None, None, None),
    ],
)
def test_the_exit_code_is_a_wait_status(
    state: str, status: int | None, exit_code: int | None, signal: int | None
) -> None:
    record = family.controller_record(CONTROLLER | {"job_state": state, "exit_code": status})
    assert (record.exit_code, record.signal) == (exit_code, signal)


@pytest.mark.parametrize(("priority", "held"), [(0, True), (1, False), (4294967294, False), (None, False)])
def test_held_is_a_priority_of_zero(priority: int | None, held: bool) -> None:
    assert family.controller_record(CONTROLLER | {"priority": priority}).held is held


def test_no_time_limit() -> None:
    assert family.controller_record(CONTROLLER | {"time_limit": 4294967295}).time_limit_seconds is None


def test_file_names_are_filled_in() -> None:
    named = {"standard_output": "out-%j-%x.log", "standard_error": "/logs/%u/%4j.err"}
    record = family.controller_record(CONTROLLER | named)
    assert (record.stdout_path, record.stderr_path) == ("/home/alice/out-4711-wing.log", "/logs/alice/4711.err")


def test_an_ended_job_of_slurmdbd() -> None:
    assert family.accounting_record(ACCOUNTING) == JobRecord(
        source=Source.ACCOUNTING,
        job_id=4711,
        user="alice",
        name="wing",
        states=frozenset({"FAILED"}),
        comment="[marker]",
        submit_time=1_800_000_000,
        start_time=1_800_000_010,
        end_time=1_800_000_020,
        account="aero",
        partition="gpu",
        qos="normal",
        time_limit_seconds=300,
        nodes="n1",
        node_count=1,
        cpus=2,
        elapsed_seconds=10,
        spent=Spent(),
    )


def test_trap_q2_slurmdbd_of_22_05_says_0_of_every_exit_code() -> None:
    """Only a signal is told there, and success by the state."""
    killed = {"status": "SIGNALED", "return_code": None, "signal": {"signal_id": 9, "name": "Killed"}}
    assert family.accounting_record(ACCOUNTING).exit_code is None
    assert family.accounting_record(ACCOUNTING | {"state": {"current": "COMPLETED"}}).exit_code == 0
    record = family.accounting_record(ACCOUNTING | {"exit_code": killed})
    assert (record.exit_code, record.signal) == (None, 9)


def test_what_never_ran_has_no_nodes() -> None:
    assert family.accounting_record(ACCOUNTING | {"nodes": "None assigned"}).nodes is None


@pytest.mark.parametrize("read", [family.controller_record, family.accounting_record])
def test_an_empty_row_is_read(read: Any) -> None:
    record = read({})
    assert (record.job_id, record.states, record.exit_code, record.signal) == (0, frozenset(), None, None)
    assert (record.stdout_path, record.stderr_path, record.submit_time) == (None, None, None)
