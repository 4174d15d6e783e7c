"""The family v0.0.40 to v0.0.45: every body that is sent validates against the document that slurmrestd serves."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator, oas30_format_checker

from slurmjob_operator.slurm import values
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
    return OAS30Validator(_strict(content["application/json"]["schema"]), format_checker=oas30_format_checker)


def _problems(version: str, path: str, body: dict[str, Any]) -> list[str]:
    return [f"{'.'.join(map(str, e.absolute_path))}: {e.message}" for e in _validator(version, path).iter_errors(body)]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_request_with_every_field_validates(version: str) -> None:
    body = family.encode(FULL, comment="[marker] x", version=version)
    assert _problems(version, "job/submit", body) == []
    assert None not in body["job"].values()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_release_validates(version: str) -> None:
    assert _problems(version, "job/{job_id}", {"hold": False, "comment": "[marker released] x"}) == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"scripts": "x"}, "'scripts' was unexpected"),
        ({"job": {"ntasks": 1}}, "'ntasks' was unexpected"),
        ({"job": {"gres": "gpu:1"}}, "'gres' was unexpected"),
        ({"job": {"time_limit": {"set": True, "value": 5}}}, "'value' was unexpected"),
        ({"job": {"tasks": "one"}}, "'one' is not of type 'integer'"),
        ({"job": {"tasks": 2**31}}, "is not a 'int32'"),
        ({"job": {"nodes": 2}}, "2 is not of type 'string'"),
        ({"job": {"environment": {"A": "1"}}}, "is not of type 'array'"),
        ({"job": {"standard_output": None}}, "None is not of type 'string'"),
    ],
)
def test_the_check_itself_refuses_unknown_keys_and_wrong_types(version: str, body: Any, problem: str) -> None:
    """slurmrestd ignores a key that it does not know, so the check must not."""
    found = _problems(version, "job/submit", body)
    assert any(problem in text for text in found)


SENT: dict[str, Any] = {
    "name": "wing",
    "comment": "[marker] x",
    "hold": True,
    "current_working_directory": "/home/alice",
    "environment": ["PATH=/bin", "A=b=c"],
    "account": "aero",
    "partition": "gpu",
    "qos": "high",
    "nodes": "2-4",
    "tasks": 8,
    "tasks_per_node": 4,
    "cpus_per_task": 2,
    "memory_per_node": {"set": True, "number": 2048},
    "memory_per_cpu": {"set": True, "number": 512},
    "time_limit": {"set": True, "infinite": False, "number": 90},
    "tres_per_node": "gres/gpu:2",
    "tres_per_job": "gres/gpu:a100:4",
    "constraints": "fast",
    "standard_output": "out-%j",
    "standard_error": "err-%j",
}
MUST = {"name", "comment", "hold", "current_working_directory", "environment"}


@pytest.mark.parametrize("version", family.VERSIONS)
@pytest.mark.parametrize("key", SENT)
def test_each_field_under_its_key(version: str, key: str) -> None:
    """Keys and shapes that slurmrestd was measured to read as sbatch's options."""
    assert family.encode(FULL, comment="[marker] x", version=version)["job"][key] == SENT[key]


@pytest.mark.parametrize("version", family.VERSIONS)
def test_a_field_without_a_value_is_not_sent(version: str) -> None:
    request = JobRequest(script="#!", name="n", chdir="/x", environment={"PATH": "/bin"})
    body = family.encode(request, comment="c", version=version)
    assert (set(body), body["script"]) == ({"script", "job"}, "#!")
    assert set(body["job"]) & set(SENT) == MUST


def test_what_sbatch_leaves_to_the_cluster_is_left_to_it() -> None:
    """Without the key slurmrestd says no; 65534 is unset in 16 bits. The three oldest versions do not know the key."""
    sent = {v: family.encode(FULL, comment="c", version=v)["job"].get("oom_kill_step") for v in family.VERSIONS}
    assert sent == {v: None if v in ("v0.0.39", "v0.0.40", "v0.0.41") else 65534 for v in family.VERSIONS}


@pytest.mark.parametrize(
    ("field", "value", "key", "sent"),
    [
        ("nodes", NodeRange(minimum=2, maximum=2), "nodes", "2"),
        ("mem_per_node_mb", 0, "memory_per_node", {"set": True, "number": 0}),
        ("environment", {"EMPTY": ""}, "environment", ["EMPTY="]),
        ("environment", {"LINES": "a\nb"}, "environment", ["LINES=a\nb"]),
    ],
)
def test_values_that_are_easily_lost(field: str, value: Any, key: str, sent: Any) -> None:
    """`mem: 0` is all of a node, and not the same as no `mem`."""
    request = replace(JobRequest(script="#!", name="n", chdir="/"), **{field: value})
    assert family.encode(request, comment="c", version="v0.0.45")["job"][key] == sent


WORD = st.text(min_size=1, max_size=20)
COUNT = st.integers(1, 10**6)
REQUESTS = st.builds(
    JobRequest,
    script=WORD,
    name=WORD,
    chdir=WORD,
    environment=st.dictionaries(WORD, st.text(max_size=5), max_size=3),
    account=st.none() | WORD,
    partition=st.none() | WORD,
    qos=st.none() | WORD,
    nodes=st.none() | st.builds(NodeRange, minimum=st.integers(1, 9), maximum=st.integers(9, values.LARGEST)),
    ntasks=st.none() | COUNT,
    ntasks_per_node=st.none() | COUNT,
    cpus_per_task=st.none() | COUNT,
    mem_per_node_mb=st.none() | st.integers(0, 2**53),
    mem_per_cpu_mb=st.none() | st.integers(0, 2**53),
    time_limit=st.none() | st.builds(TimeLimit, minutes=st.none() | st.integers(1, values.LARGEST)),
    tres_per_node=st.none() | WORD,
    tres_per_job=st.none() | WORD,
    constraint=st.none() | WORD,
    output=st.none() | WORD,
    error=st.none() | WORD,
)


@settings(deadline=None, max_examples=50)
@given(REQUESTS, st.sampled_from(VERSIONS))
def test_every_request_validates_and_is_held(request: JobRequest, version: str) -> None:
    body = family.encode(request, comment="[marker]", version=version)
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
    assert family.encode(request, comment="c", version="v0.0.45")["job"].get("time_limit") == sent


def test_trap_poison_file_names_without_a_value_are_left_out() -> None:
    job = family.encode(JobRequest(script="#!", name="n", chdir="/"), comment="c", version="v0.0.45")["job"]
    assert "standard_output" not in job
    assert "standard_error" not in job
    assert "standard_input" not in job
    assert "argv" not in job, "TRAP S4: it kills slurmrestd 22.05"
