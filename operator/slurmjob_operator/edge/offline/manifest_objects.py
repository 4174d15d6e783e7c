"""Objects of Kubernetes in files: which are ours, what they are called, where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from slurmjob_operator.api.names import API_VERSION, GROUP
from slurmjob_operator.edge.offline import kubectl_yaml
from slurmjob_operator.edge.offline.kubectl_yaml import Document, Path
from slurmjob_operator.edge.offline.problems import Level, Problem, field_text, value_text

JOB: Final = "SlurmJob"
CONNECTION: Final = "SlurmConnection"
KINDS: Final = (JOB, CONNECTION)
LIST: Final = "List"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One object. `path` leads to it in its document, where it is an item of a list; `body` is without nulls, which
    the API server takes for fields that are not there. `kind` and `name` are "" where there is none."""

    file: str
    document: Document
    path: Path
    body: Mapping[str, Any]
    kind: str
    name: str
    namespace: str | None

    @property
    def ours(self) -> bool:
        """Whether it is of our group."""
        return str(self.body.get("apiVersion", "")).partition("/")[0] == GROUP

    def problem(self, path: Path, rule: str, *, value: str | None = None, level: Level = Level.ERROR) -> Problem:
        """A finding at a place in this object."""
        return self.problem_in(field_text(path), path, rule, value=value, level=level)

    def problem_in(
        self, field: str, path: Path, rule: str, *, value: str | None = None, level: Level = Level.ERROR
    ) -> Problem:
        """A finding whose field has a text of its own, such as a line of a script."""
        return Problem(
            level=level,
            file=self.file,
            line=self.document.line((*self.path, *path)),
            document=self.document.index,
            kind=self.kind or "object",
            name=self.name,
            field=field,
            value=value,
            rule=rule,
        )


def manifests(text: str, *, file: str) -> Iterator[Manifest | Problem]:
    """The objects of a file in their order, the items of lists one by one; and what kubectl would refuse or drop.

    Raises `kubectl_yaml.UnreadableYaml` behind what could be read.
    """
    for document in kubectl_yaml.documents(text):
        found = list(_objects(document.value, (), file=file, document=document))
        yield from (_dropped(dropped.line, dropped.path, dropped.rule, found[0]) for dropped in document.dropped)
        yield from found


def _dropped(line: int, path: Path, rule: str, of: Manifest) -> Problem:
    return Problem(
        level=Level.ERROR,
        file=of.file,
        line=line,
        document=of.document.index,
        kind=of.kind or "object",
        name=of.name,
        field=field_text(path),
        value=None,
        rule=rule,
    )


def _objects(value: Any, path: Path, *, file: str, document: Document) -> Iterator[Manifest]:
    body = without_nulls(value) if isinstance(value, dict) else {}
    metadata = body.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    kind = body.get("kind")
    items = body.get("items")
    if isinstance(kind, str) and kind.endswith(LIST) and isinstance(items, list):
        for index, item in enumerate(items):
            yield from _objects(item, (*path, "items", index), file=file, document=document)
        return
    name = metadata.get("name", metadata.get("generateName"))
    namespace = metadata.get("namespace")
    yield Manifest(
        file=file,
        document=document,
        path=path,
        body=body,
        kind=kind if isinstance(kind, str) else "",
        name=name if isinstance(name, str) else "",
        namespace=namespace if isinstance(namespace, str) else None,
    )


def single(body: Mapping[str, Any]) -> Document:
    """A document that holds one object and comes from no file."""
    return Document(index=1, value=body, first_line=1, lines={(): 1})


def without_nulls(value: Any) -> Any:
    """A value whose null fields are left out, at all levels."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def identity(manifest: Manifest) -> Iterator[Problem]:
    """What is wrong with an object's kind, before anything else of it can be looked at."""
    body = manifest.body
    if not body:
        yield manifest.problem((), "must be an object: a mapping with apiVersion and kind")
        return
    for field in ("apiVersion", "kind"):
        if not isinstance(body.get(field), str):
            yield manifest.problem((field,), "required, a text")
    if not manifest.ours or not manifest.kind:
        return
    if body["apiVersion"] != API_VERSION:
        yield manifest.problem(("apiVersion",), f"must be {API_VERSION}", value=value_text(body["apiVersion"]))
    elif manifest.kind not in KINDS:
        yield manifest.problem(
            ("kind",), f"{API_VERSION} has {' and '.join(KINDS)} only", value=value_text(manifest.kind)
        )
