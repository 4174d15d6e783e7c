"""Answers that are lost, late, cut, false or doubled, of slurmrestd and of the API server, while jobs come and end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import pytest

from sandboxlib import operator_process, slurm_cluster
from slurmjob_operator.api.names import RESOLVE_ANNOTATION
from tests.faults import slurmrestd_proxy as rest
from tests.faults.conftest import Close
from tests.faults.kube_proxy import KubeProxy, conflict, refusal, too_many
from tests.faults.ledger import Evidence
from tests.faults.slurmrestd_proxy import SlurmrestdProxy
from tests.faults.stage import Stage
from tests.faults.verdict import Floor, judge
from tests.faults.vocabulary import (
    Common,
    CutAfter,
    CutBefore,
    CutWatch,
    Delay,
    DelayAnswer,
    DropAnswer,
    Duplicate,
    ErrorEvent,
    Fault,
    StaleList,
    Truncate,
)
from tests.real.cluster import SUITE, Tenant

JOBS: Final = 40
VICTIMS: Final = 8

ANY_ANSWER: Final[tuple[Common, ...]] = (
    CutAfter(),
    CutBefore(),
    Duplicate(),
    rest.error_after(),
    rest.error_before(),
    DelayAnswer(1),
    rest.empty_200(after=True),
    rest.empty_200(),
    Truncate(40, mid_air=True),
    Truncate(40),
    Delay(1),
    DropAnswer(),
)

LOST_SIGHT: Final[tuple[Common, ...]] = (CutAfter(), rest.empty_200(), Truncate(40), rest.error_before(), DropAnswer())
"""For the poll of all states: after most of these the connection is made anew, which takes its time."""


LOST_ENDS: Final[tuple[Common, ...]] = (CutAfter(), rest.error_before(), rest.empty_200())
"""For slurmdbd's record of one job: few are read, how many depends on how fast the machine is."""


def arm(proxy: SlurmrestdProxy, method: str, endpoint: str, faults: Sequence[Common], *, apart: int) -> None:
    """One after the other, with so many good answers between two of them less one: what is tried again is let be."""
    for number, fault in enumerate(faults):
        proxy.arm(fault, method=method, endpoint=endpoint, nth=1 + number * (apart - 1))


@contextmanager
def before_slurmrestd(stage: Stage) -> Iterator[SlurmrestdProxy]:
    with SlurmrestdProxy(slurm_cluster.rest_url(stage.paths, SUITE)) as proxy:
        yield proxy


@pytest.mark.timeout(300)
def test_answers_of_slurmrestd(stage: Stage, close: Close) -> None:
    with before_slurmrestd(stage) as proxy:
        tenant = stage.tenant("slurmrestd", url=proxy.url)
        stage.start()
        victims = [f"victim-{number}" for number in range(VICTIMS)]
        tenant.jobs(dict.fromkeys(victims, "sleep 600"))
        for victim in victims:
            tenant.wait_state(victim, "Running")
        arm(proxy, "POST", rest.SUBMIT, ANY_ANSWER, apart=3)
        arm(proxy, "POST", rest.JOB, ANY_ANSWER, apart=3)
        arm(proxy, "GET", rest.JOB, ANY_ANSWER, apart=5)
        arm(proxy, "DELETE", rest.JOB, ANY_ANSWER[:VICTIMS], apart=1)
        arm(proxy, "GET", rest.STATES, LOST_SIGHT, apart=1)
        arm(proxy, "GET", rest.DB_JOBS, ANY_ANSWER[:8], apart=1)
        arm(proxy, "GET", rest.DB_JOB, LOST_ENDS, apart=2)
        _forty_jobs(tenant)
        tenant.kubectl("delete", "slurmjobs", *victims, "--wait=false")
        _answer_who_is_asked(tenant, stage.wait_ended(seconds=150, or_unknown=True))
        evidence = stage.wait_ended(seconds=60)
        assert len(evidence.objects) == JOBS
        assert proxy.unfired == ()
        verdict = stage.settled(kills=0)
    close(verdict, Floor(kills=0, executions=JOBS + VICTIMS))


