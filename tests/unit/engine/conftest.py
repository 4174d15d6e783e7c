"""What tests of the engine have in common."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.unit.engine.cluster import START, Cluster


@pytest_asyncio.fixture
async def bare_cluster() -> AsyncIterator[Cluster]:
    """With an engine that runs, and nothing for it to do."""
    made = Cluster()
    await made.start()
    yield made
    await made.end()


@pytest_asyncio.fixture
async def cluster(bare_cluster: Cluster) -> Cluster:
    """The same, and the Secret that a connection would name. A fixture's loop has the machine's clock, which tells how
    long that has been up; a test's begins at 0."""
    bare_cluster.secret(since=START)
    return bare_cluster
