"""The story of the operator in one run: `make demo`. Brings all up, shows it, and takes all down again.

KEEP=1 leaves everything running and says how to play on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from sandboxlib import control_plane, operator_process, slurm_cluster
from sandboxlib.cli import main as sandbox
from sandboxlib.daemons import SandboxError
from sandboxlib.paths import Paths, default_paths

SUITE = "forky"
NAMESPACE = "team-aero"
EXAMPLES = ("hello", "exit-code", "several-nodes", "long", "mistake")
LONGEST_SECONDS = 120.0


def main() -> int:
    """Tell the story; 0 only when every job came to the end that it should."""
    began = time.monotonic()
    paths = default_paths()
    keep = os.environ.get("KEEP") == "1"
    try:
        title("1. A real Kubernetes API server and a real Slurm on this machine")
        if sandbox(["up", "--kube", "--slurm", SUITE]) != 0:
            return 1
        up_seconds = time.monotonic() - began
        install(paths)
        ok = story(paths)
        title("7. What it took")
        say(f"up after {up_seconds:.0f} s, the whole story {time.monotonic() - began:.0f} s")
    except SandboxError as error:
        say(f"demo: {error}")
        ok = False
    finally:
        if not keep:
            title("8. Cleaning up")
            sandbox(["down", "--purge"])
    if keep:
        say(
            '\nAll of it still runs. Play on:\n  eval "$(sandbox/sandbox env)"\n'
            f"  kubectl -n {NAMESPACE} get slurmjobs -w\n  sandbox/sandbox exec forky -- squeue\n"
            "  sandbox/sandbox down --purge      # when you are done"
        )
    say("\ndemo: every job came to the end that it should" if ok else "\ndemo: FAILED, see above")
    return 0 if ok else 1


def install(paths: Paths) -> None:
    """CRDs, RBAC, the operator under its own rights; a Secret and a SlurmConnection."""
    title("2. The operator: CRDs, RBAC, a process with the rights of its service account")
    operator_process.start_operator(paths)
    show(paths, "get", "customresourcedefinitions")
    title("3. A tenant's namespace with a Slurm token and a SlurmConnection")
    control_plane.kubectl(paths, "delete", "namespace", NAMESPACE, "--ignore-not-found")
    control_plane.kubectl(paths, "create", "namespace", NAMESPACE)
    manifest = operator_process.connection(
        namespace=NAMESPACE,
        name="campus",
        url=slurm_cluster.rest_url(paths, SUITE),
        token=slurm_cluster.token(paths, SUITE, user="alice", lifespan=3600),
    )
    control_plane.kubectl(paths, "apply", "-f", "-", stdin=manifest)
    here(paths, "wait", "slurmconnection/campus", "--for=condition=Ready", "--timeout=60s")
    show(paths, "-n", NAMESPACE, "get", "slurmconnections")


def story(paths: Paths) -> bool:
    """Apply the examples, watch them, and hold what came out against what should."""
    title("4. Five SlurmJobs: a success, a failure, one on two nodes, a long one, one with a mistake")
    for name in EXAMPLES:
        say(here(paths, "apply", "-f", str(paths.checkout / "manifests" / "examples" / f"{name}.yaml")).strip())
    watch(paths, until=lambda states: states["long"] == "Running" and states["mistake"] == "Rejected")
    say("\nDeleting the long one while it runs: its Slurm job is cancelled before the object goes.")
    here(paths, "delete", "slurmjob", "long", "--timeout=60s")
    over = {"Complete", "Failed", "Rejected"}
    states = watch(paths, until=lambda states: set(states.values()) <= over)
    title("5. What the objects say")
    show(paths, "-n", NAMESPACE, "get", "slurmjobs", "-o", "wide")
    say("")
    show(paths, "-n", NAMESPACE, "describe", "slurmjob", "exit-code")
    for name in ("mistake",):
        say(f"\n{name}: {message(paths, name)}")
    title("6. What Slurm itself says")
    accounting = inside(paths, "sacct", "-X", "-u", "alice", "-o", "JobID,JobName%14,State%20,ExitCode,NodeList")
    say(accounting)
    say(inside(paths, "squeue"))
    wanted = {"hello": "Complete", "exit-code": "Failed", "several-nodes": "Complete", "mistake": "Rejected"}
    return states == wanted and "CANCELLED" in accounting


def watch(paths: Paths, *, until: Callable[[dict[str, str]], bool]) -> dict[str, str]:
    """Print the jobs whenever a state changes, until all is as it should be or time is up."""
    deadline = time.monotonic() + LONGEST_SECONDS
    last: dict[str, str] = {}
    while time.monotonic() < deadline:
        items = json.loads(here(paths, "get", "slurmjobs", "-o", "json"))["items"]
        states = {item["metadata"]["name"]: item["status"].get("state", "") for item in items}
        if states != last:
            say("")
            show(paths, "-n", NAMESPACE, "get", "slurmjobs")
            last = states
        if until(states):
            return states
        time.sleep(0.5)
    raise SandboxError(f"after {LONGEST_SECONDS:.0f} s the jobs are: {last}")


def message(paths: Paths, name: str) -> str:
    """The sentence of the condition Submitted."""
    path = '{.status.conditions[?(@.type=="Submitted")].message}'
    return here(paths, "get", "slurmjob", name, "-o", f"jsonpath={path}")


def here(paths: Paths, *arguments: str) -> str:
    """kubectl in the tenant's namespace."""
    return control_plane.kubectl(paths, "-n", NAMESPACE, *arguments)


def show(paths: Paths, *arguments: str) -> None:
    """Print a kubectl command and its output."""
    say(f"$ kubectl {' '.join(arguments)}\n{control_plane.kubectl(paths, *arguments).rstrip()}")


def inside(paths: Paths, *argv: str) -> str:
    """Print a command of Slurm and return its output."""
    say(f"$ {' '.join(argv)}")
    done = subprocess.run(slurm_cluster.exec_argv(paths, SUITE, argv), capture_output=True, text=True, check=False)
    return done.stdout.rstrip()


def title(text: str) -> None:
    """A heading."""
    say(f"\n=== {text}")


def say(text: str) -> None:
    """One text on standard output, at once."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
