"""The daemons of one cluster as values, and commands inside its root file system."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from sandboxlib import ports, slurm_config, slurm_state, slurm_view
from sandboxlib.daemons import Daemon, SandboxError, spawn, wait_ready
from sandboxlib.paths import Paths
from sandboxlib.progress import run_logged

CGROUPS = Path("/sys/fs/cgroup")


def exec_argv(paths: Paths, suite: str, argv: Sequence[str], user: str = "root") -> list[str]:
    """The argument list that runs a command inside the cluster's root file system."""
    state, root = slurm_state.folder(paths, suite), slurm_state.root(paths, suite)
    return slurm_view.argv(state=state, root=root, user=user, command=argv)


def daemons(paths: Paths, suite: str) -> tuple[Daemon, ...]:
    """In start order; empty before the first `up`."""
    if not (slurm_state.folder(paths, suite) / "hosts").exists():
        return ()
    names = (name for name in slurm_config.NODES)
    node_ports = dict(zip(slurm_config.NODES, slurm_state.slurmd_ports(paths, suite), strict=True))
    return (
        _daemon(paths, suite, "munged", ["munged", "--foreground"], user="munge", ready=_munge_ready(paths, suite)),
        _daemon(
            paths,
            suite,
            "mariadbd",
            ["mariadbd", "--defaults-file=/etc/slurm/mariadb.cnf"],
            port=ports.port(paths, f"{suite}-mariadbd"),
        ),
        _daemon(
            paths, suite, "slurmdbd", ["slurmdbd", "-D"], user="slurm", port=ports.port(paths, f"{suite}-slurmdbd")
        ),
        _daemon(
            paths, suite, "slurmctld", ["slurmctld", "-D"], user="slurm", port=ports.port(paths, f"{suite}-slurmctld")
        ),
        *(
            _daemon(paths, suite, f"slurmd-{name}", ["slurmd", "-D", "-N", name], port=node_ports[name])
            for name in names
        ),
        _daemon(
            paths,
            suite,
            "slurmrestd",
            ["slurmrestd", f"127.0.0.1:{ports.port(paths, f'{suite}-slurmrestd')}"],
            user="slurmrest",
            port=ports.port(paths, f"{suite}-slurmrestd"),
            env={"SLURM_JWT": "daemon"},
        ),
    )


def _daemon(
    paths: Paths,
    suite: str,
    name: str,
    command: Sequence[str],
    *,
    user: str = "root",
    port: int | None = None,
    ready: Callable[[], bool] | None = None,
    env: dict[str, str] | None = None,
) -> Daemon:
    full = f"{suite}-{name}"
    return Daemon(
        name=full,
        argv=tuple(exec_argv(paths, suite, command, user)),
        log=paths.logs / f"{full}.log",
        pid_file=paths.run / f"{full}.pid",
        env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **(env or {})},
        ready=ready or (None if port is None else (lambda: ports.listens(port))),
    )


def _munge_ready(paths: Paths, suite: str) -> Callable[[], bool]:
    return (slurm_state.folder(paths, suite) / "run/munge/munge.socket.2").exists


def start(wanted: Sequence[Daemon]) -> None:
    """One after the other up to slurmctld; then all slurmd and slurmrestd side by side."""
    for daemon in wanted[:4]:
        spawn(daemon)
        wait_ready(daemon)
    for daemon in wanted[4:]:
        spawn(daemon)
    for daemon in wanted[4:]:
        wait_ready(daemon)


def wait_idle(paths: Paths, suite: str, seconds: float = 60.0) -> None:
    """All nodes answer; drained or down ones of an earlier life are resumed."""
    deadline = time.monotonic() + seconds
    while True:
        states = inside(paths, suite, ["sinfo", "-h", "-N", "-o", "%N %T"]).split("\n")
        bad = {line.split()[0] for line in states if line and not line.split()[1].startswith(("idle", "mix", "alloc"))}
        bad |= {line.split()[0] for line in states if line.endswith("*")}
        if not bad and any(states):
            return
        if time.monotonic() > deadline:
            raise SandboxError(
                f"nodes of {suite} that are not ready: {', '.join(sorted(bad)) or 'slurmctld is silent'}"
            )
        stopped = [line.split()[0] for line in states if line and line.split()[1].startswith(("drain", "down"))]
        if stopped:
            inside(paths, suite, ["scontrol", "update", f"nodename={','.join(stopped)}", "state=resume"])
        time.sleep(0.2)


def wait_answering(paths: Paths, suite: str, seconds: float = 30.0) -> None:
    """slurmctld listens before it is up, and a signal then ends it without a trace of state."""
    deadline = time.monotonic() + seconds
    while " is UP" not in inside(paths, suite, ["scontrol", "ping"]):
        if time.monotonic() > deadline:
            raise SandboxError(f"slurmctld of {suite} does not answer `scontrol ping`")
        time.sleep(0.1)


def logged(paths: Paths, suite: str, log: Path, argv: Sequence[str]) -> None:
    """Run a command inside, with its output in `log`; raises `SandboxError` when it fails."""
    run_logged(exec_argv(paths, suite, argv), log=log)


def inside(paths: Paths, suite: str, argv: Sequence[str]) -> str:
    """Standard output of a command inside, whatever it ended with."""
    done = subprocess.run(exec_argv(paths, suite, argv), capture_output=True, text=True, check=False)
    return done.stdout


def kill_strays(root: Path) -> None:
    """Jobs and step daemons outlive slurmd: end everything that has this view as its root."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            seen = os.readlink(process / "root")  # noqa: PTH115 - the link is followed by name, not resolved
        except OSError:
            continue
        if seen == str(root):
            os.kill(int(process.name), signal.SIGKILL)


def remove_cgroups() -> None:
    """Slurm leaves empty cgroups behind; remove the innermost first, and only those without processes.

    The lock is the one under which each slurmstepd of any cluster of this machine makes its own.
    """
    for controller in CGROUPS.iterdir() if CGROUPS.exists() else ():
        if not any(controller.glob("slurm*")):
            continue
        lock = os.open(controller, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _remove_below(controller)
        finally:
            os.close(lock)


def _remove_below(controller: Path) -> None:
    for top in controller.glob("slurm*"):
        for path in sorted([top, *top.rglob("*")], reverse=True):
            if path.is_dir():
                with suppress(OSError):
                    path.rmdir()
