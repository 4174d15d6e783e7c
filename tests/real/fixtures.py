"""Brings the sandbox up when nobody has. A missing real part is an error, never a skip.

Several workers may ask at once: the sandbox's own lock makes one of them do it.
"""

from __future__ import annotations

import fcntl
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sandboxlib import cli, control_plane, operator_process
from sandboxlib.daemons import is_running
from sandboxlib.paths import Paths, default_paths
from tests.real import api
from tests.real.cluster import SUITE, Tenant
from tests.real.state_loss import StateLoss

LABEL = "slurmjob.dev/test"


@pytest.fixture(scope="session")
def sandbox() -> Paths:
    """A control plane and a Slurm; they stay up when the tests end, `make test` takes them down."""
    assert cli.main(["up", "--kube", "--slurm", SUITE]) == 0, "the sandbox did not come up"
    return default_paths()


@pytest.fixture(scope="session")
def rights(sandbox: Paths) -> Paths:
    """CRDs, RBAC and the operator's kubeconfig; whether an operator runs is left as it is."""
    with _operator_lock(sandbox):
        if not is_running(operator_process.daemon(sandbox)):
            operator_process.grant(sandbox)
    return sandbox


@pytest.fixture(scope="session")
def operator(sandbox: Paths) -> Paths:
    """A running operator under the rules that are shipped."""
    with _operator_lock(sandbox):
        if not is_running(operator_process.daemon(sandbox)):
            operator_process.start_operator(sandbox)
    return sandbox


@contextmanager
def _operator_lock(paths: Paths) -> Iterator[None]:
    with (paths.run / "operator.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def namespace(sandbox: Paths, request: pytest.FixtureRequest) -> Iterator[Tenant]:
    """A namespace without a connection. Its deletion is asked for and not waited for: that it ends, whatever was in
    it, is a check of its own when all tests are done.

    After a test that is alone what has a finalizer goes first, while the operator runs: the next test may take it
    away."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:50].strip("-")
    name = f"{words}-{secrets.token_hex(3)}"
    api.make_namespace(sandbox, name, labels={LABEL: "true"})
    yield Tenant(paths=sandbox, namespace=name)
    if request.node.get_closest_marker("alone") is not None:
        control_plane.kubectl(sandbox, "-n", name, "delete", "slurmjobs,slurmconnections", "--all", "--timeout=60s")
    api.delete_namespace(sandbox, name)


@pytest.fixture
def tenant(operator: Paths, namespace: Tenant) -> Tenant:
    """A namespace with a connection as alice."""
    assert operator == namespace.paths
    namespace.connect()
    return namespace


@pytest.fixture
def loss(tenant: Tenant) -> Iterator[StateLoss]:
    """The tenant's slurmctld, that can be made to save its state and to lose what came after."""
    made = StateLoss(tenant)
    yield made
    made.close()
