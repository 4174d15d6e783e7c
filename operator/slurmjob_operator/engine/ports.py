"""What the engine needs from outside, as values that tests can replace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from slurmjob_operator.api.connection import SlurmConnectionSpec
from slurmjob_operator.engine.effects import Nobody, Witness
from slurmjob_operator.engine.metrics import Metrics
from slurmjob_operator.engine.unknown_outcomes import UnknownOutcomes
from slurmjob_operator.kube.port import KubePort
from slurmjob_operator.slurm.credentials import Credentials
from slurmjob_operator.slurm.port import SlurmPort


class SlurmPorts(Protocol):
    """Makes the port of one connection; sockets are shared by all that name the same server."""

    async def open(self, spec: SlurmConnectionSpec, credentials: Credentials, *, name: str) -> SlurmPort:
        """A port for the connection of this name. Raises `slurm.http.InvalidServerUrl`; sends nothing yet."""

    async def close(self) -> None:
        """Close all sockets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The engine's surroundings. `now` is epoch seconds, `monotonic` never goes back. `witness` sees each effect.

    `metrics` are those of one engine, since its gauges show what that engine has.
    """

    kube: KubePort
    slurm: SlurmPorts
    installation: str
    now: Callable[[], float]
    monotonic: Callable[[], float]
    witness: Witness = field(default_factory=Nobody)
    metrics: Metrics = field(default_factory=Metrics)
    unknown_outcomes: UnknownOutcomes = field(default_factory=UnknownOutcomes)
