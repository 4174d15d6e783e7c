"""Rules about a connection to a cluster: when its token nears its end, and when another cluster answers."""

from __future__ import annotations

import math
from typing import Final

from slurmjob_operator.api.conditions import Reason

DAY_SECONDS: Final = 86400
WARNINGS: Final = (
    (Reason.EXPIRES_WITHIN_A_DAY, DAY_SECONDS, "within a day"),
    (Reason.EXPIRES_WITHIN_A_WEEK, 7 * DAY_SECONDS, "within a week"),
)
"""Reason, seconds before the end of the token, and words; the most urgent first."""


def near_its_end(expires_at: float, *, lifespan_seconds: float, now: float) -> tuple[Reason, str] | None:
    """The warning that is due, if the token was made for longer than that; times are in seconds since the epoch."""
    for reason, seconds, words in WARNINGS:
        if expires_at - now <= seconds < lifespan_seconds:
            return reason, words
    return None


def next_warning_seconds(expires_at: float, *, now: float) -> float:
    """How long until another warning is due; infinite where none is."""
    left = expires_at - now
    return min((left - seconds for _, seconds, _ in WARNINGS if left > seconds), default=math.inf)


def is_another_cluster(name: str | None, *, known: str | None, edited: bool) -> bool:
    """Whether the cluster that answers is not the one that did: under known ids it has other jobs. `edited`: the
    connection was since then, so that a person may mean it. None: a name that is not known."""
    return not edited and name is not None and known is not None and name != known
