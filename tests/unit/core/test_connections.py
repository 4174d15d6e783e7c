"""When a token nears its end, and when another cluster answers."""

from __future__ import annotations

import math

import pytest

from slurmjob_operator.api.conditions import Reason
from slurmjob_operator.core.connections import is_another_cluster, near_its_end, next_warning_seconds

NOW = 1_800_000_000.0
DAY = 86400
WEEK_REASON, DAY_REASON = Reason.EXPIRES_WITHIN_A_WEEK, Reason.EXPIRES_WITHIN_A_DAY


@pytest.mark.parametrize(
    ("left", "lifespan", "reason"),
    [
        (8 * DAY, 30 * DAY, None),
        (7 * DAY + 1, 30 * DAY, None),
        (7 * DAY, 30 * DAY, WEEK_REASON),
        (DAY + 1, 30 * DAY, WEEK_REASON),
        (DAY, 30 * DAY, DAY_REASON),
        (3600, 2 * DAY, DAY_REASON),
        (-5, 30 * DAY, DAY_REASON),
        (3 * DAY, 7 * DAY, None),
        (3600, DAY, None),
        (3600, 7200, None),
    ],
)
def test_a_warning_of_a_token_that_was_made_for_longer(left: int, lifespan: int, reason: Reason | None) -> None:
    found = near_its_end(NOW + left, lifespan_seconds=lifespan, now=NOW)
    assert (found and found[0]) == reason


@pytest.mark.parametrize(
    ("left", "seconds"), [(8 * DAY, DAY), (7 * DAY, 6 * DAY), (2 * DAY, DAY), (DAY, math.inf), (3600, math.inf)]
)
def test_the_next_warning(left: int, seconds: float) -> None:
    assert next_warning_seconds(NOW + left, now=NOW) == seconds


@pytest.mark.parametrize(
    ("name", "known", "edited", "another"),
    [
        ("north", "north", False, False),
        ("south", "north", False, True),
        ("south", "north", True, False),
        (None, "north", False, False),
        ("south", None, False, False),
    ],
)
def test_another_cluster(name: str | None, known: str | None, edited: bool, another: bool) -> None:
    assert is_another_cluster(name, known=known, edited=edited) is another
