"""One complete Slurm cluster: munge, MariaDB, slurmdbd, slurmctld, 8 slurmd and slurmrestd."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sandboxlib import ports, slurm_config, slurm_rootfs, slurm_view
from sandboxlib.daemons import Daemon, SandboxError, State, spawn, state_of, stop, tail, wait_ready
from sandboxlib.paths import Paths
from sandboxlib.progress import run_logged, step
from sandboxlib.slurm_suites import SUITES as ROWS
from sandboxlib.slurm_suites import USERS

SUITES: tuple[str, ...] = tuple(ROWS)
ASSOCIATIONS = "lib-slurm/ctld/assoc_usage"
IDS_PER_PORT = 6000
"""Job ids that a cluster has to itself, for each port between its slurmctld's and the next one's: some ten ports.
The last port there is still stays below Slurm's own highest id (67,043,328)."""

MEMORY_CONTROLLER = Path("/sys/fs/cgroup/memory")


def folder(paths: Paths, suite: str) -> Path:
    """State of one cluster."""
    return paths.state / "slurm" / suite


def home(paths: Paths, suite: str, user: str) -> Path:
    """A user's home as the host sees it; inside it is /home/USER."""
    return folder(paths, suite) / "home" / user


def rest_url(paths: Paths, suite: str) -> str:
    """Where slurmrestd listens."""
    return f"http://127.0.0.1:{ports.port(paths, f'{suite}-slurmrestd')}"


def up(paths: Paths, suite: str) -> None:
    """Bring the cluster up and wait until all nodes are idle. Safe to repeat."""
    if os.geteuid() != 0:
        raise SandboxError("root is needed for Slurm's root file system: run this as root")
    root = slurm_rootfs.find(paths, ROWS[suite])
    first_time = not (folder(paths, suite) / "made").exists()
    _make_folders(paths, suite, root)
    _write_configuration(paths, suite, root)
    if first_time:
        with step(f"{suite}: making the database and the accounts"):
            _initialise(paths, suite)
    with step(f"{suite}: starting all daemons"):
        bring_back(paths, suite)


def down(paths: Paths, suite: str) -> None:
    """Stop everything, jobs included; nothing of it stays mounted, since every mount was private."""
    stop(reversed(daemons(paths, suite)))
    _kill_strays(folder(paths, suite) / "root")
    _remove_cgroups()


def bring_back(paths: Paths, suite: str) -> None:
    """After a test that has taken daemons or nodes away: all daemons run, all nodes take jobs again.

    A node that was down or drained is resumed as an administrator would (`scontrol update … state=resume`).
    Raises `SandboxError` with the names of those that are not ready after a minute.
    """
    _start(daemons(paths, suite))
    _wait_idle(paths, suite)


def purge(paths: Paths, suite: str) -> None:
    """Forget the cluster's state; the root file system stays in the cache."""
    shutil.rmtree(folder(paths, suite), ignore_errors=True)


def status(paths: Paths, suite: str) -> list[str]:
    """What a person wants to know."""
    all_daemons = daemons(paths, suite)
    if not all_daemons:
        return [f"{suite}: not set up"]
    lines = [f"{daemon.name}: {state_of(daemon)}" for daemon in all_daemons]
    if state_of(all_daemons[-1]) is not State.DOWN:
        version = _inside(paths, suite, ["slurmctld", "-V"]).removeprefix("slurm-wlm ").removeprefix("slurm ").strip()
        lines.append(f"{suite}: Slurm {version}, slurmrestd at {rest_url(paths, suite)}")
        expected = ROWS[suite].release
        if not version.startswith(expected):
            lines.append(
                f"{suite}: another release than the expected {expected}; everything is run against it as it is"
            )
    limits = "true, by cgroup v1" if _has_memory_controller() else "not enforced: no memory controller of cgroup v1"
    lines.append(f"{suite}: memory limits {limits}")
    return lines


def exec_argv(paths: Paths, suite: str, argv: Sequence[str], user: str = "root") -> list[str]:
    """The argument list that runs a command inside the cluster's root file system."""
    root = slurm_rootfs.location(paths, ROWS[suite])
    return slurm_view.argv(state=folder(paths, suite), root=root, user=user, command=argv)


