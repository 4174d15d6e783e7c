"""slurmctld without its newest state, as after a power cut (TRAPS F2, F5).

slurmctld saves its state at the first change after five quiet seconds, and then not for five seconds. So a change that
is made just after a save is lost when it is killed at once.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from sandboxlib import slurm_cluster
from sandboxlib.daemons import kill, start
from tests.real import cluster
from tests.real.cluster import SUITE, Tenant

SAVE_SECONDS = 15.0


@dataclass
class StateLoss:
    """Begin with `save_now`; whatever Slurm learns in the seconds that follow is lost by `lose`."""

    tenant: Tenant
    _job_id: str = field(default="")
    _changes: int = 0

    def save_now(self) -> None:
        """Change something, and return as soon as it is saved."""
        file = slurm_cluster.folder(self.tenant.paths, SUITE) / "lib-slurm/ctld/job_state"
        if not self._job_id:
            argv = ("sbatch", "--parsable", "--hold", "--chdir=/tmp", "--output=/dev/null", "--wrap=true")
            self._job_id = self.tenant.slurm(*argv, user="bob")
        before = _saved_at(file)
        self._changes += 1
        self.tenant.slurm("scontrol", "update", f"jobid={self._job_id}", f"comment=change-{self._changes}")
        deadline = time.monotonic() + SAVE_SECONDS
        while _saved_at(file) == before:
            assert time.monotonic() < deadline, "slurmctld does not save its state"
            time.sleep(0.02)

    def lose(self) -> None:
        """Kill slurmctld, and start it with what it had saved."""
        daemon = cluster.slurm_daemon(self.tenant.paths, "slurmctld")
        kill(daemon)
        start(daemon)
        self.tenant.wait_until(lambda: "is UP" in self.tenant.slurm("scontrol", "ping"))

    def known(self, job_id: str) -> str:
        """What slurmctld says of a job; nothing, where it does not know it."""
        return self.tenant.slurm("scontrol", "show", "job", job_id)

    def close(self) -> None:
        """Take away what was made for it."""
        if self._job_id:
            self.tenant.slurm("scancel", self._job_id)


def _saved_at(file: Path) -> int:
    """When it was saved last. For a moment there is none: slurmctld takes the old one away before it puts the new one
    in its place."""
    deadline = time.monotonic() + SAVE_SECONDS
    while True:
        try:
            return file.stat().st_mtime_ns
        except FileNotFoundError:
            assert time.monotonic() < deadline, f"{file} stays away"
            time.sleep(0.001)
