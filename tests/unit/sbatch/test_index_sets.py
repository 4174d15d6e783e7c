"""Sets of indexes behave as Python's sets do, and their texts are exact."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.index_sets import LONGEST_TEXT, IndexSet, union
from slurmjob_operator.sbatch.types.arrays import MOST_TASKS, ArraySpec, spec_of

INDEXES = st.frozensets(st.integers(min_value=0, max_value=60), max_size=40)


@given(INDEXES, INDEXES)
def test_as_sets_of_numbers(left: frozenset[int], right: frozenset[int]) -> None:
    ours, theirs = IndexSet.of(left), IndexSet.of(right)
    assert set(ours | theirs) == left | right
    assert set(ours - theirs) == left - right
    assert set(ours & theirs) == left & right
    assert union([ours, theirs, ours]) == ours | theirs
    assert (len(ours), bool(ours), list(ours)) == (len(left), bool(left), sorted(left))
    assert (ours == theirs) is (left == right)


@given(INDEXES)
def test_the_text_is_exact(indexes: frozenset[int]) -> None:
    ours = IndexSet.of(indexes)
    assert IndexSet.parse(str(ours)) == ours


@pytest.mark.parametrize("text", ["3-1", "1,,2", "a", "1-2-3", " 1", "1%2", "0x1", "1,"])
def test_what_is_no_text_of_ours(text: str) -> None:
    with pytest.raises(ValueError, match="no set of indexes"):
        IndexSet.parse(text)


def test_texts_for_a_status_and_for_people() -> None:
    assert IndexSet.of(range(5)).text() == "0-4"
    many = IndexSet.of(range(0, 40_000, 2))
    assert len(str(many)) > LONGEST_TEXT
    assert many.text() is None
    assert many.shown() == "0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,32,34,36,38,40,…"
    assert IndexSet.of([7]).shown() == "7"


@pytest.mark.parametrize(
    ("text", "indexes", "at_once"),
    [
        ("7", "7", 0),
        ("0-30:5", "0,5,10,15,20,25,30", 0),
        ("1,3,7-9%2", "1,3,7-9", 2),
        ("[1-3],5", "1-3,5", 0),
        ("1,", "1", 0),
        ("%2", "0", 2),
        ("05", "5", 0),
        ("3,1,1", "1,3", 0),
        ("1-3%0", "1-3", 0),
        ("0-", "0", 0),
        ("1%2,5", "1,5", 2),
    ],
)
def test_what_slurmctld_makes_of_the_option(text: str, indexes: str, at_once: int) -> None:
    """As `array_task_string` of such jobs says on 22.05, 24.11 and 26.05."""
    spec = spec_of(text)
    assert spec == ArraySpec(text=text, indexes=IndexSet.parse(indexes), at_once=at_once)


def test_no_option_no_array() -> None:
    assert spec_of("") is None


@pytest.mark.parametrize("text", ["3-1", "5-", "a", f"0-{MOST_TASKS}", "0-9999999999", "1-4294967295:1"])
def test_what_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        spec_of(text)


def test_as_many_as_there_may_be() -> None:
    spec = spec_of(f"0-{MOST_TASKS - 1}%7")
    assert spec is not None
    assert len(spec.indexes) == MOST_TASKS
    assert spec.only(IndexSet.of([3, 4, 9])) == "3-4,9%7"
