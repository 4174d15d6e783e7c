"""An array of jobs seen as one job: what Slurm says of its parts, folded into one record that all rules read.

Slurm has one record for the tasks that wait, and one for each other task. slurmctld forgets a task some time after its
end (MinJobAge), while others still run; slurmdbd tells of it then. What is known of ended tasks is kept in status and
in this process, so each end is read once. The whole is over when each of its tasks has an end that a record tells.

The whole is as its liveliest task is; when it is over, as the worst of them ended, in the order of `WORST_FIRST`. A
retry is of those tasks alone that failed in a way that is tried again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from slurmjob_operator.core import attempts
from slurmjob_operator.core.array_status import is_tried_again, known_of
from slurmjob_operator.core.components import joined
from slurmjob_operator.core.identity import newest_of_ours
from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.core.states import (
    PENDING,
    TERMINAL,
    WORST_FIRST,
    End,
    end_of,
    is_over,
    liveliness,
    script_exit,
)
from slurmjob_operator.core.tasks import Ended, Outcome, Tasks, with_ended, without
from slurmjob_operator.core.view import Facts, JobView
from slurmjob_operator.sbatch.index_sets import LONGEST_TEXT, NONE, IndexSet, union

MOST_TOLD = 5
"""Kinds of failures that a message names."""

ENDING = frozenset({"COMPLETING"})
"""As the whole is shown while all tasks are gone and the ends of some are not known yet."""


def remaining(view: JobView) -> IndexSet:
    """The tasks of the attempt that is open, or that is to be opened next."""
    if view.array is None:
        return NONE
    resumed = attempts.is_suspended(view.status)
    known = known_of(view.status.array)
    done = (indexes for outcome, indexes in known if resumed or not is_tried_again(outcome))
    return view.array.indexes - union(done)


def option(view: JobView) -> str | None:
    """The text of the option `array` for the open attempt; None: as the template has it."""
    if view.array is None or (view.status.attempt or 1) == 1:
        return None
    return view.array.only(remaining(view))


def too_many_to_try_again(tasks: Tasks | None) -> bool:
    """Whether the indexes of another attempt would make a text that cannot be written down, or those be lost that need
    none."""
    if tasks is None:
        return False
    return any(len(str(part)) > LONGEST_TEXT for part in (tasks.failed, tasks.succeeded))


# --- The records of one array ------------------------------------------------------------------------------------


def together(parts: Sequence[JobRecord]) -> JobRecord:
    """The records of one array as one, that says what the liveliest of them says. It is held when all of it is."""
    first = max(parts, key=lambda part: liveliness(part.states))
    submitted = [part.submit_time for part in parts if part.submit_time is not None]
    return replace(
        first,
        job_id=first.whole_id,
        held=all(part.waits_held for part in parts),
        restarts=sum(part.restarts for part in parts),
        submit_time=min(submitted, default=None),
        parts=tuple(parts),
    )


def furthest(view: JobView, records: Iterable[JobRecord]) -> JobRecord | None:
    """Of slurmdbd's records one that tells that something of it has begun, if there is one, else any; None: none is
    ours."""
    found = _newest_by_task(view, records)
    return max(found, key=lambda record: (record.states != {"PENDING"}, bool(record.start_time)), default=None)


def _newest_by_task(view: JobView, records: Iterable[JobRecord]) -> list[JobRecord]:
    by_task: dict[object, list[JobRecord]] = {}
    for record in records:
        by_task.setdefault((record.indexes, record.het_offset), []).append(record)
    newest = (newest_of_ours(view, tuple(group)) for group in by_task.values())
    return [record for record in newest if record is not None]


def ended_in_slurmdbd(view: JobView, records: Iterable[JobRecord]) -> JobRecord | None:
    """Our run in slurmdbd's records, of an array all its tasks together; None: it is not over there, or not there."""
    found = _newest_by_task(view, records)
    if not found or not all(is_over(record.states) for record in found):
        return None
    return _one(view, found)


# --- Its tasks ---------------------------------------------------------------------------------------------------


