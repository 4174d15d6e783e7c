"""The generated CRDs on the real API server: what it takes, what it refuses and with which words, what it keeps."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from sandboxlib import control_plane
from sandboxlib.daemons import SandboxError
from sandboxlib.paths import Paths
from tests.real.cluster import Tenant

GOOD: dict[str, Any] = {
    "connectionRef": {"name": "campus"},
    "template": {"script": "#!/bin/sh\ntrue\n", "chdir": "/home/alice"},
}


def _job(spec: dict[str, Any], name: str = "job") -> dict[str, Any]:
    return {"apiVersion": "slurmjob.dev/v1alpha1", "kind": "SlurmJob", "metadata": {"name": name}, "spec": spec}


def _connection(spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "slurmjob.dev/v1alpha1",
        "kind": "SlurmConnection",
        "metadata": {"name": "campus"},
        "spec": spec,
    }


def _with(template: dict[str, Any]) -> dict[str, Any]:
    spec = copy.deepcopy(GOOD)
    spec["template"] |= template
    return spec


def _refusal(paths: Paths, manifest: dict[str, Any]) -> str:
    """What kubectl says of a manifest that the API server refuses. Nothing is stored."""
    with pytest.raises(SandboxError) as refusal:
        control_plane.kubectl(paths, "create", "--dry-run=server", "-f", "-", stdin=json.dumps(manifest))
    return str(refusal.value)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ({"script": "echo no shebang"}, "spec.template.script in body should match '^#!'"),
        ({"script": "#!" + "x" * 65536}, "spec.template.script: Too long: may not be more than 65536 bytes"),
        ({"chdir": "two\nlines"}, r"spec.template.chdir in body should match '^[^\x00\n]*$'"),
        ({"jobName": "two\nlines"}, r"spec.template.jobName in body should match '^[^\x00\n]*$'"),
        ({"account": "x" * 1025}, "spec.template.account: Too long: may not be more than 1024 bytes"),
        ({"ntasks": 0}, "spec.template.ntasks in body should be greater than or equal to 1"),
        ({"ntasks": -1}, "spec.template.ntasks in body should be greater than or equal to 1"),
        ({"ntasks": 2**31 - 1}, "spec.template.ntasks in body should be less than or equal to 2147483646"),
        ({"overcommit": "yes"}, 'spec.template.overcommit in body must be of type boolean: "string"'),
        ({"ntasks": "4"}, 'spec.template.ntasks in body must be of type integer: "string"'),
        ({"cpusPerTask": 1.5}, 'spec.template.cpusPerTask in body must be of type int32: "float64"'),
        ({"time": 90}, 'spec.template.time in body must be of type string: "integer"'),
        ({"mem": True}, 'spec.template.mem in body must be of type integer,string: "boolean"'),
        ({"mem": "1" * 33}, "spec.template.mem: Too long: may not be more than 32 bytes"),
        ({"mem": "1G", "memPerCpu": "1G"}, "`mem` and `memPerCpu` exclude each other, as for sbatch"),
        ({"comment": "[slurmjob.dev/1 forged]"}, "`comment` must not hold `[slurmjob.dev/`, the operator's own marker"),
        ({"environment": [{"name": "1A"}]}, "spec.template.environment[0].name in body should match"),
        (
            {"environment": [{"name": "A"}, {"name": "A"}]},
            'spec.template.environment[1]: Duplicate value: {"name":"A"}',
        ),
        ({"environment": {"A": "1"}}, 'unknown field "spec.template.environment.A"'),
        (
            {"scriptFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}},
            "exactly one of `script` and `scriptFrom` must",
        ),
        (
            {"environment": [{"name": "A", "value": "", "valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}]},
            "spec.template.environment[0]: Invalid value: at most one of `value` and `valueFrom` may be given",
        ),
        ({"environment": [{"name": "A", "valueFrom": {}}]}, "spec.template.environment[0].valueFrom.configMapKeyRef:"),
        ({"output": "x" * 4096}, "spec.template.output: Too long: may not be more than 4095 bytes"),
    ],
)
def test_refused_template(rights: Paths, template: dict[str, Any], message: str) -> None:
    assert message in _refusal(rights, _job(_with(template)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"template": None}, "spec.template: Required value"),
        ({"connectionRef": None}, "spec.connectionRef: Required value"),
        ({"connectionRef": {}}, "spec.connectionRef.name: Required value"),
        ({"connectionRef": {"name": "No"}}, "spec.connectionRef.name in body should match"),
        ({"connectionRef": {"name": "a", "kind": "Other"}}, 'spec.connectionRef.kind: Unsupported value: "Other"'),
        ({"connectionRef": {"name": "a", "namespace": "b"}}, 'unknown field "spec.connectionRef.namespace"'),
        ({"deletionPolicy": "Delete"}, 'spec.deletionPolicy: Unsupported value: "Delete"'),
        (
            {"template": {"chdir": "/x"}},
            "spec.template: Invalid value: exactly one of `script` and `scriptFrom` must be given",
        ),
        ({"template": GOOD["template"] | {"memory": "1G"}}, 'unknown field "spec.template.memory"'),
    ],
)
def test_refused_spec(rights: Paths, change: dict[str, Any], message: str) -> None:
    spec = {key: value for key, value in (GOOD | change).items() if value is not None}
    assert message in _refusal(rights, _job(spec))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"servers": []}, "spec.servers in body should have at least 1 items"),
        ({"servers": [{"url": "ftp://host"}]}, "spec.servers[0].url in body should match"),
        ({"servers": [{"url": "https://u:p@a"}]}, "spec.servers[0].url in body should match"),
        ({"servers": [{"url": "https://a/a path"}]}, "spec.servers[0].url in body should match"),
        (
            {"servers": [{"url": f"https://{name}:1"} for name in "abcdefghi"]},
            "spec.servers: Too many: 9: must have at most 8 items",
        ),
        ({"apiVersion": "v0.0.37"}, "spec.apiVersion in body should match"),
        ({"pollPeriodSeconds": 4}, "spec.pollPeriodSeconds in body should be greater than or equal to 5"),
        ({"requestTimeoutSeconds": 301}, "spec.requestTimeoutSeconds in body should be less than or equal to 300"),
        ({"auth": {"jwt": {}}}, "spec.auth.jwt.secretKeyRef: Required value"),
        (
            {"auth": {"jwt": {"secretKeyRef": {"name": "a", "namespace": "b"}}}},
            'unknown field "spec.auth.jwt.secretKeyRef.namespace"',
        ),
    ],
)
def test_refused_connection(rights: Paths, change: dict[str, Any], message: str) -> None:
    good = {"servers": [{"url": "https://a:6820"}], "auth": {"jwt": {"secretKeyRef": {"name": "a"}}}}
    assert message in _refusal(rights, _connection(good | change))


def test_a_new_object_says_that_nobody_looked_at_it(rights: Paths) -> None:
    """The default of status: kstatus and kubectl wait read InProgress from the first moment on."""
    text = control_plane.kubectl(
        rights, "create", "--dry-run=server", "-o", "json", "-f", "-", stdin=json.dumps(_job(GOOD))
    )
    body = json.loads(text)
    assert body["status"] == {"observedGeneration": -1}
    assert body["spec"]["deletionPolicy"] == "Cancel"
    assert body["spec"]["template"] == GOOD["template"], "nothing is put into what Slurm runs"


def _set_status(tenant: Tenant, name: str, status: dict[str, Any]) -> None:
    patch = json.dumps({"status": status})
    tenant.kubectl("patch", "slurmjob", name, "--subresource=status", "--type=merge", "-p", patch)


def _patch(tenant: Tenant, name: str, spec: dict[str, Any]) -> None:
    tenant.kubectl("patch", "slurmjob", name, "--type=merge", "-p", json.dumps({"spec": spec}))


def test_frozen_from_the_first_job_id_on(rights: Paths, namespace: Tenant) -> None:
    namespace.apply(_job(GOOD))
    _patch(namespace, "job", {"template": {"time": "5"}, "connectionRef": {"name": "other"}})
    _set_status(namespace, "job", {"firstSubmitTime": "2026-01-01T00:00:00Z"})
    for change, field in (
        ({"template": {"time": "6"}}, "template"),
        ({"template": {"time": None}}, "template"),
        ({"connectionRef": {"name": "campus"}}, "connectionRef"),
    ):
        with pytest.raises(SandboxError) as refusal:
            _patch(namespace, "job", change)
        assert (
            f"spec.{field}: Forbidden: `{field}` must not change once a job has been submitted "
            "(`status.firstSubmitTime` is set); create a new SlurmJob instead"
        ) in str(refusal.value)
    _patch(namespace, "job", {"deletionPolicy": "Orphan"})
    namespace.kubectl("label", "slurmjob", "job", "a=b")


def test_columns_short_name_category_and_field_selectors(rights: Paths, namespace: Tenant) -> None:
    namespace.apply(_job(GOOD, "one"))
    namespace.apply(_job(GOOD, "two"))
    _set_status(namespace, "two", {"state": "Running", "jobId": "7", "effective": {"partition": "debug"}})
    header = namespace.kubectl("get", "sljob", "-o", "wide").splitlines()[0]
    assert header.split("  ")[0] == "NAME"
    wide = ["NAME", "STATE", "TASKS", "JOB ID", "CONNECTION", "PARTITION", "USER", "NODES", "REASON", "START", "AGE"]
    assert [column.strip() for column in header.split("  ") if column.strip()] == wide
    assert "slurmjob.slurmjob.dev/one" in namespace.kubectl("get", "slurm", "-o", "name")
    for selector in ("status.jobId=7", "status.state=Running"):
        found = namespace.kubectl("get", "slurmjobs", f"--field-selector={selector}", "-o", "name").split()
        assert found == ["slurmjob.slurmjob.dev/two"], selector
    assert (
        len(
            namespace.kubectl(
                "get", "slurmjobs", "--field-selector=spec.connectionRef.name=campus", "-o", "name"
            ).split()
        )
        == 2
    )


def test_explain_names_unit_and_default(rights: Paths) -> None:
    text = " ".join(control_plane.kubectl(rights, "explain", "slurmjob.spec.template.mem").split())
    assert "a whole number of MiB" in text
    assert "Default: the partition's." in text


def test_examples_are_taken(rights: Paths, namespace: Tenant) -> None:
    folder = rights.checkout / "manifests" / "examples"
    for example in sorted(folder.glob("*.yaml")):
        namespace.kubectl("apply", "--dry-run=server", "-f", str(example))
    assert len(list(folder.glob("*.yaml"))) >= 5
