"""What a proxy saw, and what it is armed with. Safe to use from the test's thread and the proxy's own."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from tests.faults.vocabulary import Fault

Wanted = str | Collection[str] | None
"""A value, several of which one must match, or None: any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and what became of it. Headers and bodies are never kept: they hold tokens and Secrets.

    `time` is epoch seconds at its arrival, `seconds` how long it took (None: under way). `status` is what the operator
    was answered, `far_status` what the far side answered (None: nothing); `forwarded` counts how often the far side
    was given it. `bytes_in` are those of target and body, `bytes_out` those of the body that was passed on.
    """

    time: float
    method: str
    bytes_in: int
    forwarded: int = 0
    status: int | None = None
    far_status: int | None = None
    bytes_out: int = 0
    seconds: float | None = None
    fault: Fault | None = None

    @property
    def what(self) -> str:
        """The word that `counts` counts by."""
        return self.method


E = TypeVar("E", bound=Exchange)


def matches(exchange: Exchange, wanted: Mapping[str, Wanted]) -> bool:
    """Whether each attribute that is asked for has the value, or one of the values, asked for."""
    for name, value in wanted.items():
        found: Any = getattr(exchange, name)
        if value is None or found == value:
            continue
        if isinstance(value, str) or found not in value:
            return False
    return True


class Armed:
    """One fault that lies in wait: for the `nth` matching request from now on, and `times` in all (None: for ever)."""

    def __init__(self, fault: Fault, wanted: Mapping[str, Wanted], *, nth: int, times: int | None) -> None:
        if nth < 1 or (times is not None and times < 1):
            raise ValueError("nth and times are counted from 1")
        self.fault = fault
        self._wanted = wanted
        self._skip = nth - 1
        self._times = times
        self._fired = 0
        self._news = threading.Condition()

    def __repr__(self) -> str:
        asked = {name: value for name, value in self._wanted.items() if value is not None}
        return f"{self.fault} for {asked or 'anything'}, fired {self._fired} times"

    @property
    def fired(self) -> int:
        """How often it has struck."""
        return self._fired

    def wait(self, times: int = 1, *, seconds: float = 30.0) -> None:
        """Wait until it has struck so often. Raises `TimeoutError`."""
        with self._news:
            if not self._news.wait_for(lambda: self._fired >= times, timeout=seconds):
                raise TimeoutError(f"{self!r}, not {times}, within {seconds:.0f} s")

    def strikes(self, exchange: Exchange, *, applies: bool) -> bool:
        """Whether it is the turn of this request. Called once per request, under the journal's lock."""
        if not applies or not matches(exchange, self._wanted) or self._fired == self._times:
            return False
        if self._skip > 0:
            self._skip -= 1
            return False
        with self._news:
            self._fired += 1
            self._news.notify_all()
        return True


class Journal(Generic[E]):
    """All exchanges in order of arrival, and the faults that are armed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._exchanges: dict[int, E] = {}
        self._armed: list[Armed] = []

    @property
    def exchanges(self) -> tuple[E, ...]:
        """A copy; those under way included."""
        with self._lock:
            return tuple(self._exchanges.values())

    @property
    def unfired(self) -> tuple[Armed, ...]:
        """Faults that have never struck: a run that meant to have them must not pass."""
        with self._lock:
            return tuple(armed for armed in self._armed if not armed.fired)

    def counts(self) -> Counter[str]:
        """How many exchanges of each kind."""
        return Counter(exchange.what for exchange in self.exchanges)

    def arm(self, fault: Fault, wanted: Mapping[str, Wanted], *, nth: int, times: int | None) -> Armed:
        """Several may be armed; a request that one strikes is not counted by those armed after it."""
        armed = Armed(fault, wanted, nth=nth, times=times)
        with self._lock:
            self._armed.append(armed)
        return armed

    def disarm(self) -> None:
        """Nothing strikes any more."""
        with self._lock:
            self._armed.clear()

    def reset(self) -> None:
        """Forget everything; requests that are under way stay forgotten."""
        with self._lock:
            self._exchanges.clear()
            self._armed.clear()

    def open(self, exchange: E, applies: Callable[[Fault], bool]) -> tuple[int, E]:
        """Note an arrival, and which fault strikes it."""
        with self._lock:
            fault = next((a.fault for a in self._armed if a.strikes(exchange, applies=applies(a.fault))), None)
            struck = replace(exchange, fault=fault)
            number = next(self._numbers)
            self._exchanges[number] = struck
            return number, struck

    def update(self, number: int, exchange: E) -> None:
        """Note what became of it."""
        with self._lock:
            if number in self._exchanges:
                self._exchanges[number] = exchange
