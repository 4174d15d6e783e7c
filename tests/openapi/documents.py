"""The OpenAPI documents that slurmrestd serves, as committed, and what of a request is not as they say.

Three are copies of what the slurmrestd of the three releases serve; `v0.0.39`, which none of them serves, is a list of
names and types taken from public documentation.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from openapi_schema_validator import OAS30Validator, oas30_format_checker

FOLDER: Final = Path(__file__).parent
SERVED: Final = {"bookworm": "22.05.8", "trixie": "24.11.5", "forky": "26.05.5"}
"""The release whose document is committed, by the sandbox's suite."""

DOCUMENT_ONLY: Final = "v0.0.39"
METHODS: Final = ("get", "post", "delete")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is not as the document says: the key, dotted from the body's top, or `?name` of a query parameter; and the
    rule of JSON schema that it breaks (`type`, `required`, `additionalProperties` …), or `undocumented`."""

    key: str
    rule: str
    message: str


class Document:
    """One document. Unknown keys count as problems, for slurmrestd ignores them (TRAP S5)."""

    def __init__(self, name: str, content: Mapping[str, Any]) -> None:
        self.name = name
        self._content = content
        self.paths: Mapping[str, Any] = {path.rstrip("/"): item for path, item in content["paths"].items()}
        self._validators: dict[str, OAS30Validator] = {}

    @property
    def versions(self) -> tuple[str, ...]:
        """The API versions whose requests it describes, newest first."""
        found = {path.split("/")[2] for path in self.paths if path.startswith("/slurm/v")}
        return tuple(sorted(found, reverse=True))

    def template(self, path: str) -> str | None:
        """The path as the document names it: `/slurm/v0.0.42/job/{job_id}` for `/slurm/v0.0.42/job/7`."""
        if path in self.paths:
            return path
        start, _, end = path.rpartition("/")
        named = f"{start}/{{job_id}}"
        return named if end.isdigit() and named in self.paths else None

    def problems(
        self, method: str, path: str, *, query: Iterable[str] = (), body: Mapping[str, Any] | None = None
    ) -> list[Problem]:
        """All that is wrong with a request: its path, the names in its query, its body."""
        template = self.template(path)
        operation = None if template is None else self.paths[template].get(method.lower())
        if operation is None:
            return [Problem(key=path, rule="undocumented", message=f"{method} {path} is not in {self.name}")]
        known = {parameter["name"] for parameter in operation.get("parameters", ())}
        found = [
            Problem(key=f"?{name}", rule="undocumented", message=f"{path} has no parameter {name}")
            for name in dict.fromkeys(query)
            if name not in known
        ]
        if body is not None:
            found += _broken(self._validator(f"{method.lower()} {template}", operation), body)
        return found

    def schema(self, path: str, method: str) -> Any:
        """The request's schema with every reference replaced, and no key allowed that it does not name."""
        content = self.paths[path][method]["requestBody"]["content"]
        return self._strict(content["application/json"]["schema"])

    def _validator(self, name: str, operation: Mapping[str, Any]) -> OAS30Validator:
        if name not in self._validators:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            self._validators[name] = OAS30Validator(self._strict(schema), format_checker=oas30_format_checker)
        return self._validators[name]

    def _strict(self, schema: Any) -> Any:
        if isinstance(schema, list):
            return [self._strict(item) for item in schema]
        if not isinstance(schema, dict):
            return schema
        if "$ref" in schema:
            return self._strict(self._content["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
        strict = {key: self._strict(value) for key, value in schema.items() if key != "properties"}
        if "properties" in schema:
            strict["properties"] = {name: self._strict(item) for name, item in schema["properties"].items()}
            strict["additionalProperties"] = False
        return strict


def _broken(validator: OAS30Validator, body: Mapping[str, Any]) -> list[Problem]:
    found = []
    for error in validator.iter_errors(body):
        place = [str(part) for part in error.absolute_path if not isinstance(part, int)]
        names: list[str] = []
        if error.validator == "additionalProperties":
            names = [name for name in error.instance if name not in error.schema["properties"]]
        elif error.validator == "required":
            names = [name for name in error.validator_value if name not in error.instance]
        found += [
            Problem(key=".".join(place + extra), rule=str(error.validator), message=error.message)
            for extra in ([[name] for name in names] or [[]])
        ]
    return list(dict.fromkeys(found))


@cache
def served(suite: str) -> Document:
    """The committed copy of what this suite's slurmrestd served."""
    release = SERVED[suite]
    return Document(release, json.loads(gzip.decompress((FOLDER / f"slurmrestd-{release}.json.gz").read_bytes())))


@cache
def document_only() -> Document:
    """v0.0.39."""
    return Document(f"{DOCUMENT_ONLY} (document only)", json.loads((FOLDER / f"{DOCUMENT_ONLY}.json").read_text()))


def all_documents() -> tuple[Document, ...]:
    """Every document there is."""
    return (*(served(suite) for suite in SERVED), document_only())
