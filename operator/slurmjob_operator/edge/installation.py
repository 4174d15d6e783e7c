"""Which installation this is: what the sweep of held jobs goes by, since several clusters may share a Slurm user.

A name would not do: two clusters that follow the same instructions have the same. The uid of the operator's own
namespace is unique, and stays when a release is upgraded.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final, Protocol

from slurmjob_operator.kube.errors import Unavailable

RELEASE: Final = "slurmjob-operator"
AGAIN_SECONDS: Final = 2.0

logger = logging.getLogger(__name__)


class Namespaces(Protocol):
    """Who knows the uids of namespaces."""

    async def namespace_uid(self, name: str) -> str:
        """Raises `NotFound`, `Forbidden`, `Unavailable` of `kube.errors`."""


async def installation_id(namespaces: Namespaces, *, namespace: str) -> str:
    """The uid of the operator's own namespace, and the release's name. Waits for an API server that is away."""
    while True:
        try:
            return f"{await namespaces.namespace_uid(namespace)}/{RELEASE}"
        except Unavailable as error:
            logger.warning("the uid of namespace %s is not known yet: %s", namespace, error)
            await asyncio.sleep(AGAIN_SECONDS)
