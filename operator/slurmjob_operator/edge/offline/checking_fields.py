"""What the API server would refuse of an object of ours: unknown fields, types, bounds, names."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from slurmjob_operator.api import crds
from slurmjob_operator.api.base import DNS_LABEL, DNS_SUBDOMAIN
from slurmjob_operator.api.connection import SlurmConnectionSpec
from slurmjob_operator.api.slurmjob import SlurmJobSpec
from slurmjob_operator.edge.offline.kubectl_yaml import Path
from slurmjob_operator.edge.offline.manifest_objects import CONNECTION, JOB, Manifest
from slurmjob_operator.edge.offline.problems import Problem, value_text

MODELS: Final[dict[str, type[BaseModel]]] = {JOB: SlurmJobSpec, CONNECTION: SlurmConnectionSpec}
"""Models of `spec` by kind."""

METADATA: Final = (
    *("annotations", "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers"),
    *("generateName", "generation", "labels", "managedFields", "name", "namespace", "ownerReferences"),
    *("resourceVersion", "selfLink", "uid"),
)
"""Fields of every object's metadata (Kubernetes' ObjectMeta)."""

_NAMES: Final = (("name", DNS_SUBDOMAIN, 253, ", `-` and `.`"), ("namespace", DNS_LABEL, 63, " and `-`"))
"""Field of metadata, pattern, most characters, and which there may be beside letters and digits."""
_QUOTE: Final = "must be a text: put it in quotes"
_RULES: Final[dict[str, str]] = {
    "missing": "required",
    "string_type": _QUOTE,
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "model_type": "must be a mapping",
    "tuple_type": "must be a list",
    "too_short": "must have more entries",
}
"""Sentences for pydantic's types of errors, where its own would not help somebody who writes YAML."""
_TEXT_OR_NUMBER: Final = "must be a whole number or a text"


def problems(manifest: Manifest) -> Iterator[Problem]:
    """All that is wrong with the form of an object of ours."""
    yield from _metadata(manifest)
    yield from _unknown(manifest)
    yield from _wrong(manifest)


# --- Metadata ---------------------------------------------------------------------------------------------


def _metadata(manifest: Manifest) -> Iterator[Problem]:
    metadata = manifest.body.get("metadata", {})
    if not isinstance(metadata, dict):
        yield manifest.problem(("metadata",), "must be a mapping")
        return
    yield from _names(manifest, metadata)
    for field in ("labels", "annotations"):
        texts = metadata.get(field, {})
        if not isinstance(texts, dict):
            yield manifest.problem(("metadata", field), "must be a mapping of texts")
            continue
        for key, value in texts.items():
            if not isinstance(value, str):
                yield manifest.problem(("metadata", field, key), _QUOTE, value=value_text(value))


def _names(manifest: Manifest, metadata: Mapping[str, Any]) -> Iterator[Problem]:
    if "name" not in metadata and "generateName" not in metadata:
        yield manifest.problem(("metadata", "name"), "required")
    for field, pattern, longest, characters in _NAMES:
        name = metadata.get(field)
        if name is None:
            continue
        if not isinstance(name, str):
            yield manifest.problem(("metadata", field), _QUOTE, value=value_text(name))
        elif len(name) > longest or not re.fullmatch(pattern.strip("^$"), name):
            rule = f"must be at most {longest} lower case letters, digits{characters}, a letter or digit first and last"
            yield manifest.problem(("metadata", field), rule, value=value_text(name))


# --- Unknown fields ---------------------------------------------------------------------------------------


@cache
def _schemas() -> dict[str, Mapping[str, Any]]:
    """Schemas by kind, as the API server has them."""
    definitions = [definition["spec"] for definition in crds.definitions().values()]
    return {spec["names"]["kind"]: spec["versions"][0]["schema"]["openAPIV3Schema"] for spec in definitions}


def _unknown(manifest: Manifest) -> Iterator[Problem]:
    root = dict(_schemas()[manifest.kind])
    metadata: dict[str, Any] = {"properties": {key: {} for key in METADATA}}
    root["properties"] = {"apiVersion": {}, "kind": {}, "metadata": metadata, **root["properties"]}
    yield from _unknown_in(manifest, manifest.body, root, ())


def _unknown_in(manifest: Manifest, value: Any, schema: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    known = schema.get("properties")
    if isinstance(value, dict) and known is not None:
        for key, item in value.items():
            if key in known:
                yield from _unknown_in(manifest, item, known[key], (*path, key))
            else:
                yield manifest.problem((*path, key), f"unknown field{_nearest(key, known)}")
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from _unknown_in(manifest, item, schema["items"], (*path, index))


def _nearest(key: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(key[:64], known, n=1)
    return f"; {close[0]} is near" if close else ""


# --- Types and bounds -------------------------------------------------------------------------------------


def _wrong(manifest: Manifest) -> Iterator[Problem]:
    spec = manifest.body.get("spec")
    if spec is None:
        yield manifest.problem(("spec",), "required")
        return
    errors = [(_place(error, spec), error) for error in spec_errors(manifest.kind, spec)]
    for path, error in dict(reversed(errors)).items():
        if error["type"] == "too_short" and any(other[: len(path)] == path != other for other, _ in errors):
            continue  # pydantic does not count entries that are wrong themselves
        given = error["type"] != "missing"
        yield manifest.problem(("spec", *path), _rule(error), value=value_text(_at(spec, path)) if given else None)


def spec_errors(kind: str, spec: Any) -> list[Any]:
    """What pydantic says of a `spec`, read as strictly as JSON is by the API server."""
    try:
        MODELS[kind].model_validate_json(json.dumps(spec), strict=True)
    except ValidationError as error:
        return list(error.errors(include_url=False))
    return []


def _rule(error: Mapping[str, Any]) -> str:
    if error["loc"][-1:] in (("int",), ("str",)):
        return _TEXT_OR_NUMBER
    rule = _RULES.get(error["type"])
    if rule is not None:
        return rule
    message = str(error["msg"]).removeprefix("Value error, ")
    return message.replace("Input should be", "must be").replace("String should", "must").replace("should", "must", 1)


def _place(error: Mapping[str, Any], spec: Any) -> Path:
    """Where an error is: the types that a union tried are no part of the path."""
    path: Path = ()
    for part in error["loc"]:
        holder = _at(spec, path)
        inside = part in holder if isinstance(holder, dict) else isinstance(holder, list) and isinstance(part, int)
        if not inside and not (isinstance(holder, dict) and error["type"] == "missing"):
            break
        path = (*path, part)
    return path


def _at(value: Any, path: Path) -> Any:
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value
