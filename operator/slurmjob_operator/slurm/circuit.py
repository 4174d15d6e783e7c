"""Leave alone a slurmrestd that does not answer: after some failures in a row one request at a time asks whether it is
back, whoever's, and all others are told at once that it is not."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from slurmjob_operator.slurm.errors import Unavailable

FAILURES: Final = 5
"""So many in a row, and the circuit opens."""

FIRST_SECONDS: Final = 1.0
LONGEST_SECONDS: Final = 4.0
"""It stays open for a second, then for twice as long after each further failure, up to this: less than the shortest
poll period, so that who comes back is found within them."""

JITTER: Final = 0.2
"""The part of that time that is left to chance, so that the operators of a site do not all come at once."""


class CircuitOpen(Unavailable):
    """Not sent: the server has not answered for a while. `retry_after_seconds` is when it is asked again."""


@dataclass(slots=True)
class Attempt:
    """One request that was let through. Who gives no verdict (it was cancelled, or told nothing of the server) leaves
    all as it was."""

    failed: bool | None = None


class Circuit:
    """The state of one server, for all who ask it. `monotonic` is in seconds, `chance` from 0 to 1."""

    def __init__(self, monotonic: Callable[[], float], *, chance: Callable[[], float] = random.random) -> None:
        self._monotonic = monotonic
        self._chance = chance
        self._failures = 0
        self._closed_again_at = 0.0
        self._probe: Attempt | None = None
        self._well_since = monotonic()
        self.failed_at: float | None = None
        """When a request last failed; None: never."""

    @property
    def is_open(self) -> bool:
        """Whether requests are held back."""
        return self._failures >= FAILURES

    @property
    def failing(self) -> bool:
        """Whether the last request that told something of the server failed."""
        return self._failures > 0

    @property
    def well_for(self) -> float:
        """Seconds since it has answered without a failure; 0 while it does not."""
        return 0.0 if self.failing else self._monotonic() - self._well_since

    @property
    def failed_for(self) -> float:
        """Seconds since the last failure."""
        return math.inf if self.failed_at is None else self._monotonic() - self.failed_at

    def begin(self) -> Attempt:
        """Let a request through. Raises `CircuitOpen`. Each attempt must be given to `end`."""
        attempt = Attempt()
        if not self.is_open:
            return attempt
        left = self._closed_again_at - self._monotonic()
        if left > 0 or self._probe is not None:
            error = CircuitOpen("slurmrestd has not answered for a while; it is asked again from time to time")
            error.retry_after_seconds = max(left, FIRST_SECONDS)
            raise error
        self._probe = attempt
        return attempt

    def end(self, attempt: Attempt) -> None:
        """What came of it."""
        if self._probe is attempt:
            self._probe = None
        if attempt.failed is None:
            return
        if not attempt.failed:
            if self._failures:
                self._well_since = self._monotonic()
            self._failures = 0
            return
        self.failed_at = self._monotonic()
        self._failures += 1
        if self.is_open:
            seconds = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** (self._failures - FAILURES))
            self._closed_again_at = self._monotonic() + seconds * (1 - JITTER * self._chance())
