"""Turns: fair between connections, within the server's limits and each one's own. The clock is a fake."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slurmjob_operator.slurm.turns import Limits, Turns

FREE = Limits(in_flight=8)


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def turns(*, in_flight: int = 8, per_second: float | None = None) -> tuple[Turns[str], Clock]:
    clock = Clock()
    return Turns[str](clock, Limits(in_flight=in_flight, per_second=per_second)), clock


def taken(line: Turns[str]) -> list[str]:
    """All whose turn it is now."""
    found: list[str] = []
    while (ticket := line.next()) is not None:
        found.append(ticket)
    return found


def test_who_sends_one_request_is_not_behind_who_sends_a_thousand() -> None:
    line, _ = turns(in_flight=2)
    for number in range(1000):
        line.wait("a", f"a{number}", FREE)
    line.wait("b", "b0", FREE)
    assert taken(line) == ["a0", "b0"]


def test_each_in_its_turn() -> None:
    line, _ = turns(in_flight=1)
    for name in ("a", "b", "c"):
        for number in range(2):
            line.wait(name, f"{name}{number}", FREE)
    order = []
    for _ in range(6):
        (ticket,) = taken(line)
        order.append(ticket)
        line.done(ticket[0])
    assert order == ["a0", "b0", "c0", "a1", "b1", "c1"]


def test_a_connections_own_limit_holds_nobody_else_back() -> None:
    line, _ = turns()
    for number in range(4):
        line.wait("slow", f"slow{number}", Limits(in_flight=1))
        line.wait("other", f"other{number}", FREE)
    assert taken(line) == ["slow0", "other0", "other1", "other2", "other3"]
    line.done("slow")
    assert taken(line) == ["slow1"]


def test_a_limit_of_ones_own_does_not_raise_the_servers() -> None:
    line, _ = turns(in_flight=2)
    for number in range(4):
        line.wait("a", f"a{number}", Limits(in_flight=100))
    assert len(taken(line)) == 2


def test_the_servers_rate() -> None:
    line, clock = turns(per_second=2.0)
    for number in range(6):
        line.wait("a", f"a{number}", FREE)
    assert len(taken(line)) == 2, "what one second allows may go at once"
    for _ in range(2):
        line.done("a")
    assert line.pause_seconds == pytest.approx(0.5)
    clock.now += 0.5
    assert taken(line) == ["a2"]
    clock.now += 10.0
    assert len(taken(line)) == 2, "no more than a second's is kept"


def test_ones_own_rate() -> None:
    line, clock = turns()
    limits = Limits(in_flight=8, per_second=0.5)
    for number in range(3):
        line.wait("a", f"a{number}", limits)
    assert taken(line) == ["a0"]
    assert line.pause_seconds == pytest.approx(2.0)
    line.done("a")
    clock.now += 2.0
    assert taken(line) == ["a1"]


def test_a_rate_is_not_got_anew_by_going_away() -> None:
    line, _ = turns()
    limits = Limits(in_flight=8, per_second=0.5)
    line.wait("a", "a0", limits)
    assert taken(line) == ["a0"]
    line.done("a")
    line.wait("a", "a1", limits)
    assert taken(line) == []


def test_limits_are_those_of_the_newest_request() -> None:
    line, _ = turns()
    for number in range(3):
        line.wait("a", f"a{number}", Limits(in_flight=1))
    assert taken(line) == ["a0"]
    line.wait("a", "a3", FREE)
    assert taken(line) == ["a1", "a2", "a3"]


def test_who_leaves_is_not_called() -> None:
    line, _ = turns(in_flight=1)
    for ticket in ("a0", "a1"):
        line.wait("a", ticket, FREE)
    line.leave("a", "a0")
    assert taken(line) == ["a1"]


def test_nobody_waits() -> None:
    line, _ = turns(per_second=1.0)
    assert line.next() is None
    assert line.pause_seconds is None
    line.wait("a", "a0", FREE)
    assert taken(line) == ["a0"]
    assert line.pause_seconds is None


@settings(deadline=None)
@given(
    sizes=st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 30), min_size=1),
    in_flight=st.integers(1, 8),
    own=st.integers(1, 8),
)
def test_nobody_gets_twice_what_another_who_waits_gets(sizes: dict[str, int], in_flight: int, own: int) -> None:
    """Nobody is lost, the limits hold at each moment, and shares of those who still wait differ by one at most."""
    line, _ = turns(in_flight=in_flight)
    left = Counter(sizes)
    for name, count in sizes.items():
        for number in range(count):
            line.wait(name, f"{name}{number}", Limits(in_flight=own))
    had, under_way = Counter[str](), list[str]()
    while left.total():
        for ticket in taken(line):
            had[ticket[0]] += 1
            left[ticket[0]] -= 1
            under_way.append(ticket[0])
        assert len(under_way) <= in_flight
        assert max(Counter(under_way).values()) <= own
        waiting = [had[name] for name in sizes if left[name]]
        assert not waiting or max(waiting) - min(waiting) <= 1
        line.done(under_way.pop(0))
    assert had == Counter(sizes)
