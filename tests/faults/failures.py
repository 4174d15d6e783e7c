"""What can become of a request to slurmrestd, and what the operator asks it for: two sides of the table of failures.

A cell is one connection through a proxy of its own, on which one failure meets one operation as long as it lasts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.faults import slurmrestd_proxy as rest
from tests.faults.vocabulary import Common, CutAfter, CutBefore, Delay, Drip, DropAnswer, Say, Truncate

HTML: Final = b"<html><body>no</body></html>"
LATE_SECONDS: Final = 12.0
"""Longer than the operator waits for an answer here: the request takes effect after that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """`what`: for the documentation."""

    name: str
    what: str
    fault: Common


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Requests of one kind. `endpoints` are addresses without a version."""

    name: str
    what: str
    method: str
    endpoints: tuple[str, ...]

    def asks(self, failure: Failure) -> bool:
        """Whether a person is asked in the end: where submissions never reach Slurm and nobody says so, the operator
        stops after two."""
        return self.name == "submit" and failure.name in ("reset", "empty", "page", "moved", "away")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One failure of one operation. `name` is that of its connection and of its job."""

    failure: Failure
    operation: Operation

    @property
    def name(self) -> str:
        """A DNS label."""
        return f"{self.operation.name}-{self.failure.name}"


def html(status: int, *, after: bool = False) -> Say:
    """A proxy's page."""
    return Say(status, HTML, after=after, content_type="text/html")


FAILURES: Final[tuple[Failure, ...]] = (
    Failure(name="reset", what="reset before it arrives", fault=CutBefore()),
    Failure(name="cut", what="takes effect, connection cut", fault=CutAfter()),
    Failure(name="hang", what="takes effect, no answer ever", fault=DropAnswer()),
    Failure(name="late", what="takes effect after we gave up", fault=Delay(LATE_SECONDS)),
    Failure(name="drip", what="takes effect, answer drips", fault=Drip()),
    Failure(name="short", what="takes effect, answer cut short", fault=Truncate(40)),
    Failure(name="empty", what="an empty success instead", fault=rest.empty_200()),
    Failure(name="page", what="a page with status 200 instead", fault=html(200)),
    Failure(name="moved", what="a redirect instead", fault=Say(302, headers=(("Location", "/elsewhere"),))),
    Failure(name="slow-down", what="429 instead", fault=html(429)),
    Failure(name="away", what="503 instead", fault=html(503)),
    Failure(name="gateway", what="takes effect, 502 from a proxy", fault=html(502, after=True)),
)


def operations(*, lists_states: bool) -> tuple[Operation, ...]:
    """What the operator asks for; `lists_states`: whether this API version tells many states at once."""
    followed = (rest.STATES,) if lists_states else (rest.JOB,)
    return (
        Operation(name="connect", what="finding out what it is", method="GET", endpoints=(rest.DIAG,)),
        Operation(name="submit", what="submitting", method="POST", endpoints=(rest.SUBMIT,)),
        Operation(name="release", what="lifting the hold", method="POST", endpoints=(rest.JOB,)),
        Operation(name="poll", what="following", method="GET", endpoints=followed),
        Operation(name="read", what="reading one job", method="GET", endpoints=(rest.JOB,)),
        Operation(name="look-up", what="asking slurmdbd", method="GET", endpoints=(rest.DB_JOB, rest.DB_JOBS)),
        Operation(name="cancel", what="cancelling", method="DELETE", endpoints=(rest.JOB,)),
    )


def cells(*, lists_states: bool) -> Iterator[Cell]:
    """All of them."""
    for operation in operations(lists_states=lists_states):
        for failure in FAILURES:
            yield Cell(failure=failure, operation=operation)
