"""From the models to `crds/*.yaml`: structural schemas without titles, references or nulls.

Run as `python -m slurmjob_operator.api.crds FOLDER` (`make crds`); a test fails when the files are stale.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from slurmjob_operator.api import connection, slurmjob
from slurmjob_operator.api.names import GROUP, VERSION

Schema = dict[str, Any]

_DROPPED = ("title", "discriminator", "$defs", "additionalProperties")


def _inline(schema: Any, definitions: Schema) -> Any:
    """Replace references, drop nulls, titles and empty defaults, and write int-or-string as Kubernetes does."""
    if isinstance(schema, list):
        return [_inline(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target = definitions[schema["$ref"].rpartition("/")[2]]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
        return _inline(schema, definitions)
    if "anyOf" in schema:
        return _inline(_without_null(schema), definitions)
    result = {}
    for key, value in schema.items():
        if key == "properties":
            result[key] = {name: _inline(item, definitions) for name, item in value.items()}
        elif key not in _DROPPED and not (key == "default" and value in (None, "", [])):
            result[key] = _inline(value, definitions)
    return result


def _without_null(schema: Schema) -> Schema:
    """`X | None` is an optional X; `int | str | None` carries x-kubernetes-int-or-string and no type."""
    variants = [variant for variant in schema["anyOf"] if variant.get("type") != "null"]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if rest.get("x-kubernetes-int-or-string"):
        return rest
    if len(variants) != 1:
        raise ValueError(f"a structural schema has one type: {variants}")
    return {**variants[0], **rest}


def _schema(model: type[BaseModel], *, extra: Schema) -> Schema:
    raw = model.model_json_schema(by_alias=True, mode="validation")
    schema: Schema = _inline(raw, raw.get("$defs", {}))
    schema["properties"]["status"]["default"] = {"observedGeneration": -1}
    schema["properties"]["status"]["properties"]["observedGeneration"].pop("default", None)
    schema["required"] = ["spec"]
    return {**schema, **extra}


def _definition(
    *,
    kind: str,
    plural: str,
    short_names: list[str],
    schema: Schema,
    columns: list[Schema],
    selectable: list[str],
) -> Schema:
    version: Schema = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": columns,
        "schema": {"openAPIV3Schema": schema},
    }
    if selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in selectable]
    names = {
        "kind": kind,
        "listKind": f"{kind}List",
        "plural": plural,
        "singular": kind.lower(),
        "categories": ["slurm"],
    }
    if short_names:
        names["shortNames"] = short_names
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": names,
            "conversion": {"strategy": "None"},
            "versions": [version],
        },
    }


def definitions() -> dict[str, Schema]:
    """The CustomResourceDefinitions by file name."""
    return {
        "slurmjobs.yaml": _definition(
            kind="SlurmJob",
            plural="slurmjobs",
            short_names=["sljob"],
            schema=_schema(slurmjob.SlurmJob, extra=slurmjob.EXTRA),
            columns=slurmjob.COLUMNS,
            selectable=slurmjob.SELECTABLE,
        ),
        "slurmconnections.yaml": _definition(
            kind="SlurmConnection",
            plural="slurmconnections",
            short_names=[],
            schema=_schema(connection.SlurmConnection, extra={}),
            columns=connection.COLUMNS,
            selectable=[],
        ),
    }


def render(definition: Schema) -> str:
    """YAML with a line that says where it comes from."""
    plain = json.loads(json.dumps(definition))
    return "# Generated from the models by `make crds`; do not edit.\n" + yaml.safe_dump(
        plain, sort_keys=False, width=110, allow_unicode=True
    )


def main() -> None:
    """Write all files into the folder named on the command line."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, definition in definitions().items():
        (folder / name).write_text(render(definition))


if __name__ == "__main__":
    main()
