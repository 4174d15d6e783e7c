"""A fault run on the real parts: an operator that may die, namespaces with jobs, and the waiting for their ends.

with Stage.on(paths) as stage:
    tenant = stage.tenant("kills")
    stage.start(KILL_AT="after submit", KILL_LOG=str(log), ready=False)
    tenant.jobs({"one": "sleep 1"})
    stage.wait_dead()
    stage.start()
    stage.wait_ended()
    close(stage.settled(kills=1), Floor(kills=1, executions=1))
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sandboxlib import control_plane, operator_process
from sandboxlib.daemons import is_running, kill, spawn, stop, tail, wait_ready
from sandboxlib.operator_process import Launch
from sandboxlib.paths import Paths
from sandboxlib.slurm_suites import SUITES
from slurmjob_operator.slurm.dialects import DIALECTS
from tests.faults.ledger import Evidence, Seen, gather, slurm_release
from tests.faults.verdict import Verdict, failures, judge, no_floor
from tests.real.cluster import SUITE, Tenant

LABEL: Final = "slurmjob.dev/test=true"
SLURMDBD_LAGS: Final = DIALECTS[SUITES[SUITE].api_versions[0]].slurmdbd_lags
"""Whether slurmdbd hears of jobs seconds after slurmctld: a sweep must leave alone what is so new."""

SETTLED_SECONDS: Final = 8 if SLURMDBD_LAGS else 2

SHORTENED: Final = f"settled:{SETTLED_SECONDS},again:{SETTLED_SECONDS + 1},after-unknown:5,late:4,cancel-again:5"
"""Waits that a test has no time for. `late` holds where no slurmctld is frozen, which may make a job 10 s later."""

PATIENCE: Final = '{"spec": {"requestTimeoutSeconds": 5}}'
"""An answer that never comes is given up as soon as a connection may say."""

GLANCE_SECONDS: Final = 0.05
LOOK_SECONDS: Final = 1.0


@dataclass(kw_only=True)
class Stage:
    """See the module. `kubeconfig`: in place of the operator's own, to go through a proxy. `patience`: what is merged
    into each connection."""

    paths: Paths
    kubeconfig: Path | None = None
    shortened: str = SHORTENED
    patience: str = PATIENCE
    tenants: list[Tenant] = field(default_factory=list)

    @classmethod
    @contextmanager
    def on(cls, paths: Paths) -> Iterator[Stage]:
        """The operator of the sandbox is stopped, and stays so. That what a run has made can be deleted in the end is
        part of it."""
        stage = cls(paths=paths)
        stop([operator_process.daemon(paths)])
        operator_process.grant(paths)
        try:
            yield stage
            stage.clear()
        finally:
            stop([operator_process.daemon(paths)])

    def tenant(self, name: str, *, url: str | None = None) -> Tenant:
        """A new namespace with a connection as alice; `url` is a proxy's."""
        tenant = Tenant(paths=self.paths, namespace=f"{name}-{secrets.token_hex(3)}")
        control_plane.kubectl(self.paths, "create", "namespace", tenant.namespace)
        control_plane.kubectl(self.paths, "label", "namespace", tenant.namespace, LABEL)
        tenant.connect(url=url)
        tenant.kubectl("patch", "slurmconnection", "campus", "--type=merge", "-p", self.patience)
        self.tenants.append(tenant)
        return tenant

    def clear(self) -> None:
        """Delete everything under a plain operator, and wait until it has let go of it; the empty namespaces go by
        themselves."""
        self.kill()
        self.kubeconfig = None
        for tenant in self.tenants:
            tenant.connect()
        self.start()
        for tenant in self.tenants:
            jobs = f"/apis/slurmjob.dev/v1alpha1/namespaces/{tenant.namespace}/slurmjobs"
            control_plane.kubectl(self.paths, "delete", "--raw", jobs)
        for tenant in self.tenants:
            tenant.kubectl("delete", "slurmconnections", "--all", "--timeout=60s")
            assert not tenant.kubectl("get", "slurmjobs", "-o", "name")
            control_plane.kubectl(self.paths, "delete", "namespace", tenant.namespace, "--wait=false")
        self.tenants.clear()

    # --- The operator -------------------------------------------------------------------------------------

    def start(self, *, ready: bool = True, **environment: str) -> None:
        """Start the test build; what is in the environment is read in `operator_build`."""
        python = str(self.paths.checkout / ".venv" / "bin" / "python")
        launch = Launch(
            program=(python, "-m", "tests.faults.operator_build"),
            env={
                "SHORTENED": self.shortened,
                "PYTHONPATH": f"{self.paths.checkout}:{self.paths.checkout}/operator",
                **environment,
            },
            kubeconfig=self.kubeconfig,
        )
        daemon = operator_process.daemon(self.paths, (), launch)
        spawn(daemon)
        if ready:
            wait_ready(daemon)

    def kill(self) -> None:
        """SIGKILL from outside."""
        kill(operator_process.daemon(self.paths))

    def revive(self) -> bool:
        """What the kubelet does: start it anew if it has ended; whether it had."""
        if is_running(operator_process.daemon(self.paths)):
            return False
        self.start()
        return True

    def wait_dead(self, *, seconds: float = 45.0) -> None:
        """Until the operator has ended by itself."""
        daemon = operator_process.daemon(self.paths)
        deadline = time.monotonic() + seconds
        while is_running(daemon):
            assert time.monotonic() < deadline, f"the operator lives on after {seconds:.0f} s. {tail(daemon.log)}"
            time.sleep(GLANCE_SECONDS)

    # --- What is seen -------------------------------------------------------------------------------------

    def evidence(self) -> Evidence:
        """What all witnesses say now."""
        return gather(self.tenants)

    def objects(self) -> tuple[Seen, ...]:
        """The SlurmJobs as they stand."""
        return self.evidence().objects

    def wait(self, what: Callable[[Evidence], Collection[str]], *, seconds: float = 90.0) -> Evidence:
        """Until nothing is named any more that is waited for."""
        deadline = time.monotonic() + seconds
        while missing := what(evidence := self.evidence()):
            if time.monotonic() > deadline:
                log = tail(operator_process.daemon(self.paths).log, 40)
                raise AssertionError(f"after {seconds:.0f} s still: {', '.join(sorted(missing))}. {log}")
            time.sleep(LOOK_SECONDS)
        return evidence

    def wait_ended(self, *, seconds: float = 90.0, or_unknown: bool = False) -> Evidence:
        """Until every SlurmJob has ended, or is gone where it is being deleted; with `or_unknown`, or says that nobody
        knows."""

        def open_still(evidence: Evidence) -> list[str]:
            return [s.object for s in evidence.objects if s.deleting or not (s.finished or (or_unknown and s.unknown))]

        return self.wait(open_still, seconds=seconds)

    def settled(self, *, kills: int, seconds: float = 60.0) -> Verdict:
        """The verdict once nothing moves any more: when it is clean, or when time is up."""
        deadline = time.monotonic() + seconds
        release = slurm_release(self.tenants[0])
        while True:
            verdict = judge(self.evidence(), kills=kills, releases=(release,))
            if not failures(verdict, no_floor()) or time.monotonic() > deadline:
                return verdict
            time.sleep(LOOK_SECONDS)
