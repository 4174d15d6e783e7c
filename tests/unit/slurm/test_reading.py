"""Tolerant reading: each shape that a release has used for a value means the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.slurm.dialects import family_v0040 as family
from slurmjob_operator.slurm.dialects import reading


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5, 5),
        ("5", 5),
        ("-5", -5),
        (5.0, 5),
        ({"set": True, "infinite": False, "number": 5}, 5),
        ({"number": 5}, 5),
        ({"set": False, "infinite": False, "number": 0}, None),
        ({"set": True, "infinite": True, "number": 0}, None),
        ({}, None),
        (None, None),
        (True, None),
        ("", None),
        ("five", None),
        ([5], None),
        (" 5 ", 5),
        ("-", None),
        ("--5", None),
        ("1_000", None),
        ("\u00b2", None),
        ("9" * 5000, None),
        ({"set": True, "infinite": False, "number": None}, None),
        ({"set": True, "infinite": False, "number": "5"}, 5),
        (5.9, 5),
        (4294967294, None),
        (4294967295, None),
        ({"set": True, "number": 18446744073709551614}, None),
        (float("inf"), None),
        (float("nan"), None),
    ],
)
def test_number(value: Any, number: int | None) -> None:
    assert reading.number(value) == number


def test_time_of_zero_is_no_time() -> None:
    assert reading.time({"set": True, "number": 0}) is None
    assert reading.time(7) == 7


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (["RUNNING"], {"RUNNING"}),
        (["CANCELLED", "COMPLETING"], {"CANCELLED", "COMPLETING"}),
        ("RUNNING", {"RUNNING"}),
        ("CANCELLED,COMPLETING", {"CANCELLED", "COMPLETING"}),
        ("cancelled+completing", {"CANCELLED", "COMPLETING"}),
        ([], set()),
        (None, set()),
        (7, set()),
        (["", None, "running"], {"RUNNING"}),
        ({"current": ["RUNNING"]}, set()),
    ],
)
def test_words(value: Any, words: set[str]) -> None:
    assert reading.words(value) == words


@pytest.mark.parametrize(
    ("value", "without_limit"),
    [
        ({"set": True, "infinite": True, "number": 0}, True),
        ({"set": False, "infinite": True, "number": 0}, True),
        ({"set": True, "infinite": False, "number": 5}, False),
        ({}, False),
        (None, False),
        (4294967295, False),
    ],
)
def test_infinite(value: Any, without_limit: bool) -> None:
    assert reading.infinite(value) is without_limit


@pytest.mark.parametrize(("value", "text"), [("x", "x"), ("", None), (None, None), (5, None), (["x"], None)])
def test_text(value: Any, text: str | None) -> None:
    assert reading.text(value) == text


@pytest.mark.parametrize("value", [None, "x", 5, [{"a": 1}]])
def test_what_is_no_object_is_an_empty_one(value: Any) -> None:
    assert reading.mapping(value) == {}


@pytest.mark.parametrize(("value", "found"), [(None, []), ({"a": 1}, []), ("x", []), ([1, {"a": 1}, None], [{"a": 1}])])
def test_only_the_objects_of_a_list(value: Any, found: list[Any]) -> None:
    assert reading.objects(value) == found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = (
    "job_id", "job_state", "state", "state_reason", "user_name", "user", "name", "comment", "hold", "priority",
    "restart_cnt", "submit_time", "start_time", "end_time", "exit_code", "time_limit", "nodes", "node_count", "cpus",
    "time", "tres", "association", "stdout_expanded", "standard_output",
)  # fmt: skip


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.sampled_from(KEYS), JSON, max_size=8))
def test_no_row_of_any_shape_breaks_the_readers(raw: dict[str, Any]) -> None:
    assert isinstance(family.controller_record(raw), JobRecord)
    assert isinstance(family.accounting_record(raw), JobRecord)
