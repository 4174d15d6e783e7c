"""A server that does not answer is asked less and less, by one at a time, and found again when it is back."""

from __future__ import annotations

import pytest

from slurmjob_operator.slurm.circuit import FAILURES, FIRST_SECONDS, LONGEST_SECONDS, Circuit, CircuitOpen


class Server:
    """A circuit, its clock, and requests that come to something."""

    def __init__(self, chance: float = 0.0) -> None:
        self.now = 1000.0
        self.circuit = Circuit(lambda: self.now, chance=lambda: chance)

    def ask(self, *, fails: bool | None) -> None:
        attempt = self.circuit.begin()
        attempt.failed = fails
        self.circuit.end(attempt)

    def fail(self, times: int) -> None:
        for _ in range(times):
            self.ask(fails=True)

    def refuses(self) -> bool:
        try:
            self.ask(fails=None)
        except CircuitOpen:
            return True
        return False


def test_some_failures_are_nothing() -> None:
    server = Server()
    server.fail(FAILURES - 1)
    assert not server.circuit.is_open
    server.ask(fails=False)
    server.fail(FAILURES - 1)
    assert not server.refuses()


def test_it_opens_and_tells_when_it_is_worth_to_ask_again() -> None:
    server = Server()
    server.fail(FAILURES)
    with pytest.raises(CircuitOpen) as refusal:
        server.circuit.begin()
    assert refusal.value.retry_after_seconds == FIRST_SECONDS
    server.now += FIRST_SECONDS
    assert not server.refuses()


def test_one_at_a_time_asks_whether_it_is_back() -> None:
    server = Server()
    server.fail(FAILURES)
    server.now += FIRST_SECONDS
    probe = server.circuit.begin()
    assert server.refuses()
    probe.failed = False
    server.circuit.end(probe)
    assert not server.circuit.is_open
    assert not server.refuses()


def test_a_probe_that_was_cancelled_leaves_the_next_one_free() -> None:
    server = Server()
    server.fail(FAILURES)
    server.now += FIRST_SECONDS
    server.circuit.end(server.circuit.begin())
    assert server.circuit.is_open
    assert not server.refuses()


def test_it_stays_open_for_longer_each_time_up_to_a_bound() -> None:
    server = Server()
    server.fail(FAILURES)
    waits = []
    for _ in range(6):
        began = server.now
        while server.refuses():
            server.now += 0.25
        waits.append(server.now - began)
        server.fail(1)
    assert waits == [1.0, 2.0, 4.0, 4.0, 4.0, 4.0]
    assert waits[-1] == LONGEST_SECONDS


def test_ten_minutes_of_outage_are_some_hundred_and_seventy_requests_whoever_asks() -> None:
    server, asked = Server(chance=0.5), 0
    for _ in range(600 * 10):
        server.now += 0.1
        for _ in range(60):
            try:
                attempt = server.circuit.begin()
            except CircuitOpen:
                continue
            asked += 1
            attempt.failed = True
            server.circuit.end(attempt)
    assert 140 < asked < 200


def test_how_long_it_has_been_well() -> None:
    server = Server()
    server.now += 10
    assert server.circuit.well_for == 10
    server.fail(1)
    assert (server.circuit.well_for, server.circuit.failed_for) == (0.0, 0.0)
    assert server.circuit.failing
    server.now += 5
    server.ask(fails=False)
    server.now += 7
    assert (server.circuit.well_for, server.circuit.failed_for) == (7, 12)
    server.ask(fails=False)
    assert server.circuit.well_for == 7


def test_what_tells_nothing_changes_nothing() -> None:
    server = Server()
    server.fail(2)
    server.ask(fails=None)
    assert server.circuit.failing
    server.fail(FAILURES - 2)
    assert server.circuit.is_open
