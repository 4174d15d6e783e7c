"""YAML as kubectl reads it, and what is more than we take."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmjob_operator.edge.offline import kubectl_yaml, yaml_scalars
from slurmjob_operator.edge.offline.kubectl_yaml import Document, UnreadableYaml
from tests.unit.edge.kubectl_cases import DOCUMENTS, NULLS, REFUSED, SCALARS


def _read(text: str) -> list[Document]:
    return list(kubectl_yaml.documents(text))


def _values(text: str) -> list[Any]:
    return [document.value for document in _read(text)]


def same(one: Any, other: Any) -> bool:
    """Equal, types included: 1 is not True, and 1.0 is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@pytest.mark.parametrize(("text", "value"), SCALARS.items())
def test_scalars(text: str, value: Any) -> None:
    assert same(_values(f"a: {text}\n"), [{"a": value}])


@pytest.mark.parametrize("text", NULLS)
def test_nothing(text: str) -> None:
    assert _values(f"a: {text}\n") == [{"a": None}]


@pytest.mark.parametrize(("text", "values"), DOCUMENTS.items())
def test_documents(text: str, values: list[Any]) -> None:
    assert same(_values(text), values)


@pytest.mark.parametrize(("text", "message"), REFUSED.items())
def test_refused(text: str, message: str) -> None:
    with pytest.raises(UnreadableYaml) as refusal:
        _read(text)
    assert message in str(refusal.value)


def test_what_stands_before_what_cannot_be_read() -> None:
    found = kubectl_yaml.documents("a: 1\n---\nb: [\n")
    assert next(found).value == {"a": 1}
    with pytest.raises(UnreadableYaml) as refusal:
        next(found)
    assert refusal.value.line == 4


# --- Where things stand, and what is lost -----------------------------------------------------------------


def test_lines_count_over_all_documents() -> None:
    first, second = _read("# x\na:\n  b: 1\n---\n\nc:\n- 1\n- d: 2\n  e: |\n    x\n")
    assert (first.index, second.index) == (1, 2)
    assert [first.line(path) for path in [("a",), ("a", "b"), ("a", "z"), ("z",)]] == [2, 3, 2, 2]
    assert [second.line(path) for path in [("c", 0), ("c", 1, "d"), ("c", 1, "e", "f")]] == [7, 8, 9]


@pytest.mark.parametrize(
    ("text", "line", "path", "rule"),
    [
        ("a:\n  b: 1\n  c: 2\n  b: 3\n", 4, ("a", "b"), "given again: kubectl drops that of line 2"),
        ("on: 1\nyes: 2\n", 2, ("true",), "given again: kubectl drops that of line 1"),
        ("x: &x {a: 1}\nz:\n  a: 2\n  <<: *x\n", 4, ("z", "a"), "kubectl lets `<<` replace line 3"),
        ("a: 1\n...\nb: 2\n", 3, (), "kubectl drops what follows here, behind the end of the document"),
        ('"a" b\n', 1, (), "kubectl drops what follows here, behind the end of the document"),
        ('{"a": {"b": 1, "b": 2}}', 1, (), "b is given again: kubectl drops the first one"),
    ],
)
def test_what_kubectl_drops_without_a_word(text: str, line: int, path: tuple[str, ...], rule: str) -> None:
    (document,) = _read(text)
    assert [(one.line, one.path, one.rule) for one in document.dropped] == [(line, path, rule)]


def test_a_merge_that_is_overridden_drops_nothing() -> None:
    (document,) = _read("x: &x {a: 1}\nz:\n  <<: *x\n  a: 2\n")
    assert document.dropped == ()


# --- More than we take ------------------------------------------------------------------------------------

BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(f'*{before}' for _ in range(10))}]\n"
    for before, name in zip("abcdef", "bcdefg", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "more than 100000 values in a document, those that aliases repeat included"),
        ("[" * 100_000, "exceeded maximum nesting depth"),
        ("[" * 200, "nested deeper than 100 levels"),
        ("- " * 5_000, "nested deeper than 100 levels"),
        ("".join(f"{'  ' * level}a:\n" for level in range(200)), "nested deeper than 100 levels"),
        ('{"a":' * 100_000, "nested deeper than 100 levels"),
        (
            "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 200)),
            "nested deeper than 100 levels",
        ),
        ("a: [" + "1," * 100_001 + "]\n", "more than 100000 values"),
        ("{" + ",".join(f"a{n}: {n}" for n in range(100_001)) + "}\n", "more than 100000 values"),
        ("a: '" + "x" * 3 * 2**20 + "'\n", "the document is larger than 3145728 characters"),
        (json.dumps({"a": "x" * 3 * 2**20}), "the document is larger than 3145728 characters"),
        (json.dumps({"a": list(range(100_001))}), "more than 100000 values"),
    ],
    ids=[
        "bomb",
        "very deep flow",
        "deep flow",
        "deep list",
        "deep mapping",
        "deep JSON",
        "deep aliases",
        "wide list",
        "wide mapping",
        "large",
        "large JSON",
        "wide JSON",
    ],
)
def test_more_than_we_take(text: str, message: str) -> None:
    with pytest.raises(UnreadableYaml) as refusal:
        _read(text)
    assert message in str(refusal.value)


def test_a_script_of_a_megabyte_is_no_trouble() -> None:
    script = "#!/bin/sh\n" + "echo 0123456789\n" * 65_000
    text = "script: |\n" + "".join(f"  {line}\n" for line in script.splitlines())
    assert _values(text) == [{"script": script}]


@given(st.text(alphabet=st.sampled_from("ab01eE_.-+~ynof'\"#:,[]{}&*!|>%@`?<=\\ \n\t\r\0\ufeffé\u2028"), max_size=60))
def test_no_text_does_harm(text: str) -> None:
    try:
        found = _values(text)
    except UnreadableYaml:
        return
    json.dumps(found, allow_nan=False)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), JSON_VALUES, min_size=1, max_size=4))
def test_json_means_itself(value: dict[str, Any]) -> None:
    assert same(_values(json.dumps(value)), [value])


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_go_through_json_as_they_do_in_kubernetes(number: float) -> None:
    found = yaml_scalars.in_json(number)
    assert found == number or math.isclose(found, number)
    assert isinstance(found, int) == (number.is_integer() and -(2**63) <= number < 2**63)
