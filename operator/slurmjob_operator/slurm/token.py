"""A Slurm JWT out of a Secret. Whatever else a Secret may hold is never sent anywhere.

The writer of a connection names both an address and a Secret. So a value is sent only if it parses as a
Slurm JWT: an expiry, a user claim, nothing of Kubernetes' own tokens. The signature cannot be checked here;
slurmctld does that.
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass, field
from typing import Any, Final

import jwt

PRIVILEGED: Final = frozenset({"root", "slurm"})
ALGORITHMS: Final = frozenset({"HS256", "RS256"})
LARGEST_BYTES: Final = 16384

_NAME = re.compile(r"[!-~]{1,256}")
"""What a request header can hold: ASCII without blanks."""


_NUMBER = re.compile(r"[+-]?[0-9]+")
"""Slurm reads these as a uid: a token of user "0" submits as root (measured on 26.05)."""


class InvalidToken(ValueError):
    """Not a Slurm JWT that we would send. The text holds nothing of the value."""


@dataclass(frozen=True, slots=True)
class SlurmToken:
    """A token and what it says of itself. `expires_at` is epoch seconds, `lifespan_seconds` from when it was made until
    then, infinite where it does not say when that was."""

    user: str
    expires_at: int
    _value: str = field(repr=False, compare=True)
    lifespan_seconds: float = math.inf

    def reveal(self) -> str:
        """The token itself, for a request header and nothing else."""
        return self._value

    @property
    def fingerprint(self) -> str:
        """Stands for the token where it must not be kept."""
        return hashlib.sha256(self._value.encode()).hexdigest()


def parse_token(value: bytes, *, privileged: frozenset[str] = PRIVILEGED) -> SlurmToken:
    """Read a token; also in the form that `scontrol token` prints. Raises `InvalidToken`."""
    if len(value) > LARGEST_BYTES:
        raise InvalidToken(f"it is longer than {LARGEST_BYTES} bytes")
    try:
        text = value.decode("ascii").strip().removeprefix("SLURM_JWT=")
        algorithm = jwt.get_unverified_header(text).get("alg")
        claims: dict[str, Any] = jwt.decode(text, options={"verify_signature": False})
    except (UnicodeDecodeError, jwt.PyJWTError):
        raise InvalidToken("it is not a JSON web token") from None
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise InvalidToken("its algorithm is neither HS256 nor RS256")
    if "kubernetes.io" in claims:
        raise InvalidToken("it is a Kubernetes service account token")
    expiry = claims.get("exp")
    if isinstance(expiry, bool) or not isinstance(expiry, int | float) or not math.isfinite(expiry):
        raise InvalidToken("it has no `exp` claim")
    user = claims.get("sun", claims.get("username"))
    if not isinstance(user, str) or not _NAME.fullmatch(user):
        raise InvalidToken("it has no user claim (`sun`)")
    if _NUMBER.fullmatch(user):
        raise InvalidToken("its user is a number, which Slurm would take for a uid")
    if user in privileged:
        raise InvalidToken(f"it is a token of the privileged user {user}, which is refused here")
    made = claims.get("iat")
    if isinstance(made, bool) or not isinstance(made, int | float) or not math.isfinite(made):
        made = -math.inf
    return SlurmToken(user, int(expiry), text, expiry - made)


_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")
REDACTED: Final = "[redacted]"


def redact(text: str) -> str:
    """The last net: whatever looks like a JSON web token never reaches a log or a condition."""
    return _JWT.sub(REDACTED, text)