def token(paths: Paths, suite: str, *, user: str, lifespan: int) -> str:
    """A JWT (HS256 over exp, iat, sun) signed with the cluster's key; `lifespan` in seconds."""
    key = (folder(paths, suite) / "etc-slurm" / "jwt_hs256.key").read_bytes()
    now = int(time.time())
    return sign({"exp": now + lifespan, "iat": now, "sun": user}, key)


def sign(claims: dict[str, object], key: bytes) -> str:
    """A JSON web token."""
    parts = [_encode(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signature = hmac.new(key, ".".join(parts).encode(), hashlib.sha256).digest()
    return ".".join([*parts, _encode(signature)])


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# --- Daemons ----------------------------------------------------------------------------------------------


def daemons(paths: Paths, suite: str) -> tuple[Daemon, ...]:
    """In start order; empty before the first `up`."""
    if not (folder(paths, suite) / "hosts").exists():
        return ()
    names = (name for name in slurm_config.NODES)
    node_ports = dict(zip(slurm_config.NODES, _slurmd_ports(paths, suite), strict=True))
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
    return (folder(paths, suite) / "run/munge/munge.socket.2").exists


def _slurmd_ports(paths: Paths, suite: str) -> range:
    return ports.port_range(paths, f"{suite}-slurmd", len(slurm_config.NODES))


def _start(wanted: Sequence[Daemon]) -> None:
    """One after the other up to slurmctld; then all slurmd and slurmrestd side by side."""
    for daemon in wanted[:4]:
        spawn(daemon)
        wait_ready(daemon)
    for daemon in wanted[4:]:
        spawn(daemon)
    for daemon in wanted[4:]:
        wait_ready(daemon)


def _wait_idle(paths: Paths, suite: str, seconds: float = 60.0) -> None:
    """All nodes answer; drained or down ones of an earlier life are resumed."""
    deadline = time.monotonic() + seconds
    while True:
        states = _inside(paths, suite, ["sinfo", "-h", "-N", "-o", "%N %T"]).split("\n")
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
            _inside(paths, suite, ["scontrol", "update", f"nodename={','.join(stopped)}", "state=resume"])
        time.sleep(0.2)


# --- State ------------------------------------------------------------------------------------------------


def _settings(paths: Paths, suite: str) -> slurm_config.Settings:
    return slurm_config.Settings(
        cluster=suite,
        hostname=socket.gethostname(),
        slurmctld_port=ports.port(paths, f"{suite}-slurmctld"),
        slurmdbd_port=ports.port(paths, f"{suite}-slurmdbd"),
        slurmd_ports=_slurmd_ports(paths, suite),
        mariadb_port=ports.port(paths, f"{suite}-mariadbd"),
        first_job_id=1 + IDS_PER_PORT * (ports.port(paths, f"{suite}-slurmctld") - ports.FIRST),
        cgroup=_has_memory_controller(),
        job_extra=ROWS[suite].knows_extra,
    )


def _has_memory_controller() -> bool:
    return (MEMORY_CONTROLLER / "memory.limit_in_bytes").exists() and os.access(MEMORY_CONTROLLER, os.W_OK)


def _make_folders(paths: Paths, suite: str, root: Path) -> None:
    state = folder(paths, suite)
    users = _users(root)
    owners = {
        "etc-munge": "munge",
        "lib-munge": "munge",
        "lib-mysql": "mysql",
        "lib-slurm": "slurm",
        "lib-slurm/ctld": "slurm",
        "log/munge": "munge",
        "log/slurm": "slurm",
        "run/munge": "munge",
        "run/mysqld": "mysql",
        "run/slurm": "slurm",
        "spool/slurm": "root",
        **{f"home/{name}": name for name in USERS},
    }
    for name in ("root", *slurm_view.BOUND, *owners):
        (state / name).mkdir(parents=True, exist_ok=True)
    for name, owner in owners.items():
        os.chown(state / name, *users[owner])
    (state / "tmp").chmod(0o1777)
    for name in ("etc-munge", "lib-munge"):
        (state / name).chmod(0o700)
    for name in USERS:
        (state / "home" / name).chmod(0o755)


def _users(root: Path) -> dict[str, tuple[int, int]]:
    lines = (line.split(":") for line in (root / "etc/passwd").read_text().splitlines())
    return {name: (int(uid), int(gid)) for name, _, uid, gid, *_ in lines}


def _write_configuration(paths: Paths, suite: str, root: Path) -> None:
    state, settings, users = folder(paths, suite), _settings(paths, suite), _users(root)
    etc = state / "etc-slurm"
    texts = {
        "slurm.conf": slurm_config.slurm_conf(settings),
        "gres.conf": slurm_config.gres_conf(),
        "cgroup.conf": slurm_config.cgroup_conf(settings),
        "mariadb.cnf": slurm_config.mariadb_conf(settings),
        "slurmdbd.conf": slurm_config.slurmdbd_conf(settings),
    }
    for name, text in texts.items():
        (etc / name).write_text(text)
    _owned(etc / "slurmdbd.conf", users["slurm"])
    _secret(etc / "jwt_hs256.key", users["slurm"])
    _secret(state / "etc-munge/munge.key", users["munge"])
    for number in (0, 1):
        device = etc / f"fakegpu{number}"
        if not device.exists():
            os.mknod(device, 0o600 | 0o020000, os.makedev(1, 3))
            device.chmod(0o666)
    (state / "hosts").write_text(f"127.0.0.1 localhost {settings.hostname}\n")


def _secret(path: Path, owner: tuple[int, int]) -> None:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(secrets.token_bytes(64))
    _owned(path, owner)


def _owned(path: Path, owner: tuple[int, int]) -> None:
    path.chmod(0o600)
    os.chown(path, *owner)


def _initialise(paths: Paths, suite: str) -> None:
    """Database, accounts, and one clean start and stop of slurmctld: one killed soon after its very first
    start does not come up again (it looks for an association file that was never written)."""
    log = paths.logs / f"{suite}-initialise.log"
    state = folder(paths, suite)
    if not (state / "lib-mysql/mysql").exists():
        _logged(paths, suite, log, ["mariadb-install-db", "--user=mysql", "--datadir=/var/lib/mysql", "--skip-test-db"])
    all_daemons = daemons(paths, suite)
    for daemon in all_daemons[:2]:
        spawn(daemon)
        wait_ready(daemon)
    sql = (
        "CREATE DATABASE IF NOT EXISTS slurm_acct_db; "
        f"CREATE USER IF NOT EXISTS slurm@127.0.0.1 IDENTIFIED BY '{slurm_config.DATABASE_PASSWORD}'; "
        "GRANT ALL ON slurm_acct_db.* TO slurm@127.0.0.1;"
    )
    _logged(paths, suite, log, ["mariadb", "--socket=/run/mysqld/mysqld.sock", "-e", sql])
    spawn(all_daemons[2])
    wait_ready(all_daemons[2])
    _logged(paths, suite, log, ["sh", "-c", slurm_config.accounts_script(suite)])
    spawn(all_daemons[3])
    wait_ready(all_daemons[3])
    _wait_answering(paths, suite)
    stop([all_daemons[3]])
    if not (state / ASSOCIATIONS).exists():
        raise SandboxError(f"slurmctld did not save its state when it was stopped.\n{tail(all_daemons[3].log)}")
    (state / "made").touch()


def _wait_answering(paths: Paths, suite: str, seconds: float = 30.0) -> None:
    """slurmctld listens before it is up, and a signal then ends it without a trace of state."""
    deadline = time.monotonic() + seconds
    while " is UP" not in _inside(paths, suite, ["scontrol", "ping"]):
        if time.monotonic() > deadline:
            raise SandboxError(f"slurmctld of {suite} does not answer `scontrol ping`")
        time.sleep(0.1)


def _logged(paths: Paths, suite: str, log: Path, argv: Sequence[str]) -> None:
    run_logged(exec_argv(paths, suite, argv), log=log)


def _inside(paths: Paths, suite: str, argv: Sequence[str]) -> str:
    done = subprocess.run(exec_argv(paths, suite, argv), capture_output=True, text=True, check=False)
    return done.stdout


def _kill_strays(root: Path) -> None:
    """Jobs and step daemons outlive slurmd: end everything that has this view as its root."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            inside = os.readlink(process / "root")  # noqa: PTH115 - the link is followed by name, not resolved
        except OSError:
            continue
        if inside == str(root):
            os.kill(int(process.name), signal.SIGKILL)


def _remove_cgroups() -> None:
    """Slurm leaves empty cgroups behind; remove the innermost first, and only those without processes."""
    for controller in Path("/sys/fs/cgroup").glob("*/slurm*"):
        for path in sorted([controller, *controller.rglob("*")], reverse=True):
            if path.is_dir():
                try:
                    path.rmdir()
                except OSError:
                    continue
