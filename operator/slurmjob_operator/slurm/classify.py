"""From Slurm's error numbers to what the caller must do. Number first, HTTP status second.

The numbers are those of Slurm's slurm_errno.h, each seen on a real daemon unless marked so.
"""

from __future__ import annotations

from enum import Enum

from slurmjob_operator.slurm.errors import (
    CredentialsRejected,
    JobNotFound,
    NotSupported,
    OutcomeUnknown,
    RateLimited,
    Refused,
    RefusedForNow,
    SlurmError,
    Unavailable,
)


class Operation(Enum):
    """Kinds of requests; `changes` is whether the request may have changed something."""

    READ = "read"
    SUBMIT = "submit"
    UPDATE = "update"
    CANCEL = "cancel"

    @property
    def changes(self) -> bool:
        """Whether a lost answer leaves the outcome open."""
        return self is not Operation.READ


CREDENTIALS = frozenset({1007, 6010})
"""1007 protocol authentication error; 6010 user unknown to the controller's host."""

HUNG_UP = frozenset({5005})
"""Zero bytes received: what 22.05 says of a bad token, and also of a controller that hung up, perhaps after it
took the job (TRAPS J1, F1)."""

NOT_FOUND = frozenset({2017})

LATER = frozenset({1810, 2016, 2050, 2055, 2062, 2065, 2087, 2093, 2098, 2105, 2186})
"""Limits and states of the cluster that pass: 2050 submit limit (association or QOS), others from
slurm_errno.h, not seen here: 2016 nodes busy, 2055 reservation not usable, 2062 temporary … """

REFUSED_TOO = frozenset({4003})
"""4003 invalid accounting frequency: slurmctld's word at submission (seen on 22.05 and 24.11 with HTTP 500)."""

NO_ANSWER = frozenset({-1, 1, 1800, 1801, 1802, 5000, 5001, 5002, 5003, 5004, 5006, 7000, 7001})
"""The daemon behind slurmrestd did not answer. 1 (EPERM) is what 24.11 and 26.05 say when a cancellation
meets no slurmctld (TRAP F4); -1 what job/{id} says then."""


LATE = frozenset({408, 425})
"""A proxy's word that the request came too slowly or too early: nobody refused it."""

NOT_SERVED = frozenset({404, 405})
"""Without JSON: slurmrestd serves no such path, so it has another API version now, or is none."""


def classify(
    *, operation: Operation, code: int | None, status: int, message: str, answered_by_slurm: bool = True
) -> SlurmError:
    """The error for an answer that is not a success."""
    kind = _by_code(operation, code) or _by_status(operation, status, answered_by_slurm=answered_by_slurm)
    return kind(message, code=code, status=status)


def _by_code(operation: Operation, code: int | None) -> type[SlurmError] | None:
    if code is None:
        return None
    if code in CREDENTIALS:
        return CredentialsRejected
    if code in HUNG_UP:
        return OutcomeUnknown if operation.changes else CredentialsRejected
    if code in NOT_FOUND:
        return Refused if operation is Operation.SUBMIT else JobNotFound
    if code in LATER:
        return RefusedForNow if operation is Operation.SUBMIT else Unavailable
    if code in NO_ANSWER:
        return OutcomeUnknown if operation.changes else Unavailable
    if 2000 <= code < 3000 or code in REFUSED_TOO:
        return Refused
    return None


def _by_status(operation: Operation, status: int, *, answered_by_slurm: bool) -> type[SlurmError]:
    if status in (401, 511):
        return CredentialsRejected
    if status == 429:
        return RateLimited
    if status in LATE or status >= 500:
        return OutcomeUnknown if operation.changes else Unavailable
    if status in NOT_SERVED and not answered_by_slurm:
        return NotSupported
    if 400 <= status < 500:
        return Refused if operation.changes else Unavailable
    return OutcomeUnknown if operation.changes else Unavailable
