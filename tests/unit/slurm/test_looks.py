"""Who sees the same of a cluster shares one look a minute."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from slurmjob_operator.core.cluster import ClusterFacts
from slurmjob_operator.slurm.errors import CredentialsRejected, Unavailable
from slurmjob_operator.slurm.http import Manner, SlurmrestdServer
from slurmjob_operator.slurm.looks import Looks
from slurmjob_operator.slurm.tls import TlsIdentity


@dataclass
class Clock:
    time: float = 1000.0
    count: int = 0
    found: list[ClusterFacts] = field(default_factory=list)
    fault: BaseException | None = None
    gate: asyncio.Event | None = None

    async def look(self) -> ClusterFacts:
        self.count += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        self.found.append(ClusterFacts())
        return self.found[-1]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def looks(clock: Clock) -> Looks:
    return Looks(lambda: clock.time)


async def test_one_look_a_minute_for_all_who_see_the_same(clock: Clock, looks: Looks) -> None:
    first = await looks.newest("alice", clock.look)
    clock.time += 59.9
    assert await looks.newest("alice", clock.look) is first
    clock.time += 0.1
    assert await looks.newest("alice", clock.look) is not first
    assert clock.count == 2
    await looks.newest("bob", clock.look)
    assert clock.count == 3


async def test_who_comes_meanwhile_waits_for_the_same_look(clock: Clock, looks: Looks) -> None:
    clock.gate = asyncio.Event()
    waiting = [asyncio.create_task(looks.newest("alice", clock.look)) for _ in range(20)]
    await asyncio.sleep(0)
    clock.gate.set()
    assert await asyncio.gather(*waiting) == clock.found * 20
    assert clock.count == 1


async def test_a_look_in_vain_counts_for_everybody(clock: Clock, looks: Looks) -> None:
    clock.fault = Unavailable("away")
    with pytest.raises(Unavailable, match="away"):
        await looks.newest("alice", clock.look)
    for _ in range(5):
        with pytest.raises(Unavailable, match="in vain"):
            await looks.newest("alice", clock.look)
    assert clock.count == 1
    clock.time, clock.fault = clock.time + 60, None
    assert await looks.newest("alice", clock.look) is clock.found[0]


async def test_one_with_a_refused_token_keeps_nobody_else_from_looking(clock: Clock, looks: Looks) -> None:
    clock.fault = CredentialsRejected("no")
    with pytest.raises(CredentialsRejected):
        await looks.newest("alice", clock.look)
    clock.fault = None
    assert await looks.newest("alice", clock.look) is clock.found[0]


async def test_one_who_goes_keeps_nobody_else_from_looking(clock: Clock, looks: Looks) -> None:
    clock.gate = asyncio.Event()
    gone = asyncio.create_task(looks.newest("alice", clock.look))
    await asyncio.sleep(0)
    stays = asyncio.create_task(looks.newest("alice", clock.look))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    clock.gate.set()
    assert await stays is clock.found[0]


async def test_what_is_at_hand_is_ten_minutes_old_at_most(clock: Clock, looks: Looks) -> None:
    assert looks.at_hand("alice") is None
    first = await looks.newest("alice", clock.look)
    clock.time, clock.fault = clock.time + 600, Unavailable("away")
    with pytest.raises(Unavailable):
        await looks.newest("alice", clock.look)
    assert looks.at_hand("alice") is first, "a later look in vain takes nothing away"
    clock.time += 1
    assert looks.at_hand("alice") is None


async def test_those_who_came_once_are_forgotten(clock: Clock, looks: Looks) -> None:
    for number in range(100):
        await looks.newest(number, clock.look)
    clock.time += 3601
    await looks.newest("alice", clock.look)
    assert set(looks._of) == {"alice"}


@pytest.mark.parametrize(
    ("url", "manner"),
    [
        ("https://slurm/other", Manner()),
        ("https://slurm:6820", Manner()),
        ("https://slurm", Manner(headers=(("X-Gate", "b"),))),
        ("https://slurm", Manner(identity=TlsIdentity(certificate="x"))),
    ],
)
def test_only_the_same_way_to_a_server_leads_to_the_same(url: str, manner: Manner) -> None:
    """One namespace's certificates may trust what another one's do not; one address may lead to two clusters."""
    plain = SlurmrestdServer("https://slurm", allow_plain_http=False, manner=Manner(name="a"))
    same = SlurmrestdServer("https://slurm/", allow_plain_http=False, manner=Manner(name="b"))
    assert plain.way == same.way
    assert SlurmrestdServer(url, allow_plain_http=False, manner=manner).way != plain.way
