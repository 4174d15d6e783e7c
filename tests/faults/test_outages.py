"""Each daemon killed and restarted, and each held and let go, one after the other, while fifty jobs live.

Longer than `make test` has time for: `make test-faults` runs it. A test plays the kubelet: an operator that ends when
the API server fails it is started again.

What `kill -9` of slurmctld loses by itself (the newest seconds of its state) ends `Unknown`, with a reason; what it
starts a second time under one id is counted as its restart.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from sandboxlib import cli, control_plane, slurm_cluster
from sandboxlib.daemons import Daemon, kill, pause, resume, start
from sandboxlib.paths import Paths
from tests.faults.conftest import Close
from tests.faults.stage import Stage
from tests.faults.verdict import Floor
from tests.real.cluster import SUITE, Tenant

SLURM: Final = ("slurmctld", "slurmrestd", "slurmdbd")
KUBERNETES: Final = ("kube-apiserver", "etcd")
OUTAGE_SECONDS: Final = {"slurmctld": 12.0, "slurmrestd": 5.0, "slurmdbd": 8.0, "kube-apiserver": 5.0, "etcd": 5.0}
"""slurmctld's is longer than MessageTimeout: a submission that it had not answered becomes a job when it goes on
(TRAP F1)."""

QUIET_SECONDS: Final = 6.0
"""Between two outages; slurmctld saves its state about every 5 s, so most of what it had taken is safe by then."""

LENGTHS: Final = ("sleep 2", "sleep 6", "sleep 15", "sleep 30", "sleep 50")
SHORTENED: Final = "settled:5,again:8,after-unknown:20,lost:60,cancel-again:10"
"""`late` is not: a frozen slurmctld does make a job 10 s later."""


@pytest.mark.long
@pytest.mark.timeout(900)
def test_outages(stage: Stage, close: Close) -> None:
    stage.shortened = SHORTENED
    stage.patience = "{}"
    tenant = stage.tenant("outages")
    stage.start()
    names = (f"j{number}" for number in itertools.count())
    submit(tenant, names, 50)
    tenant.wait_state("j49", "Running")
    revived = kills = 0
    for daemon in _daemons(stage.paths):
        for outage in (killed, held):
            submit(tenant, names, 3)
            outage(daemon, during=_during(tenant, names, daemon))
            kills += outage is killed
            time.sleep(QUIET_SECONDS)
            revived += stage.revive()
    assert cli.main(["up"]) == 0
    evidence = stage.wait_ended(seconds=240, or_unknown=True)
    unknown = [seen.object for seen in evidence.objects if seen.unknown]
    assert len(evidence.objects) == 50 + 10 * 3 + 6 * 4
    print(f"operators that ended by themselves: {revived}; unknown: {', '.join(unknown) or 'none'}")
    close(stage.settled(kills=kills, seconds=90), Floor(kills=5, executions=50))


def submit(tenant: Tenant, names: Iterator[str], count: int) -> None:
    lengths = itertools.cycle(LENGTHS)
    tenant.jobs({next(names): next(lengths) for _ in range(count)})


def _during(tenant: Tenant, names: Iterator[str], daemon: Daemon) -> Callable[[], None]:
    """Work that comes in the middle; none where nobody could take it."""
    if daemon.name in KUBERNETES:
        return lambda: None
    return lambda: submit(tenant, names, 4)


def killed(daemon: Daemon, *, during: Callable[[], None]) -> None:
    kill(daemon)
    during()
    time.sleep(OUTAGE_SECONDS[daemon.name.removeprefix(f"{SUITE}-")])
    start(daemon)


def held(daemon: Daemon, *, during: Callable[[], None]) -> None:
    pause(daemon)
    try:
        during()
        time.sleep(OUTAGE_SECONDS[daemon.name.removeprefix(f"{SUITE}-")])
    finally:
        resume(daemon)


def _daemons(paths: Paths) -> list[Daemon]:
    known = {daemon.name: daemon for daemon in (*slurm_cluster.daemons(paths, SUITE), *control_plane.daemons(paths))}
    return [*(known[f"{SUITE}-{name}"] for name in SLURM), *(known[name] for name in KUBERNETES)]
