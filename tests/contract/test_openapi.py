"""Every request that the client sends is one that slurmrestd's own document describes, for every API version.

The documents are committed copies of what the three releases serve (`make check-openapi` compares them with the
daemons). Nobody here serves v0.0.39: it is held against names and types from public documentation only.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxlib.slurm_suites import SUITES
from slurmjob_operator.api.template import JobTemplate
from slurmjob_operator.slurm.template import build_request
from tests.contract.test_sbatch import ROWS
from tests.openapi import compare, documents
from tests.openapi.deviations import DEVIATIONS, Deviation, unexplained
from tests.openapi.documents import DOCUMENT_ONLY, SERVED, Document, Problem
from tests.openapi.sent import JOB_ID, Call, Sent, sent

NEEDED = {"script": "#!/bin/sh\ntrue\n", "chdir": "/home/alice"}
NOT_IN_ROWS: list[dict[str, Any]] = [
    {"jobName": "wing"},
    {"comment": "mine"},
    {"environment": [{"name": "A", "value": "b=c\nd"}, {"name": "EMPTY"}]},
    {"deadline": "now+2hours"},
    {"hold": True},
    {"error": "err-%j"},
    {"memPerCpu": 0},
    {"gpusPerNode": "a100:2"},
    {"dependency": "afterok:1:2,afterany:3+10"},
]
"""Fields, and forms of their values, that differ from sbatch's only in what the comparison with it cannot see."""

TOGETHER: dict[str, Any] = {
    "jobName": "wing", "account": "aero", "partition": "gpu", "qos": "high", "nodes": "2-4", "ntasks": 8,
    "ntasksPerNode": 4, "cpusPerTask": 2, "mem": "2G", "time": "90", "gres": "gpu:1,widget:2", "gpus": 4,
    "gpusPerNode": "a100:2", "dependency": "singleton", "deadline": "now+2hours", "requeue": False,
    "constraint": "fast", "output": "out-%j", "error": "err-%j", "comment": "mine",
    "environment": [{"name": "A", "value": "b"}],
}  # fmt: skip

TEMPLATES: list[dict[str, Any]] = [*(template for template, _ in ROWS), *NOT_IN_ROWS, TOGETHER]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One API version in one document; two releases serve some version alike."""

    name: str
    document: Document

    def __str__(self) -> str:
        return f"{self.name} of {self.document.name}"


VERSIONS = [
    *(Version(name=name, document=documents.served(suite)) for suite in SERVED for name in SUITES[suite].api_versions),
    Version(name=DOCUMENT_ONLY, document=documents.document_only()),
]
EVERY_VERSION = pytest.mark.parametrize("version", VERSIONS, ids=str)


def submission(template: dict[str, Any], *, extra: str | None = None) -> Call:
    """Submit a template, as the engine does."""
    request = build_request(JobTemplate.model_validate({**NEEDED, **template}), name="a-slurmjob", now=time.time())
    return lambda port: port.submit_held(request, comment="[slurmjob.dev/v1 …] mine", extra=extra)


OTHERS: dict[str, Call] = {
    "info": lambda port: port.info(),
    "release": lambda port: port.release(JOB_ID, comment="[slurmjob.dev/v1 … released] mine"),
    "comment": lambda port: port.release(JOB_ID, comment="[slurmjob.dev/v1 … released] mine", keep_held=True),
    "cancel": lambda port: port.cancel(JOB_ID),
    "job": lambda port: port.job(JOB_ID),
    "states": lambda port: port.states([JOB_ID, JOB_ID + 1]),
    "accounting": lambda port: port.accounting(JOB_ID),
    "search": lambda port: port.search(name="wing", since=1_800_000_000),
    "held jobs": lambda port: port.held_jobs(since=1_800_000_000, known=()),
    "backlog": lambda port: port.accounting_backlog(),
    "up_since": lambda port: port.up_since(),
}
"""All that is sent besides submissions, by the port's verbs."""


def checked(version: Version, requests: list[Sent]) -> tuple[list[Problem], set[Deviation]]:
    """What of these requests neither the document nor a measured deviation allows, and the deviations met."""
    left: list[Problem] = []
    used: set[Deviation] = set()
    for request in requests:
        problems = version.document.problems(request.method, request.path, query=request.query, body=request.body)
        template = version.document.template(request.path) or request.path
        more, rows = unexplained(version.name, f"{request.method} {short(template)}", problems)
        left, used = left + more, used | rows
    return left, used


def short(template: str) -> str:
    """A path without the API version: `/job/{job_id}`, `db/jobs`."""
    _, daemon, _, rest = template.split("/", 3)
    return f"{daemon.removeprefix('slurm')}/{rest}"


@EVERY_VERSION
@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: " ".join(template) or "nothing")
def test_each_field_of_a_template(version: Version, template: dict[str, Any]) -> None:
    requests = sent(version.name, submission(template))
    assert [request.path for request in requests] == [f"/slurm/{version.name}/job/submit"]
    assert checked(version, requests)[0] == []


@EVERY_VERSION
@pytest.mark.parametrize("slurmdbd", [True, False], ids=["slurmdbd", "no slurmdbd"])
@pytest.mark.parametrize("verb", OTHERS)
def test_each_other_request(version: Version, verb: str, slurmdbd: bool) -> None:
    requests = sent(version.name, OTHERS[verb], slurmdbd=slurmdbd)
    assert requests
    assert checked(version, requests)[0] == []


def test_no_field_of_a_template_is_left_out() -> None:
    named = {field.alias for field in JobTemplate.model_fields.values()}
    assert named == set(NEEDED).union(*TEMPLATES)


