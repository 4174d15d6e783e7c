"""One row of the table of sbatch's options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from slurmjob_operator.sbatch.value import NEWEST, OLDEST, Release, ValueType

Body = Mapping[str, Any]
"""Keys of `job` in the body of job/submit."""


class Argument(Enum):
    """Whether an option has an argument, as getopt_long sees it."""

    NONE = 0
    REQUIRED = 1
    OPTIONAL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """How a family of API versions says an option.

    `encode` takes the parsed value and gives the keys of the body; keys of several options are put together by
    `rest.merged`. `since`: the first API version that has the key, "" for all of the family. `absent`: versions after
    that which lack it all the same. `unsaid`: the reason why an API version cannot say this value, None where it can.
    `observed`: whether its effect was seen in a job record of the sandbox; else it is sent, effect not observed.
    """

    encode: Callable[[Any], Body]
    since: str = ""
    absent: frozenset[str] = frozenset()
    unsaid: Callable[[Any, str], str | None] | None = None
    observed: bool = True

    def reason_against(self, value: Any, api_version: str) -> str | None:
        """Why this API version cannot say the value, a sentence; None where it can."""
        if api_version < self.since:
            return f"needs {self.since} of slurmrestd's API, and this is {api_version}"
        if api_version in self.absent:
            return f"{api_version} of slurmrestd's API has no key for it; set apiVersion of the connection to another"
        return None if self.unsaid is None else self.unsaid(value, api_version)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSaid:
    """The family cannot say the option. `reason`: a sentence on why, and what to do instead."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """Another part of the request says it; `where` is a sentence on that for the docs."""

    where: str


Saying = Rest | NotSaid | Handled


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option of sbatch.

    `name` is the long name without dashes; `aliases` are other long names. `changed`: from that release on, `argument`
    is the other one. `type` is None for an option that has no value here at all. `default` is the text that sbatch
    gives an optional argument that is left out, or "true" for a flag. `sets`: the option whose value this one gives
    (`no-requeue` sets `requeue` to `default`). `since`, `until`:
    first and last release whose sbatch has it. `means_nothing`: a sentence for an option that is read and has no effect
    here (`--wait`, `--parsable`): one warning; a field only where it has a type. `refused`: a sentence for an option
    that no version can have over REST.
    `ours`: texts that a field may have and sbatch does not take (`exclusive: node`), in lower case.
    `help` is the description in CRD and docs: one to three sentences with unit and default, no option name in it.
    """

    name: str
    help: str
    short: str | None = None
    aliases: tuple[str, ...] = ()
    argument: Argument = Argument.REQUIRED
    changed: tuple[Release, Argument] | None = None
    type: ValueType | None = None
    default: str | None = None
    sets: str | None = None
    v38: Saying | None = None
    v40: Saying | None = None
    since: Release = OLDEST
    until: Release = NEWEST
    means_nothing: str | None = None
    refused: str | None = None
    ours: frozenset[str] = frozenset()
    inherited: bool = False
    """Whether later components of a heterogeneous job take it from the first."""
    late: bool = False
    """Whether sbatch looks at its value when it has read all options, or leaves that to slurmctld: of several values
    only the last has to be right."""

    def known_in(self, release: Release) -> bool:
        """Whether a release's sbatch has it; `until` the newest one that is known means to this day."""
        return self.since <= release and (self.until == NEWEST or release <= self.until)

    def argument_in(self, release: Release) -> Argument:
        """What a release's sbatch has as `argument`."""
        return self.argument if self.changed is None or release < self.changed[0] else self.changed[1]

    @property
    def field(self) -> str | None:
        """The name in `template`, camelCase; None where there is none."""
        if self.sets or self.refused or self.type is None:
            return None
        first, *others = self.name.split("-")
        return first + "".join(word.capitalize() for word in others)
