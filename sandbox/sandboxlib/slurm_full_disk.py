"""A full disk below a slurmctld that runs: a small file system over its folder of state, with no room left.

It stands in the mount namespace of this slurmctld alone, which keeps what it knows in memory and goes on.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sandboxlib import slurm_daemons, slurm_state
from sandboxlib.daemons import Daemon, pause, resume, running_pid
from sandboxlib.paths import Paths

SIZE: Final = "4m"

FILL: Final = f"""\
set -e
place=$1
mkdir "$place.full"
mount -t tmpfs -o size={SIZE},mode=755 tmpfs "$place.full"
chown --reference="$place" "$place.full"
cp -a "$place/." "$place.full/"
mount --move "$place.full" "$place"
rmdir "$place.full"
! cat /dev/zero > "$place/fill" 2> /dev/null
"""

EMPTY: Final = """\
set -e
place=$1 under=$2
rm "$place/fill"
cp -a "$place/." "$under/"
umount -l "$place"
"""


@contextmanager
def full(paths: Paths, suite: str) -> Iterator[None]:
    """Within the block slurmctld can write nothing; what it has written until then, it finds again afterwards."""
    state = slurm_state.folder(paths, suite)
    slurmctld = next(d for d in slurm_daemons.daemons(paths, suite) if d.name == f"{suite}-slurmctld")
    place, under = state / "root/var/lib/slurm/ctld", state / "lib-slurm/ctld"
    _run(FILL, slurmctld, place, under)
    try:
        yield
    finally:
        _run(EMPTY, slurmctld, place, under)


def _run(script: str, slurmctld: Daemon, *places: Path) -> None:
    """While it is held: it may be about to write."""
    pause(slurmctld)
    try:
        enter = ["nsenter", f"--mount=/proc/{running_pid(slurmctld.pid_file)}/ns/mnt", "/bin/sh", "-c", script]
        subprocess.run([*enter, "full-disk", *map(str, places)], check=True, capture_output=True)
    finally:
        resume(slurmctld)
