"""Texts of ConfigMaps, put into the places of a template that name them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import pytest

from slurmjob_operator.engine.sources import Reference, SourceMissing, filled, gathered, references, script_hash

SCRIPT = "#!/bin/sh\ntrue\n"
FROM: dict[str, Any] = {"configMapKeyRef": {"name": "wing", "key": "run.sh"}}
TEMPLATE: dict[str, Any] = {
    "scriptFrom": FROM,
    "chdir": "/x",
    "environment": [
        {"name": "A", "value": "1"},
        {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "wing", "key": "b"}}},
        {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "other", "key": "c", "optional": True}}},
    ],
}
TEXTS: dict[str, dict[str, str] | None] = {"wing": {"run.sh": SCRIPT, "b": "two"}, "other": {"c": "3"}}


def test_what_it_names() -> None:
    assert list(references(TEMPLATE)) == [
        Reference(field="template.scriptFrom", name="wing", key="run.sh"),
        Reference(field="template.environment, B", name="wing", key="b"),
        Reference(field="template.environment, C", name="other", key="c", optional=True),
    ]
    assert list(references({"script": SCRIPT, "environment": [{"name": "A"}]})) == []


def test_the_texts_stand_in_their_places() -> None:
    before = repr(TEMPLATE)
    assert filled(TEMPLATE, TEXTS) == {
        "script": SCRIPT,
        "chdir": "/x",
        "environment": [
            {"name": "A", "value": "1"},
            {"name": "B", "value": "two"},
            {"name": "C", "value": "3"},
        ],
    }
    assert repr(TEMPLATE) == before


@pytest.mark.parametrize("other", [None, {}])
def test_an_optional_one_is_left_out(other: dict[str, str] | None) -> None:
    assert [one["name"] for one in filled(TEMPLATE, {**TEXTS, "other": other})["environment"]] == ["A", "B"]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({}, "template.scriptFrom: ConfigMap wing is not there, or the operator may not read it."),
        ({"wing": {"b": "two"}}, "template.scriptFrom: ConfigMap wing has no key run.sh in `data`."),
        ({"wing": {"run.sh": SCRIPT}}, "template.environment, B: ConfigMap wing has no key b in `data`."),
    ],
)
def test_what_is_missing_is_named(texts: Mapping[str, Any], message: str) -> None:
    with pytest.raises(SourceMissing) as missing:
        filled(TEMPLATE, texts)
    assert str(missing.value) == message


async def test_each_is_read_once() -> None:
    read: list[str] = []

    async def config_map(name: str) -> Mapping[str, str] | None:
        read.append(name)
        return TEXTS[name]

    assert await gathered(TEMPLATE, config_map) == filled(TEMPLATE, TEXTS)
    assert sorted(read) == ["other", "wing"]


def test_the_hash_of_a_script_that_came_from_elsewhere() -> None:
    assert script_hash(TEMPLATE, filled(TEMPLATE, TEXTS)) == hashlib.sha256(SCRIPT.encode()).hexdigest()
    assert script_hash({"script": SCRIPT}, {"script": SCRIPT}) is None
