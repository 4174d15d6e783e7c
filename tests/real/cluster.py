"""The sandbox as tests use it: kubectl as a user would type it, Slurm from inside, a ledger of executions."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandboxlib import control_plane, operator_process, slurm_cluster
from sandboxlib.daemons import kill, start, stop
from sandboxlib.paths import Paths

SUITE = "forky"
LEDGER = "/home/alice/ledger"


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """One namespace with a connection to the real cluster."""

    paths: Paths
    namespace: str

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return control_plane.kubectl(self.paths, "-n", self.namespace, *arguments, stdin=stdin)

    def apply(self, manifest: dict[str, Any]) -> None:
        self.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))

    def job(self, name: str, *, script: str = "true", deletion_policy: str = "Cancel", **template: Any) -> None:
        """Apply a SlurmJob; see `manifest`."""
        self.apply(self.manifest(name, script=script, deletion_policy=deletion_policy, **template))

    def jobs(self, scripts: Mapping[str, str], **template: Any) -> None:
        """Apply many at once: their scripts by their names."""
        items = [self.manifest(name, script=script, **template) for name, script in scripts.items()]
        self.apply({"apiVersion": "v1", "kind": "List", "items": items})

    def manifest(
        self,
        name: str,
        *,
        script: str = "true",
        deletion_policy: str = "Cancel",
        interpreter: str = "/bin/bash",
        **template: Any,
    ) -> dict[str, Any]:
        """A SlurmJob whose script appends a line to the ledger before it does anything else: whose it is, its job
        id, and how often Slurm had started that id before."""
        line = f"{self.namespace}/{name} $SLURM_JOB_ID ${{SLURM_RESTART_COUNT:-0}}"
        text = f"#!{interpreter}\necho {line} >> {LEDGER}\n{script}\n"
        return {
            "apiVersion": "slurmjob.dev/v1alpha1",
            "kind": "SlurmJob",
            "metadata": {"name": name},
            "spec": {
                "connectionRef": {"name": "campus"},
                "deletionPolicy": deletion_policy,
                "template": {"chdir": "/home/alice", "time": "5", "script": text, **template},
            },
        }

    def get(self, name: str, kind: str = "slurmjob") -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.kubectl("get", kind, name, "-o", "json"))
        return body

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
            time.sleep(0.2)

    def wait_state(self, name: str, state: str, *, seconds: float = 45.0) -> None:
        deadline = time.monotonic() + seconds
        while (now := self.status(name).get("state")) != state:
            assert time.monotonic() < deadline, f"{name} is {now}, not {state}: {self.status(name)}"
            time.sleep(0.2)

    def connect(
        self, *, user: str = "alice", lifespan: int = 3600, token: str | None = None, url: str | None = None
    ) -> None:
        """A connection named `campus`; `url` is a proxy's in place of slurmrestd's own."""
        self.kubectl(
            "apply",
            "-f",
            "-",
            stdin=operator_process.connection(
                namespace=self.namespace,
                name="campus",
                url=url or slurm_cluster.rest_url(self.paths, SUITE),
                token=token or slurm_cluster.token(self.paths, SUITE, user=user, lifespan=lifespan),
            ),
        )

    def executions(self, name: str) -> Counter[str]:
        """Slurm job ids that ran this SlurmJob's script, each with how often it began."""
        ledger = slurm_cluster.home(self.paths, SUITE, "alice") / "ledger"
        lines = ledger.read_text().splitlines() if ledger.exists() else []
        return Counter(line.split()[1] for line in lines if line.split()[0] == f"{self.namespace}/{name}")

    def slurm(self, *argv: str, user: str = "root") -> str:
        done = subprocess.run(
            slurm_cluster.exec_argv(self.paths, SUITE, argv, user), capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    def start_now(self, name: str) -> None:
        """Spare a job that Slurm starts again the two minutes that it would wait before; it waits while the last run
        is cleaned up, and then takes the update."""
        update = ["scontrol", "update", f"jobid={self.status(name)['jobId']}", "StartTime=now"]
        show = ["scontrol", "show", "job", self.status(name)["jobId"]]
        self.wait_until(lambda: "COMPLETING" not in self.slurm(*show))
        self.slurm(*update)

    def slurm_states(self, name: str) -> list[str]:
        """States in slurmdbd of all jobs that carry this object's marker name."""
        out = self.slurm("sacct", "-X", "-n", "-P", "-S", "now-1hour", "-u", "alice", f"--name={name}", "-o", "State")
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


def operator_kill(paths: Paths) -> None:
    kill(operator_process.daemon(paths))


def operator_start(paths: Paths) -> None:
    operator_process.start_operator(paths)


def operator_stop(paths: Paths) -> None:
    stop([operator_process.daemon(paths)])


def operator_log(paths: Paths) -> str:
    return Path(operator_process.daemon(paths).log).read_text()
