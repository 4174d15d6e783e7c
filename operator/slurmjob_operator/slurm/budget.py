"""How many single reads of jobs a slurmrestd is asked for, by all connections that name it together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

READS_PER_SECOND: Final = 50.0
"""Some 13 % of one core, over slurmrestd, slurmctld and ourselves together (2.6 ms a read, measured on 22.05)."""

SAVED_SECONDS: Final = 20.0
"""Reads that were not used are kept for so long."""


class ReadBudget:
    """Fills up by so many reads a second. One caller takes half of what is there, so that another finds some too:
    alone at a period of 10 s it gets all of the rate. `monotonic` is in seconds."""

    def __init__(self, monotonic: Callable[[], float], *, per_second: float = READS_PER_SECOND) -> None:
        self._monotonic = monotonic
        self._per_second = per_second
        self._left = per_second * SAVED_SECONDS
        self._since: float | None = None

    def share(self) -> int:
        """Reads that one caller may do now."""
        self._fill()
        return int(self._left / 2)

    def take(self) -> None:
        """One read is done."""
        self._left -= 1

    def _fill(self) -> None:
        now = self._monotonic()
        passed = 0.0 if self._since is None else now - self._since
        self._since = now
        self._left = min(self._per_second * SAVED_SECONDS, self._left + passed * self._per_second)
