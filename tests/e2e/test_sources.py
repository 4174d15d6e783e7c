"""Scripts and variables that stand in ConfigMaps, on the way to a real Slurm; executions are counted by a ledger."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sandboxlib import slurm_cluster
from tests.real.cluster import LEDGER, Tenant

OF_RETRIES = "/home/alice/ledger-of-retries"
"""In the other one no SlurmJob has two jobs."""

FROM: dict[str, Any] = {"scriptFrom": {"configMapKeyRef": {"name": "texts", "key": "run"}}}


def _texts(tenant: Tenant, **texts: str) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "texts"}, "data": texts}
    tenant.kubectl("apply", "-f", "-", stdin=json.dumps(body))


def _job(tenant: Tenant, name: str, *, environment: list[dict[str, Any]] | None = None, **spec: Any) -> None:
    body = tenant.manifest(name, spec=spec)
    del body["spec"]["template"]["script"]
    body["spec"]["template"] |= {**FROM, "environment": environment or []}
    tenant.apply(body)


def _script(tenant: Tenant, name: str, *lines: str, ledger: str = LEDGER) -> str:
    text = "\n".join(lines)
    line = f"{tenant.namespace}/{name} $SLURM_JOB_ID 0"
    return f"#!/bin/bash\n#SBATCH --job-name=from-texts\necho {line} >> {ledger}\n{text}\n"


def _written(tenant: Tenant, file: str) -> list[str]:
    return (slurm_cluster.home(tenant.paths, tenant.suite, "alice") / file).read_text().splitlines()


def test_a_script_and_its_variables(tenant: Tenant) -> None:
    """Applied before its ConfigMap."""
    name, out = "sourced", f"{tenant.namespace}.out"
    level = {"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "texts", "key": "level"}}}
    absent = {"name": "ABSENT", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "none", "optional": True}}}
    _job(tenant, name, environment=[level, absent])
    tenant.wait_state(name, "Waiting")
    assert tenant.condition(name, "Submitted")["reason"] == "SourceNotFound"
    assert "ConfigMap texts is not there" in tenant.condition(name, "Submitted")["message"]
    script = _script(tenant, name, f"env | grep -E '^(LEVEL|ABSENT|SLURMJOB_)' | sort > {out}")
    _texts(tenant, run=script, level="3")
    tenant.wait(name, "Complete", seconds=100)
    status = tenant.status(name)
    assert tenant.executions(name) == {status["jobId"]: 1}
    assert status["sourced"] == {"scriptHash": hashlib.sha256(script.encode()).hexdigest(), "jobName": "from-texts"}
    assert _written(tenant, out) == [
        "LEVEL=3",
        "SLURMJOB_ATTEMPT=1",
        f"SLURMJOB_NAME={name}",
        f"SLURMJOB_NAMESPACE={tenant.namespace}",
        f"SLURMJOB_UID={tenant.get(name)['metadata']['uid']}",
    ]


def test_another_script_is_not_tried_again_in_the_place_of_the_first(tenant: Tenant) -> None:
    name = "edited"
    first = _script(tenant, name, tenant.until("edited"), 'test "$SLURMJOB_ATTEMPT" = 2', ledger=OF_RETRIES)
    _texts(tenant, run=first)
    _job(tenant, name, backoffLimit=1)
    tenant.wait_state(name, "Running")
    _texts(tenant, run=first + "# edited\n")
    tenant.go("edited")
    tenant.wait_until(lambda: tenant.condition(name, "Stalled").get("reason") == "SourceChanged")
    assert tenant.executions(name, ledger=OF_RETRIES).total() == 1
    _texts(tenant, run=first)
    tenant.wait(name, "Complete", seconds=100)
    assert sorted(tenant.executions(name, ledger=OF_RETRIES).values()) == [1, 1]
    assert [one["state"] for one in tenant.status(name)["attempts"]] == ["FAILED", "COMPLETED"]


def test_another_interpreter(tenant: Tenant) -> None:
    name, out = "perl", f"{tenant.namespace}.perl"
    lines = ["#!/usr/bin/perl", "#SBATCH --time=5", f"open(F, '>', '{out}'); print F $ENV{{SLURMJOB_NAME}}; close F;"]
    _texts(tenant, run="\n".join([*lines, ""]))
    _job(tenant, name)
    tenant.wait(name, "Complete")
    assert _written(tenant, out) == [name]
