"""When arrays of jobs are asked about, and when they are read: their records are long, so what only counts is not read
more often than people look at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from slurmjob_operator.engine.registry import Entry
from slurmjob_operator.engine.rereading import has_its_time, is_synced
from slurmjob_operator.slurm.following import TaskStates

PROGRESS_SECONDS = 30.0
"""A living array is read, and its progress written, at most so often; its end is not waited for."""

FEW_TASKS = 2000
"""Of all arrays of a connection together: their states are asked for at every poll (50 bytes a task); of more every
half minute."""


def arrays_to_ask(live: Iterable[Entry], *, now: float) -> list[Entry]:
    """Those whose tasks are asked about now (monotonic seconds)."""
    arrays = [entry for entry in live if entry.view.array is not None]
    count = sum(len(entry.view.array.indexes) for entry in arrays if entry.view.array is not None)
    due = arrays if count <= FEW_TASKS else [entry for entry in arrays if entry.array_ask_at <= now]
    for entry in due:
        entry.array_ask_at = now + PROGRESS_SECONDS
    return due


def running_ids(entries: Iterable[Entry]) -> dict[int, frozenset[int]]:
    """By the array's id the ids of those tasks that ran when it was read last."""
    tasks = ((entry.view.recorded_id, entry.facts.tasks) for entry in entries)
    return {array_id: frozenset() if known is None else known.running_ids for array_id, known in tasks}


def read_changed(entries: Iterable[Entry], seen: Mapping[int, TaskStates], *, now: float) -> list[Entry]:
    """Those to be read now, since their tasks are not as they were. A living one that was read a moment ago is planned
    for later."""
    found = []
    for entry in entries:
        states = seen.get(entry.view.recorded_id)
        if states is None or entry.running or has_its_time(entry, seen=states.alive):
            continue  # The race: what is being read now may be older than this answer. The next poll tells.
        if states == entry.shown and is_synced(entry):
            continue
        entry.shown = states
        due = entry.array_read_at + PROGRESS_SECONDS
        starts = entry.view.status.start_time is None
        if now >= due or starts or not states.alive or not is_synced(entry):
            found.append(entry)
        else:
            entry.due = due if entry.due is None else min(entry.due, due)
    return found
