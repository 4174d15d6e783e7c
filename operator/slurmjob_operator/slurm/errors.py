"""What went wrong with Slurm, by what the caller must do about it.

    SlurmError
    ├── Unavailable          retry later; nothing was changed by this request
    │   ├── RateLimited      the server asked us to slow down
    │   ├── ConnectionLost   somebody cut it before an answer was there
    │   ├── AnswerTooLarge   of an array, say, of which many thousand tasks run or have just ended
    │   ├── UntrustedServer  TLS: its certificate is not accepted, or it does not accept ours
    │   └── AccountingUnavailable   slurmdbd does not answer, or has not heard all yet; slurmctld may well
    ├── Refused              never: the same request will be refused again (bad partition, invalid account …)
    ├── RefusedForNow        retry later: a limit or a state of the cluster that passes (queue full, submit limit)
    ├── OutcomeUnknown       a request that changes something may or may not have taken effect
    ├── JobNotFound          slurmctld is up and does not know this id; *not* an end of the job
    ├── CredentialsRejected  the token was refused, is expired or belongs to somebody unknown
    └── NotSupported         no API version in common, a federated cluster, an answer we cannot read

Errors are classed by Slurm's error number first, by HTTP status second, by text last. No message ever holds
a token, a header or a request body.
"""

from __future__ import annotations


class SlurmError(Exception):
    """Base. `code` is Slurm's error number, `status` the HTTP status; None where there was none."""

    def __init__(self, message: str, *, code: int | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status


class Unavailable(SlurmError):
    """slurmrestd, slurmctld or slurmdbd did not answer or said that it could not; nothing was changed.

    `retry_after_seconds`: when it is worth to ask again, where that is known."""

    retry_after_seconds: float | None = None


class AnswerTooLarge(Unavailable):
    """More than we take in. Asked again at once it would be as large."""


class RateLimited(Unavailable):
    """HTTP 429 or slurmctld's own rate limit."""


class ConnectionLost(Unavailable):
    """The connection was cut, or could not be made, although nothing took long."""


class UntrustedServer(Unavailable):
    """No TLS came about: the server's certificate, or ours, was not accepted. No token was sent."""


class AccountingUnavailable(Unavailable):
    """slurmrestd answered that slurmdbd does not, or slurmctld that slurmdbd has not heard all yet."""


class Refused(SlurmError):
    """Slurm will not take this request, now or later."""


class RefusedForNow(SlurmError):
    """Slurm will not take this request now; it may later."""


class OutcomeUnknown(SlurmError):
    """The answer was lost, late, cut or made no sense, after the request had left."""


class JobNotFound(SlurmError):
    """This id is not known to an slurmctld that answers."""


class CredentialsRejected(SlurmError):
    """The token was not accepted."""


class NotSupported(SlurmError):
    """This slurmrestd cannot be spoken to."""
