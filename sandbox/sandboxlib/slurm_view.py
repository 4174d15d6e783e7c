"""A private view of a root file system: the cached tree with this sandbox's own folders bound over it.

Every daemon and every command gets a mount namespace of its own, so that no mount is seen on the host and
none is left behind: it goes with its last process. The cached tree itself is never written.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

BOUND = {
    "etc-slurm": "etc/slurm",
    "etc-munge": "etc/munge",
    "home": "home",
    "lib-munge": "var/lib/munge",
    "lib-mysql": "var/lib/mysql",
    "lib-slurm": "var/lib/slurm",
    "log": "var/log",
    "run": "run",
    "spool": "var/spool",
    "tmp": "tmp",
}
"""Folder of the sandbox -> place in the root file system."""

SCRIPT = """\
set -e
state=$1 root=$2 user=$3; shift 3
mount --bind "$root" "$state/root"
for pair in {pairs}; do
  mount --bind "$state/${{pair%%:*}}" "$state/root/${{pair#*:}}"
done
mount --bind "$state/hosts" "$state/root/etc/hosts"
mount --rbind /proc "$state/root/proc"
mount --rbind /sys "$state/root/sys"
mount --rbind /dev "$state/root/dev"
if [ "$user" = root ]; then exec chroot "$state/root" "$@"; fi
exec chroot "$state/root" setpriv --reuid="$user" --regid="$user" --init-groups "$@"
"""


def script() -> str:
    """The shell script that makes the view and becomes the command."""
    return SCRIPT.format(pairs=" ".join(f"{name}:{place}" for name, place in BOUND.items()))


def argv(*, state: Path, root: Path, user: str, command: Sequence[str]) -> list[str]:
    """Run a command inside, as a user. The process stays one process: nothing forks on the way."""
    shell = ["/bin/sh", "-c", script(), "enter", str(state), str(root), user]
    return ["unshare", "--mount", "--propagation", "private", *shell, *command]
