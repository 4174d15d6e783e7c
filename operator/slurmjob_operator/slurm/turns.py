"""Whose request is next, where several connections share one slurmrestd: each in its turn, within the limits of the
server and its own.

Nothing here waits; `admission` does. No library of rate limits was found that shares one limit fairly: they let wait in
the order of arrival, and who sends a thousand requests is before who sends one.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from slurmjob_operator.slurm.budget import Bucket

T = TypeVar("T")

BURST_SECONDS: Final = 1.0
"""What a rate allows in so long may be sent at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`in_flight`: requests under way at the same time. `per_second`: requests sent; None: no limit."""

    in_flight: int
    per_second: float | None = None

    def bucket(self, monotonic: Callable[[], float]) -> Bucket | None:
        """Of its rate."""
        if self.per_second is None:
            return None
        return Bucket(monotonic, per_second=self.per_second, most=max(1.0, self.per_second * BURST_SECONDS))


@dataclass(slots=True)
class _Use(Generic[T]):
    """What one connection, or all together, have under way and waiting."""

    limits: Limits
    bucket: Bucket | None
    in_flight: int = 0
    waiting: deque[T] = field(default_factory=deque)

    @property
    def has_room(self) -> bool:
        return self.in_flight < self.limits.in_flight

    @property
    def pause_seconds(self) -> float:
        return 0.0 if self.bucket is None else self.bucket.seconds_until()

    def take(self) -> None:
        self.in_flight += 1
        if self.bucket is not None:
            self.bucket.take()


class Turns(Generic[T]):
    """`T` is a ticket: whatever stands for a request that waits. Connections are named by texts."""

    def __init__(self, monotonic: Callable[[], float], limits: Limits) -> None:
        self._monotonic = monotonic
        self._all = _Use[T](limits, limits.bucket(monotonic))
        self._of: OrderedDict[str, _Use[T]] = OrderedDict()

    def wait(self, name: str, ticket: T, limits: Limits) -> None:
        """A request of this connection is ready. Its limits are those that it has now."""
        use = self._of.get(name)
        if use is None:
            use = self._of[name] = _Use(limits, limits.bucket(self._monotonic))
        elif use.limits != limits:
            use.limits, use.bucket = limits, limits.bucket(self._monotonic)
        use.waiting.append(ticket)

    def leave(self, name: str, ticket: T) -> None:
        """It does not want its turn any more, which had not come yet."""
        self._of[name].waiting.remove(ticket)
        self._drop_idle(name)

    def next(self) -> T | None:
        """The ticket whose turn it is now, taken from those that wait; its connection goes to the end of the line."""
        if not self._all.has_room or self._all.pause_seconds > 0:
            return None
        for name, use in self._of.items():
            if use.waiting and use.has_room and use.pause_seconds == 0:
                self._all.take()
                use.take()
                self._of.move_to_end(name)
                return use.waiting.popleft()
        return None

    def done(self, name: str) -> None:
        """A request of this connection, whose turn had come, is over."""
        self._all.in_flight -= 1
        self._of[name].in_flight -= 1
        self._drop_idle(name)

    @property
    def pause_seconds(self) -> float | None:
        """How long until a rate lets the next one go; None: not before one is over, or nobody waits."""
        if not self._all.has_room:
            return None
        own = [use.pause_seconds for use in self._of.values() if use.waiting and use.has_room]
        return max(self._all.pause_seconds, min(own)) if own else None

    def _drop_idle(self, name: str) -> None:
        """Forget a connection without requests, unless that would make its rate a new one."""
        use = self._of[name]
        if not use.waiting and not use.in_flight and (use.bucket is None or use.pause_seconds == 0):
            del self._of[name]
