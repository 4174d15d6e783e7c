"""One more slurmrestd of a cluster, that nobody else asks: a test may stop, hold and kill it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sandboxlib import slurm_cluster
from sandboxlib.daemons import Daemon, start, stop
from sandboxlib.paths import Paths
from sandboxlib.ports import listens
from tests.fakes.free_port import free_port


@contextmanager
def own_slurmrestd(paths: Paths, suite: str, name: str) -> Iterator[tuple[int, Daemon]]:
    """Its port, and the daemon. `name` tells it from those of other tests."""
    shared = next(d for d in slurm_cluster.daemons(paths, suite) if d.name == f"{suite}-slurmrestd")
    port = free_port()
    full = f"{shared.name}-{name}"
    own = replace(
        shared,
        name=full,
        argv=(*shared.argv[:-1], f"127.0.0.1:{port}"),
        log=shared.log.with_name(f"{full}.log"),
        pid_file=shared.pid_file.with_name(f"{full}.pid"),
        ready=lambda: listens(port),
    )
    try:
        start(own)
        yield port, own
    finally:
        stop([own])
