"""A job as it is to be submitted, in values that no dialect has a say in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from slurmjob_operator.sbatch.value import NEWEST, OLDEST, Release

NEWEST_API: Final = "v0.0.45"
OLDEST_API: Final = "v0.0.38"

_RELEASE: Final = re.compile(r"([0-9]{2})\.([0-9]{2})(?![0-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a request is made for: a release of Slurm, and the version of slurmrestd's API that is spoken to it."""

    release: Release = NEWEST
    api_version: str = NEWEST_API

    @property
    def takes_arguments(self) -> bool:
        """Whether a script's arguments can be sent: `argv` kills slurmrestd 22.05 (TRAP S4)."""
        return self.api_version != OLDEST_API

    @classmethod
    def of(cls, *, release: str, api_version: str) -> Target:
        """`release` as Slurm names itself: `26.05.5`. What is no such name may be any that speaks this version."""
        told = _RELEASE.match(release)
        if told is None:
            return cls(release=OLDEST if api_version == OLDEST_API else NEWEST, api_version=api_version)
        return cls(release=Release(int(told[1]), int(told[2])), api_version=api_version)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """One job, checked: every value here is one that sbatch would have sent.

    `options` are parsed values by long option name, after what options do to each other. `priority` is set at the
    release, and is no part of the submission. That the user wants it to stay held is no part of it: every job is
    submitted held. `others` are the components after the first, where it is a heterogeneous job; scripts and arguments
    of theirs do not count.
    """

    script: str
    arguments: tuple[str, ...] = ()
    name: str
    chdir: str
    environment: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    others: tuple[Component, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One more component of a heterogeneous job, with Slurm's fields `comment` and `extra`."""

    request: JobRequest
    comment: str
    extra: str | None = None
