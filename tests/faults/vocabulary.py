"""What can go wrong between the operator and a far side, as values that both proxies understand.

*Before* and *after* mean the effect: before, the far side never hears of the request; after, it has acted on it and
the operator is told something else, or nothing.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CutBefore:
    """The connection is reset; the far side hears nothing."""


@dataclass(frozen=True, slots=True)
class CutAfter:
    """The far side acts; the connection is reset in place of its answer."""


@dataclass(frozen=True, slots=True)
class DropAnswer:
    """The far side acts; its answer never comes. The connection stays open until the operator gives up."""


@dataclass(frozen=True, slots=True)
class Delay:
    """The request is kept so many seconds and then forwarded, also when the operator has given up meanwhile."""

    seconds: float


@dataclass(frozen=True, slots=True)
class DelayAnswer:
    """The far side acts at once; its answer is kept so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Truncate:
    """Only the first `keep` bytes of the answer's body arrive.

    As a whole answer of that length; with `mid_air` the connection ends before the length that was announced.
    """

    keep: int
    mid_air: bool = False


@dataclass(frozen=True, slots=True)
class Drip:
    """The far side acts; its answer comes byte by byte, each after so many seconds, until the operator gives up."""

    seconds: float = 0.5


@dataclass(frozen=True, slots=True)
class Say:
    """An answer of our own making; `after` the far side has acted, else in its place."""

    status: int
    body: bytes = b""
    after: bool = False
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The request is forwarded twice, one after the other; the second answer is passed on."""


@dataclass(frozen=True, slots=True)
class CutWatch:
    """A watch is reset once so many lines of it were passed on."""

    lines: int = 0


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """A watch ends, once so many lines of it were passed on, with an event of type ERROR."""

    code: int = 410
    lines: int = 0


@dataclass(frozen=True, slots=True)
class StaleList:
    """A list is answered with one that was answered before: `age` 1 is the newest of those, 2 the one before it.

    Stays armed until there is one that old.
    """

    age: int = 1


Common = CutBefore | CutAfter | DropAnswer | Delay | DelayAnswer | Truncate | Drip | Say | Duplicate
OfKubernetes = CutWatch | ErrorEvent | StaleList
Fault = Common | OfKubernetes


def needs_answer(fault: Fault) -> bool:
    """Whether the whole answer of the far side must be there before the fault: a watch has none."""
    return isinstance(fault, CutAfter | DropAnswer | DelayAnswer | Truncate | Drip | Duplicate) or (
        isinstance(fault, Say) and fault.after
    )
