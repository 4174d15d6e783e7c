"""The table of failures: each failure on each operation, all cells at once, each for three poll periods.

While it lasts: no end that is none, a word about what is wrong where it holds anything up, and few requests. After it:
everything goes on within two poll periods. In the end: no job ran twice, and each end is the one that slurmdbd knows.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from sandboxlib import operator_process, slurm_cluster
from sandboxlib.paths import default_paths
from sandboxlib.slurm_suites import SUITES
from slurmjob_operator.slurm.dialects import DIALECTS, FOUND_BY_ITSELF
from tests.faults import slurmrestd_proxy as rest
from tests.faults.conftest import Close
from tests.faults.failures import Cell, cells
from tests.faults.slurmrestd_proxy import SlurmrestdProxy
from tests.faults.stage import Stage
from tests.faults.verdict import Floor
from tests.faults.vocabulary import CutAfter
from tests.real import api
from tests.real.cluster import SUITE, Tenant

PERIOD: Final = 5.0
HOLD_SECONDS: Final = 3 * PERIOD
RUNS_LONG: Final = frozenset({"cancel"})
THERE_BEFORE: Final = frozenset({"poll", "read", "cancel"})
"""Operations whose jobs run already when the failure begins."""

SHORTENED: Final = "late:4,cancel-again:5"
"""Sweeps stay as rare as they are: each reads all that waits of this user, other cells' jobs too."""

SWEPT_SECONDS: Final = 300
"""So long after it the last twin has been swept."""

NEWEST: Final = SUITES[SUITE].api_versions[0]

MOST_REQUESTS: Final = 3 * (8 + FOUND_BY_ITSELF.index(NEWEST))
"""Of one cell during the failure: eight a poll period, and one for each newer API version, that this release does not
serve: connecting anew asks for those first, once a period."""

LATEST_SECONDS: Final = 5 * PERIOD
"""Two poll periods are what is wanted (docs/failures.md has what was measured). What hangs or drips has to run into its
time-out first, a lost submission is looked for until it can be no more than late, and a busy machine is slower."""

Body = Mapping[str, Any]


@dataclass
class Watched:
    """A cell and its proxy. `said`: what conditions said while the failure lasted, `asked`: the requests meanwhile.
    `recovery`: seconds after it."""

    cell: Cell
    proxy: SlurmrestdProxy
    said: set[str] = field(default_factory=set)
    asked: Counter[str] = field(default_factory=Counter)
    recovery: float | None = None

    def arm(self) -> None:
        if self.cell.operation.name == "look-up":
            self.proxy.arm(CutAfter(), method="POST", endpoint=rest.SUBMIT)
        for endpoint in self.cell.operation.endpoints:
            self.proxy.arm(self.cell.failure.fault, method=self.cell.operation.method, endpoint=endpoint, times=None)


@contextmanager
def proxies() -> Iterator[list[Watched]]:
    lists_states = DIALECTS[NEWEST].lists_states
    with ExitStack() as stack:
        url = slurm_cluster.rest_url(default_paths(), SUITE)
        yield [Watched(cell, stack.enter_context(SlurmrestdProxy(url))) for cell in cells(lists_states=lists_states)]


