"""One complete Slurm cluster: munge, MariaDB, slurmdbd, slurmctld, 8 slurmd and slurmrestd."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import shutil
import time
from collections.abc import Sequence

from sandboxlib import ports, slurm_config, slurm_daemons, slurm_rootfs, slurm_state
from sandboxlib.daemons import SandboxError, State, spawn, state_of, stop, tail, wait_ready
from sandboxlib.paths import Paths
from sandboxlib.progress import step
from sandboxlib.slurm_daemons import daemons, exec_argv
from sandboxlib.slurm_state import folder, home
from sandboxlib.slurm_suites import SUITES as ROWS

__all__ = [
    "SUITES",
    "bring_back",
    "daemons",
    "down",
    "exec_argv",
    "folder",
    "home",
    "purge",
    "releases",
    "rest_url",
    "sign",
    "status",
    "token",
    "unexpected",
    "up",
]

SUITES: tuple[str, ...] = tuple(ROWS)
ASSOCIATIONS = "lib-slurm/ctld/assoc_usage"


def rest_url(paths: Paths, suite: str) -> str:
    """Where slurmrestd listens."""
    return f"http://127.0.0.1:{ports.port(paths, f'{suite}-slurmrestd')}"


def up(paths: Paths, suite: str) -> None:
    """Bring the cluster up and wait until all nodes are idle. Safe to repeat."""
    if os.geteuid() != 0:
        raise SandboxError("root is needed for Slurm's root file system: run this as root")
    slurm_state.choose_ports(paths, suite)
    root = slurm_rootfs.find(paths, slurm_state.row(paths, suite))
    slurm_state.make_folders(paths, suite, root)
    slurm_state.write_configuration(paths, suite, root)
    if not (folder(paths, suite) / "made").exists():
        with step(f"{suite}: making the database and the accounts"):
            _initialise(paths, suite)
    with step(f"{suite}: starting all daemons"):
        bring_back(paths, suite)


def down(paths: Paths, suite: str) -> None:
    """Stop everything, jobs included; nothing of it stays mounted, since every mount was private."""
    stop(reversed(daemons(paths, suite)))
    slurm_daemons.kill_strays(folder(paths, suite) / "root")
    slurm_daemons.remove_cgroups()


def bring_back(paths: Paths, suite: str) -> None:
    """After a test that has taken daemons or nodes away: all daemons run, all nodes take jobs again.

    A node that was down or drained is resumed as an administrator would (`scontrol update … state=resume`).
    Raises `SandboxError` with the names of those that are not ready after a minute.
    """
    slurm_daemons.start(daemons(paths, suite))
    slurm_daemons.wait_idle(paths, suite)


def purge(paths: Paths, suite: str) -> None:
    """Forget the cluster's state; the root file system stays in the cache."""
    shutil.rmtree(folder(paths, suite), ignore_errors=True)


# --- What is there ----------------------------------------------------------------------------------------


def status(paths: Paths, suite: str) -> list[str]:
    """What a person wants to know."""
    all_daemons = daemons(paths, suite)
    if not all_daemons:
        return [f"{suite}: not set up"]
    lines = [f"{daemon.name}: {state_of(daemon)}" for daemon in all_daemons]
    row = slurm_state.row(paths, suite)
    if state_of(all_daemons[-1]) is not State.DOWN:
        version = release(paths, suite)
        lines.append(f"{suite}: Slurm {version}, slurmrestd at {rest_url(paths, suite)}")
        lines += _surprise(suite, version, row.release)
    if row.name != suite:
        lines.append(f"{suite}: upgraded, it runs on the root file system of {row.name}")
    true = slurm_state.has_memory_controller()
    limits = "true, by cgroup v1" if true else "not enforced: no memory controller of cgroup v1"
    lines.append(f"{suite}: memory limits {limits}")
    return lines


def release(paths: Paths, suite: str) -> str:
    """The version that slurmctld says it is, e.g. `24.11.5`; it need not run."""
    said = slurm_daemons.inside(paths, suite, ["slurmctld", "-V"])
    return said.removeprefix("slurm-wlm ").removeprefix("slurm ").strip()


def releases(paths: Paths) -> dict[str, str]:
    """The version of each cluster that was set up here."""
    return {suite: release(paths, suite) for suite in SUITES if daemons(paths, suite)}


def unexpected(paths: Paths) -> list[str]:
    """One sentence for each cluster that is of another release than its row says: testing moves on."""
    known = {suite: slurm_state.row(paths, suite).release for suite in SUITES}
    return [line for suite, version in releases(paths).items() for line in _surprise(suite, version, known[suite])]


def _surprise(suite: str, version: str, expected: str) -> list[str]:
    if version.startswith(f"{expected}."):
        return []
    surprise = f"{suite}: Slurm {version} is another release than the expected {expected}"
    return [f"{surprise}; everything is run against it as it is"]


# --- Tokens -----------------------------------------------------------------------------------------------


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


# --- The first time ---------------------------------------------------------------------------------------


def _initialise(paths: Paths, suite: str) -> None:
    """Database, accounts, and one clean start and stop of slurmctld: one killed soon after its very first
    start does not come up again (it looks for an association file that was never written)."""
    state = folder(paths, suite)
    if not (state / "lib-mysql/mysql").exists():
        _logged(paths, suite, ["mariadb-install-db", "--user=mysql", "--datadir=/var/lib/mysql", "--skip-test-db"])
    munged, mariadbd, slurmdbd, slurmctld = daemons(paths, suite)[:4]
    for daemon in (munged, mariadbd):
        spawn(daemon)
        wait_ready(daemon)
    sql = (
        "CREATE DATABASE IF NOT EXISTS slurm_acct_db; "
        f"CREATE USER IF NOT EXISTS slurm@127.0.0.1 IDENTIFIED BY '{slurm_config.DATABASE_PASSWORD}'; "
        "GRANT ALL ON slurm_acct_db.* TO slurm@127.0.0.1;"
    )
    _logged(paths, suite, ["mariadb", "--socket=/run/mysqld/mysqld.sock", "-e", sql])
    spawn(slurmdbd)
    wait_ready(slurmdbd)
    _logged(paths, suite, ["sh", "-c", slurm_config.accounts_script(suite)])
    spawn(slurmctld)
    wait_ready(slurmctld)
    slurm_daemons.wait_answering(paths, suite)
    stop([slurmctld])
    if not (state / ASSOCIATIONS).exists():
        raise SandboxError(f"slurmctld did not save its state when it was stopped.\n{tail(slurmctld.log)}")
    (state / "made").touch()


def _logged(paths: Paths, suite: str, argv: Sequence[str]) -> None:
    slurm_daemons.logged(paths, suite, paths.logs / f"{suite}-initialise.log", argv)
