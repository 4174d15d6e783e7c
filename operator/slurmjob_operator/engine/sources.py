"""Texts of a template that stand in ConfigMaps of its namespace, put into their places.

Bodies here are as the API server has them, which its schema has looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

SCRIPT: Final = "scriptFrom"
VALUE: Final = "valueFrom"

ConfigMaps = Mapping[str, Mapping[str, str] | None]
"""Their texts by name; None for one that is not there, or may not be read."""


class SourceMissing(Exception):
    """A text that is not there. The sentence names field, ConfigMap and key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One key of one ConfigMap, and the field that names it."""

    field: str
    name: str
    key: str
    optional: bool = False


def references(template: Mapping[str, Any]) -> Iterator[Reference]:
    """All that a template names."""
    if (source := template.get(SCRIPT)) is not None:
        yield _reference(f"template.{SCRIPT}", source)
    for variable in _sourced_variables(template):
        yield _reference(f"template.environment, {variable['name']}", variable[VALUE])


def _sourced_variables(template: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [variable for variable in template.get("environment") or () if variable.get(VALUE) is not None]


def _reference(field: str, source: Mapping[str, Any]) -> Reference:
    told = source["configMapKeyRef"]
    return Reference(field=field, name=told["name"], key=told["key"], optional=told.get("optional") is True)


async def gathered(
    template: Mapping[str, Any], read: Callable[[str], Awaitable[Mapping[str, str] | None]]
) -> Mapping[str, Any]:
    """The template with the texts in their places, each ConfigMap read once. Raises `SourceMissing`, and what `read`
    does."""
    return filled(template, {name: await read(name) for name in {one.name for one in references(template)}})


def filled(template: Mapping[str, Any], config_maps: ConfigMaps) -> Mapping[str, Any]:
    """The template with the texts in their places. Raises `SourceMissing`."""
    found = {one: _text(one, config_maps) for one in references(template)}
    by_field = {one.field: text for one, text in found.items()}
    result = {key: value for key, value in template.items() if key != SCRIPT}
    if SCRIPT in template:
        result["script"] = by_field[f"template.{SCRIPT}"]
    if _sourced_variables(template):
        result["environment"] = list(_environment(template, by_field))
    return result


def _environment(template: Mapping[str, Any], texts: Mapping[str, str | None]) -> Iterator[Mapping[str, Any]]:
    for variable in template["environment"]:
        if variable.get(VALUE) is None:
            yield variable
        elif (text := texts[f"template.environment, {variable['name']}"]) is not None:
            yield {"name": variable["name"], "value": text}


def _text(reference: Reference, config_maps: ConfigMaps) -> str | None:
    texts = config_maps.get(reference.name)
    text = None if texts is None else texts.get(reference.key)
    if text is not None or reference.optional:
        return text
    what = "is not there, or the operator may not read it" if texts is None else f"has no key {reference.key} in `data`"
    raise SourceMissing(f"{reference.field}: ConfigMap {reference.name} {what}.")


def script_hash(template: Mapping[str, Any], result: Mapping[str, Any]) -> str | None:
    """SHA-256 of the script that came from a ConfigMap."""
    return hashlib.sha256(str(result["script"]).encode()).hexdigest() if SCRIPT in template else None
