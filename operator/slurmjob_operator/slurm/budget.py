"""Token buckets: how often something may be done, with some of what was not used kept for later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

READS_PER_SECOND: Final = 50.0
"""Some 13 % of one core, over slurmrestd, slurmctld and ourselves together (2.6 ms a read, measured on 22.05)."""

SAVED_SECONDS: Final = 20.0
"""Reads that were not used are kept for so long."""

RETRIES_OF_A_REQUEST: Final = 0.1
MOST_RETRIES: Final = 5.0
"""Each request earns a tenth of a retry, and at most so many are kept: an outage multiplies requests by 1.1 at most."""


class Bucket:
    """Fills up by `per_second` up to `most`; full at the beginning. `monotonic` is in seconds."""

    def __init__(self, monotonic: Callable[[], float], *, per_second: float, most: float) -> None:
        self._monotonic = monotonic
        self._per_second = per_second
        self._most = most
        self._left = most
        self._since = monotonic()

    @property
    def left(self) -> float:
        """What is in it now; below zero where more was taken than there was."""
        now = self._monotonic()
        self._left = min(self._most, self._left + (now - self._since) * self._per_second)
        self._since = now
        return self._left

    def take(self, amount: float = 1.0) -> None:
        """Take it out, whether it is there or not."""
        self._left = self.left - amount

    def seconds_until(self, amount: float = 1.0) -> float:
        """How long until so much is in it."""
        return max(0.0, (amount - self.left) / self._per_second)


class ReadBudget:
    """How many single reads of jobs a slurmrestd is asked for, by all connections that name it together.

    One caller takes half of what is there, so that another finds some too: alone at a period of 10 s it gets all of
    the rate.
    """

    def __init__(self, monotonic: Callable[[], float], *, per_second: float = READS_PER_SECOND) -> None:
        self._bucket = Bucket(monotonic, per_second=per_second, most=per_second * SAVED_SECONDS)

    def share(self) -> int:
        """Reads that one caller may do now."""
        return int(self._bucket.left / 2)

    def take(self) -> None:
        """One read is done."""
        self._bucket.take()


class RetryBudget:
    """How many of one connection's requests are sent a second time at once."""

    def __init__(self) -> None:
        self._left = MOST_RETRIES

    def earn(self) -> None:
        """A request is sent."""
        self._left = min(MOST_RETRIES, self._left + RETRIES_OF_A_REQUEST)

    def spend(self) -> bool:
        """Whether one more may be sent again."""
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
