"""Manifests that we write are read as the same again, by us and by PyYAML, and look as a person would write them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from slurmjob_operator.edge.offline import kubectl_yaml
from slurmjob_operator.edge.offline.object_names import object_name
from slurmjob_operator.edge.offline.yaml_writing import written


def _read(text: str) -> Any:
    (document,) = kubectl_yaml.documents(text)
    return document.value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("180G", "180G"),
        ("/scratch/a_b/%j.out", "/scratch/a_b/%j.out"),
        ("END,FAIL", "END,FAIL"),
        ("n[1-2]", "n[1-2]"),
        ("A=1", "A=1"),
        (4, "4"),
        (True, "true"),
        ("4", '"4"'),
        ("true", '"true"'),
        ("no", '"no"'),
        ("y", '"y"'),
        ("null", '"null"'),
        ("", '""'),
        ("1e3", '"1e3"'),
        ("0x1F", '"0x1F"'),
        ("1:30", '"1:30"'),
        ("1-00:00:00", '"1-00:00:00"'),
        ("2026-01-02", '"2026-01-02"'),
        ("0-99%10", '"0-99%10"'),
        ("a b", '"a b"'),
        ("a#b", '"a#b"'),
        ("-x", '"-x"'),
        ('say "hi" \\', '"say \\"hi\\" \\\\"'),
        ("a\tb", '"a\\tb"'),
        ("é\u2028\x00\U0001f600", '"é\\u2028\\0\U0001f600"'),
    ],
)
def test_scalars(value: Any, text: str) -> None:
    assert written({"a": value}) == f"a: {text}\n"


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("a\nb\n", "|\n  a\n  b\n"),
        ("a\n\n \n\tb  \n", "|\n  a\n\n   \n  \tb  \n"),
        ("a\nb", "|-\n  a\n  b\n"),
        ("a\n\n\n", "|+\n  a\n\n\n"),
        (" a\n", '" a\\n"\n'),
        ("a\r\n", '"a\\r\\n"\n'),
        ("a\x00\n", '"a\\0\\n"\n'),
    ],
)
def test_blocks(text: str, block: str) -> None:
    assert written({"a": text}) == f"a: {block}"


TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20) | st.text(
    alphabet=st.sampled_from("ab01eE_.-+~yn'\"#:,[]{}&*!|>%\\ \n\t\r\x85\u2028\ufeff"), max_size=20
)
VALUES = st.dictionaries(TEXTS, TEXTS | st.integers(-(2**31), 2**31) | st.booleans(), min_size=1, max_size=4)


@given(VALUES | st.dictionaries(TEXTS, VALUES, min_size=1, max_size=3))
def test_read_again(value: dict[str, Any]) -> None:
    text = written(value)
    assert _read(text) == value
    assert yaml.safe_load(text) == value


@given(TEXTS)
def test_scripts_are_read_again(text: str) -> None:
    script = f"#!/bin/sh\n{text}"
    assert _read(written({"spec": {"script": script}})) == {"spec": {"script": script}}


@given(st.text())
def test_names_are_names(text: str) -> None:
    name = object_name(text)
    assert 0 < len(name) <= 253
    assert all(part and part.strip("-") == part and part.isascii() and part == part.lower() for part in name.split("."))
    assert object_name(name) == name