def test_each_deviation_is_needed() -> None:
    """What a release's document and daemon agree on by now needs no row."""
    used: set[tuple[str, Deviation]] = set()
    for version in VERSIONS:
        calls = [*(submission(template) for template in TEMPLATES), *OTHERS.values()]
        requests = [request for call in calls for request in sent(version.name, call)]
        used |= {(version.name, row) for row in checked(version, requests)[1]}
    assert {(name, row) for row in DEVIATIONS for name in row.versions} == used


WORD = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=20)
COUNT = st.integers(1, 1_000_000)
MEMORY = st.integers(0, 10**6) | st.builds("{}{}".format, st.integers(0, 9999), st.sampled_from("KMGT"))
GPUS = st.integers(1, 64) | st.builds("{}:{}".format, st.sampled_from(["a100", "h100-80g"]), st.integers(1, 64))
OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    "jobName": WORD, "account": WORD, "partition": WORD, "qos": WORD, "constraint": WORD, "output": WORD,
    "error": WORD, "comment": WORD, "ntasks": COUNT, "ntasksPerNode": COUNT, "cpusPerTask": COUNT,
    "nodes": st.integers(1, 10**9 - 1) | st.builds("{}-{}".format, st.integers(1, 9), st.integers(9, 99)),
    "time": st.sampled_from(["UNLIMITED", "0", "1:30", "7-12"]) | st.integers(1, 10**6).map(str),
    "gres": st.sampled_from(["none", "gpu", "gpu:2,nvme", "gpu:a100:2"]), "gpus": GPUS, "gpusPerNode": GPUS,
    "dependency": st.sampled_from(["singleton", "afterok:1", "after:2+5?afterany:3_4"]),
    "deadline": st.builds("now+{}{}".format, st.integers(0, 10**6), st.sampled_from(["", "minutes", "weeks"])),
    "requeue": st.booleans(), "hold": st.booleans(),
    "environment": st.dictionaries(st.from_regex(r"[A-Z_]{1,9}", fullmatch=True), WORD, max_size=3).map(
        lambda found: [{"name": name, "value": value} for name, value in found.items()]
    ),
}  # fmt: skip
BUILT = st.builds(
    lambda rest, memory: {**rest, **memory},
    st.fixed_dictionaries({}, optional=OPTIONAL),
    st.fixed_dictionaries({}, optional={"mem": MEMORY}) | st.fixed_dictionaries({"memPerCpu": MEMORY}),
)


@EVERY_VERSION
@settings(deadline=None, max_examples=40)
@given(BUILT)
def test_every_template_that_can_be_built(version: Version, template: dict[str, Any]) -> None:
    assert checked(version, sent(version.name, submission(template)))[0] == []


@EVERY_VERSION
def test_the_marker_in_extra_where_the_release_has_it(version: Version) -> None:
    properties = version.document.schema(f"/slurm/{version.name}/job/submit", "post")["properties"]["job"]["properties"]
    assert ("extra" in properties) is (version.name != "v0.0.38")
    if "extra" in properties:
        assert checked(version, sent(version.name, submission({}, extra="[slurmjob.dev/v1 …]")))[0] == []


@EVERY_VERSION
@pytest.mark.parametrize(
    ("job", "key", "rule"),
    [
        ({"ntasks": 1}, "job.ntasks", "additionalProperties"),
        ({"tasks": "one"}, "job.tasks", "type"),
        ({"name": None}, "job.name", "type"),
    ],
)
def test_the_check_itself_finds_wrong_keys_and_types(version: Version, job: Any, key: str, rule: str) -> None:
    body = {"script": "#!", "job": {"environment": {} if version.name == "v0.0.38" else [], **job}}
    found = version.document.problems("POST", f"/slurm/{version.name}/job/submit", body=body)
    assert {(problem.key, problem.rule) for problem in found} == {(key, rule)}


def test_the_check_itself_finds_wrong_paths_and_parameters() -> None:
    document = documents.served("bookworm")
    assert [p.rule for p in document.problems("GET", "/slurm/v0.0.38/jobs/state")] == ["undocumented"]
    assert [p.key for p in document.problems("GET", "/slurmdb/v0.0.38/jobs", query=["users"])] == ["?users"]


def test_every_version_of_every_document_that_we_speak_is_here() -> None:
    spoken = {version for suite in SUITES.values() for version in suite.api_versions}
    assert {version.name for version in VERSIONS} == spoken | {DOCUMENT_ONLY}
    for suite in SERVED:
        assert set(SUITES[suite].api_versions) <= set(documents.served(suite).versions)


def test_the_comparison_with_daemons_finds_what_differs() -> None:
    """`make check-openapi`: other versions, a key of another type, a key and a parameter that are gone."""
    ours, other = documents.document_only(), documents.served("forky")
    assert list(compare.differences(other, other)) == []
    assert "v0.0.45: only in 26.05.5" in list(compare.differences(ours, other))
    content = json.loads((documents.FOLDER / f"{DOCUMENT_ONLY}.json").read_text())
    job = content["components"]["schemas"]["v0.0.39_job_desc_msg"]["properties"]
    job["nodes"] = {"type": "integer", "description": "not compared"}
    del job["hold"]
    del content["paths"]["/slurm/v0.0.39/jobs"]["get"]["parameters"]
    start = "v0.0.39 POST /slurm/v0.0.39/job/submit.properties.job.properties"
    assert {
        f'{start}.nodes.type: "string" -> "integer"',
        f'{start}.hold.type: "boolean" -> absent',
        "v0.0.39 GET /slurm/v0.0.39/jobs: parameters update_time -> parameters ",
    } <= set(compare.differences(ours, documents.Document("changed", content)))
