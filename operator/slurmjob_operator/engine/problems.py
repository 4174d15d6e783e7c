"""Why a connection cannot be used now, and who can mend it."""

from __future__ import annotations

from typing import Final

from slurmjob_operator.api.conditions import Reason

CREDENTIAL_REASONS: Final = frozenset(
    {
        Reason.SECRET_NOT_FOUND,
        Reason.INVALID_TOKEN,
        Reason.TOKEN_EXPIRED,
        Reason.WRONG_USER,
        Reason.AUTHENTICATION_FAILED,
    }
)
PERMANENT_REASONS: Final = CREDENTIAL_REASONS | {
    Reason.INVALID_SERVER_URL,
    Reason.INVALID_CONNECTION,
    Reason.INVALID_CERTIFICATE,
    Reason.INVALID_HEADERS,
    Reason.CONFIG_MAP_NOT_FOUND,
    Reason.UNSUPPORTED_SERVER,
    Reason.UNTRUSTED_SERVER,
    Reason.CLUSTER_CHANGED,
}
"""Nothing but a person will mend these; kstatus is told so by `Stalled`."""


class NotConnected(Exception):
    """There is no usable port now. The message is for people and holds nothing secret. `secret_gone`: it was tried with
    a token that had been read earlier. `retry_after_seconds`: when it is worth to try again, where that is known."""

    def __init__(self, reason: Reason, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.secret_gone = False
        self.retry_after_seconds = retry_after_seconds
