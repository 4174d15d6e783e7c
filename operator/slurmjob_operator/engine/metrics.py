"""What is counted, and shown at `/metrics`. Names and labels are for good: `docs/metrics.md` lists them.

No label has values without a bound: no name, uid or user of a job. The names of connections stand in one metric
alone, their readiness. All methods are called from the event loop's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from slurmjob_operator.engine.effects import Effect
from slurmjob_operator.kube.errors import KubeError

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series per counter, which nobody asks for

OK: Final = "ok"
"""The outcome of what was answered without an error; the others are names of error classes."""

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds; slurmrestd answers in milliseconds, and is given up after a minute at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What stands now: read when somebody asks, never kept.

    `live_jobs`: SlurmJobs without an end, by state. `blocked_deletions`: those that wait for Slurm in order to be
    deleted, by reason. `connections`: kind, namespace and name of each that exists, and whether it is ready.
    """

    live_jobs: Mapping[str, int] = field(default_factory=dict)
    blocked_deletions: Mapping[str, int] = field(default_factory=dict)
    connections: Mapping[tuple[str, str, str], bool] = field(default_factory=dict)


class Metrics:
    """All metrics of one engine, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "slurmjob_slurm_requests",
            "Questions and orders to Slurm, by what came of them.",
            ["verb", "outcome"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "slurmjob_slurm_request_duration_seconds",
            "How long Slurm took to answer, whatever it answered.",
            ["verb"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._writes = Counter(
            "slurmjob_kubernetes_writes",
            "Writes of SlurmJobs to the API server, by the step of the protocol and by what came of them.",
            ["effect", "outcome"],
            registry=self.registry,
        )
        self._unknown = Counter(
            "slurmjob_submissions_outcome_unknown",
            "Submissions whose answer was lost: they may or may not have made a job.",
            registry=self.registry,
        )
        self._orphans = Counter(
            "slurmjob_orphans_let_go",
            "SlurmJobs that were deleted while their Slurm job may run on.",
            registry=self.registry,
        )
        self._twins = Counter(
            "slurmjob_held_twins_swept",
            "Held jobs in Slurm that belonged to no attempt, and were cancelled.",
            registry=self.registry,
        )
        self._gauges = _Gauges()
        self.registry.register(self._gauges)

    def slurm_request(self, verb: str, outcome: str, seconds: float) -> None:
        """One call of the Slurm port has ended; it may have been several HTTP requests."""
        self._requests.labels(verb, outcome).inc()
        self._seconds.labels(verb).observe(seconds)

    @contextmanager
    def kubernetes_write(self, effect: Effect) -> Iterator[None]:
        """Around one write of a SlurmJob: counts what comes of it, and lets errors through."""
        outcome = OK
        try:
            yield
        except KubeError as error:
            outcome = type(error).__name__
            raise
        finally:
            self._writes.labels(effect.value, outcome).inc()

    def submission_outcome_unknown(self) -> None:
        """A submission has left, and no answer that says what became of it has come."""
        self._unknown.inc()

    def orphan_let_go(self) -> None:
        """A finalizer was taken away although the job may live on in Slurm."""
        self._orphans.inc()

    def held_twin_swept(self) -> None:
        """A held job of ours that no attempt owns was cancelled."""
        self._twins.inc()

    def show(self, snapshot: Callable[[], Snapshot]) -> None:
        """From now on the gauges are what `snapshot` says whenever somebody asks."""
        self._gauges.snapshot = snapshot


class _Gauges(Collector):
    def __init__(self) -> None:
        self.snapshot: Callable[[], Snapshot] = Snapshot

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """See `Collector`."""
        now = self.snapshot()
        live = GaugeMetricFamily("slurmjob_live_jobs", "SlurmJobs that have not ended, by state.", labels=["state"])
        for state, count in sorted(now.live_jobs.items()):
            live.add_metric([state], count)
        blocked = GaugeMetricFamily(
            "slurmjob_blocked_deletions",
            "SlurmJobs that cannot be deleted now because their Slurm job cannot be cancelled, by reason.",
            labels=["reason"],
        )
        for reason, count in sorted(now.blocked_deletions.items()):
            blocked.add_metric([reason], count)
        ready = GaugeMetricFamily(
            "slurmjob_connection_ready",
            "1: the connection can be used; 0: it cannot.",
            labels=["kind", "namespace", "name"],
        )
        for connection, usable in sorted(now.connections.items()):
            ready.add_metric(list(connection), int(usable))
        yield from (live, blocked, ready)
