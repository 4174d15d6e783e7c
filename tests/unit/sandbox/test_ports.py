"""Ports are free when they are chosen, stay the same afterwards, and no two names share one."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from sandboxlib import ports
from sandboxlib.paths import Paths


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def _first_is(monkeypatch: pytest.MonkeyPatch, first: int, count: int = 60) -> None:
    monkeypatch.setattr(ports, "FIRST", first)
    monkeypatch.setattr(ports, "LAST", first + count)


def test_a_port_is_remembered(paths: Paths) -> None:
    first = ports.port(paths, "etcd")
    assert ports.port(paths, "etcd") == first
    assert json.loads((paths.run / "ports.json").read_text()) == {"etcd": [first, 1]}


def test_a_remembered_port_stays_when_its_daemon_listens(
    paths: Paths, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = listener.getsockname()[1]
    paths.make()
    (paths.run / "ports.json").write_text(json.dumps({"etcd": [number, 1]}))
    assert ports.port(paths, "etcd") == number


def test_it_is_below_the_range_of_outgoing_connections(paths: Paths) -> None:
    number = ports.port(paths, "etcd")
    assert ports.FIRST <= number <= ports.LAST < 32768


def test_names_do_not_share(paths: Paths) -> None:
    names = [f"daemon-{number}" for number in range(20)]
    assert len({ports.port(paths, name) for name in names}) == 20


def test_names_do_not_share_when_many_ask_at_once(paths: Paths) -> None:
    names = [f"daemon-{number}" for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        chosen = list(pool.map(lambda name: ports.port(paths, name), names))
    assert len(set(chosen)) == 24
    assert [ports.port(paths, name) for name in names] == chosen


@pytest.mark.parametrize("host", ["127.0.0.1", "127.20.7.1"])
def test_a_port_that_somebody_has_is_not_taken(paths: Paths, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((host, 0)) as server:
        taken = server.getsockname()[1]
        _first_is(monkeypatch, taken)
        assert ports.port(paths, "etcd") > taken


def test_neighbours_are_one_free_range(paths: Paths, listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """The port in the middle is taken: the range begins behind it."""
    taken = listener.getsockname()[1]
    _first_is(monkeypatch, taken - 2)
    chosen = ports.port_range(paths, "slurmd", 8)
    assert len(chosen) == 8
    assert chosen.step == 1
    assert chosen[0] > taken
    assert ports.port_range(paths, "slurmd", 8) == chosen
    assert ports.port(paths, "etcd") not in chosen


def test_a_range_of_another_size_is_chosen_anew(paths: Paths) -> None:
    one, eight = ports.port(paths, "etcd"), ports.port_range(paths, "slurmd", 8)
    twelve = ports.port_range(paths, "slurmd", 12)
    assert len(twelve) == 12
    assert one not in twelve
    assert ports.port_range(paths, "slurmd", 12) == twelve != eight


def test_names_that_choose_together_are_neighbours(
    paths: Paths, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of the names; a port that is taken is not between them."""
    taken = listener.getsockname()[1]
    _first_is(monkeypatch, taken - 2)
    ports.choose(paths, {"slurmctld": 1, "slurmd": 8, "slurmrestd": 1})
    chosen = [ports.port(paths, "slurmctld"), *ports.port_range(paths, "slurmd", 8), ports.port(paths, "slurmrestd")]
    assert chosen == list(range(chosen[0], chosen[0] + 10))
    assert chosen[0] > taken


def test_a_name_that_has_its_ports_keeps_them(paths: Paths) -> None:
    before = ports.port(paths, "slurmrestd")
    ports.choose(paths, {"slurmctld": 1, "slurmrestd": 1, "slurmd": 8})
    assert ports.port(paths, "slurmrestd") == before
    chosen = ports.port_range(paths, "slurmd", 8)
    assert ports.port(paths, "slurmctld") == chosen[0] - 1
    ports.choose(paths, {"slurmctld": 1, "slurmrestd": 1, "slurmd": 8})
    assert ports.port_range(paths, "slurmd", 8) == chosen


def test_a_sandbox_begins_where_it_is_told(paths: Paths) -> None:
    """Two that choose at the same moment, before either listens, have no port in common."""
    other = replace(paths, state=paths.state.parent / "other", first_port=paths.first_port + 100)
    for one in (paths, other):
        ports.choose(one, {"slurmctld": 1, "slurmd": 8})
    mine, theirs = ports.port_range(paths, "slurmd", 8), ports.port_range(other, "slurmd", 8)
    assert not set(mine) & set(theirs)
    assert theirs[0] > other.first_port


def test_no_free_port_is_a_clear_error(paths: Paths, listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = listener.getsockname()[1]
    _first_is(monkeypatch, taken, count=2)
    with pytest.raises(OSError, match=f"no 2 free ports between {taken} and {taken + 2}"):
        ports.port_range(paths, "slurmd", 2)
    assert json.loads((paths.run / "ports.json").read_text() or "{}") == {}


def test_each_sandbox_has_a_table_of_its_own(paths: Paths) -> None:
    other = replace(paths, state=paths.state.parent / "other")
    number = ports.port(paths, "etcd")
    with socket.create_server(("127.0.0.1", number)):
        assert ports.port(other, "etcd") != number
    assert ports.port(paths, "etcd") == number


def test_listens(listener: socket.socket) -> None:
    number = listener.getsockname()[1]
    assert ports.listens(number)
    assert not ports.listens(number, "127.20.7.1")
    listener.close()
    assert not ports.listens(number)
