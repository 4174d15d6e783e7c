"""Connections that do not work, each with its reason, and then repaired."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sandboxlib import slurm_cluster
from sandboxlib.paths import Paths
from tests.real import cluster
from tests.real.cluster import SUITE, Tenant
from tests.real.releases import Differs, expected


def _token(tenant: Tenant, **claims: object) -> str:
    key = (slurm_cluster.folder(tenant.paths, cluster.SUITE) / "etc-slurm/jwt_hs256.key").read_bytes()
    return slurm_cluster.sign({"exp": 4102444800, "iat": 0, "sun": "alice", **claims}, key)


def test_missing_connection_then_made(operator: Paths, namespace: Tenant) -> None:
    namespace.job("early")
    namespace.wait_state("early", "Waiting")
    submitted = namespace.condition("early", "Submitted")
    assert submitted["reason"] == "ConnectionNotFound"
    assert submitted["message"] == f"SlurmConnection campus does not exist in namespace {namespace.namespace}."
    namespace.connect()
    namespace.wait("early", "Complete")


def test_missing_secret_then_made(operator: Paths, namespace: Tenant) -> None:
    namespace.connect()
    namespace.wait("campus", "Ready", of="slurmconnection")
    namespace.kubectl("delete", "slurmconnection", "campus")
    namespace.kubectl("delete", "secret", "campus-token")
    connection = {
        "apiVersion": "slurmjob.dev/v1alpha1",
        "kind": "SlurmConnection",
        "metadata": {"name": "campus"},
        "spec": {
            "servers": [{"url": slurm_cluster.rest_url(namespace.paths, cluster.SUITE)}],
            "auth": {"jwt": {"secretKeyRef": {"name": "campus-token"}}},
            "pollPeriodSeconds": 5,
        },
    }
    namespace.apply(connection)
    namespace.wait_connection("SecretNotFound")
    assert namespace.condition("campus", "Stalled", of="slurmconnection")["status"] == "True"
    namespace.job("patient")
    namespace.wait_state("patient", "Waiting")
    namespace.connect()
    namespace.wait("patient", "Complete")


def test_wrong_url_then_repaired(tenant: Tenant) -> None:
    tenant.edit_connection(servers=[{"url": "http://127.0.0.1:9"}])
    tenant.wait_connection("ClusterUnreachable")
    tenant.job("patient")
    tenant.wait_state("patient", "Waiting")
    assert tenant.condition("patient", "Submitted")["reason"] == "ClusterUnreachable"
    tenant.connect()
    tenant.wait("patient", "Complete")


def test_bad_tokens_then_a_good_one(operator: Paths, namespace: Tenant) -> None:
    for token, reason in (
        ("not a token", "InvalidToken"),
        (_token(namespace, sun="root"), "InvalidToken"),
        (_token(namespace, **{"kubernetes.io": {}}), "InvalidToken"),
        (_token(namespace, exp=1000), "TokenExpired"),
        (_token(namespace)[:-6] + "AAAAAA", "AuthenticationFailed"),
    ):
        namespace.connect(token=token)
        namespace.wait_connection(reason)
        text = namespace.kubectl("get", "slurmconnection", "campus", "-o", "yaml")
        assert token not in text
    namespace.connect()
    namespace.wait("campus", "Ready", of="slurmconnection")


@pytest.mark.timeout(330)
def test_what_people_see_of_the_cluster(tenant: Tenant) -> None:
    """A node that was drained, a job that runs; what others run at the same time is not exact. A connection looks once
    a minute, perhaps at what another one of this user saw a minute before."""
    tenant.wait_until(lambda: "nodes" in tenant.get("campus", "slurmconnection")["status"])
    tenant.job("busy", script="sleep 270", partition="tiny", time="5", mem="100M")
    tenant.wait_state("busy", "Running", seconds=90)
    with _drained(tenant, "n6", reason="bad disk in bay 3"):
        tenant.wait_until(lambda: _problems(tenant).get("n6") == "bad disk in bay 3", seconds=200)
        shown = tenant.get("campus", "slurmconnection")["status"]
        listed = tenant.kubectl("get", "slurmconnections").splitlines()
        described = tenant.kubectl("explain", "slurmconnections.status.nodes.problems")
    partitions = {partition["name"]: partition for partition in shown["partitions"]}
    assert partitions["tiny"]["idleCpus"] < partitions["tiny"]["cpus"] == 8
    assert partitions["debug"]["idleCpus"] <= 40 - 1, "n6 is drained, and n1 is busy"
    assert partitions["debug"].get("default") is expected(Differs.DEFAULT_PARTITION)
    assert shown["nodes"]["total"] == 8
    assert [controller["up"] for controller in shown["controllers"]] == [True]
    assert shown["jobs"] == {"live": 1, "states": [{"jobs": 1, "state": "Running"}]}
    assert re.split(r"  +", listed[0]) == [
        "NAME", "READY", "CLUSTER", "USER", "SLURM", "NODES", "IDLE CPUS", "JOBS", "AGE",
    ]  # fmt: skip
    idle = str(shown["nodes"]["idleCpus"])
    assert listed[1].split()[:8] == ["campus", "True", SUITE, "alice", shown["slurmVersion"], "8", idle, "1"]
    assert "Why, in the words of who or what took it out." in described
    tenant.delete("busy")


def _problems(tenant: Tenant) -> dict[str, str | None]:
    found = tenant.get("campus", "slurmconnection")["status"]["nodes"]["problems"]
    return {node["name"]: node.get("reason") for node in found}


@contextmanager
def _drained(tenant: Tenant, node: str, *, reason: str) -> Iterator[None]:
    """Out of service as an administrator takes it; in the end it is back."""
    tenant.slurm("scontrol", "update", f"nodename={node}", "state=drain", f"reason={reason}")
    try:
        yield
    finally:
        tenant.slurm("scontrol", "update", f"nodename={node}", "state=resume")


def test_no_token_in_any_output(tenant: Tenant) -> None:
    tenant.job("quiet")
    tenant.wait("quiet", "Complete")
    secret = tenant.get("campus-token", "secret")["data"]["SLURM_JWT"]
    token = base64.b64decode(secret).decode()
    outputs = [
        cluster.operator_log(tenant.paths),
        tenant.kubectl("get", "slurmjobs,slurmconnections,events", "-o", "yaml"),
        tenant.slurm("sacct", "-j", tenant.status("quiet")["jobId"], "--env-vars"),
    ]
    assert len(token) > 60
    for output in outputs:
        assert token not in output
        assert token.rpartition(".")[2] not in output
