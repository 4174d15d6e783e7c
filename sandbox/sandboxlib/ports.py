"""Free loopback ports, chosen once per sandbox and remembered, so that addresses stay the same over restarts."""

from __future__ import annotations

import fcntl
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sandboxlib.paths import FIRST_PORT, LAST_PORT, Paths

FIRST, LAST = FIRST_PORT, LAST_PORT


def port(paths: Paths, name: str) -> int:
    """The port of this name, chosen at the first call."""
    return port_range(paths, name, 1)[0]


def port_range(paths: Paths, name: str, count: int) -> range:
    """`count` neighbouring ports under one name."""
    choose(paths, {name: count})
    with _table(paths) as table:
        first = table[name][0]
    return range(first, first + count)


def choose(paths: Paths, widths: Mapping[str, int]) -> None:
    """Choose ports for several names at once, as many for each as it says: those that had none are neighbours."""
    with _table(paths) as table:
        missing = {name: width for name, width in widths.items() if table.get(name, [0, 0])[1] != width}
        for name in missing:
            table.pop(name, None)
        first = _find(table, sum(missing.values()), paths.first_port) if missing else 0
        for name, width in missing.items():
            table[name] = [first, width]
            first += width


@contextmanager
def _table(paths: Paths) -> Iterator[dict[str, list[int]]]:
    """The table under a lock; written back when it changed."""
    paths.make()
    with (paths.run / "ports.json").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        table = _read(text)
        before = json.dumps(table)
        yield table
        if json.dumps(table) != before:
            file.seek(0)
            file.truncate()
            file.write(json.dumps(table))


def _read(text: str) -> dict[str, list[int]]:
    """A table that a killed run has left half-written is begun anew."""
    try:
        table: dict[str, list[int]] = json.loads(text) if text else {}
    except ValueError:
        return {}
    return table


def _find(table: dict[str, list[int]], count: int, lowest: int) -> int:
    taken = {number for first, width in table.values() for number in range(first, first + width)}
    for first in range(max(lowest, FIRST), LAST - count):
        wanted = range(first, first + count)
        if not taken.intersection(wanted) and all(_is_free(number) for number in wanted):
            return first
    raise OSError(f"no {count} free ports between {max(lowest, FIRST)} and {LAST}")


def _is_free(number: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("0.0.0.0", number))  # noqa: S104 - only asks whether anybody has it
        except OSError:
            return False
    return True


def listens(number: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, number)) == 0
