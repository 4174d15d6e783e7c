"""What operations do to a connection under living jobs: certificates, tokens, servers, maintenance, another cluster."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from sandboxlib import cli, front, ports, slurm_cluster
from sandboxlib.daemons import Daemon, pause, resume, start, stop
from sandboxlib.front import Front
from sandboxlib.paths import Paths
from tests.fakes.free_port import free_port
from tests.real.cluster import SUITE, Tenant
from tests.real.own_slurmrestd import own_slurmrestd

POLL_SECONDS = 5
SOON = 3 * POLL_SECONDS
"""Two periods, and one for a machine that has other things to do."""

OTHER = "trixie"
HEADER = ("X-Gateway", "s3cret")


def _put(tenant: Tenant, kind: str, name: str, values: dict[str, str], **more: str) -> None:
    """A Secret or a ConfigMap, made or replaced."""
    data = {"ConfigMap": "data", "Secret": "stringData"}[kind]
    tenant.apply({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, data: values, **more})


def _ended_once(tenant: Tenant, *names: str) -> None:
    for name in names:
        tenant.wait(name, "Complete")
        assert tenant.executions(name) == {tenant.status(name)["jobId"]: 1}
        assert tenant.status(name)["attempt"] == 1


# --- TLS and tokens -------------------------------------------------------------------------------------------


@pytest.fixture
def gate(sandbox: Paths) -> Iterator[Front]:
    """A proxy that wants all that a proxy may want."""
    made = Front(
        name=f"gate-{secrets.token_hex(4)}",
        port=free_port(),
        server_port=ports.port(sandbox, f"{SUITE}-slurmrestd"),
        prefix="/slurm-api",
        header=HEADER,
        client_certificate=True,
    )
    with front.running(sandbox, made):
        yield made


def _trust(tenant: Tenant, gate: Front) -> None:
    """What stands in the proxy's folder now: its authority, and a client's certificate."""
    files = {path.name: path.read_text() for path in front.folder(tenant.paths, gate).glob("c*")}
    _put(tenant, "ConfigMap", "authorities", {"ca.crt": files["ca.crt"]})
    own = {"tls.crt": files["client.crt"], "tls.key": files["client.key"]}
    _put(tenant, "Secret", "campus-client", own, type="kubernetes.io/tls")


def _another_authority(paths: Paths, gate: Front) -> None:
    for path in front.folder(paths, gate).glob("c*.crt"):
        path.unlink()
    front.renew_certificate(paths, gate)


def test_certificates_and_token_are_renewed_under_a_living_job(operator: Paths, namespace: Tenant, gate: Front) -> None:
    tenant = namespace
    tenant.connect(url=gate.url)
    tenant.wait_connection("UntrustedServer")
    _trust(tenant, gate)
    _put(tenant, "Secret", "campus-gate", dict([HEADER]), type="slurmjob.dev/headers")
    tenant.edit_connection(
        tls={
            "ca": {"configMapKeyRef": {"name": "authorities"}},
            "clientCertificate": {"secretRef": {"name": "campus-client"}},
        },
        headersFrom={"secretRef": {"name": "campus-gate"}},
    )
    tenant.wait_connection("Connected", seconds=SOON)
    tenant.job("through", script=tenant.until("renewed"))
    tenant.wait_state("through", "Running")

    _another_authority(tenant.paths, gate)
    tenant.wait_connection("UntrustedServer", seconds=SOON)
    assert tenant.status("through")["state"] == "Running"
    _trust(tenant, gate)
    tenant.wait_connection("Connected", seconds=SOON)

    before = tenant.get("campus", "slurmconnection")["status"]["tokenExpirationTime"]
    tenant.connect(url=gate.url, lifespan=7200)
    expires = ("campus", "slurmconnection")
    tenant.wait_until(lambda: tenant.get(*expires)["status"]["tokenExpirationTime"] != before, seconds=SOON)
    tenant.go("renewed")
    _ended_once(tenant, "through")


# --- Servers --------------------------------------------------------------------------------------------------


@pytest.fixture
def two_servers(operator: Paths, namespace: Tenant) -> Iterator[tuple[Daemon, Daemon]]:
    """A connection by two slurmrestds of its own, and these."""
    name = secrets.token_hex(4)
    with (
        own_slurmrestd(namespace.paths, SUITE, f"{name}-a") as (first, daemon_a),
        own_slurmrestd(namespace.paths, SUITE, f"{name}-b") as (second, daemon_b),
    ):
        namespace.connect(url=f"http://127.0.0.1:{first}")
        namespace.edit_connection(servers=[{"url": f"http://127.0.0.1:{port}"} for port in (first, second)])
        yield daemon_a, daemon_b


def test_fail_over(namespace: Tenant, two_servers: tuple[Daemon, Daemon]) -> None:
    """A job is submitted, and one ends, while the first of two servers is away; nobody waits for that one."""
    tenant = namespace
    tenant.job("living", script=tenant.until("a-is-away"))
    tenant.wait_state("living", "Running")
    stop([two_servers[0]])
    tenant.job("while-a-is-away")
    tenant.go("a-is-away")
    _ended_once(tenant, "living", "while-a-is-away")


def test_fail_over_and_back(namespace: Tenant, two_servers: tuple[Daemon, Daemon]) -> None:
    """What the second server took over the first one takes back, once the second is away."""
    tenant, (daemon_a, daemon_b) = namespace, two_servers
    stop([daemon_a])
    tenant.job("while-a-is-away", script=tenant.until("b-is-away"))
    tenant.wait_state("while-a-is-away", "Running")
    start(daemon_a)
    stop([daemon_b])
    tenant.job("while-b-is-away")
    tenant.go("b-is-away")
    _ended_once(tenant, "while-a-is-away", "while-b-is-away")
    assert tenant.condition("campus", "Ready", of="slurmconnection")["reason"] == "Connected"


def test_a_server_that_hangs_delays_no_other_connection(operator: Paths, namespace: Tenant) -> None:
    """Ten connections wait for an answer that takes as long as they are ready to wait; a job of another one is through
    before the first of them gives up."""
    tenant = namespace
    tenant.connect()
    hanging = [f"hangs-{number}" for number in range(10)]
    with own_slurmrestd(tenant.paths, SUITE, tenant.namespace) as (port, daemon):
        for name in hanging:
            tenant.connect(name=name, url=f"http://127.0.0.1:{port}")
        tenant.wait_until(lambda: all(_is_ready(tenant, name) for name in hanging))
        pause(daemon)
        for name in hanging:
            tenant.edit_connection(name, requestTimeoutSeconds=60)
            tenant.apply(tenant.manifest(f"on-{name}", spec={"connectionRef": {"name": name}}))
        tenant.job("quick")
        tenant.wait("quick", "Complete", seconds=45)
        assert [tenant.status(f"on-{name}").get("jobId") for name in hanging] == [None] * 10
        resume(daemon)
        _ended_once(tenant, "quick", *(f"on-{name}" for name in hanging))


def _is_ready(tenant: Tenant, name: str) -> bool:
    return bool(tenant.condition(name, "Ready", of="slurmconnection").get("status") == "True")


# --- Maintenance ----------------------------------------------------------------------------------------------


def test_maintenance(tenant: Tenant) -> None:
    """Nothing is asked of Slurm meanwhile: jobs run on there, and what was last known of them stays."""
    tenant.job("living", script=tenant.until("suspended"))
    tenant.wait_state("living", "Running")
    tenant.edit_connection(suspend=True)
    tenant.wait_connection("Suspended")
    tenant.go("suspended")
    tenant.job("waits")
    tenant.wait_state("waits", "Waiting")
    assert tenant.condition("waits", "Submitted")["reason"] == "Suspended"
    tenant.wait_until(lambda: "COMPLETED" in tenant.accounted(tenant.status("living")["jobId"]))
    time.sleep(2 * POLL_SECONDS)  # Two polls would have seen it.
    assert tenant.status("living")["state"] == "Running"
    assert tenant.executions("waits") == {}
    tenant.edit_connection(suspend=False)
    _ended_once(tenant, "living", "waits")


# --- Another cluster ------------------------------------------------------------------------------------------


@contextmanager
def _leads_to(paths: Paths, gate: Front, suite: str) -> Iterator[None]:
    with front.running(paths, replace(gate, server_port=ports.port(paths, f"{suite}-slurmrestd"))):
        yield


@pytest.mark.every_slurm
@pytest.mark.timeout(240)
def test_another_cluster_answers_under_the_same_address(operator: Paths, namespace: Tenant) -> None:
    """With a token that it accepts: under our jobs' ids it has others, or none."""
    assert cli.main(["up", "--slurm", SUITE, "--slurm", OTHER]) == 0
    tenant, paths = namespace, namespace.paths
    gate = Front(name=f"moved-{secrets.token_hex(4)}", port=free_port(), server_port=1)
    with _leads_to(paths, gate, SUITE):
        tenant.connect(url=gate.url)
        _put(tenant, "ConfigMap", "authorities", {"ca.crt": (front.folder(paths, gate) / "ca.crt").read_text()})
        tenant.edit_connection(tls={"ca": {"configMapKeyRef": {"name": "authorities"}}})
        tenant.wait_connection("Connected")
        tenant.job("living", script=tenant.until("moved"))
        tenant.wait_state("living", "Running")
    there = replace(tenant, suite=OTHER)
    with _leads_to(paths, gate, OTHER):
        _token_of(there)
        tenant.wait_connection("ClusterChanged")
        message = tenant.condition("campus", "Ready", of="slurmconnection")["message"]
        assert message.startswith(f"Cluster {OTHER} answers where {SUITE} did, and nothing is asked of it.")
        tenant.job("waits")
        tenant.wait_state("waits", "Waiting")
        assert tenant.condition("waits", "Submitted")["reason"] == "ClusterChanged"
        tenant.go("moved")
        time.sleep(2 * POLL_SECONDS)  # Two polls would have missed it there.
        assert tenant.status("living")["state"] == "Running"
    with _leads_to(paths, gate, SUITE):
        _token_of(tenant)
        _ended_once(tenant, "living", "waits")
    assert there.executions("waits") == {}


def _token_of(tenant: Tenant) -> None:
    """The Secret holds a token of that cluster; the connection is not edited."""
    token = slurm_cluster.token(tenant.paths, tenant.suite, user="alice", lifespan=3600)
    _put(tenant, "Secret", "campus-token", {"SLURM_JWT": token})
