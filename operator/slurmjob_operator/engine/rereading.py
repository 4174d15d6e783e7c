"""Which jobs are read again: those whose states are others now, and pending ones for their reason: soon at first, at
last every five minutes, and few a second."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from slurmjob_operator.api.conditions import ConditionType
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core.attempts import unknown_reason
from slurmjob_operator.engine.registry import Entry

LONGEST_REREAD_SECONDS = 300.0
REREADS_PER_SECOND = 2.0
"""Reads of pending jobs for their reason, at most, besides the shared poll of states."""


def differing(live: Iterable[Entry], states: Mapping[int, frozenset[str]]) -> list[Entry]:
    """Those for which a poll tells other states than stand in status, or that Slurm was out of sight. Two may have one
    id: Slurm gives that of a job that it has lost to the next one. `states` has no row for a job that was not asked
    for, and an empty one for a job that is not known."""
    return [entry for entry in live if _differs(entry, states.get(entry.view.recorded_id or 0))]


def _differs(entry: Entry, seen: frozenset[str] | None) -> bool:
    if seen is None:
        return False
    status = entry.view.status
    known = frozenset(status.slurm.states) if status.slurm else frozenset({"PENDING"})
    return not has_its_time(entry, seen=bool(seen)) and (seen != known or not is_synced(entry))


def has_its_time(entry: Entry, *, seen: bool) -> bool:
    """Whether one that is unclear is looked at again when the decision said, not at every poll. `seen`: the poll shows
    it."""
    unclear = not seen or unknown_reason(entry.view.status) is not None
    return unclear and entry.due is not None


def is_synced(entry: Entry) -> bool:
    """Whether status says that Slurm is in sight."""
    return edit.is_true(entry.view.status.conditions, ConditionType.SYNCED)


def plan_reread(entry: Entry, *, now: float, shortest: float) -> None:
    """When to read it again: after twice as long as last time. `now` is in monotonic seconds."""
    if not _is_pending(entry):
        entry.reread_delay = 0.0
        return
    entry.reread_delay = min(max(shortest, entry.reread_delay * 2.0), LONGEST_REREAD_SECONDS)
    entry.reread_at = now + entry.reread_delay


def due_rereads(entries: Iterable[Entry], *, now: float, seconds: float) -> list[Entry]:
    """Those to be read now, the longest due first: as many as so many seconds allow."""
    waiting = [e for e in entries if e.reread_at <= now and e.due is None and not e.running and _is_pending(e)]
    return sorted(waiting, key=lambda entry: entry.reread_at)[: int(REREADS_PER_SECOND * seconds)]


def _is_pending(entry: Entry) -> bool:
    slurm = entry.view.status.slurm
    return entry.followed and (slurm is None or "PENDING" in slurm.states)
