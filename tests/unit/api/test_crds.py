"""The generated CRDs: up to date, structural, bounded, described."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slurmjob_operator.api import crds

FOLDER = Path(__file__).resolve().parents[3] / "crds"
LARGEST_BYTES = 200 * 1024
Node = tuple[str, dict[str, Any]]


def _version(definition: dict[str, Any]) -> dict[str, Any]:
    version: dict[str, Any] = definition["spec"]["versions"][0]
    return version


def _walk(schema: dict[str, Any], path: str = "") -> Iterator[Node]:
    yield path, schema
    for name, item in schema.get("properties", {}).items():
        yield from _walk(item, f"{path}.{name}")
    if "items" in schema:
        yield from _walk(schema["items"], f"{path}[]")


NODES: list[Node] = [
    (f"{name}{path}", schema)
    for name, definition in crds.definitions().items()
    for path, schema in _walk(_version(definition)["schema"]["openAPIV3Schema"])
]
JOB = crds.definitions()["slurmjobs.yaml"]


@pytest.mark.parametrize("name", crds.definitions())
def test_not_stale(name: str) -> None:
    assert (FOLDER / name).read_text() == crds.render(crds.definitions()[name]), "run `make crds`"


def test_every_file_is_generated() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(crds.definitions())


@pytest.mark.parametrize("name", crds.definitions())
def test_size(name: str) -> None:
    assert len(json.dumps(crds.definitions()[name])) < LARGEST_BYTES


def test_structural() -> None:
    """One type or int-or-string at each node, no reference, no title, nothing unknown kept."""
    for path, schema in NODES:
        assert ("type" in schema) != bool(schema.get("x-kubernetes-int-or-string")), path
        assert not schema.keys() & {"$ref", "title", "anyOf", "oneOf", "allOf", "nullable", "additionalProperties"}, (
            path
        )
        assert "x-kubernetes-preserve-unknown-fields" not in schema, path


def test_every_field_is_described() -> None:
    assert [path for path, schema in NODES if not schema.get("description") and not path.endswith("[]")] == []


def test_everything_is_bounded() -> None:
    for path, schema in NODES:
        kind = schema.get("type")
        if kind == "string" or schema.get("x-kubernetes-int-or-string"):
            assert "maxLength" in schema or "enum" in schema, path
        if kind == "array":
            assert "maxItems" in schema, path
            assert schema["x-kubernetes-list-type"] in ("map", "set", "atomic"), path
            if schema["x-kubernetes-list-type"] == "map":
                keys = schema["x-kubernetes-list-map-keys"]
                assert set(keys) <= set(schema["items"]["required"]), path


def test_no_bounds_that_the_api_server_cannot_read() -> None:
    """It reads bounds as float64: those of int64 are refused as no exact numbers."""
    for path, schema in NODES:
        for key in ("minimum", "maximum"):
            assert abs(schema.get(key, 0)) < 2**53, path


def test_defaults_stay_out_of_what_slurm_runs() -> None:
    """A default in `template` would change the hash of living objects when a release adds one."""
    inside = [path for path, schema in NODES if ".spec.template" in path and "default" in schema]
    assert inside == []


def test_names() -> None:
    names = JOB["spec"]["names"]
    assert (names["kind"], names["plural"], names["shortNames"], names["categories"]) == (
        "SlurmJob", "slurmjobs", ["sljob"], ["slurm"],
    )  # fmt: skip
    for definition in crds.definitions().values():
        assert definition["spec"]["scope"] == "Namespaced"
        assert _version(definition)["subresources"] == {"status": {}}


def test_a_new_object_reads_as_not_observed() -> None:
    for definition in crds.definitions().values():
        status = _version(definition)["schema"]["openAPIV3Schema"]["properties"]["status"]
        assert status["default"] == {"observedGeneration": -1}


def test_columns_and_selectors_point_at_fields() -> None:
    known = {path.removeprefix("slurmjobs.yaml") for path, _ in NODES if path.startswith("slurmjobs")}
    version = _version(JOB)
    for column in version["additionalPrinterColumns"]:
        assert column["jsonPath"] in known or column["jsonPath"] == ".metadata.creationTimestamp"
    for field in version["selectableFields"]:
        assert field["jsonPath"] in known


def test_flat_counters_are_integers_of_zero_and_one() -> None:
    """Argo Workflows can read nothing else."""
    for name in ("active", "succeeded", "failed"):
        schema = dict(NODES)[f"slurmjobs.yaml.status.{name}"]
        assert (schema["type"], schema["minimum"], schema["maximum"]) == ("integer", 0, 1)


def test_no_reference_has_a_namespace() -> None:
    assert [path for path, _ in NODES if path.endswith(".namespace")] == []
