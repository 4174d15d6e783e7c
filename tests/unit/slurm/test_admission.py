"""Requests wait for their turn, and whoever is cancelled meanwhile takes nobody's place."""

from __future__ import annotations

import asyncio
import time

import pytest

from slurmjob_operator.slurm.admission import Admission
from slurmjob_operator.slurm.turns import Limits

FREE = Limits(in_flight=8)


class Door:
    """Requests that stay inside until told."""

    def __init__(self, *, in_flight: int = 1, per_second: float | None = None) -> None:
        self.admission = Admission(time.monotonic, Limits(in_flight=in_flight, per_second=per_second))
        self.inside: list[str] = []
        self.gate = asyncio.Event()

    async def go(self, name: str, *, stay: bool = True) -> None:
        async with self.admission.turn(name, FREE):
            self.inside.append(name)
            if stay:
                await self.gate.wait()

    def start(self, name: str) -> asyncio.Task[None]:
        return asyncio.create_task(self.go(name))


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_one_after_the_other() -> None:
    door = Door()
    tasks = [door.start("a"), door.start("b")]
    await settle()
    assert door.inside == ["a"]
    door.gate.set()
    await asyncio.gather(*tasks)
    assert door.inside == ["a", "b"]


async def test_who_is_cancelled_while_it_waits_holds_nobody_up() -> None:
    door = Door()
    first, second, third = door.start("a"), door.start("b"), door.start("c")
    await settle()
    second.cancel()
    door.gate.set()
    await asyncio.gather(first, third)
    assert door.inside == ["a", "c"]
    with pytest.raises(asyncio.CancelledError):
        await second


async def test_who_is_cancelled_just_as_its_turn_comes_gives_it_on() -> None:
    door = Door()
    first, second, third = door.start("a"), door.start("b"), door.start("c")
    await settle()
    door.gate.set()
    await asyncio.sleep(0)  # the first one is done, and the second one called
    second.cancel()
    await asyncio.gather(first, third)
    assert door.inside[0] == "a"
    assert "c" in door.inside
    await asyncio.wait_for(door.go("d", stay=False), 1)


async def test_who_is_cancelled_inside_leaves() -> None:
    door = Door()
    first, second = door.start("a"), door.start("b")
    await settle()
    first.cancel()
    await settle()
    assert door.inside == ["a", "b"]
    door.gate.set()
    await second


async def test_a_rate_lets_the_next_one_go_in_time() -> None:
    door = Door(in_flight=8, per_second=50.0)
    began = time.monotonic()
    await asyncio.gather(*(door.go("a", stay=False) for _ in range(60)))
    assert time.monotonic() - began >= 0.15, "ten more than a second's worth, at fifty a second"
    assert len(door.inside) == 60


async def test_closed_it_leaves_no_timer() -> None:
    door = Door(in_flight=8, per_second=0.1)
    tasks = [door.start("a"), door.start("a")]
    await settle()
    door.admission.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert door.inside == ["a"]
