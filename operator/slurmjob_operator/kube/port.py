"""The narrow port: what the operator writes to Kubernetes, and the little that it reads besides its watches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

Body = Mapping[str, Any]


class Kind(Enum):
    """Our kinds; the value is the plural."""

    SLURM_JOB = "slurmjobs"
    SLURM_CONNECTION = "slurmconnections"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectKey:
    """One object of ours."""

    kind: Kind
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeEvent:
    """An event about one of our objects. `at_home`: in the operator's own namespace, when the object's own takes
    no events any more."""

    regarding: ObjectKey
    reason: str
    message: str
    warning: bool
    time: float
    at_home: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """`type` cannot be changed, `data` are values by key."""

    type: str
    data: Mapping[str, bytes] = field(repr=False)


class KubePort(Protocol):
    """All methods may raise `Unavailable` and `Forbidden` of `kube.errors`; what else is said at each."""

    async def get(self, key: ObjectKey) -> Body:
        """Read the object from the API server's own store, not from a watch. Raises `NotFound`,
        also when another object lives under that name now."""

    async def write_status(self, key: ObjectKey, *, old: Body, new: Body, resource_version: str) -> Body:
        """Change `status` from `old` to `new` if the object still has this resourceVersion.

        Returns the object as written. Raises `Conflict`, `NotFound`, `Invalid`. Not guaranteed: that nothing
        was written when `Unavailable` is raised.
        """

    async def write_finalizers(self, key: ObjectKey, *, finalizers: list[str], resource_version: str) -> Body:
        """Replace `metadata.finalizers` under the same precondition. Raises `Conflict`, `NotFound`."""

    async def connection_in_use(self, *, namespace: str, name: str) -> bool:
        """Whether a SlurmJob with our finalizer names this connection, as the API server itself knows it."""

    async def read_secret(self, *, namespace: str, name: str) -> Secret:
        """One Secret. Raises `NotFound`."""

    async def read_config_map(self, *, namespace: str, name: str) -> Mapping[str, str]:
        """The texts of one ConfigMap. Raises `NotFound`."""

    async def post_event(self, event: KubeEvent) -> None:
        """Tell people. Best effort: nothing may depend on it."""
