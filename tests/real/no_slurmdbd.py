"""The same cluster for a while without slurmdbd: its configuration names no accounting storage."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from sandboxlib import slurm_cluster
from sandboxlib.daemons import start, stop
from tests.real import cluster
from tests.real.cluster import SUITE, Tenant

WITHOUT = ("AccountingStorage", "AccountingStore", "Priority", "Preempt")
"""What a configuration without accounting storage cannot have: limits of associations, and what goes by QOS."""


@contextmanager
def without_slurmdbd(tenant: Tenant, flags: Sequence[str]) -> Iterator[None]:
    """slurmctld starts with an empty state, and in the end with the one that it had before. `flags` are more ones for
    slurmrestd meanwhile."""
    folder = slurm_cluster.folder(tenant.paths, SUITE)
    configuration, state = folder / "etc-slurm/slurm.conf", folder / "lib-slurm/ctld"
    text, kept = configuration.read_text(), state.with_name("ctld-kept")
    daemons = [cluster.slurm_daemon(tenant.paths, name) for name in ("slurmrestd", "slurmctld")]
    stop(daemons)
    try:
        state.rename(kept)
        state.mkdir()
        os.chown(state, kept.stat().st_uid, kept.stat().st_gid)
        configuration.write_text("".join(li for li in text.splitlines(keepends=True) if not li.startswith(WITHOUT)))
        _start(tenant, *flags)
        yield
    finally:
        stop(daemons)
        configuration.write_text(text)
        state.rename(state.with_name("ctld-without-slurmdbd"))
        kept.rename(state)
        _start(tenant)


def _start(tenant: Tenant, *flags: str) -> None:
    start(cluster.slurm_daemon(tenant.paths, "slurmctld"))
    slurmrestd = cluster.slurm_daemon(tenant.paths, "slurmrestd")
    start(replace(slurmrestd, argv=(*slurmrestd.argv, *flags)))
    slurm_cluster.bring_back(tenant.paths, SUITE)