def tasks_of(
    view: JobView, facts: Facts, *, shown: Sequence[JobRecord], told: Iterable[JobRecord] | None = None
) -> Tasks | None:
    """What is known of each task: `shown` by slurmctld, `told` by slurmdbd if it was asked, and what was known before.
    slurmctld knows best; what it does not show any more has ended, however that is."""
    if view.array is None:
        return None
    wanted = remaining(view)
    known = facts.tasks.ended if facts.tasks is not None else known_of(view.status.array)
    if told is not None:
        known = _with_ends(known, _newest_by_task(view, told), wanted=wanted)
    exact = [part for part in shown if part.indexes is not None or not facts.connection.accounting]
    known = _with_ends(known, exact, wanted=wanted)
    waiting = [part for part in shown if liveliness(part.states) == PENDING]
    started = [part for part in shown if not is_over(part.states) and liveliness(part.states) != PENDING]
    running = union(part.indexes or NONE for part in started)
    pending = union(part.indexes or NONE for part in waiting)
    known = without(known, running | pending)
    if any(part.indexes is None for part in waiting):
        # Slurm has not named them all: what is not told otherwise waits. A task that ended and was forgotten since the
        # last read counts among them, until the text is short enough.
        pending |= wanted - running - union(indexes for _, indexes in known)
    return Tasks(
        wanted=view.array.indexes,
        pending=pending,
        running=running,
        ended=known,
        running_ids=frozenset(part.job_id for part in started),
    )


def _with_ends(known: Ended, records: Sequence[JobRecord], *, wanted: IndexSet) -> Ended:
    """What is known with what these records tell of ends. A record that does not name its tasks is of all that no
    other one tells of: they were cancelled before they started."""
    named = union(record.indexes or NONE for record in records)
    rest = wanted - named - union(indexes for _, indexes in known)
    over = [record for record in records if is_over(record.states)]
    return with_ended(known, ((_outcome(it), rest if it.indexes is None else it.indexes) for it in over))


def _outcome(record: JobRecord) -> Outcome:
    code, signal = script_exit(record)
    state = min(record.states & TERMINAL)
    return Outcome(state=state, reason=end_of(record).reason, exit_code=code, signal=signal)


# --- The whole ---------------------------------------------------------------------------------------------------


def whole(record: JobRecord, tasks: Tasks | None) -> JobRecord:
    """The record of an array with what is known of its tasks; of another job it is returned as it is."""
    if tasks is None:
        return record
    if tasks.pending or tasks.running:
        return replace(record, tasks=tasks, nodes=None)
    ends = [part.end_time for part in record.parts if part.end_time is not None]
    worst = _worst(tasks)
    codes = [outcome.exit_code for outcome, _ in tasks.ended if outcome.exit_code is not None]
    return replace(
        record,
        tasks=tasks,
        states=ENDING if tasks.untold or worst is None else frozenset({worst.state}),
        held=False,
        end_time=max(ends, default=None),
        exit_code=max(codes, default=None),
        signal=worst.signal if worst is not None else None,
        nodes=None,
    )


def _worst(tasks: Tasks) -> Outcome | None:
    """As the whole ended; of several outcomes of that state the one that most tasks had."""
    groups = sorted(tasks.ended, key=lambda group: (WORST_FIRST.index(group[0].state), -len(group[1])))
    return groups[0][0] if groups else None


def by_slurmdbd(view: JobView, facts: Facts) -> JobRecord | None:
    """The newest of slurmdbd's records that is ours, where slurmctld knows none; of an array all of them as one. None:
    there is none."""
    newest = _newest_by_task(view, facts.accounting or ())
    return whole(_one(view, newest), facts.tasks) if newest else None


def _one(view: JobView, records: Sequence[JobRecord]) -> JobRecord:
    """The newest records of an array's tasks, or of a job's components, as one."""
    if view.array is not None:
        return together(records)
    return records[0] if len(records) == 1 else joined(records)


def end_of_job(record: JobRecord) -> End:
    """How the job of a record that is over ended. An array's reason is that of its worst task."""
    tasks = record.tasks
    worst = _worst(tasks) if tasks is not None else None
    if tasks is None or worst is None:
        return end_of(record)
    job, count = f"Slurm job {record.job_id}", len(tasks.wanted)
    if worst.succeeded:
        return End(succeeded=True, reason=worst.reason, message=f"All {count} tasks of {job} completed.")
    failures = sorted(
        ((outcome, indexes) for outcome, indexes in tasks.ended if not outcome.succeeded),
        key=lambda group: WORST_FIRST.index(group[0].state),
    )
    told = "; ".join(
        f"{len(indexes)} {_words(outcome)} ({indexes.shown()})" for outcome, indexes in failures[:MOST_TOLD]
    )
    more = " …" if len(failures) > MOST_TOLD else ""
    message = f"{len(tasks.failed)} of {count} tasks of {job} failed: {told}{more}."
    return End(succeeded=False, reason=worst.reason, message=message)


def _words(outcome: Outcome) -> str:
    if outcome.signal is not None:
        return f"{outcome.reason}, signal {outcome.signal}"
    return f"{outcome.reason}, exit code {outcome.exit_code}" if outcome.exit_code else str(outcome.reason)
