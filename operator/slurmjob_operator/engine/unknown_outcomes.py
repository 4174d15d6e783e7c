"""Submissions of unknown outcome that are open now, over all connections: each may hold a worker of slurmrestd."""

from __future__ import annotations

from slurmjob_operator.core.unrecorded import LATE_SUBMISSION_SECONDS

ServerUser = tuple[str, str | None]
"""Address of a slurmrestd, and the Slurm user that speaks to it."""


class UnknownOutcomes:
    """By uid of the SlurmJob. One is open until Slurm cannot take it any more; then it is forgotten by itself."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[ServerUser, float]] = {}

    def note(self, uid: str, *, at: ServerUser, now: float) -> None:
        """A submission of this SlurmJob was sent and not answered, `now` (epoch seconds)."""
        self._open[uid] = (at, now + LATE_SUBMISSION_SECONDS)

    def others(self, uid: str, *, at: ServerUser, now: float) -> int:
        """How many of other SlurmJobs are open there."""
        self._open = {key: value for key, value in self._open.items() if value[1] > now}
        return sum(1 for key, (where, _) in self._open.items() if key != uid and where == at)
