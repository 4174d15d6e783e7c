"""What all connections to one slurmrestd have in common: its sockets, turns, circuit, what was found out about it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from slurmjob_operator.slurm.admission import Admission
from slurmjob_operator.slurm.budget import ReadBudget
from slurmjob_operator.slurm.circuit import Circuit
from slurmjob_operator.slurm.looks import Looks
from slurmjob_operator.slurm.sockets import SOCKETS, Sockets
from slurmjob_operator.slurm.token import SlurmToken
from slurmjob_operator.slurm.turns import Limits

NO_LIMITS: Final = Limits(in_flight=SOCKETS)
"""Of a connection that says nothing of its own: the server's are the bound."""

MOST_REFUSED: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLimits:
    """What the operator may ask of one slurmrestd, whoever wants it. `sockets` is also how many requests are under way
    at the same time; `per_second` is of requests."""

    sockets: int = SOCKETS
    per_second: float = 500.0


class Shared:
    """Of one slurmrestd: a resolved host and port."""

    def __init__(
        self, limits: ServerLimits = ServerLimits(), *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._monotonic = monotonic
        self._refused: dict[str, float] = {}
        self._versions: tuple[tuple[str, ...], float] | None = None
        self.sockets = Sockets(most=limits.sockets)
        self.admission = Admission(monotonic, Limits(in_flight=limits.sockets, per_second=limits.per_second))
        self.circuit = Circuit(monotonic)
        self.listing = asyncio.Lock()
        """Held by who reads the whole list of jobs."""
        self.reads = ReadBudget(monotonic)
        self.looks = Looks(monotonic)

    def refuse(self, token: SlurmToken) -> None:
        """It was not accepted."""
        self._refused.pop(token.fingerprint, None)
        self._refused[token.fingerprint] = self._monotonic()
        if len(self._refused) > MOST_REFUSED:
            del self._refused[next(iter(self._refused))]

    def has_refused(self, token: SlurmToken, *, seconds: float) -> bool:
        """Whether it was not accepted less than so long ago."""
        at = self._refused.get(token.fingerprint)
        return at is not None and self._monotonic() - at < seconds

    def know_versions(self, versions: tuple[str, ...]) -> None:
        """These API versions it serves by its own document; none: it does not say."""
        self._versions = (versions, self._monotonic())

    def known_versions(self, *, seconds: float) -> tuple[str, ...] | None:
        """What its document said less than so long ago."""
        if self._versions is None or self._monotonic() - self._versions[1] >= seconds:
            return None
        return self._versions[0]

    async def close(self) -> None:
        """Close all sockets."""
        self.admission.close()
        await self.sockets.close()
