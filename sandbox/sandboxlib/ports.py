"""Free loopback ports, chosen once per sandbox and remembered, so that addresses stay the same over restarts."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from sandboxlib.paths import Paths

FIRST, LAST = 20000, 29999
"""Below the kernel's range for outgoing connections, so that none of them takes a port of ours."""

FIRST_VARIABLE = "SANDBOX_FIRST_PORT"
"""Environment variable: where the search begins (default `FIRST`), for sandboxes that come up at the same time."""


def port(paths: Paths, name: str) -> int:
    """The port of this name, chosen at the first call."""
    return port_range(paths, name, 1)[0]


def port_range(paths: Paths, name: str, count: int) -> range:
    """`count` neighbouring ports under one name."""
    with _table(paths) as table:
        if name not in table or table[name][1] != count:
            table[name] = [_find(table, count), count]
        first = table[name][0]
        return range(first, first + count)


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


def _find(table: dict[str, list[int]], count: int) -> int:
    taken = {number for first, width in table.values() for number in range(first, first + width)}
    for first in range(int(os.environ.get(FIRST_VARIABLE) or FIRST), LAST - count):
        wanted = range(first, first + count)
        if not taken.intersection(wanted) and all(_is_free(number) for number in wanted):
            return first
    raise OSError(f"no {count} free ports between {FIRST} and {LAST}")


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
