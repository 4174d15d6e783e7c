"""Shapes of values in slurmrestd's bodies, for the rows of the table, and how several rows' keys become one body.

Verified to give the same record as sbatch on 22.05.8, 24.11.5 and 26.05.5; the rows say which key takes which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from slurmjob_operator.sbatch.option import Body, Rest

JOINED: Final = frozenset({"tres_per_node", "tres_per_task", "tres_per_job", "tres_bind"})
"""Keys whose texts of several options are put together with commas."""


def plain(key: str, *, since: str = "", absent: frozenset[str] = frozenset(), observed: bool = True) -> Rest:
    """The value as it is."""
    return Rest(encode=lambda value: {key: value}, since=since, absent=absent, observed=observed)


def number(key: str, *, since: str = "", observed: bool = True) -> Rest:
    """An object `{set, number}`, the form of numbers that may be unset (v0.0.40 and newer)."""
    return Rest(encode=lambda value: {key: {"set": True, "number": value}}, since=since, observed=observed)


def made(encode: Callable[[Any], Body], *, since: str = "", observed: bool = True) -> Rest:
    """Some other form."""
    return Rest(encode=encode, since=since, observed=observed)


def switch(key: str, *, since: str = "", observed: bool = True) -> Rest:
    """A key that is true where the option is, and left out where it is not."""
    return Rest(encode=lambda value: {key: True} if value else {}, since=since, observed=observed)


def flag(word: str, *, since: str = "", observed: bool = True) -> Rest:
    """A word in `flags` where the option is true."""
    return Rest(encode=lambda value: {"flags": [word]} if value else {}, since=since, observed=observed)


def merged(bodies: Iterable[Body]) -> dict[str, Any]:
    """One body of several: lists are put together, so are the texts of `JOINED` keys; else a key has one writer."""
    whole: dict[str, Any] = {}
    for body in bodies:
        for key, value in body.items():
            if key not in whole:
                whole[key] = value
            elif isinstance(value, list):
                whole[key] = [*whole[key], *value]
            elif key in JOINED:
                whole[key] = f"{whole[key]},{value}"
            else:
                raise ValueError(f"two options write {key}")
    return whole
