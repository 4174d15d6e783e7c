"""Times as Kubernetes writes them: UTC, whole seconds, and back."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmjob_operator.core.times import epoch_of, optional_rfc3339, rfc3339

YEAR_9999 = 253_402_300_799
MOMENTS = [
    (0, "1970-01-01T00:00:00Z"),
    (1_795_330_804, "2026-11-22T07:00:04Z"),
    (1_709_164_799, "2024-02-28T23:59:59Z"),
    (1_709_164_800, "2024-02-29T00:00:00Z"),
    (4_102_444_800, "2100-01-01T00:00:00Z"),
    (YEAR_9999, "9999-12-31T23:59:59Z"),
]


@pytest.fixture(params=["UTC", "Asia/Kolkata", "XYZ+11"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Wherever the operator runs."""
    before = os.environ.get("TZ")
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    assert os.environ.get("TZ") == before
    time.tzset()


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(("epoch", "text"), MOMENTS)
def test_moments(epoch: int, text: str) -> None:
    assert rfc3339(epoch) == text
    assert epoch_of(text) == epoch


@pytest.mark.parametrize("fraction", [0.0, 0.4, 0.5, 0.999])
def test_fractions_are_cut_and_never_rounded_into_the_future(fraction: float) -> None:
    assert rfc3339(1_795_330_804 + fraction) == "2026-11-22T07:00:04Z"


@pytest.mark.parametrize(
    ("text", "epoch"),
    [
        ("2026-11-22T07:00:04+00:00", 1_795_330_804),
        ("2026-11-22T08:00:04+01:00", 1_795_330_804),
        ("2026-11-22T07:00:04.987654Z", 1_795_330_804),
    ],
)
def test_other_writings_of_others_are_read(text: str, epoch: int) -> None:
    assert epoch_of(text) == epoch


def test_what_slurm_did_not_say_stays_unsaid() -> None:
    assert optional_rfc3339(None) is None
    assert optional_rfc3339(0) == "1970-01-01T00:00:00Z", "zero is a time here; who reads Slurm knows better"


@given(st.integers(0, YEAR_9999))
def test_round_trip(epoch: int) -> None:
    assert epoch_of(rfc3339(epoch)) == epoch


@given(st.integers(0, YEAR_9999), st.integers(0, YEAR_9999))
def test_texts_sort_as_times_do(left: int, right: int) -> None:
    assert (rfc3339(left) < rfc3339(right)) == (left < right)


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01T00:00:00Z"])
def test_what_is_no_time_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        epoch_of(text)
