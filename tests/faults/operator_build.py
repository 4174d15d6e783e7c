"""The operator as fault runs need it: it dies at a named point, lacks one of the protocol's guards, or waits less long.

    KILL_AT="before submit" KILL_LOG=points python -m tests.faults.operator_build run …
    GUARD_OFF=held,search python -m tests.faults.operator_build run …
    SHORTENED=settled:2,again:3 python -m tests.faults.operator_build run …

`KILL_AT` is `before` or `after` and one of `Effect`'s values; `KILL_AT_COUNT` says which time it is reached (default
1). Every point that is reached is a line in `KILL_LOG`, where the times are counted, so that a restart does not die at
the same point again and two operators count together. `KILL_LOG` alone only takes note. It is run from the checkout;
nothing that ships knows of it.
"""

from __future__ import annotations

import fcntl
import importlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from slurmjob_operator.core import unrecorded
from slurmjob_operator.edge import cli
from slurmjob_operator.engine.effects import Effect, Nobody, Witness
from slurmjob_operator.engine.ports import Outside
from slurmjob_operator.kube.errors import Conflict
from slurmjob_operator.kube.port import Body, KubePort, ObjectKey
from slurmjob_operator.slurm import dialects
from slurmjob_operator.slurm.dialects.dialect import Dialect, Encode

decide: ModuleType = importlib.import_module("slurmjob_operator.core.decide")
"""The module: the function of the same name would hide it."""

MOST_OVERWRITES: Final = 20


class BadOrder(ValueError):
    """The environment asks for what does not exist."""


# --- Dying ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """At which point, and at which time that it is reached."""

    when: str
    effect: Effect
    count: int = 1

    def __str__(self) -> str:
        return f"{self.when} {self.effect}"


class DyingWitness:
    """Notes each point in a file before anything else, and ends the process where it is told to."""

    def __init__(self, log: Path, death: Death | None, *, die: Callable[[], None]) -> None:
        self._log = log
        self._death = death
        self._die = die

    def before(self, effect: Effect) -> None:
        """See `Witness`."""
        self._reached(f"before {effect}")

    def after(self, effect: Effect) -> None:
        """See `Witness`."""
        self._reached(f"after {effect}")

    def _reached(self, point: str) -> None:
        with self._log.open("a+") as log:
            fcntl.flock(log, fcntl.LOCK_EX)
            log.write(f"{point}\n")
            log.flush()
            if self._death is None or point != str(self._death):
                return
            log.seek(0)
            times = sum(line == f"{point}\n" for line in log)
        if times == self._death.count:
            self._die()


def kill_this_process() -> None:
    """As the kernel would: nothing is flushed, closed or said."""
    os.kill(os.getpid(), signal.SIGKILL)


def witness_of(environment: Mapping[str, str]) -> Witness:
    """The witness that the environment asks for. Raises `BadOrder`."""
    point, log = environment.get("KILL_AT"), environment.get("KILL_LOG")
    if not log:
        if point:
            raise BadOrder("KILL_AT needs KILL_LOG, the file that counts")
        return Nobody()
    death = None if not point else parse_death(point, environment.get("KILL_AT_COUNT", "1"))
    return DyingWitness(Path(log), death, die=kill_this_process)


def parse_death(point: str, count: str) -> Death:
    """`after record`, `2`. Raises `BadOrder`."""
    when, _, effect = point.partition(" ")
    known = {str(one): one for one in Effect}
    if when not in ("before", "after") or effect not in known:
        raise BadOrder(f"KILL_AT={point!r} must be before or after one of: {', '.join(known)}")
    if not count.isdecimal() or int(count) < 1:
        raise BadOrder(f"KILL_AT_COUNT={count!r} must be a number from 1")
    return Death(when=when, effect=known[effect], count=int(count))


# --- Patience -------------------------------------------------------------------------------------------------


# --- Guards ---------------------------------------------------------------------------------------------------


def submit_unheld(outside: Outside) -> Outside:
    """Jobs are submitted free to run: what is not recorded runs too."""
    spoken: dict[str, Dialect] = vars(dialects)["DIALECTS"]
    if not spoken:
        raise BadOrder("no dialect encodes a submission any more: GUARD_OFF=held has to be taught where")
    for version, dialect in spoken.items():
        spoken[version] = replace(dialect, encode=_unheld(dialect.encode))
    return outside


def submit_without_looking(outside: Outside) -> Outside:
    """Whatever may have been submitted before, it is submitted again."""
    looking = (unrecorded.not_searched, unrecorded.found_by_marker)
    rules = vars(decide)["UNRECORDED"]
    if not set(looking) <= set(rules):
        raise BadOrder("the rules of the search have moved: GUARD_OFF=search has to be taught where")
    vars(decide)["UNRECORDED"] = tuple(rule for rule in rules if rule not in looking)
    return outside


