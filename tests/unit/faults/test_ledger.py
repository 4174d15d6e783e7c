"""What the witnesses print, as values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from slurmjob_operator.core.marker import Marker
from tests.faults.ledger import (
    Accounted,
    Ended,
    Execution,
    Queued,
    Seen,
    read_ledger,
    read_objects,
    read_sacct,
    read_squeue,
)

MARK = Marker(installation="i", namespace="ns", name="wing", uid="u-1", attempt=2, template_hash="abc")


def test_the_ledger() -> None:
    text = "ns/wing 7 0\nother/wing 8 0\nns/wing 7 1\n"
    assert read_ledger(text, {"ns"}) == (Execution(object="ns/wing", job_id="7"),) * 2
    assert read_ledger("", {"ns"}) == ()


@pytest.mark.parametrize(
    "line",
    ["ns/wing", "ns/wing 7", "ns/wing 7 0 0", "wing 7 0", "ns/wingns/wing 7 0", "ns/wing x 0", "ns/wing 7 x", ""],
)
def test_a_torn_ledger_is_an_error(line: str) -> None:
    with pytest.raises(ValueError, match="no line of a ledger"):
        read_ledger(f"ns/wing 7 0\n{line}\n", {"ns"})


def test_sacct() -> None:
    text = (
        f"7|CANCELLED by 2001|0:15|2026-11-25T01:02:03|{MARK.comment('a | b')}\n"
        "8|FAILED|3:0|2026-11-25T01:02:04|a comment of a person\n"
        "9|RUNNING|0:0|2026-11-25T01:02:05|"
    )
    assert read_sacct(text) == (
        Accounted(job_id="7", state="CANCELLED", exit_code=0, submit="2026-11-25T01:02:03", mark=MARK),
        Accounted(job_id="8", state="FAILED", exit_code=3, submit="2026-11-25T01:02:04", mark=None),
        Accounted(job_id="9", state="RUNNING", exit_code=0, submit="2026-11-25T01:02:05", mark=None),
    )


def test_squeue() -> None:
    text = (
        f"7|PENDING|JobHeldUser|{MARK.comment('')}\n8|RUNNING|None|(null)\n9|PENDING|Priority|\n10|RUNNING|JobHeldUser|"
    )
    assert read_squeue(text) == (
        Queued(job_id="7", state="PENDING", reason="JobHeldUser", mark=MARK),
        Queued(job_id="8", state="RUNNING", reason="None", mark=None),
        Queued(job_id="9", state="PENDING", reason="Priority", mark=None),
        Queued(job_id="10", state="RUNNING", reason="JobHeldUser", mark=None),
    )
    assert [job.held for job in read_squeue(text)] == [True, False, False, False]


def listed(*bodies: dict[str, Any]) -> str:
    return json.dumps({"items": bodies})


def body(meta: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "ns", "name": "wing", "uid": "u-1", **(meta or {})}, "status": status}


def condition(kind: str, status: str, reason: str = "R") -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason}


def test_objects() -> None:
    ended = {"attempt": 1, "jobId": "6", "state": "FAILED", "exitCode": 3, "reason": "NonZeroExitCode"}
    lost = {"attempt": 2, "state": "UNKNOWN", "reason": "JobRecordLost"}
    one = body(attempt=2, jobId="7", attempts=[ended, lost], conditions=[condition("Finished", "True")])
    new = body({"deletionTimestamp": "now"}, observedGeneration=-1, state="Unknown")
    bare = {"metadata": {"namespace": "ns", "name": "bare", "uid": "u-2"}}
    assert read_objects(listed(one, new, bare)) == (
        Seen(
            object="ns/wing",
            uid="u-1",
            attempt=2,
            job_id="7",
            finished=True,
            ended=(
                Ended(attempt=1, job_id="6", state="FAILED", exit_code=3),
                Ended(attempt=2, job_id=None, state="UNKNOWN"),
            ),
        ),
        Seen(object="ns/wing", uid="u-1", attempt=0, job_id=None, finished=False, deleting=True, unknown=True),
        Seen(object="ns/bare", uid="u-2", attempt=0, job_id=None, finished=False),
    )


@pytest.mark.parametrize(
    ("said", "conditions"),
    [
        (False, []),
        (True, [condition("Stalled", "True", "StateRolledBack")]),
        (False, [condition("Stalled", "False")]),
        (True, [condition("Synced", "False", "JobNotFound")]),
        (True, [condition("Synced", "False", "IdentityUnproven")]),
        (False, [condition("Synced", "False", "ClusterUnreachable")]),
        (False, [condition("Synced", "True", "JobNotFound"), condition("Finished", "False")]),
    ],
)
def test_whether_an_object_says_why_it_does_not_go_on(said: bool, conditions: list[dict[str, str]]) -> None:
    (seen,) = read_objects(listed(body(conditions=conditions)))
    assert (seen.said, seen.finished) == (said, False)
