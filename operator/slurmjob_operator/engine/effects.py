"""The external effects of the protocol, by name, in their order; and who may look on.

Each is durable before the next begins, so a process that ends between any two of them, or in the middle of one, is
followed by one that finds out what took effect.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from slurmjob_operator.api.status import SlurmJobStatus
from slurmjob_operator.core.attempts import is_closed


class Effect(StrEnum):
    """What is done outside for one SlurmJob."""

    ADD_FINALIZER = "add-finalizer"
    OPEN_ATTEMPT = "open-attempt"
    SUBMIT = "submit"
    RECORD = "record"
    NOTE_RELEASE = "note-release"
    RELEASE = "release"
    FOLLOW = "follow"
    HOLD = "hold"
    CANCEL = "cancel"
    CLOSE_ATTEMPT = "close-attempt"
    LET_GO = "let-go"


class Witness(Protocol):
    """Is told of each effect just before it is asked for, and just after its answer has come."""

    def before(self, effect: Effect) -> None:
        """Nothing of it has happened."""

    def after(self, effect: Effect) -> None:
        """It was answered; what the answer means has not been learned yet."""


class Nobody:
    """The witness that ships."""

    def before(self, effect: Effect) -> None:
        """See `Witness`."""

    def after(self, effect: Effect) -> None:
        """See `Witness`."""


def of_status_write(before: SlurmJobStatus, after: SlurmJobStatus) -> Effect:
    """Which effect a status write is."""
    if before.job_id is None and after.job_id is not None:
        return Effect.RECORD
    if is_closed(after) and not is_closed(before):
        return Effect.CLOSE_ATTEMPT
    if (before.attempt, before.attempt_time) != (after.attempt, after.attempt_time):
        return Effect.OPEN_ATTEMPT
    if before.release_time != after.release_time:
        return Effect.NOTE_RELEASE
    return Effect.FOLLOW
