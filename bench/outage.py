"""What an outage of ten minutes costs with a thousand live jobs: requests meanwhile, and how soon all is known again.

The operator runs under its own rights, its Slurm behind a proxy that breaks all requests in one way; the same proxy
counts them. Before the outage some minutes without one are counted too: that is the baseline. Counts are per minute.
The jobs are allocations on the sandbox's nodes, so a thousand of them run at once.

    python -m bench.outage [--jobs 1000] [--seconds 600] [--quiet 120] [--way cut|hang|503|slurmctld]
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from tests.faults.crowd import Crowd
from tests.faults.kube_proxy import WRITES, KubeProxy
from tests.faults.slurmrestd_proxy import SlurmrestdProxy
from tests.faults.stage import Stage
from tests.faults.vocabulary import Common, CutBefore, DropAnswer, Say
from tests.real.cluster import SUITE, Tenant, slurm_daemon

from bench.keeping import keep
from sandboxlib import operator_process, slurm_cluster
from sandboxlib.cli import main as sandbox
from sandboxlib.daemons import pause, resume
from sandboxlib.paths import default_paths

POLL_SECONDS: Final = 5
SLURMCTLD: Final = "slurmctld"
WAYS: Final[Mapping[str, Common]] = {
    "cut": CutBefore(),
    "hang": DropAnswer(),
    "503": Say(503, b"<html>no</html>", content_type="text/html"),
}


@contextmanager
def broken(way: str, proxy: SlurmrestdProxy, tenant: Tenant) -> Iterator[None]:
    """Slurm cannot be asked: each request is broken, or slurmctld is held and slurmrestd waits for it."""
    if way == SLURMCTLD:
        daemon = slurm_daemon(tenant.paths, SLURMCTLD)
        pause(daemon)
        try:
            yield
        finally:
            resume(daemon)
        return
    proxy.arm(WAYS[way], times=None)
    try:
        yield
    finally:
        proxy.disarm()


class Run:
    """One way, on one stage."""

    def __init__(self, stage: Stage, *, jobs: int, seconds: float, quiet: float) -> None:
        self._stage = stage
        self._jobs = jobs
        self._seconds = seconds
        self._quiet = quiet

    def measure(self, way: str) -> dict[str, Any]:
        """Counts of a quiet time and of the outage, and the seconds until all jobs are known again."""
        stage = self._stage
        with (
            KubeProxy.of(operator_process.kubeconfig(stage.paths)) as kube,
            SlurmrestdProxy(slurm_cluster.rest_url(stage.paths, SUITE)) as proxy,
        ):
            stage.kubeconfig = operator_process.kubeconfig_through(stage.paths, server=kube.url)
            stage.patience = "{}"
            tenant = stage.tenant("outage", url=proxy.url)
            with Crowd.running(tenant, size=self._jobs) as crowd:
                try:
                    stage.start()
                    tenant.wait_until(lambda: crowd.states() == {"Running": self._jobs}, seconds=300)
                    return self._outage(way, crowd, tenant, kube, proxy)
                finally:
                    stage.kill()

    def _outage(
        self, way: str, crowd: Crowd, tenant: Tenant, kube: KubeProxy, proxy: SlurmrestdProxy
    ) -> dict[str, Any]:
        def counted(seconds: float) -> dict[str, float]:
            before = len(proxy.records), kube.count(verb=WRITES)
            time.sleep(seconds)
            after = len(proxy.records), kube.count(verb=WRITES)
            rates = [round((then - now) * 60 / seconds, 1) for now, then in zip(before, after, strict=True)]
            return {"slurm": rates[0], "kubernetes_writes": rates[1]}

        quiet = counted(self._quiet)
        so_far = len(proxy.records)
        with broken(way, proxy, tenant):
            outage = counted(self._seconds)
            asked = Counter(it.endpoint for it in proxy.records[so_far:])
            synced = crowd.synced()
            states = crowd.states()
        began = time.monotonic()
        tenant.wait_until(lambda: crowd.synced() == {"True": self._jobs}, seconds=600)
        return {
            "way": way,
            "quiet": quiet,
            "outage": outage,
            "asked": dict(asked.most_common(6)),
            "synced_at_the_end": synced,
            "states_at_the_end": states,
            "known_again_after_seconds": round(time.monotonic() - began, 1),
            "states_after_it": crowd.states(),
        }


def main() -> int:
    """Measure, print, and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--quiet", type=float, default=120.0)
    parser.add_argument("--way", choices=[*WAYS, SLURMCTLD], action="append")
    flags = parser.parse_args()
    if sandbox(["up", "--kube", "--slurm", SUITE]) != 0:
        return 1
    found = []
    for way in flags.way or [*WAYS, SLURMCTLD]:
        with Stage.on(default_paths()) as stage:
            found.append(Run(stage, jobs=flags.jobs, seconds=flags.seconds, quiet=flags.quiet).measure(way))
        print(json.dumps(found[-1]), flush=True)
    keep("outage", suite=SUITE, jobs=flags.jobs, seconds=flags.seconds, ways=found)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
