"""What is counted, read as Prometheus would read it; and that nothing of a tenant's jobs stands in a label."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from slurmjob_operator.core.records import ClusterInfo
from slurmjob_operator.engine.counting import CountingPort
from slurmjob_operator.engine.effects import Effect
from slurmjob_operator.engine.metrics import Metrics, Snapshot
from slurmjob_operator.kube import errors as kube_errors
from slurmjob_operator.slurm import errors as slurm_errors
from slurmjob_operator.slurm.port import SlurmPort
from tests.unit.engine.cluster import POLL, Cluster
from tests.unit.engine.world import World

DOCS = Path(__file__).parents[3] / "docs" / "metrics.md"
Labels = frozenset[tuple[str, str]]


def _read(metrics: Metrics) -> dict[tuple[str, Labels], float]:
    """Name and labels of each sample, and its value."""
    text = generate_latest(metrics.registry).decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    found = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    assert len(found) == len(samples), "no sample stands twice"
    return found


def _value(metrics: Metrics, name: str, /, **labels: str) -> float | None:
    return _read(metrics).get((name, frozenset(labels.items())))


def _by(metrics: Metrics, name: str, label: str) -> Counter[str]:
    """The samples of one metric, summed up by one label."""
    sums: Counter[str] = Counter()
    for (found, labels), value in _read(metrics).items():
        if found == name:
            sums[dict(labels)[label]] += int(value)
    return sums


def _everything() -> Metrics:
    """Each metric with a sample."""
    metrics = Metrics()
    metrics.slurm_request("job", "ok", 0.02)
    with metrics.kubernetes_write(Effect.RECORD):
        pass
    metrics.submission_outcome_unknown()
    metrics.orphan_let_go()
    metrics.held_twin_swept()
    metrics.show(
        lambda: Snapshot(
            live_jobs={"Running": 2}, blocked_deletions={"SecretNotFound": 1}, connections={("K", "ns", "n"): True}
        )
    )
    return metrics


# --- Names ------------------------------------------------------------------------------------------------------


def test_the_documentation_lists_all_of_them_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \|", DOCS.read_text(), re.MULTILINE)
    documented = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    shown: dict[str, tuple[str, set[str]]] = {}
    for family in text_string_to_metric_families(generate_latest(_everything().registry).decode()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        shown[name] = (family.type, labels)
        assert family.documentation
    assert shown == documented
    assert all(name.startswith("slurmjob_") for name in shown)


def test_the_documentation_lists_all_values_of_the_labels_that_are_closed() -> None:
    text = DOCS.read_text()
    verbs = {name for name, _ in inspect.getmembers(SlurmPort, inspect.iscoroutinefunction)}
    errors = {error.__name__ for error in _subclasses(slurm_errors.SlurmError)}
    on_slurm = {Effect.SUBMIT, Effect.RELEASE, Effect.HOLD, Effect.CANCEL}
    effects = {str(effect) for effect in Effect if effect not in on_slurm}
    assert {word for word in verbs | errors | effects if f"`{word}`" not in text} == set()


def _subclasses(kind: type[Any]) -> set[type[Any]]:
    return {kind for direct in kind.__subclasses__() for kind in (direct, *_subclasses(direct))}


def test_each_engine_has_its_own() -> None:
    one, other = Metrics(), Metrics()
    one.orphan_let_go()
    assert _value(one, "slurmjob_orphans_let_go_total") == 1
    assert _value(other, "slurmjob_orphans_let_go_total") == 0


def test_counters_stand_at_zero_from_the_start() -> None:
    """A rate over a counter that appears with its first event would miss that event."""
    assert {name for (name, labels), value in _read(Metrics()).items() if value == 0 and not labels} == {
        "slurmjob_submissions_outcome_unknown_total",
        "slurmjob_orphans_let_go_total",
        "slurmjob_held_twins_swept_total",
    }


def test_gauges_are_read_when_they_are_asked_for() -> None:
    metrics, live = Metrics(), Counter({"Running": 1})
    metrics.show(lambda: Snapshot(live_jobs=live, connections={("SlurmConnection", "ns", "campus"): False}))
    assert _value(metrics, "slurmjob_live_jobs", state="Running") == 1
    live["Running"] += 1
    assert _value(metrics, "slurmjob_live_jobs", state="Running") == 2
    key = {"kind": "SlurmConnection", "namespace": "ns", "name": "campus"}
    assert _value(metrics, "slurmjob_connection_ready", **key) == 0


# --- The port that counts ---------------------------------------------------------------------------------------


class _Port:
    """Answers everything with `answer`, or raises it; each call takes two seconds of `time`."""

    user = "alice"

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.time = 0.0
        self.asked: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        async def call(*arguments: Any, **keywords: Any) -> object:
            self.asked.append((verb, arguments, keywords))
            self.time += 2
            if isinstance(self.answer, BaseException):
                raise self.answer
            return self.answer

        return call


def _counting(answer: object) -> tuple[CountingPort, _Port, Metrics]:
    port, metrics = _Port(answer), Metrics()
    counting = CountingPort(port, metrics=metrics, monotonic=lambda: port.time)
    return counting, port, metrics


CALLS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "info": ((), {}),
    "submit_held": (("request",), {"comment": "c", "extra": None}),
    "job": ((7,), {}),
    "states": (((7, 8),), {}),
    "tasks": (({7: (8,)},), {}),
    "accounting": ((7,), {"within": 2.0}),
    "search": ((), {"name": "n", "since": 3}),
    "held_jobs": ((), {"since": 5, "known": (7,)}),
    "release": ((7,), {"comment": "c", "keep_held": True, "priority": 9}),
    "hold": ((7,), {"comment": "c"}),
    "cancel": ((7,), {}),
    "accounting_backlog": ((), {}),
    "up_since": ((), {}),
    "facts": ((), {}),
}


def test_no_verb_of_the_port_is_missing() -> None:
    assert set(CALLS) == {name for name, _ in inspect.getmembers(SlurmPort, inspect.iscoroutinefunction)}


@pytest.mark.parametrize("verb", CALLS)
async def test_a_call_is_passed_on_counted_and_timed(verb: str) -> None:
    answer = None if verb in ("hold", "cancel") else object()
    counting, port, metrics = _counting(answer)
    arguments, keywords = CALLS[verb]
    assert await getattr(counting, verb)(*arguments, **keywords) is answer
    assert port.asked == [(verb, arguments, keywords)]
    assert counting.user == "alice"
    assert _value(metrics, "slurmjob_slurm_requests_total", verb=verb, outcome="ok") == 1
    assert _value(metrics, "slurmjob_slurm_request_duration_seconds_sum", verb=verb) == 2
    assert _value(metrics, "slurmjob_slurm_request_duration_seconds_count", verb=verb) == 1


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (slurm_errors.JobNotFound("no"), "JobNotFound"),
        (slurm_errors.RateLimited("slow"), "RateLimited"),
        (slurm_errors.OutcomeUnknown("lost"), "OutcomeUnknown"),
        (KeyError("secret-words"), "Defect"),
    ],
)
async def test_an_error_is_counted_by_its_class_and_passed_on(error: Exception, outcome: str) -> None:
    counting, _port, metrics = _counting(error)
    with pytest.raises(type(error)):
        await counting.job(7)
    assert _by(metrics, "slurmjob_slurm_requests_total", "outcome") == {outcome: 1}
    assert _value(metrics, "slurmjob_slurm_request_duration_seconds_count", verb="job") == 1


async def test_what_is_cancelled_is_not_counted() -> None:
    counting, _port, metrics = _counting(asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await counting.job(7)
    assert _by(metrics, "slurmjob_slurm_requests_total", "outcome") == {}


# --- Writes -----------------------------------------------------------------------------------------------------


def _writes(world: World) -> dict[tuple[str, str], int]:
    found = _read(world.metrics)
    return {
        (dict(labels)["effect"], dict(labels)["outcome"]): int(value)
        for (name, labels), value in found.items()
        if name == "slurmjob_kubernetes_writes_total"
    }


def test_each_step_of_the_protocol_is_counted_once() -> None:
    world = World()
    uid = world.job()
    world.settle(uid)
    assert world.status(uid)["state"] == "Complete"
    writes = _writes(world)
    assert {outcome for _, outcome in writes} == {"ok"}
    once = ("add-finalizer", "open-attempt", "record", "let-go")
    assert {effect: writes[effect, "ok"] for effect in once} == dict.fromkeys(once, 1)
    assert sum(writes.values()) == world.kube.writes


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (kube_errors.Conflict("job"), "Conflict"),
        (kube_errors.Unavailable("job"), "Unavailable"),
        (kube_errors.Forbidden("job"), "Forbidden"),
        ("lost", "Unavailable"),
    ],
)
def test_a_write_that_fails_is_counted_by_its_error(fault: kube_errors.KubeError | str, outcome: str) -> None:
    world = World()
    uid = world.job()
    world.kube.faults = [fault]
    world.reconcile(uid)
    assert _writes(world)["add-finalizer", outcome] == 1


# --- A whole engine ---------------------------------------------------------------------------------------------


def _metrics(cluster: Cluster) -> Metrics:
    assert cluster.engine is not None
    return cluster.engine.metrics


def _ready(cluster: Cluster) -> float | None:
    key = {"kind": "SlurmConnection", "namespace": "ns", "name": "campus"}
    return _value(_metrics(cluster), "slurmjob_connection_ready", **key)


@pytest.mark.looptime
async def test_live_jobs_by_state(cluster: Cluster) -> None:
    jobs = [cluster.job(f"j{number}") for number in range(3)]
    assert _by(_metrics(cluster), "slurmjob_live_jobs", "state") == {"New": 3}
    cluster.connection()
    await asyncio.sleep(1)
    assert _by(_metrics(cluster), "slurmjob_live_jobs", "state") == {"Pending": 3}
    for job_id in (1, 2):
        cluster.slurm.start(job_id)
    await asyncio.sleep(POLL)
    assert _by(_metrics(cluster), "slurmjob_live_jobs", "state") == {"Pending": 1, "Running": 2}
    cluster.slurm.end(1)
    await asyncio.sleep(POLL)
    assert _by(_metrics(cluster), "slurmjob_live_jobs", "state") == {"Pending": 1, "Running": 1}
    for uid in jobs:
        cluster.kube.delete(uid)
    await asyncio.sleep(6 * POLL)
    assert _by(_metrics(cluster), "slurmjob_live_jobs", "state") == {}


@pytest.mark.looptime
async def test_readiness_of_connections(cluster: Cluster) -> None:
    cluster.job()
    await asyncio.sleep(1)
    assert _ready(cluster) is None, "a connection that is only named does not exist"
    cluster.connection()
    await asyncio.sleep(1)
    assert _ready(cluster) == 1
    cluster.slurm.start(1)
    cluster.slurm.faults["states"] = [slurm_errors.Unavailable("down")]
    cluster.slurm.faults["info"] = [slurm_errors.Unavailable("down")] * 50
    await asyncio.sleep(2 * POLL)
    assert _ready(cluster) == 0


@pytest.mark.looptime
async def test_a_deletion_that_waits_for_slurm_is_shown_until_it_is_over(cluster: Cluster) -> None:
    cluster.connection()
    uid = cluster.job()
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    await asyncio.sleep(POLL)
    cluster.slurm.faults["states"] = [slurm_errors.Unavailable("down")]
    cluster.slurm.faults["info"] = [slurm_errors.Unavailable("down")] * 5
    await asyncio.sleep(POLL)
    assert _by(_metrics(cluster), "slurmjob_blocked_deletions", "reason") == {}, "nobody deletes it"
    cluster.kube.delete(uid)
    await asyncio.sleep(1)
    assert _by(_metrics(cluster), "slurmjob_blocked_deletions", "reason") == {"ClusterUnreachable": 1}
    await asyncio.sleep(120)
    assert uid not in cluster.kube.objects
    assert _by(_metrics(cluster), "slurmjob_blocked_deletions", "reason") == {}
    assert _value(_metrics(cluster), "slurmjob_orphans_let_go_total") == 0, "it was cancelled in the end"


@pytest.mark.looptime
async def test_one_that_waited_too_long_is_an_orphan(cluster: Cluster) -> None:
    cluster.kube.edit(cluster.connection(), deletionDeadlineSeconds=600)
    uid = cluster.job()
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    await asyncio.sleep(POLL)
    cluster.slurm.faults["states"] = [slurm_errors.Unavailable("down")]
    cluster.slurm.faults["info"] = [slurm_errors.Unavailable("down")] * 1000
    await asyncio.sleep(POLL)
    cluster.kube.delete(uid)
    await asyncio.sleep(900)
    assert uid not in cluster.kube.objects
    assert _value(_metrics(cluster), "slurmjob_orphans_let_go_total") == 1


@pytest.mark.looptime
async def test_a_lost_answer_to_a_submission_is_counted(cluster: Cluster) -> None:
    cluster.slurm.faults["submit_held"] = ["lost"]
    cluster.connection()
    cluster.job()
    await asyncio.sleep(60)
    assert _value(_metrics(cluster), "slurmjob_submissions_outcome_unknown_total") == 1
    requests = {"verb": "submit_held", "outcome": "OutcomeUnknown"}
    assert _value(_metrics(cluster), "slurmjob_slurm_requests_total", **requests) == 1


@pytest.mark.looptime
async def test_requests_are_those_that_slurm_saw(cluster: Cluster) -> None:
    cluster.connection()
    for number in range(4):
        cluster.job(f"j{number}")
    await asyncio.sleep(3 * POLL)
    assert _by(_metrics(cluster), "slurmjob_slurm_requests_total", "verb") == cluster.slurm.calls


@pytest.mark.looptime
async def test_nothing_of_a_tenant_stands_in_a_label(cluster: Cluster) -> None:
    """Names, uids and users have no bound; whoever scrapes may not be the one who may read the objects."""
    cluster.connection()
    uid = cluster.job("a-private-name")
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    cluster.slurm.faults["job"] = [slurm_errors.Refused("private words of a site")]
    await asyncio.sleep(3 * POLL)
    text = generate_latest(_metrics(cluster).registry).decode()
    assert not [word for word in ("private", uid, "alice") if word in text]
    assert [line for line in text.splitlines() if '"ns"' in line or '"campus"' in line] == [
        'slurmjob_connection_ready{kind="SlurmConnection",name="campus",namespace="ns"} 1.0'
    ]


def test_an_answer_of_the_counting_port_is_the_ports_own() -> None:
    """Structural: what is handed to the engine is a `SlurmPort`."""
    port: SlurmPort = _counting(ClusterInfo(cluster_name="c", release="26.05.5", api_version="v0.0.45"))[0]
    assert port.user == "alice"
