"""Every request that the client sends is one that slurmrestd's own document describes, for every API version.

The documents are committed copies of what the three releases serve (`make check-openapi` compares them with the
daemons). Nobody here serves v0.0.39: it is held against names and types from public documentation only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxlib.slurm_suites import SUITES
from slurmjob_operator.api.template import JobTemplate
from slurmjob_operator.sbatch.errors import NotOverRest
from slurmjob_operator.sbatch.option import Option
from slurmjob_operator.sbatch.options import FIELDS
from slurmjob_operator.sbatch.value import Json
from slurmjob_operator.slurm import alternatives
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.errors import Refused
from slurmjob_operator.slurm.request import JobRequest, Target
from slurmjob_operator.slurm.template import InvalidTemplate, build_request, components
from tests.openapi import compare, documents
from tests.openapi.deviations import DEVIATIONS, Deviation, unexplained
from tests.openapi.documents import DOCUMENT_ONLY, SERVED, Document, Problem
from tests.openapi.sent import JOB_ID, Call, Sent, sent

NEEDED = {"script": "#!/bin/sh\ntrue\n", "chdir": "/home/alice"}
ENVIRONMENT = {"environment": [{"name": "A", "value": "b=c\nd"}, {"name": "EMPTY"}]}
NOT_HERE = {"array", "chdir"}
"""Not run yet, and needed by all."""
COMPANIONS: dict[str, dict[str, Any]] = {
    "gpusPerTask": {"ntasks": 2},
    "gpusPerSocket": {"socketsPerNode": 2},
    "cpusPerGpu": {"gpus": 2},
    "memPerGpu": {"gpus": 2},
    "ntasksPerGpu": {"gpus": 2},
    "ntasksPerTres": {"gpus": 2},
    "tresPerTask": {"ntasks": 2},
    "resvPorts": {"stepmgr": True},
}
"""What sbatch wants beside an option."""


def values_of(option: Option) -> list[Any]:
    """The examples of an option's values as they stand in a manifest; `1.5` of a number is one of sbatch alone."""
    if option.type is None:
        return []
    if option.type.json is Json.BOOLEAN:
        return [True, False]
    if option.type.json is Json.INTEGER:
        return [int(text) for text in option.type.examples if text.lstrip("-").isdecimal()]
    return list(option.type.examples)


TEMPLATES: list[dict[str, Any]] = [
    {},
    ENVIRONMENT,
    {"args": ["--case", "a b"]},
    *(
        {**COMPANIONS.get(name, {}), name: value}
        for name, option in FIELDS.items()
        if name not in NOT_HERE
        for value in values_of(option)
    ),
]
"""Every field with every example of its values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One API version in one document; two releases serve some version alike."""

    name: str
    document: Document

    def __str__(self) -> str:
        return f"{self.name} of {self.document.name}"

    @property
    def target(self) -> Target:
        """The Slurm whose document it is; v0.0.39 is 23.02's."""
        release = RELEASE_OF_39 if self.name == DOCUMENT_ONLY else self.document.name
        return Target.of(release=release, api_version=self.name)


RELEASE_OF_39 = "23.02.0"


VERSIONS = [
    *(Version(name=name, document=documents.served(suite)) for suite in SERVED for name in SUITES[suite].api_versions),
    Version(name=DOCUMENT_ONLY, document=documents.document_only()),
]
EVERY_VERSION = pytest.mark.parametrize("version", VERSIONS, ids=str)


def shown(template: dict[str, Any]) -> str:
    """A template in a test's name."""
    return " ".join(f"{name}={value}" for name, value in template.items()) or "nothing"


def cannot_say(version: Version, template: dict[str, Any]) -> bool:
    """Whether this version has no words for it; whatever else is wrong with a template is a defect of this test."""
    try:
        submission(template, target=version.target)
    except InvalidTemplate as error:
        if error.__cause__ is not None and isinstance(error.__cause__.__cause__, NotOverRest):
            return True
        raise
    return False