def _answer_who_is_asked(tenant: Tenant, evidence: Evidence) -> None:
    """Where the machine is slow a job may meet two faults with which its submission never arrives. Then the operator
    stops and asks a person, who lets it go on."""
    for seen in evidence.objects:
        if seen.unknown:
            name = seen.object.partition("/")[2]
            assert tenant.condition(name, "Stalled")["reason"] == "SubmissionUnconfirmed"
            tenant.annotate(name, RESOLVE_ANNOTATION, "1/retry")


@pytest.mark.timeout(300)
def test_answers_of_the_api_server(stage: Stage, close: Close) -> None:
    with KubeProxy.of(operator_process.kubeconfig(stage.paths)) as proxy:
        stage.kubeconfig = operator_process.kubeconfig_through(stage.paths, server=proxy.url)
        tenant = stage.tenant("apiserver")
        stage.start()
        tenant.wait("campus", "Ready", of="slurmconnection")
        _arm_writes(proxy)
        _arm_reads(proxy)
        proxy.cut_watches()
        _forty_jobs(tenant)
        evidence = stage.wait_ended(seconds=150)
        assert len(evidence.objects) == JOBS
        assert proxy.unfired == ()
        close(stage.settled(kills=0), Floor(kills=0, executions=JOBS))
        stage.kill()


def _arm_writes(proxy: KubeProxy) -> None:
    any_answer: tuple[Fault, ...] = (
        *(conflict(), conflict(after=True), refusal(500), refusal(500, after=True), too_many()),
        *(CutBefore(), CutAfter(), Duplicate(), Truncate(40), Truncate(40, mid_air=True), Delay(1), DelayAnswer(1)),
    )
    for number, fault in enumerate(any_answer):
        proxy.arm(fault, verb="patch", resource="slurmjobs", subresource="status", nth=1 + 4 * number)
        proxy.arm(fault, verb="patch", resource="slurmjobs", subresource="", nth=1 + 2 * number)
    of_events: tuple[Fault, ...] = (refusal(500), too_many(), CutBefore(), CutAfter(), Truncate(40))
    for number, fault in enumerate(of_events):
        proxy.arm(fault, verb="create", resource="events", nth=1 + 3 * number)


def _arm_reads(proxy: KubeProxy) -> None:
    """That a watch is too old is said as the API server says it, by an event in the stream."""
    orders: dict[str, tuple[Fault, ...]] = {
        "get": (refusal(500), CutAfter(), Truncate(40)),
        "list": (StaleList(1), refusal(500), too_many()),
        "watch": (ErrorEvent(410, lines=3), CutWatch(5), refusal(500), CutWatch(0), ErrorEvent(410)),
    }
    for verb, faults in orders.items():
        for fault in faults:
            proxy.arm(fault, verb=verb, resource="slurmjobs")


@pytest.mark.timeout(120)
def test_control_unheld_submissions_that_arrive_twice_run_twice(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the guard the same instruments find double executions: what finds none elsewhere can find them."""
    with before_slurmrestd(stage) as proxy:
        tenant = stage.tenant("control", url=proxy.url)
        proxy.arm(Duplicate(), method="POST", endpoint=rest.SUBMIT, times=None)
        stage.start(GUARD_OFF="held")
        tenant.jobs({f"j{number}": "sleep 1" for number in range(3)})
        stage.wait_ended()
        evidence = stage.wait(lambda it: [] if len(it.executions) == 6 else ["second executions"])
    verdict = judge(evidence, kills=0, releases=())
    with capsys.disabled():
        print(f"\ncontrol, guard `held` off: {verdict.line()}")
    assert verdict.count("double") == 3


def _forty_jobs(tenant: Tenant) -> None:
    for wave in range(4):
        tenant.jobs({f"j{wave}-{number}": "sleep 1" for number in range(JOBS // 4)})
