"""The marker: what ties a Slurm job to one attempt of one SlurmJob, at the start of its comment.

    [slurmjob.dev/1 i=INSTALLATION o=NAMESPACE/NAME u=UID a=ATTEMPT h=HASH] the user's own comment
    [slurmjob.dev/1 i=… o=… u=… a=… h=… released] …

Slurm keeps comments of at most 1,024 bytes (measured: 1,025 are refused). The note `released` is written in
the same update that lifts the hold, so that Slurm's state save keeps or loses both together. Names in
Kubernetes hold no blank, `=` or `]`, so the form needs no quoting. Older forms are read for ever.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

PREFIX: Final = "[slurmjob.dev/"
COMMENT_BYTES: Final = 1024
RELEASED: Final = "released"
SUSPENDED: Final = "suspended"
INSTALLATION_PATTERN: Final = r"^[A-Za-z0-9._/-]{1,128}$"

_FORM = re.compile(
    r"\[slurmjob\.dev/1 i=(?P<installation>\S+) o=(?P<namespace>[^\s/]+)/(?P<name>\S+) u=(?P<uid>\S+) "
    r"a=(?P<attempt>[0-9]{1,9}) h=(?P<template_hash>[0-9a-f]+)(?P<notes>(?: [a-z]+)*)\]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """Identity of one attempt, and what we noted about it in Slurm: `released`, or `suspended` when we have taken it
    out of the queue since."""

    installation: str
    namespace: str
    name: str
    uid: str
    attempt: int
    template_hash: str
    released: bool = False
    suspended: bool = False

    def note_released(self) -> Marker:
        """The marker as it stands in Slurm from the release on."""
        return replace(self, released=True, suspended=False)

    def note_suspended(self) -> Marker:
        """The marker of a job that we hold, and that is ours to release."""
        return replace(self, released=False, suspended=True)

    def comment(self, text: str) -> str:
        """The whole comment: marker, blank, the user's own text."""
        notes = "".join(f" {note}" for note, so in ((RELEASED, self.released), (SUSPENDED, self.suspended)) if so)
        marker = (
            f"{PREFIX}1 i={self.installation} o={self.namespace}/{self.name} u={self.uid} "
            f"a={self.attempt} h={self.template_hash}{notes}]"
        )
        return f"{marker} {text}" if text else marker

    def room(self) -> int:
        """Bytes that are left for the user's own text, the longest note already counted."""
        return COMMENT_BYTES - len(self.note_suspended().comment("x").encode()) + 1


def parse(comment: str) -> Marker | None:
    """Read the marker at the start of a comment; None where there is none (or one that nobody can read)."""
    match = _FORM.match(comment)
    if match is None:
        return None
    return Marker(
        installation=match["installation"],
        namespace=match["namespace"],
        name=match["name"],
        uid=match["uid"],
        attempt=int(match["attempt"]),
        template_hash=match["template_hash"],
        released=RELEASED in match["notes"].split(),
        suspended=SUSPENDED in match["notes"].split(),
    )


def user_text(comment: str) -> str:
    """What follows the marker; the whole comment where there is none."""
    match = _FORM.match(comment)
    return comment if match is None else comment[match.end() :].removeprefix(" ")
