"""Texts that a SlurmJob takes from ConfigMaps, as far as those are among the files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from slurmjob_operator.edge.offline.manifest_objects import JOB, Manifest
from slurmjob_operator.edge.offline.problems import Level, Problem
from slurmjob_operator.engine import sources
from slurmjob_operator.engine.sources import Reference, SourceMissing

CONFIG_MAP: Final = "ConfigMap"
NOT_AT_HAND: Final = "is in ConfigMap {name}, which is not among these files: it is not looked at"
STAND_IN: Final[Mapping[str, str]] = {sources.SCRIPT: "#!/bin/sh\n", sources.VALUE: ""}

ConfigMaps = Mapping[tuple[str | None, str], Mapping[str, str]]
"""Texts by namespace and name."""


def config_maps(manifests: Sequence[Manifest]) -> ConfigMaps:
    """Those among these objects."""
    found = [one for one in manifests if one.kind == CONFIG_MAP and one.body.get("apiVersion") == "v1"]
    return {(one.namespace, one.name): _texts(one.body.get("data")) for one in found}


def used(manifests: Sequence[Manifest]) -> set[tuple[str, str | None, str]]:
    """Kind, namespace and name of each ConfigMap that a SlurmJob among these names."""
    templates = [(one.namespace, _template(one) or {}) for one in manifests if one.kind == JOB]
    return {
        (CONFIG_MAP, namespace, it.name) for namespace, template in templates for it in sources.references(template)
    }


def _texts(data: Any) -> Mapping[str, str]:
    items = data.items() if isinstance(data, dict) else ()
    return {key: text for key, text in items if isinstance(text, str)}


def filled(manifest: Manifest, known: ConfigMaps) -> tuple[Manifest, list[Problem]]:
    """The SlurmJob with those texts in their places, and what is to be said of them. Where a ConfigMap is not at hand
    something that nothing is wrong with stands for its text."""
    template = _template(manifest)
    if template is None:
        return manifest, []
    found: dict[str, Mapping[str, str]] = {}
    told = list[Problem]()
    for one in sources.references(template):
        texts = known.get((manifest.namespace, one.name))
        if texts is None:
            told.append(_about(manifest, one, NOT_AT_HAND.format(name=one.name), Level.WARNING))
            is_script = one.field.endswith(sources.SCRIPT)
            texts = {**found.get(one.name, {}), one.key: STAND_IN[sources.SCRIPT if is_script else sources.VALUE]}
        found[one.name] = texts
    try:
        text = sources.filled(template, found)
    except SourceMissing as missing:
        rule = str(missing).partition(": ")[2].removesuffix(".")
        field = str(missing).partition(": ")[0]
        told.append(_at(manifest, field, rule, Level.ERROR))
        return _with(manifest, {key: value for key, value in template.items() if key != sources.SCRIPT}), told
    return _with(manifest, text), told


def _about(manifest: Manifest, reference: Reference, rule: str, level: Level) -> Problem:
    return _at(manifest, reference.field, rule, level)


def _at(manifest: Manifest, field: str, rule: str, level: Level) -> Problem:
    path = ("spec", *field.partition(",")[0].split("."))
    return manifest.problem_in(f"spec.{field}", path, rule, level=level)


def _template(manifest: Manifest) -> Mapping[str, Any] | None:
    """That of a SlurmJob that names ConfigMaps as it should; the form of all others is looked at elsewhere."""
    spec = manifest.body.get("spec")
    template = spec.get("template") if isinstance(spec, dict) else None
    if not isinstance(template, dict):
        return None
    try:
        return template if any(_references(template)) else None
    except (AttributeError, KeyError, TypeError):
        return None


def _references(template: Mapping[str, Any]) -> Iterator[bool]:
    for one in sources.references(template):
        if not isinstance(one.name, str) or not isinstance(one.key, str):
            raise TypeError("no reference")
        yield True


def _with(manifest: Manifest, template: Mapping[str, Any]) -> Manifest:
    return replace(manifest, body={**manifest.body, "spec": {**manifest.body["spec"], "template": template}})
