"""The family v0.0.40 to v0.0.45: what is sent validates against the served document; what is read means the same."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator

from slurmjob_operator.core.records import Source
from slurmjob_operator.slurm.dialects import family_v0040 as family
from slurmjob_operator.slurm.request import JobRequest, NodeRange, TimeLimit

DOCUMENT = Path(__file__).resolve().parents[2] / "openapi" / "slurmrestd-26.05.5.json.gz"
VERSIONS = ("v0.0.42", "v0.0.43", "v0.0.44", "v0.0.45")

FULL = JobRequest(
    script="#!/bin/sh\ntrue\n",
    name="wing",
    chdir="/home/alice",
    environment={"PATH": "/bin", "A": "b=c"},
    account="aero",
    partition="gpu",
    qos="high",
    nodes=NodeRange(minimum=2, maximum=4),
    ntasks=8,
    ntasks_per_node=4,
    cpus_per_task=2,
    mem_per_node_mb=2048,
    mem_per_cpu_mb=512,
    time_limit=TimeLimit(minutes=90),
    tres_per_node="gres/gpu:2",
    tres_per_job="gres/gpu:a100:4",
    constraint="fast",
    output="out-%j",
    error="err-%j",
)


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(gzip.decompress(DOCUMENT.read_bytes()))
    return document


def _strict(schema: Any) -> Any:
    """The schema with every reference replaced, and no key allowed that it does not name: slurmrestd ignores those."""
    if isinstance(schema, list):
        return [_strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _strict(_document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    strict = {key: _strict(value) for key, value in schema.items() if key != "properties"}
    if "properties" in schema:
        strict["properties"] = {name: _strict(item) for name, item in schema["properties"].items()}
        strict["additionalProperties"] = False
    return strict


@cache
def _validator(version: str, path: str) -> OAS30Validator:
    content = _document()["paths"][f"/slurm/{version}/{path}"]["post"]["requestBody"]["content"]
    return OAS30Validator(_strict(content["application/json"]["schema"]))


def _problems(version: str, path: str, body: dict[str, Any]) -> list[str]:
    return [f"{'.'.join(map(str, e.absolute_path))}: {e.message}" for e in _validator(version, path).iter_errors(body)]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_request_with_every_field_validates(version: str) -> None:
    body = family.encode(FULL, comment="[marker] x")
    assert _problems(version, "job/submit", body) == []
    assert None not in body["job"].values()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_release_validates(version: str) -> None:
    assert _problems(version, "job/{job_id}", {"hold": False, "comment": "[marker released] x"}) == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("body", [{"script": "x", "job": {"ntasks": 1}}, {"script": "x", "job": {"tasks": "one"}}])
def test_the_check_itself_refuses_unknown_keys_and_wrong_types(version: str, body: dict[str, Any]) -> None:
    assert _problems(version, "job/submit", body)


REQUESTS = st.builds(
    JobRequest,
    script=st.just("#!/bin/sh\n"),
    name=st.text(min_size=1, max_size=20),
    chdir=st.just("/x"),
    environment=st.dictionaries(st.sampled_from(["A", "B"]), st.text(max_size=5)),
    account=st.none() | st.just("a"),
    nodes=st.none() | st.builds(NodeRange, minimum=st.integers(1, 9), maximum=st.integers(9, 99)),
    ntasks=st.none() | st.integers(1, 10**6),
    mem_per_node_mb=st.none() | st.integers(0, 2**40),
    mem_per_cpu_mb=st.none() | st.integers(1, 2**40),
    time_limit=st.none() | st.builds(TimeLimit, minutes=st.none() | st.integers(1, 2**30)),
    tres_per_node=st.none() | st.just("gres/gpu:1"),
    output=st.none() | st.just("o"),
)


@given(REQUESTS, st.sampled_from(VERSIONS))
def test_every_request_validates_and_is_held(request: JobRequest, version: str) -> None:
    body = family.encode(request, comment="[marker]")
    assert _problems(version, "job/submit", body) == []
    assert body["job"]["hold"] is True
    assert body["job"]["comment"] == "[marker]"


@pytest.mark.parametrize(
    ("limit", "sent"),
    [
        (None, None),
        (TimeLimit(minutes=90), {"set": True, "infinite": False, "number": 90}),
        (TimeLimit(minutes=None), {"set": True, "infinite": True, "number": 0}),
    ],
)
def test_time_limits(limit: TimeLimit | None, sent: Any) -> None:
    request = JobRequest(script="#!", name="n", chdir="/", time_limit=limit)
    assert family.encode(request, comment="c")["job"].get("time_limit") == sent


def test_trap_poison_file_names_without_a_value_are_left_out() -> None:
    job = family.encode(JobRequest(script="#!", name="n", chdir="/"), comment="c")["job"]
    assert "standard_output" not in job
    assert "standard_error" not in job
    assert "standard_input" not in job
    assert "argv" not in job, "TRAP S4: it kills slurmrestd 22.05"


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


def test_a_record_of_slurmctld() -> None:
    record = family.controller_record(CONTROLLER)
    assert (record.source, record.job_id, record.user, record.name) == (Source.CONTROLLER, 4711, "alice", "wing")
    assert record.states == {"PENDING"}
    assert (record.held, record.reason, record.comment) == (True, "JobHeldUser", "[marker]")
    assert (record.submit_time, record.start_time, record.end_time) == (1_800_000_000, None, None)
    assert (record.time_limit_seconds, record.nodes, record.node_count) == (300, None, 1)
    assert record.stdout_path == record.stderr_path == "/home/alice/slurm-4711.out"


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
        ({"status": "SUCCESS", "return_code": 0, "signal": {"signal_id": 0}}, 0, None),
        (None, None, None),
    ],
)
def test_exit_codes(exit_code: Any, code: int | None, signal: int | None) -> None:
    record = family.controller_record(CONTROLLER | {"exit_code": exit_code})
    assert (record.exit_code, record.signal) == (code, signal)


def test_a_record_of_slurmdbd() -> None:
    record = family.accounting_record(
        {
            "job_id": 4711,
            "association": {"user": "alice", "account": "aero"},
            "user": "somebody",
            "name": "wing",
            "state": {"current": ["COMPLETED"], "reason": "None"},
            "comment": {"administrator": "", "job": "[marker released]", "system": ""},
            "time": {
                "submission": 1_800_000_000,
                "eligible": 1_800_000_001,
                "start": 1_800_000_002,
                "end": 1_800_000_012,
                "elapsed": 10,
                "limit": {"set": True, "infinite": False, "number": 5},
            },
            "exit_code": {"status": ["SUCCESS"], "return_code": {"set": True, "number": 0}},
            "nodes": "n[7-8]",
            "allocation_nodes": 2,
            "tres": {"allocated": [{"type": "mem", "count": 100}, {"type": "cpu", "count": 8}]},
        }
    )
    assert (record.source, record.user, record.comment) == (Source.ACCOUNTING, "alice", "[marker released]")
    assert record.states == {"COMPLETED"}
    assert (record.submit_time, record.start_time, record.end_time) == (1_800_000_000, 1_800_000_002, 1_800_000_012)
    assert (record.nodes, record.node_count, record.cpus, record.elapsed_seconds) == ("n[7-8]", 2, 8, 10)


def test_slurmdbds_words_for_no_nodes() -> None:
    assert family.accounting_record({"nodes": "None assigned"}).nodes is None
