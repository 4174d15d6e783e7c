"""A second slurmctld beside the first, over the same state: it takes over when the first is silent.

It lives on an address of its own, under a host name of its own, so that both can be on one machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sandboxlib import slurm_daemons, slurm_site
from sandboxlib.daemons import Daemon, start, stop
from sandboxlib.paths import Paths
from sandboxlib.slurm_config import BACKUP_HOST
from sandboxlib.slurm_site import PLAIN, Site

AS_ANOTHER_HOST = f"""\
set -e
hostname {BACKUP_HOST}
mount -t tmpfs -o mode=1777 tmpfs /run/slurm
exec setpriv --reuid=slurm --regid=slurm --init-groups slurmctld -D
"""
"""With a pid file of its own: a slurmctld ends the one that it finds there."""


def daemon(paths: Paths, suite: str) -> Daemon:
    """What `start`, `stop` and the others of `daemons` take."""
    first = next(d for d in slurm_daemons.daemons(paths, suite) if d.name == f"{suite}-slurmctld")
    name = f"{first.name}-{BACKUP_HOST}"
    return replace(
        first,
        name=name,
        argv=("unshare", "--uts", *slurm_daemons.exec_argv(paths, suite, ["/bin/sh", "-c", AS_ANOTHER_HOST])),
        log=first.log.with_name(f"{name}.log"),
        pid_file=first.pid_file.with_name(f"{name}.pid"),
        ready=lambda: is_up(paths, suite, BACKUP_HOST),
    )


def is_up(paths: Paths, suite: str, host: str) -> bool:
    """Whether the controller of this host answers, in control or not."""
    return f"at {host} is UP" in slurm_daemons.inside(paths, suite, ["scontrol", "ping"])


@contextmanager
def running(paths: Paths, suite: str) -> Iterator[Daemon]:
    """It runs until the end of the block; then there is one again."""
    second = daemon(paths, suite)
    try:
        slurm_site.apply(paths, suite, Site(backup=True))
        _tell(paths, suite)
        start(second)
        yield second
    finally:
        stop([second])
        slurm_site.apply(paths, suite, PLAIN)
        _tell(paths, suite)


def _tell(paths: Paths, suite: str) -> None:
    """slurmd reads its configuration anew when slurmctld says so, slurmrestd at its start."""
    slurm_daemons.inside(paths, suite, ["scontrol", "reconfigure"])
    slurmrestd = next(d for d in slurm_daemons.daemons(paths, suite) if d.name == f"{suite}-slurmrestd")
    stop([slurmrestd])
    start(slurmrestd)
    slurm_daemons.wait_answering(paths, suite)
    slurm_daemons.wait_idle(paths, suite)
