"""Pending jobs are read again for their reason: soon at first, at last every five minutes, and few a second."""

from __future__ import annotations

from collections.abc import Iterable

from slurmjob_operator.engine.registry import Entry

LONGEST_REREAD_SECONDS = 300.0
REREADS_PER_SECOND = 2.0
"""Reads of pending jobs for their reason, at most, besides the shared poll of states."""


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