def write_unconditionally(outside: Outside) -> Outside:
    """Whoever writes a status last wins."""
    return replace(outside, kube=Overwriting(outside.kube))


GUARDS: Final[Mapping[str, Callable[[Outside], Outside]]] = {
    "held": submit_unheld,
    "search": submit_without_looking,
    "precondition": write_unconditionally,
}
"""Each takes one guard away."""


def guards_off(names: str) -> tuple[str, ...]:
    """Names separated by commas. Raises `BadOrder` for one that is unknown."""
    wanted = tuple(name.strip() for name in names.split(",") if name.strip())
    unknown = [name for name in wanted if name not in GUARDS]
    if unknown:
        raise BadOrder(f"GUARD_OFF={','.join(unknown)} is none of: {', '.join(GUARDS)}")
    return wanted


class Overwriting:
    """A port whose status writes look at no version. The API server wants one for our kinds, so it is the newest."""

    def __init__(self, port: KubePort) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    async def write_status(self, key: ObjectKey, *, old: Body, new: Body, resource_version: str) -> Body:
        """See `KubePort`, but never raises `Conflict` for an old version."""
        for _ in range(MOST_OVERWRITES):
            newest: Any = await self._port.get(key)
            version = newest["metadata"]["resourceVersion"]
            try:
                return await self._port.write_status(key, old=old, new=new, resource_version=version)
            except Conflict:
                continue
        raise Conflict("it changes faster than it can be overwritten")


def _unheld(encode: Encode) -> Encode:
    def encode_unheld(*arguments: Any, **keywords: Any) -> dict[str, Any]:
        body = encode(*arguments, **keywords)
        if body["job"]["hold"] is not True:
            raise BadOrder("the submission was not held in the first place")
        return {**body, "job": {**body["job"], "hold": False}}

    return encode_unheld


# --- Waiting less long ----------------------------------------------------------------------------------------

WAITS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "settled": (("core.sweeping", "SETTLED_SECONDS"),),
    "again": (("engine.sweeping", "AGAIN_SECONDS"),),
    "after-unknown": (("engine.sweeping", "AFTER_UNKNOWN_OUTCOME_SECONDS"),),
    "lost": (("core.undecided", "LOST_SECONDS"), ("core.letting_go", "LOST_SECONDS")),
    "recheck": (("core.undecided", "UNKNOWN_JOB_RECHECK_SECONDS"), ("core.recorded", "UNKNOWN_JOB_RECHECK_SECONDS")),
    "cancel-again": (("core.cancelling", "CANCEL_AGAIN_SECONDS"),),
    "late": (
        ("core.unrecorded", "LATE_SUBMISSION_SECONDS"),
        ("core.letting_go", "LATE_SUBMISSION_SECONDS"),
        ("engine.unknown_outcomes", "LATE_SUBMISSION_SECONDS"),
    ),
}
"""Lengths of time that a test cannot wait for, and where they stand; no rule but how long is changed by them."""


def shorten(orders: str) -> None:
    """`NAME:SECONDS`, separated by commas. Raises `BadOrder`; also where the wait is not longer anyway."""
    for order in filter(None, (part.strip() for part in orders.split(","))):
        name, _, seconds = order.partition(":")
        if name not in WAITS or not seconds.isdecimal():
            raise BadOrder(f"SHORTENED={order!r} must be NAME:SECONDS, NAME one of: {', '.join(WAITS)}")
        for place, attribute in WAITS[name]:
            _shorten(importlib.import_module(f"slurmjob_operator.{place}"), attribute, int(seconds))


def _shorten(module: ModuleType, attribute: str, seconds: int) -> None:
    long: Any = getattr(module, attribute, None)
    first = long[0] if isinstance(long, tuple) else long
    if not isinstance(first, int | float) or first <= seconds:
        raise BadOrder(f"{attribute} of {module.__name__} is {long}, which {seconds} s does not shorten")
    setattr(module, attribute, (float(seconds), *long[1:]) if isinstance(long, tuple) else seconds)


# --- Running --------------------------------------------------------------------------------------------------


def preparation(environment: Mapping[str, str]) -> Callable[[Outside], Outside]:
    """What `cli.main` is to do with the operator's surroundings. Raises `BadOrder`."""
    witness = witness_of(environment)
    off = guards_off(environment.get("GUARD_OFF", ""))
    shorten(environment.get("SHORTENED", ""))

    def prepare(outside: Outside) -> Outside:
        for name in off:
            outside = GUARDS[name](outside)
        return replace(outside, witness=witness)

    return prepare


def main() -> None:
    """The operator's own command line, in this environment."""
    try:
        prepare = preparation(os.environ)
    except BadOrder as error:
        sys.exit(f"operator_build: {error}")
    cli.main(prepare=prepare)


if __name__ == "__main__":
    main()
