"""What the schemas take and refuse, and that every bound is one that the API server can hold us to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator
from pydantic import ValidationError

from slurmjob_operator.api import crds
from slurmjob_operator.api.connection import SlurmConnection
from slurmjob_operator.api.slurmjob import SlurmJob

Schema = dict[str, Any]

KEYWORDS = {
    "default", "description", "enum", "format", "items", "maxItems", "maxLength", "maxProperties", "maximum",
    "minItems", "minLength", "minimum", "pattern", "properties", "additionalProperties", "required", "type",
    "x-kubernetes-int-or-string", "x-kubernetes-list-map-keys", "x-kubernetes-list-type", "x-kubernetes-validations",
}  # fmt: skip

VERSIONS = {name: definition["spec"]["versions"][0] for name, definition in crds.definitions().items()}
ROOTS: dict[str, Schema] = {name: version["schema"]["openAPIV3Schema"] for name, version in VERSIONS.items()}
JOB, CONNECTION = OAS30Validator(ROOTS["slurmjobs.yaml"]), OAS30Validator(ROOTS["slurmconnections.yaml"])


def walk(node: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    yield path, node
    for name, inner in node.get("properties", {}).items():
        yield from walk(inner, f"{path}.{name}")
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(node.get(key), dict):
            yield from walk(node[key], path + mark)


NODES = [(path, node) for name, root in ROOTS.items() for path, node in walk(root, name.removesuffix(".yaml"))]


def test_only_words_of_a_structural_schema() -> None:
    assert {path: set(node) - KEYWORDS for path, node in NODES if set(node) - KEYWORDS} == {}


def test_objects_keep_their_fields_and_maps_are_bounded() -> None:
    """An object without properties would be pruned to nothing."""
    for path, node in NODES:
        if node.get("type") == "object" and "additionalProperties" in node:
            assert node["maxProperties"] > 0, path
        elif node.get("type") == "object":
            assert node["properties"], path
            assert set(node.get("required", ())) <= set(node["properties"]), path


def test_numbers_have_a_width_and_those_of_32_bits_their_bounds() -> None:
    for path, node in NODES:
        if node.get("type") == "integer" and node["format"] == "int32":
            assert -(2**31) <= node["minimum"] <= node["maximum"] < 2**31, path
        elif node.get("type") == "integer":
            assert node["format"] == "int64", path
            assert "maximum" not in node, path


def test_patterns_are_those_of_re2() -> None:
    patterns = {path: node["pattern"] for path, node in NODES if "pattern" in node}
    assert len(patterns) > 10
    for path, pattern in patterns.items():
        assert pattern.startswith("^"), f"{path}: unanchored, it would match anywhere"
        assert "(?" not in pattern, f"{path}: RE2 does not look around"
        assert not re.search(r"\\[1-9]", pattern), f"{path}: RE2 knows no references"


def test_a_default_is_of_an_optional_field_and_among_its_words() -> None:
    for path, node in NODES:
        defaults = {name for name, field in node.get("properties", {}).items() if "default" in field}
        assert not defaults & set(node.get("required", ())), path
        assert node.get("default") in [None, *node["enum"]] if "enum" in node else True, path


def test_rules_name_their_field() -> None:
    rules = [(path, rule) for path, node in NODES for rule in node.get("x-kubernetes-validations", ())]
    assert [rule["fieldPath"] for path, rule in rules if path == "slurmjobs"] == [
        ".spec.template",
        ".spec.connectionRef",
        ".spec.managedBy",
    ]
    assert len(rules) == 9
    for _, rule in rules:
        assert rule["reason"] in ("FieldValueInvalid", "FieldValueForbidden")
        assert "`" in rule["message"], "the field stands in the message"


@pytest.mark.parametrize("name", VERSIONS)
def test_columns_have_the_type_of_what_they_show(name: str) -> None:
    known = {path.removeprefix(name.removesuffix(".yaml")): node for path, node in NODES}
    columns = VERSIONS[name]["additionalPrinterColumns"]
    assert len({column["name"] for column in columns}) == len(columns)
    assert columns[-1] == {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}
    for column in columns[:-1]:
        path = re.sub(r'\[\?\(@\.type=="(Ready)"\)\]', "[]", column["jsonPath"])
        shown = "date" if column["type"] == "date" and known[path]["format"] == "date-time" else known[path]["type"]
        assert column["type"] == shown, column


def test_two_types_for_one_field_are_a_defect_of_a_model() -> None:
    with pytest.raises(ValueError, match="one type"):
        crds._inline({"anyOf": [{"type": "string"}, {"type": "integer"}]}, {})


# --- What is taken --------------------------------------------------------------------------------------------


def job(**template: Any) -> Schema:
    return {
        "spec": {
            "connectionRef": {"name": "campus"},
            "template": {"script": "#!/bin/sh\n", "chdir": "/home/alice", **template},
        }
    }


@pytest.mark.parametrize(
    ("template", "fits"),
    [
        ({}, True),
        ({"jobName": "x", "ntasks": 4, "environment": [{"name": "A"}, {"name": "_b", "value": "x=y\n"}]}, True),
        ({"script": "echo"}, False),
        ({"script": "#!" + "x" * 65535}, False),
        ({"chdir": "relative"}, True),
        ({"chdir": "/a\nb"}, False),
        ({"ntasks": 0}, False),
        ({"ntasks": 2**31}, False),
        ({"account": "a\nb"}, False),
        ({"ntasks": "4"}, False),
        ({"overcommit": "yes"}, False),
        ({"environment": [{"name": "1A"}]}, False),
        ({"environment": [{"value": "x"}]}, False),
        ({"output": "x" * 4097}, False),
        ({"comment": "x" * 1025}, False),
    ],
)
def test_schema_and_model_agree_on_templates(template: Schema, fits: bool) -> None:
    """The API server is the first to look, the operator the second: an older CRD may let more in."""
    body = job(**template)
    assert JOB.is_valid(body) is fits
    if fits:
        assert SlurmJob.model_validate(body).spec.template.script.startswith("#!")
    else:
        with pytest.raises(ValidationError):
            SlurmJob.model_validate(body)


@pytest.mark.parametrize(
    ("spec", "fits"),
    [
        ({}, True),
        ({"servers": [{"url": "http://127.0.0.1:6820/"}]}, True),
        ({"apiVersion": "v0.0.45"}, True),
        ({"servers": []}, False),
        ({"servers": [{"url": "https://a.example"}, {"url": "https://b.example"}]}, True),
        ({"servers": [{"url": f"https://{name}.example"} for name in "abcdefgh"]}, True),
        ({"servers": [{"url": f"https://{name}.example"} for name in "abcdefghi"]}, False),
        ({"tls": {"ca": {"configMapKeyRef": {"name": "ca"}}}}, True),
        (
            {
                "tls": {
                    "ca": {"secretKeyRef": {"name": "ca", "key": "x"}},
                    "clientCertificate": {"secretRef": {"name": "c"}},
                }
            },
            True,
        ),
        ({"tls": {"ca": {"configMapKeyRef": {"name": "Not a name"}}}}, False),
        ({"headersFrom": {"secretRef": {"name": "gate"}}}, True),
        ({"headersFrom": {"secretRef": {}}}, False),
        ({"limits": {"requestsPerSecond": 0.5, "inFlight": 2}}, True),
        ({"limits": {"requestsPerSecond": 0}}, False),
        ({"limits": {"inFlight": 9}}, False),
        ({"suspend": True}, True),
        ({"suspend": [True]}, False),
        ({"clusterName": "campus"}, True),
        ({"clusterName": "two words"}, False),
        ({"servers": [{"url": "ftp://slurm.example.org"}]}, False),
        ({"servers": [{"url": "https://user@slurm.example.org"}]}, False),
        ({"servers": [{"url": "https://slurm.example.org/path"}]}, True),
        ({"servers": [{"url": "https://slurm.example.org/a path"}]}, False),
        ({"servers": [{"url": "https://slurm.example.org?x=1"}]}, False),
        ({"servers": [{"url": "https://slurm .example.org"}]}, False),
        ({"apiVersion": "v0.0.37"}, False),
        ({"apiVersion": "v0.0.46"}, False),
        ({"pollPeriodSeconds": 4}, False),
        ({"requestTimeoutSeconds": 301}, False),
        ({"auth": {"jwt": {"secretKeyRef": {"name": "Token"}}}}, False),
        ({"auth": {"jwt": {"secretKeyRef": {"name": "token", "key": "a/b"}}}}, False),
    ],
)
def test_schema_and_model_agree_on_connections(spec: Schema, fits: bool) -> None:
    token = {"jwt": {"secretKeyRef": {"name": "token"}}}
    body = {"spec": {"servers": [{"url": "https://slurm.example.org:6820"}], "auth": token, **spec}}
    assert CONNECTION.is_valid(body) is fits
    if fits:
        assert SlurmConnection.model_validate(body).spec.auth.jwt.secret_key_ref.key == "SLURM_JWT"
    else:
        with pytest.raises(ValidationError):
            SlurmConnection.model_validate(body)
