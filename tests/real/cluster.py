"""The sandbox as tests use it: kubectl as a user would type it, Slurm from inside, a ledger of executions."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandboxlib import control_plane, operator_process, slurm_cluster
from sandboxlib.daemons import Daemon, is_running, kill, start, stop
from sandboxlib.operator_process import Launch
from sandboxlib.paths import Paths
from tests.real import api

SUITE = os.environ.get("SANDBOX_SUITE") or "forky"
"""The one Slurm that these tests run against; `tests/run.py` has a lane for each."""

LEDGER = "/home/alice/ledger"

GLANCE_SECONDS = 0.4
"""Between two looks at what a test waits for."""


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """One namespace with a connection to the real cluster."""

    paths: Paths
    namespace: str
    suite: str = SUITE

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return control_plane.kubectl(self.paths, "-n", self.namespace, *arguments, stdin=stdin)

    def apply(self, manifest: dict[str, Any]) -> None:
        self.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))

    def job(
        self,
        name: str,
        *,
        script: str = "true",
        deletion_policy: str = "Cancel",
        interpreter: str = "/bin/bash",
        **template: Any,
    ) -> None:
        """Apply a SlurmJob; see `manifest`."""
        spec = {"deletionPolicy": deletion_policy}
        self.apply(self.manifest(name, script=script, spec=spec, interpreter=interpreter, **template))

    def jobs(self, scripts: Mapping[str, str], **template: Any) -> None:
        """Apply many SlurmJobs at once: their scripts by their names."""
        items = [self.manifest(name, script=script, **template) for name, script in scripts.items()]
        self.apply({"apiVersion": "v1", "kind": "List", "items": items})

    def manifest(
        self,
        name: str,
        *,
        script: str = "true",
        spec: Mapping[str, Any] | None = None,
        annotations: Mapping[str, str] | None = None,
        interpreter: str = "/bin/bash",
        ledger: str = LEDGER,
        **template: Any,
    ) -> dict[str, Any]:
        """A SlurmJob whose script appends a line to the ledger before it does anything else: whose it is, its job id,
        and how often Slurm had started that id before. `ledger` is another file for a job that Slurm itself may start
        twice under one id and the same restart count."""
        line = f"{self.namespace}/{name} $SLURM_JOB_ID ${{SLURM_RESTART_COUNT:-0}}"
        text = f"#!{interpreter}\necho {line} >> {ledger}\n{script}\n"
        return {
            "apiVersion": "slurmjob.dev/v1alpha1",
            "kind": "SlurmJob",
            "metadata": {"name": name, "annotations": dict(annotations or {})},
            "spec": {
                "connectionRef": {"name": "campus"},
                "template": {"chdir": "/home/alice", "time": "5", "script": text, **template},
                **(spec or {}),
            },
        }

    def annotate(self, name: str, key: str, value: str) -> None:
        """Put an annotation on a SlurmJob, or another value into it."""
        self.kubectl("annotate", "slurmjob", name, "--overwrite", f"{key}={value}")

    def delete(self, *names: str) -> None:
        """Ask for the deletion of SlurmJobs, and do not wait for it."""
        self.kubectl("delete", "slurmjob", *names, "--wait=false")

    def wait_gone(self, *names: str, of: str = "slurmjob", seconds: int = 45) -> None:
        """Wait until none of these objects exists any more."""
        self.kubectl("wait", "--for=delete", f"--timeout={seconds}s", *(f"{of}/{name}" for name in names))

    def exists(self, name: str, of: str = "slurmjob") -> bool:
        return self.kubectl("get", of, name, "--ignore-not-found", "-o", "name") != ""

    def events(self, name: str, *, namespace: str | None = None) -> list[tuple[str, str, str]]:
        """Reason, type and note of the events about an object, or (in another namespace) of those related to it,
        the oldest first."""
        text = control_plane.kubectl(
            self.paths, "-n", namespace or self.namespace, "get", "events.v1.events.k8s.io", "-o", "json"
        )
        about = "regarding" if namespace is None else "related"
        found = [
            e
            for e in json.loads(text)["items"]
            if (e.get(about, {}).get("namespace"), e.get(about, {}).get("name")) == (self.namespace, name)
        ]
        return [(e["reason"], e["type"], e["note"]) for e in sorted(found, key=lambda e: str(e["eventTime"]))]

    def get(self, name: str, kind: str = "slurmjob") -> dict[str, Any]:
        return api.read(self.paths, namespace=self.namespace, kind=kind, name=name)

    def status(self, name: str) -> dict[str, Any]:
        status: dict[str, Any] = self.get(name)["status"]
        return status

    def condition(self, name: str, kind: str, *, of: str = "slurmjob") -> dict[str, Any]:
        conditions = self.get(name, of)["status"].get("conditions", [])
        return next((c for c in conditions if c["type"] == kind), {})

    def wait(self, name: str, condition: str, *, of: str = "slurmjob", seconds: int = 45) -> None:
        self.kubectl("wait", f"{of}/{name}", f"--for=condition={condition}", f"--timeout={seconds}s")

    def wait_until(self, what: Callable[[], bool], *, seconds: float = 45.0) -> None:
        deadline = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < deadline, "it did not come to that"
            time.sleep(GLANCE_SECONDS)

    def edit_connection(self, name: str = "campus", **spec: Any) -> None:
        """Merge this into the connection's `spec`, as `kubectl edit` would."""
        patch = json.dumps({"spec": spec})
        self.kubectl("patch", "slurmconnection", name, "--type=merge", f"--patch={patch}")

    def wait_connection(self, reason: str, *, seconds: float = 45.0) -> None:
        """Wait until the connection is ready, or is not, for this reason."""
        deadline = time.monotonic() + seconds
        while (now := self.condition("campus", "Ready", of="slurmconnection")).get("reason") != reason:
            assert time.monotonic() < deadline, f"the connection is {now}, not {reason}"
            time.sleep(GLANCE_SECONDS)

    def wait_state(self, name: str, state: str, *, seconds: float = 45.0) -> None:
        deadline = time.monotonic() + seconds
        while (now := self.status(name).get("state")) != state:
            assert time.monotonic() < deadline, f"{name} is {now}, not {state}: {self.status(name)}"
            time.sleep(GLANCE_SECONDS)

    def connect(
        self,
        *,
        name: str = "campus",
        user: str = "alice",
        lifespan: int = 3600,
        token: str | None = None,
        url: str | None = None,
    ) -> None:
        """Apply the connection and its Secret; `url` is that of a proxy, where one stands before slurmrestd."""
        self.kubectl(
            "apply",
            "-f",
            "-",
            stdin=operator_process.connection(
                namespace=self.namespace,
                name=name,
                url=url or slurm_cluster.rest_url(self.paths, self.suite),
                token=token or slurm_cluster.token(self.paths, self.suite, user=user, lifespan=lifespan),
            ),
        )

    def until(self, moment: str) -> str:
        """A script that runs until `go`."""
        return f"until test -e /home/alice/{self.namespace}-{moment}; do sleep 0.1; done"

    def go(self, moment: str) -> None:
        """Let the scripts end that wait for this moment."""
        (slurm_cluster.home(self.paths, self.suite, "alice") / f"{self.namespace}-{moment}").touch()

    def executions(self, name: str, *, ledger: str = LEDGER) -> Counter[str]:
        """Slurm job ids that ran this SlurmJob's script, each with how often it began."""
        file = slurm_cluster.home(self.paths, self.suite, "alice") / Path(ledger).name
        lines = file.read_text().splitlines() if file.exists() else []
        return Counter(line.split()[1] for line in lines if line.split()[0] == f"{self.namespace}/{name}")

    def slurm(self, *argv: str, user: str = "root") -> str:
        done = subprocess.run(
            slurm_cluster.exec_argv(self.paths, self.suite, argv, user), capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    def start_now(self, name: str) -> None:
        """Spare a job that Slurm starts again the two minutes that it would wait before; it waits while the last run
        is cleaned up, and then takes the update."""
        update = ["scontrol", "update", f"jobid={self.status(name)['jobId']}", "StartTime=now"]
        show = ["scontrol", "show", "job", self.status(name)["jobId"]]
        self.wait_until(lambda: "COMPLETING" not in self.slurm(*show))
        self.slurm(*update)

    def accounted(self, job_id: str) -> list[str]:
        """States that slurmdbd has of one job id, of each time that the id was given, without who cancelled it."""
        rows = self.slurm("sacct", "-X", "-D", "-n", "-P", "-S", "now-1hour", "-j", job_id, "-o", "State").split("\n")
        return [row.partition(" ")[0] for row in rows if row]

    def wait_accounted(self, expected: Mapping[str, str], *, seconds: float = 45.0) -> None:
        """Each of these job ids comes to have one record in slurmdbd, in this state: 22.05 tells slurmdbd of a change
        seconds after it."""
        wanted = {job_id: [state] for job_id, state in expected.items()}
        deadline = time.monotonic() + seconds
        while (found := {job_id: self.accounted(job_id) for job_id in wanted}) != wanted:
            assert time.monotonic() < deadline, f"slurmdbd says {found}, not {wanted}"
            time.sleep(GLANCE_SECONDS)

    def slurm_states(self, job_name: str) -> list[str]:
        """States in slurmdbd of all jobs of this name."""
        argv = ("sacct", "-X", "-n", "-P", "-S", "now-1hour", "-u", "alice", f"--name={job_name}", "-o", "State")
        out = self.slurm(*argv)
        return out.split("\n") if out else []


def memory_limits_are_true(paths: Paths) -> bool:
    """Whether Slurm can enforce memory limits on this machine."""
    return any("memory limits true" in line for line in slurm_cluster.status(paths, SUITE))


@contextmanager
def nodes_dead(paths: Paths, *nodes: str) -> Iterator[None]:
    """Kill the slurmd of these nodes; in the end they are back, and Slurm takes jobs for them."""
    wanted = {f"{SUITE}-slurmd-{node}" for node in nodes}
    daemons = [daemon for daemon in slurm_cluster.daemons(paths, SUITE) if daemon.name in wanted]
    for daemon in daemons:
        kill(daemon)
    try:
        yield
    finally:
        for daemon in daemons:
            start(daemon)
        slurm_cluster.up(paths, SUITE)


def slurm_daemon(paths: Paths, name: str) -> Daemon:
    """E.g. `slurmctld`, `slurmdbd`."""
    return next(daemon for daemon in slurm_cluster.daemons(paths, SUITE) if daemon.name == f"{SUITE}-{name}")


@contextmanager
def stopped(paths: Paths, name: str) -> Iterator[Daemon]:
    """One daemon of Slurm stopped as an administrator would, and in the end, at the latest, there again."""
    daemon = slurm_daemon(paths, name)
    stop([daemon])
    try:
        yield daemon
    finally:
        start(daemon)


def operator_kill(paths: Paths) -> None:
    kill(operator_process.daemon(paths))


def operator_start(paths: Paths) -> None:
    operator_process.start_operator(paths)


def operator_stop(paths: Paths) -> None:
    stop([operator_process.daemon(paths)])


@contextmanager
def operator_replaced(paths: Paths) -> Iterator[None]:
    """Without an operator, for a test that launches its own; in the end the one that ships runs again."""
    operator_stop(paths)
    try:
        yield
    finally:
        operator_stop(paths)
        operator_start(paths)


def launch_test_build(paths: Paths, **environment: str) -> None:
    """Start `tests.faults.operator_build` in the place of the operator that ships."""
    python = str(paths.checkout / ".venv" / "bin" / "python")
    launch = Launch(program=(python, "-m", "tests.faults.operator_build"), env=environment)
    operator_process.start_operator(paths, launch=launch)


def operator_runs(paths: Paths) -> bool:
    return is_running(operator_process.daemon(paths))


def metric(paths: Paths, line: str) -> float:
    """The value of one line of the operator's /metrics, given up to its value; 0 where there is none."""
    url = f"{operator_process.url(paths)}/metrics"
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own, on loopback
        lines = answer.read().decode().splitlines()
    return next((float(text.rpartition(" ")[2]) for text in lines if text.startswith(f"{line} ")), 0.0)


def operator_log(paths: Paths) -> str:
    return Path(operator_process.daemon(paths).log).read_text()
