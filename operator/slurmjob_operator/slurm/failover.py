"""Which of a connection's servers to speak to: the first that can be trusted, and back to an earlier one only when it
has been well for a while.

Servers know their own health (see `circuit`), so what one connection finds out all others know: an outage is met by a
few requests, not by one of each connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from slurmjob_operator.slurm.circuit import Circuit
from slurmjob_operator.slurm.http import SlurmrestdServer

SETTLED_SECONDS: Final = 30.0
"""A server that was away is trusted again when it has been well for so long; it is asked so long after a failure."""

GLANCE_SECONDS: Final = 10.0
"""So long one server is waited for where there is another one to ask."""


def in_order(servers: Sequence[SlurmrestdServer]) -> list[SlurmrestdServer]:
    """Those that can be trusted first; otherwise as they are named."""
    return sorted(servers, key=lambda server: not trusted(server.shared.circuit))


def trusted(circuit: Circuit) -> bool:
    """Whether it answers, and has for a while."""
    if circuit.failing:
        return False
    return circuit.failed_at is None or circuit.well_for >= SETTLED_SECONDS


def worth_a_glance(servers: Sequence[SlurmrestdServer], current: SlurmrestdServer) -> Iterator[SlurmrestdServer]:
    """Servers before the current one that may be back."""
    for server in servers[: servers.index(current)]:
        circuit = server.shared.circuit
        if not trusted(circuit) and circuit.failed_for >= SETTLED_SECONDS:
            yield server
