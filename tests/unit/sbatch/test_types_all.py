"""What holds for every value type of the table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.options import ROWS
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, R24_11, Json, Release, ValueType

TYPES: dict[str, ValueType] = {row.type.name: row.type for row in ROWS if row.type is not None}
RELEASES = (OLDEST, R24_11, NEWEST)

LIKELY = "0123456789-+:,.%@=/()[]|&?!*_ \t'\"#abekmgtxnoKMGTBR"
"""What values are made of; texts of it come nearer to being one than any text."""

every_type = pytest.mark.parametrize("value_type", TYPES.values(), ids=TYPES)


def texts(value_type: ValueType) -> st.SearchStrategy[str]:
    """Any text, likely ones, and examples with a piece taken out, put in or put behind."""
    examples = st.sampled_from((*value_type.examples, *value_type.wrong, ""))
    pieces = st.text(LIKELY, max_size=6) | examples
    mixed = st.builds(lambda text, at, piece, cut: text[:at] + piece + text[at + cut :],
                      examples, st.integers(0, 12), pieces, st.integers(0, 3))  # fmt: skip
    return st.text(max_size=40) | st.text(LIKELY, max_size=30) | mixed | examples


def parsed(value_type: ValueType, text: str, release: Release) -> Iterator[Any]:
    """The value, or nothing where the text is none. Any other exception is a bug."""
    with suppress(InvalidValue):
        yield value_type.parse(text, release)


def test_names_of_types_stand_once() -> None:
    found = {id(row.type): row.type.name for row in ROWS if row.type is not None}
    assert sorted(found.values()) == sorted(set(found.values()))


@every_type
def test_examples_are_taken_by_all_releases(value_type: ValueType) -> None:
    assert value_type.examples
    for text in value_type.examples:
        for release in RELEASES:
            value_type.parse(text, release)


@every_type
def test_wrong_values_are_refused_with_the_rule_and_the_value(value_type: ValueType) -> None:
    for text in value_type.wrong:
        for release in RELEASES:
            with pytest.raises(InvalidValue) as raised:
                value_type.parse(text, release)
            assert raised.value.value == text
            assert raised.value.rule
            assert "\n" not in str(raised.value)
            assert "\x00" not in str(raised.value)


@every_type
def test_no_text_crashes_a_parser_and_what_is_shown_is_the_same_value(value_type: ValueType) -> None:
    """And the schema is never narrower than the parser."""

    @settings(deadline=None)
    @given(text=texts(value_type), release=st.sampled_from(RELEASES))
    @example(text="9" * 5000, release=NEWEST)
    @example(text="-" * 1000, release=NEWEST)
    @example(text="1,2" * 1000, release=NEWEST)
    @example(text="\ud800", release=NEWEST)
    @example(text="\u0663", release=NEWEST)
    @example(text="%" * 50, release=OLDEST)
    def hold(text: str, release: Release) -> None:
        for value in parsed(value_type, text, release):
            shown = value_type.show(value)
            assert value_type.parse(shown, release) == value
            assert value_type.show(value_type.parse(shown, release)) == shown
            _fits(value_type, text, value)

    hold()


def _fits(value_type: ValueType, text: str, value: Any) -> None:
    schema = value_type.schema
    if value_type.json in {Json.STRING, Json.INT_OR_STRING}:
        assert len(text) <= schema.get("maxLength", len(text))
        assert len(text) >= schema.get("minLength", 0)
        assert "pattern" not in schema or re.search(schema["pattern"], text)
        assert "enum" not in schema or text in schema["enum"]
    if value_type.json is Json.INTEGER:
        assert schema["minimum"] <= int(value_type.show(value)) <= schema["maximum"]


@every_type
def test_a_schema_bounds_what_an_object_can_hold(value_type: ValueType) -> None:
    bounds = {
        Json.STRING: {"maxLength"},
        Json.INT_OR_STRING: set(),
        Json.INTEGER: {"minimum", "maximum"},
        Json.BOOLEAN: set(),
    }
    assert bounds[value_type.json] <= set(value_type.schema)
