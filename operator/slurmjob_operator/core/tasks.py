"""The tasks of an array of jobs, as sets of indexes: who waits, who runs, and who ended how."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from slurmjob_operator.api.conditions import Reason
from slurmjob_operator.sbatch.index_sets import NONE, IndexSet, union


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How tasks ended: Slurm's state, the reason in our words, exit code and signal of their script."""

    state: str
    reason: Reason
    exit_code: int | None = None
    signal: int | None = None

    @property
    def succeeded(self) -> bool:
        """Whether such a task did what it should (TRAP Q2: by its state alone)."""
        return self.state == "COMPLETED"


COMPLETED = Outcome(state="COMPLETED", reason=Reason.COMPLETED, exit_code=0)

Ended = tuple[tuple[Outcome, IndexSet], ...]
"""Each outcome once, no index twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """All tasks of an array, over all its attempts. `wanted`: the indexes that the template names; `running`: those
    that Slurm has started and that have not ended, `running_ids`: Slurm's ids of these. What is in no set is of
    unknown fate: Slurm has forgotten it, or does not tell yet."""

    wanted: IndexSet
    pending: IndexSet = NONE
    running: IndexSet = NONE
    ended: Ended = ()
    running_ids: frozenset[int] = frozenset()

    @property
    def succeeded(self) -> IndexSet:
        """Those that did what they should."""
        return union(indexes for outcome, indexes in self.ended if outcome.succeeded)

    @property
    def failed(self) -> IndexSet:
        """Those that ended, and did not."""
        return union(indexes for outcome, indexes in self.ended if not outcome.succeeded)

    @property
    def over(self) -> IndexSet:
        """Those that ended."""
        return union(indexes for _, indexes in self.ended)

    @property
    def untold(self) -> IndexSet:
        """Those of which nobody knows what became."""
        return self.wanted - self.pending - self.running - self.over


def with_ended(ended: Ended, more: Iterable[tuple[Outcome, IndexSet]]) -> Ended:
    """The newer outcomes of `more` put in the place of what was known."""
    found: dict[Outcome, list[IndexSet]] = {}
    for outcome, indexes in more:
        found.setdefault(outcome, []).append(indexes)
    new = {outcome: union(sets) for outcome, sets in found.items()}
    newer = union(new.values())
    kept = without(ended, newer)
    together = dict(kept)
    for outcome, indexes in new.items():
        together[outcome] = together.get(outcome, NONE) | indexes
    return tuple(together.items())


def without(ended: Ended, indexes: IndexSet) -> Ended:
    """The rest once these are taken out."""
    rest = ((outcome, kept - indexes) for outcome, kept in ended)
    return tuple((outcome, kept) for outcome, kept in rest if kept)
