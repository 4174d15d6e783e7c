"""What a connection has to show to a slurmrestd and to whoever stands before it."""

from __future__ import annotations

from dataclasses import dataclass, field

from slurmjob_operator.slurm.tls import NO_IDENTITY, TlsIdentity
from slurmjob_operator.slurm.token import SlurmToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Two that are equal need no new connection. `headers` are for a proxy."""

    token: SlurmToken
    identity: TlsIdentity = NO_IDENTITY
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
