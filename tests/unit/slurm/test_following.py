"""Following jobs one by one, where slurmrestd has no jobs/state: in turn, under one budget, never by a whole list."""

from __future__ import annotations

import httpx
import pytest

from slurmjob_operator.slurm.budget import READS_PER_SECOND, SAVED_SECONDS, ReadBudget
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.errors import Unavailable
from slurmjob_operator.slurm.http import SlurmrestdServer
from tests.unit.slurm.answers import TOKEN, error


class Daemon:
    """A slurmrestd of 22.05 with these jobs, that remembers what it was asked."""

    def __init__(self, jobs: dict[int, str]) -> None:
        self.jobs = jobs
        self.asked: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/slurm/v0.0.38/")
        self.asked.append(path)
        job_id = int(path.removeprefix("job/"))
        if job_id not in self.jobs:
            return httpx.Response(500, json={"errors": [error(2017)], "jobs": []})
        row = {"job_id": job_id, "user_name": "alice", "job_state": self.jobs[job_id]}
        return httpx.Response(200, json={"jobs": [row], "errors": []})


def _port(daemon: Daemon, *, now: list[float], per_second: float = READS_PER_SECOND) -> SlurmrestdClient:
    server = SlurmrestdServer("https://slurm", allow_plain_http=False, transport=httpx.MockTransport(daemon.answer))
    server.shared.reads = ReadBudget(lambda: now[0], per_second=per_second)
    return SlurmrestdClient(server, TOKEN, api_version="v0.0.38")


async def test_each_job_is_read() -> None:
    daemon = Daemon({7: "RUNNING", 8: "COMPLETING"})
    states = await _port(daemon, now=[0.0]).states([8, 7, 9])
    assert states == {7: {"RUNNING"}, 8: {"COMPLETING"}, 9: frozenset()}
    assert daemon.asked == ["job/7", "job/8", "job/9"]


async def test_trap_p1_the_whole_list_is_never_asked_for() -> None:
    daemon = Daemon(dict.fromkeys(range(1, 3001), "RUNNING"))
    port, now = _port(daemon, now=(now := [0.0])), now
    for _ in range(20):
        await port.states(range(1, 3001))
        now[0] += 10.0
    assert all(path.startswith("job/") for path in daemon.asked)


async def test_what_the_budget_does_not_allow_is_not_in_the_answer_and_comes_next() -> None:
    daemon, now = Daemon(dict.fromkeys(range(1, 101), "RUNNING")), [0.0]
    port = _port(daemon, now=now, per_second=2.0)
    seen = [set(await port.states(range(1, 101)))]
    for _ in range(12):
        now[0] += 10.0
        seen.append(set(await port.states(range(1, 101))))
    assert seen[0] == set(range(1, 21)), "half of what was saved"
    assert seen[1] == set(range(21, 41))
    assert set().union(*seen[:6]) == set(range(1, 101)), "each has its turn"
    assert len(daemon.asked) <= 2.0 * (120 + SAVED_SECONDS)


async def test_alone_one_gets_the_whole_rate() -> None:
    daemon, now = Daemon(dict.fromkeys(range(1, 2001), "RUNNING")), [0.0]
    port = _port(daemon, now=now)
    for _ in range(10):
        await port.states(range(1, 2001))
        now[0] += 10.0
    before = len(daemon.asked)
    for _ in range(10):
        await port.states(range(1, 2001))
        now[0] += 10.0
    assert len(daemon.asked) - before == pytest.approx(READS_PER_SECOND * 100, rel=0.02)


async def test_a_large_connection_leaves_something_for_a_small_one() -> None:
    daemon, now = Daemon(dict.fromkeys(range(1, 10001), "RUNNING")), [0.0]
    large = _port(daemon, now=now)
    server = large._caller.server
    small = SlurmrestdClient(server, TOKEN, api_version="v0.0.38")
    for _ in range(5):
        await large.states(range(1, 5001))
        assert len(await small.states(range(9000, 9050))) == 50
        now[0] += 10.0


async def test_slurm_is_away() -> None:
    port = SlurmrestdClient(
        SlurmrestdServer(
            "https://slurm",
            allow_plain_http=False,
            transport=httpx.MockTransport(lambda _r: httpx.Response(500, json={"errors": [error(-1)], "jobs": []})),
        ),
        TOKEN,
        api_version="v0.0.38",
    )
    with pytest.raises(Unavailable):
        await port.states([7])
