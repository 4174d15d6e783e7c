"""Sums and greatest of values some of which are not known; of none that is known neither is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

N = TypeVar("N", int, float)


def total(values: Iterable[N | None]) -> N | None:
    """The sum of those that are known."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def largest(values: Iterable[N | None]) -> N | None:
    """The greatest of those that are known."""
    return max((value for value in values if value is not None), default=None)
