"""From an answer that is no success to what the caller must do. Slurm's error number first, HTTP status second."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from slurmjob_operator.slurm.error_numbers import TABLE
from slurmjob_operator.slurm.error_numbers.group import Meaning
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


HUNG_UP: Final = 5005
"""Zero bytes received: what 22.05 says of a bad token, and what any release says of a controller that hung up, perhaps
after it took the job (TRAPS J1, F1)."""

_OF_READ: Final[Mapping[Meaning, type[SlurmError]]] = {
    Meaning.LATER: Unavailable,
    Meaning.NEVER: Unavailable,
    Meaning.UNKNOWN: Unavailable,
    Meaning.NOT_FOUND: JobNotFound,
    Meaning.CREDENTIALS: CredentialsRejected,
    Meaning.RATE_LIMITED: RateLimited,
    Meaning.NOT_SERVED: NotSupported,
}
_OF_CHANGE: Final = {**_OF_READ, Meaning.NEVER: Refused, Meaning.UNKNOWN: OutcomeUnknown}
_OF_SUBMIT: Final = {**_OF_CHANGE, Meaning.LATER: RefusedForNow, Meaning.NOT_FOUND: Refused}

ERRORS: Final[Mapping[Operation, Mapping[Meaning, type[SlurmError]]]] = {
    Operation.READ: _OF_READ,
    Operation.SUBMIT: _OF_SUBMIT,
    Operation.UPDATE: _OF_CHANGE,
    Operation.CANCEL: _OF_CHANGE,
}
"""What a meaning comes to for each kind of request."""

LATE: Final = frozenset({408, 425})
"""A proxy's word that the request came too slowly or too early: nobody refused it."""

NOT_SERVED: Final = frozenset({404, 405})
"""Without JSON: slurmrestd serves no such path, so it has another API version now, or is none."""


def classify(
    *, operation: Operation, code: int | None, status: int, message: str, answered_by_slurm: bool = True
) -> SlurmError:
    """The error for an answer that is not a success."""
    kind = _by_code(operation, code) or _by_status(operation, status, answered_by_slurm=answered_by_slurm)
    return kind(message, code=code, status=status)


def _by_code(operation: Operation, code: int | None) -> type[SlurmError] | None:
    if code == HUNG_UP and not operation.changes:
        return CredentialsRejected
    row = None if code is None else TABLE.get(code)
    return None if row is None else ERRORS[operation][row.meaning]


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