def submission(template: dict[str, Any], *, target: Target, extra: str | None = None) -> Call:
    """Submit a template, as the engine does. Raises `InvalidTemplate`, also for what the version cannot say."""
    parsed = JobTemplate.model_validate({**NEEDED, **template})
    asked = components(parsed, target=target)[0]
    request = build_request(parsed, asked, name="a-slurmjob", target=target, user="alice")
    return lambda port: port.submit_held(request, comment="[slurmjob.dev/v1 …] mine", extra=extra)


async def _refused(port: SlurmrestdClient, code: int) -> None:
    """What is asked when a submission has been refused with this number; nothing where there is no slurmdbd for it."""
    request = JobRequest(script="", name="", chdir="/")
    refusal = Refused("no", code=code)
    await alternatives.named(refusal, request, caller=port._caller, cluster_name="campus", accounting=True)


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
    "facts": lambda port: port.facts(),
    "partitions after a refusal": lambda port: _refused(port, 2000),
    "accounts after a refusal": lambda port: _refused(port, 2045),
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


@cache
def submissions(version: Version) -> dict[str, Sent]:
    """What is sent of each template that this version can say, by its text."""
    calls: dict[str, Call] = {}
    for template in TEMPLATES:
        if not cannot_say(version, template):
            calls[shown(template)] = submission(template, target=version.target)

    async def all_of_them(port: SlurmrestdClient) -> None:
        for call in calls.values():
            await call(port)

    requests = [request for request in sent(version.name, all_of_them) if request.method == "POST"]
    assert len(requests) == len(calls)
    return dict(zip(calls, requests, strict=True))


@EVERY_VERSION
def test_each_field_of_a_template(version: Version) -> None:
    found = {name: checked(version, [request])[0] for name, request in submissions(version).items()}
    assert {name: problems for name, problems in found.items() if problems} == {}
    assert {request.path for request in submissions(version).values()} == {f"/slurm/{version.name}/job/submit"}


@EVERY_VERSION
@pytest.mark.parametrize("slurmdbd", [True, False], ids=["slurmdbd", "no slurmdbd"])
@pytest.mark.parametrize("verb", OTHERS)
def test_each_other_request(version: Version, verb: str, slurmdbd: bool) -> None:
    requests = sent(version.name, OTHERS[verb], slurmdbd=slurmdbd)
    assert requests
    assert checked(version, requests)[0] == []


def test_each_deviation_is_needed() -> None:
    """What a release's document and daemon agree on by now needs no row."""
    used: set[tuple[str, Deviation]] = set()
    for version in VERSIONS:
        requests = [request for call in OTHERS.values() for request in sent(version.name, call)]
        used |= {(version.name, row) for row in checked(version, [*requests, *submissions(version).values()])[1]}
    assert {(name, row) for row in DEVIATIONS for name in row.versions} == used


OPTIONAL = {name: st.sampled_from(values_of(option)) for name, option in FIELDS.items() if name not in NOT_HERE}
WORD = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=20)
VARIABLES = st.dictionaries(st.from_regex(r"[A-Z_]{1,9}", fullmatch=True), WORD, max_size=3).map(
    lambda found: [{"name": name, "value": value} for name, value in found.items()]
)


@EVERY_VERSION
@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.sampled_from(sorted(OPTIONAL)), max_size=6, unique=True).flatmap(
        lambda names: st.fixed_dictionaries(
            {name: OPTIONAL[name] for name in names}, optional={"environment": VARIABLES}
        )
    )
)
def test_every_template_that_can_be_built(version: Version, template: dict[str, Any]) -> None:
    """Several options together: what is refused together is refused before it is sent."""
    try:
        call = submission(template, target=version.target)
    except InvalidTemplate:
        return
    assert checked(version, sent(version.name, call))[0] == []


@EVERY_VERSION
def test_the_marker_in_extra_where_the_release_has_it(version: Version) -> None:
    properties = version.document.schema(f"/slurm/{version.name}/job/submit", "post")["properties"]["job"]["properties"]
    assert ("extra" in properties) is (version.name != "v0.0.38")
    if "extra" in properties:
        assert (
            checked(version, sent(version.name, submission({}, target=version.target, extra="[slurmjob.dev/v1 …]")))[0]
            == []
        )


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
