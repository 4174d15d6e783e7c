"""A cluster goes over to a newer Slurm while its jobs live on, as an administrator would do it.

All daemons of the old release are stopped, those of the new one started in the order of Slurm's upgrade guide:
slurmdbd (which converts the database), slurmctld (which converts its state), slurmd, and slurmrestd at last. What
runs goes on under the slurmstepd of the old release. State, ports, keys and the name of the cluster stay the same.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from sandboxlib import slurm_daemons, slurm_rootfs, slurm_state, slurm_view
from sandboxlib.daemons import SandboxError, start, stop
from sandboxlib.paths import Paths
from sandboxlib.progress import step
from sandboxlib.slurm_suites import SUITES, Suite

SERVICES = ("slurm", "munge", "mysql")
"""Users that each root file system has under ids of its own."""

KEPT = ("home", "tmp", "root")
"""Folders of a cluster's state that no service owns anything in."""


def upgrade(paths: Paths, suite: str, *, to: str, between: Callable[[], None] = lambda: None) -> float:
    """Stop the cluster's daemons and start those of another suite's release over the same state.

    `between` is called when the old ones are down and the new ones are not there yet.

    Returns how many seconds slurmrestd was away. Safe to repeat when it was cut short. Raises `SandboxError` when
    that release takes no such state, before anything is stopped, or when a daemon of it does not come up.
    """
    old, new = slurm_state.row(paths, suite), SUITES[to]
    check(old, new)
    daemons = slurm_daemons.daemons(paths, suite)
    if not daemons:
        raise SandboxError(f"{suite} is not set up")
    old_root, new_root = slurm_rootfs.find(paths, old), slurm_rootfs.find(paths, new)
    began = time.monotonic()
    with step(f"{suite}: stopping Slurm {old.release}"):
        for daemon in (daemons[-1], *daemons[2:-1], daemons[1], daemons[0]):
            stop([daemon])
    between()
    slurm_state.set_row(paths, suite, to)
    give(slurm_state.folder(paths, suite), changed_ids(slurm_state.users(old_root), slurm_state.users(new_root)))
    with step(f"{suite}: starting Slurm {new.release} over the same state"):
        _start_new(paths, suite)
    return time.monotonic() - began


def slurmdbd_first(paths: Paths, suite: str, *, to: str) -> None:
    """The first step of Slurm's guide alone: slurmdbd of the new release, all else goes on as it is. `upgrade` does
    the rest. Raises as `upgrade` does.
    """
    old, new = slurm_state.row(paths, suite), SUITES[to]
    check(old, new)
    daemon = slurm_daemons.daemons(paths, suite)[2]
    state, root = slurm_state.folder(paths, suite), slurm_rootfs.find(paths, new)
    argv = slurm_view.argv(state=state, root=root, user="slurm", command=["slurmdbd", "-D"])
    with step(f"{suite}: slurmdbd alone goes over to {new.release}"):
        stop([daemon])
        start(replace(daemon, argv=tuple(argv)))


def check(old: Suite, new: Suite) -> None:
    """Raise when the new release cannot take over the state of the old one."""
    if old.release not in (new.release, *new.takes_state_of):
        known = ", ".join(new.takes_state_of)
        raise SandboxError(f"Slurm {new.release} takes over the state of {known}, not of {old.release}")


def changed_ids(
    old: Mapping[str, tuple[int, int]], new: Mapping[str, tuple[int, int]]
) -> tuple[dict[int, int], dict[int, int]]:
    """User ids and group ids of the services, old to new, those that differ."""
    users = {old[name][0]: new[name][0] for name in SERVICES if old[name][0] != new[name][0]}
    groups = {old[name][1]: new[name][1] for name in SERVICES if old[name][1] != new[name][1]}
    return users, groups


def give(folder: Path, changed: tuple[Mapping[int, int], Mapping[int, int]]) -> None:
    """Give each file of a cluster's state to the new id of its owner and of its group.

    In one pass: one service's old id may be another one's new id.
    """
    users, groups = changed
    for top, folders, files in os.walk(folder):
        if Path(top) == folder:
            folders[:] = [name for name in folders if name not in KEPT]
        for name in (*folders, *files):
            path = Path(top) / name
            found = path.lstat()
            uid, gid = users.get(found.st_uid, found.st_uid), groups.get(found.st_gid, found.st_gid)
            if (uid, gid) != (found.st_uid, found.st_gid):
                os.chown(path, uid, gid, follow_symlinks=False)


def _start_new(paths: Paths, suite: str) -> None:
    log = paths.logs / f"{suite}-upgrade.log"
    slurm_state.make_folders(paths, suite, slurm_state.root(paths, suite))
    slurm_state.write_configuration(paths, suite, slurm_state.root(paths, suite))
    daemons = slurm_daemons.daemons(paths, suite)
    for daemon in daemons[:2]:
        start(daemon)
    slurm_daemons.logged(paths, suite, log, ["mariadb-upgrade", "--socket=/run/mysqld/mysqld.sock"])
    slurm_daemons.start(daemons)
    slurm_daemons.wait_idle(paths, suite)