@pytest.mark.long
@pytest.mark.timeout(900)
def test_table(stage: Stage, close: Close, capsys: pytest.CaptureFixture[str]) -> None:
    stage.shortened = SHORTENED
    tenant = stage.tenant("failures")
    with proxies() as table:
        try:
            _connect(tenant, [one for one in table if one.cell.operation.name != "connect"])
            stage.start()
            _apply(tenant, [one for one in table if one.cell.operation.name in THERE_BEFORE])
            _wait_running(tenant, [one.cell.name for one in table if one.cell.operation.name in THERE_BEFORE])
            _begin(tenant, table)
            _hold(tenant, table)
            _recover(tenant, table)
            verdict = stage.settled(kills=0, seconds=SWEPT_SECONDS)
        finally:
            with capsys.disabled():
                print("\n" + "\n".join(_lines(table)))
            _clear(tenant, table)
        close(verdict, Floor(kills=0, executions=len(table) * 5 // 7))
        _judge(table)


def _connect(tenant: Tenant, table: list[Watched]) -> None:
    token = slurm_cluster.token(tenant.paths, tenant.suite, user="alice", lifespan=3600)
    texts = []
    for one in table:
        text = operator_process.connection(
            namespace=tenant.namespace, name=one.cell.name, url=one.proxy.url, token=token, poll_seconds=int(PERIOD)
        )
        texts.append(text.replace('"pollPeriodSeconds"', '"requestTimeoutSeconds": 5, "pollPeriodSeconds"'))
    tenant.kubectl("apply", "-f", "-", stdin="\n---\n".join(texts))


def _apply(tenant: Tenant, table: list[Watched]) -> None:
    items = []
    for one in table:
        script = "sleep 600" if one.cell.operation.name in RUNS_LONG else _until_told(tenant, one.cell)
        spec = {"connectionRef": {"name": one.cell.name}}
        items.append(tenant.manifest(one.cell.name, script=script, spec=spec))
    tenant.apply({"apiVersion": "v1", "kind": "List", "items": items})


def _until_told(tenant: Tenant, cell: Cell) -> str:
    """What is there before the failure ends while it lasts."""
    if cell.operation.name not in THERE_BEFORE:
        return "sleep 1"
    return f"until [ -e go-{tenant.namespace} ]; do sleep 0.5; done; sleep 2"


def _tell_to_end(tenant: Tenant) -> None:
    (slurm_cluster.home(tenant.paths, tenant.suite, "alice") / f"go-{tenant.namespace}").touch()


def _clear(tenant: Tenant, table: list[Watched]) -> None:
    """All of it, while the proxies are there."""
    for one in table:
        one.proxy.disarm()
    _tell_to_end(tenant)
    tenant.kubectl("delete", "slurmjobs", "--all", "--timeout=90s")
    tenant.kubectl("delete", "slurmconnections", "--all", "--timeout=60s")


def _wait_running(tenant: Tenant, names: list[str]) -> None:
    tenant.wait_until(lambda: all(_states(tenant).get(name) == "Running" for name in names), seconds=120)


def _states(tenant: Tenant) -> dict[str, str]:
    return {name: str(body["status"].get("state")) for name, body in _jobs(tenant).items()}


def _jobs(tenant: Tenant) -> dict[str, Body]:
    return _named(tenant, "slurmjob")


def _named(tenant: Tenant, kind: str) -> dict[str, Body]:
    found = api.read_all(tenant.paths, namespace=tenant.namespace, kind=kind)
    return {body["metadata"]["name"]: body for body in found}


def _begin(tenant: Tenant, table: list[Watched]) -> None:
    """The failures, and what then has to be done."""
    for one in table:
        one.proxy.reset()
        one.arm()
    _connect(tenant, [one for one in table if one.cell.operation.name == "connect"])
    _apply(tenant, [one for one in table if one.cell.operation.name not in THERE_BEFORE])
    if names := [one.cell.name for one in table if one.cell.operation.name == "cancel"]:
        tenant.delete(*names)
    _tell_to_end(tenant)


def _hold(tenant: Tenant, table: list[Watched]) -> None:
    until = time.monotonic() + HOLD_SECONDS
    while time.monotonic() < until:
        jobs, connections = _jobs(tenant), _named(tenant, "slurmconnection")
        for one in table:
            one.said |= set(_troubles(connections.get(one.cell.name), "Ready"))
            one.said |= set(_troubles(jobs.get(one.cell.name), "Submitted", "Synced"))
        time.sleep(1)
    for one in table:
        one.asked = one.proxy.counts()


def _troubles(body: Body | None, *kinds: str) -> Iterator[str]:
    for condition in (body or {}).get("status", {}).get("conditions", ()):
        if condition["type"] in kinds and condition["status"] == "False":
            yield f"{condition['type']}={condition['reason']}"


def _recover(tenant: Tenant, table: list[Watched]) -> None:
    """Until each cell goes on: connected, in the queue, or gone."""
    began = time.monotonic()
    for one in table:
        one.proxy.disarm()
    while any(one.recovery is None for one in table) and time.monotonic() < began + 90:
        jobs, connections = _jobs(tenant), _named(tenant, "slurmconnection")
        for one in table:
            if one.recovery is None and _goes_on(one.cell, jobs.get(one.cell.name), connections.get(one.cell.name)):
                one.recovery = time.monotonic() - began
        time.sleep(0.5)


def _goes_on(cell: Cell, job: Body | None, connection: Body | None) -> bool:
    if cell.operation.name == "cancel":
        return job is None
    if job is not None and cell.operation.asks(cell.failure) and job["status"].get("state") == "Unknown":
        return True
    if cell.operation.name == "connect":
        return connection is not None and _is_ready(connection)
    if job is None or connection is None or not _is_ready(connection):
        return False
    return not set(_troubles(job, "Synced")) and job["status"].get("state") in ("Running", "Completing", "Complete")


def _is_ready(connection: Body) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in connection["status"].get("conditions", ()))


def _lines(table: list[Watched]) -> list[str]:
    head = f"{'cell':24} {'requests':>8} {'recovery':>9}  said"
    return [head] + [
        f"{one.cell.name:24} {one.asked.total():8} {'never' if one.recovery is None else f'{one.recovery:.1f} s':>9}  "
        f"{', '.join(sorted(one.said)) or '-'}"
        f"{f'  {dict(one.asked)}' if one.asked.total() > MOST_REQUESTS else ''}"
        for one in table
    ]


def _judge(table: list[Watched]) -> None:
    assert [one.cell.name for one in table if one.recovery is None] == []
    assert {one.cell.name: dict(one.asked) for one in table if one.asked.total() > MOST_REQUESTS} == {}
    late = {one.cell.name: one.recovery for one in table if one.recovery is not None and one.recovery > LATEST_SECONDS}
    assert late == {}
