"""What tests of the engine have in common."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.unit.engine.cluster import Cluster


@pytest_asyncio.fixture
async def bare_cluster() -> AsyncIterator[Cluster]:
    """With an engine that runs, and nothing for it to do."""
    made = Cluster()
    await made.start()
    yield made
    await made.end()


@pytest_asyncio.fixture
async def cluster(bare_cluster: Cluster) -> Cluster:
    """The same, and the Secret that a connection would name."""
    bare_cluster.secret()
    return bare_cluster
