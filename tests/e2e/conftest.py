"""Brings the sandbox up once. A missing real part is an error, never a skip."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandboxlib import control_plane, operator_process, slurm_cluster
from sandboxlib.paths import Paths, default_paths
from tests.e2e import cluster


@pytest.fixture(scope="session")
def sandbox() -> Paths:
    paths = default_paths()
    paths.make()
    control_plane.up(paths)
    slurm_cluster.up(paths, cluster.SUITE)
    return paths


@pytest.fixture(scope="session")
def operator(sandbox: Paths) -> Iterator[Paths]:
    operator_process.start_operator(sandbox)
    yield sandbox
    cluster.operator_stop(sandbox)


@pytest.fixture
def namespace(sandbox: Paths, request: pytest.FixtureRequest) -> Iterator[cluster.Tenant]:
    """A namespace without a connection; gone at the end of the test, whatever is in it."""
    name = request.node.name.replace("_", "-").replace("[", "-").replace("]", "").lower()[:60].rstrip("-")
    control_plane.kubectl(sandbox, "create", "namespace", name)
    yield cluster.Tenant(paths=sandbox, namespace=name)
    control_plane.kubectl(sandbox, "delete", "namespace", name, "--timeout=90s")


@pytest.fixture
def tenant(operator: Paths, namespace: cluster.Tenant) -> cluster.Tenant:
    """A namespace with a connection as alice."""
    assert operator == namespace.paths
    namespace.connect()
    return namespace
