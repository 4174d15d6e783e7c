"""What a run used, as slurmdbd tells it once the run is over. Nothing is guessed: what Slurm does not say is absent.

The end of a job never waits for it: slurmdbd is asked once as the end is seen, for an instant. What it does not know by
then is asked for afterwards, while the finalizer stands, which remembers, over a crash too, that something is still to
come. After some minutes the object is let go without.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from slurmjob_operator.api.conditions import ConditionType
from slurmjob_operator.api.status import Attempt, SlurmJobStatus, Usage
from slurmjob_operator.core import arrays
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core.attempts import UNKNOWN, opened_elsewhere
from slurmjob_operator.core.decision import Decision, ReadUsage
from slurmjob_operator.core.known import largest, total
from slurmjob_operator.core.records import JobRecord, Spent
from slurmjob_operator.core.times import epoch_of
from slurmjob_operator.core.view import Facts, JobView
from slurmjob_operator.sbatch.index_sets import NONE, IndexSet, union

LONGEST_WAIT_SECONDS = 300
"""After the end: slurmdbd hears of it within seconds, but when it was away (measured: 13 to 15 s after it is back)."""

ASK_AGAIN_SECONDS = 5.0

MOST_TASKS_SUMMED = 2000
"""Of an array: the records of its tasks with their steps are some 10 kB each."""

NO_SLURMDBD = "This Slurm has no slurmdbd, which keeps what jobs used."
TOO_LATE = f"slurmdbd did not tell it within {LONGEST_WAIT_SECONDS // 60} minutes after the end."
TOO_MANY_TASKS = f"What an array of more than {MOST_TASKS_SUMMED} tasks used is not summed up."


# --- The values --------------------------------------------------------------------------------------------------


def usage_of(record: JobRecord) -> Usage | None:
    """Of a job, or of all tasks of an array together; None: the record does not tell, or not all of it yet."""
    told = [part for part in record.parts or (record,) if part.spent is not None]
    spent = [part.spent for part in told if part.spent is not None]
    if not told or any(one.steps_open for one in spent):
        return None
    of_each = [part.elapsed_seconds for part in told]
    elapsed = total(of_each) if record.het_id is None else largest(of_each)  # components run at the same time
    cpu = total(one.cpu_seconds for one in spent)
    cpu_time = total(_times(part.elapsed_seconds, part.cpus) for part in told)
    return Usage(
        elapsed_seconds=_whole(elapsed),
        cpu_seconds=_whole(cpu),
        max_rss_bytes=largest(one.max_rss_bytes for one in spent),
        gpu_seconds=_whole(total(_times(part.elapsed_seconds, part.spent.gpus) for part in told if part.spent)),
        energy_joules=_whole(total(one.energy_joules for one in spent)),
        cpu_efficiency_percent=_percent(cpu, cpu_time),
        memory_efficiency_percent=_memory_percent(spent),
        derived_exit_code=largest(one.derived_exit_code for one in spent),
    )


def _memory_percent(spent: Iterable[Spent]) -> int | None:
    """Of the task of an array that came nearest to what it had."""
    return largest(_percent(one.total_rss_bytes, one.memory_bytes) for one in spent)


def _percent(part: float | None, whole: float | None) -> int | None:
    return None if part is None or not whole else round(100 * part / whole)


def _times(seconds: int | None, count: int | None) -> int | None:
    return None if seconds is None or count is None else seconds * count


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


# --- When it is read ---------------------------------------------------------------------------------------------


def usage_told(view: JobView, facts: Facts, records: Iterable[JobRecord]) -> Usage | None:
    """By slurmdbd's records of the recorded id, once they tell the end too; None: not yet."""
    record = arrays.ended_in_slurmdbd(view, records)
    if record is None or not _tells_of_all(record, _tasks_of_attempt(view, facts)):
        return None
    return usage_of(record)


def _tasks_of_attempt(view: JobView, facts: Facts) -> IndexSet:
    """Those of the first attempt are all; of a later one those that slurmctld still showed at its end."""
    if view.array is None:
        return NONE
    if view.status.attempt == 1:
        return view.array.indexes
    shown = facts.controller.parts if isinstance(facts.controller, JobRecord) else ()
    return union(part.indexes or NONE for part in shown)


def _tells_of_all(record: JobRecord, tasks: IndexSet) -> bool:
    """slurmdbd of 22.05 hears of a task seconds after its start, and so perhaps after the end of another (measured).
    A record that names no task is of all that were cancelled before they started."""
    parts = record.parts or (record,)
    rest = any(part.indexes is None and part.began_at is None for part in parts)
    return rest or not tasks - union(part.indexes or NONE for part in parts)


def is_worth_a_request(view: JobView, facts: Facts, record: JobRecord) -> bool:
    """Whether slurmdbd may tell more of this end than the record does, and has not been asked."""
    asked = record.spent is not None or facts.usage is not None
    return not asked and record.began_at is not None and why_never(view, facts) is None


def usage_at_the_end(view: JobView, facts: Facts, record: JobRecord) -> Usage | None:
    """What is known as the end is written, or why it never will be; None: it may be told yet, or there was no run."""
    if record.began_at is None:
        return None
    told = usage_of(record) or (facts.usage.usage if facts.usage is not None else None)
    never = why_never(view, facts)
    return told or (Usage(missing=never) if never is not None else None)


def why_never(view: JobView, facts: Facts) -> str | None:
    """Why nobody will tell; None: somebody may."""
    if not facts.connection.accounting:
        return NO_SLURMDBD
    too_many = view.array is not None and len(view.array.indexes) > MOST_TASKS_SUMMED
    return TOO_MANY_TASKS if too_many else None


def not_told_yet(view: JobView, facts: Facts, now: float) -> Decision | None:
    """The end stands in status without what the run used: it is asked for, again and again, ever more rarely."""
    last = view.status.attempts[-1] if view.status.attempts else None
    if not view.has_finalizer or last is None or not _ran_and_ended(last) or why_never(view, facts) is not None:
        return None
    finished = edit.find(view.status.conditions, ConditionType.FINISHED)
    over = finished is not None and finished.status == "True"
    since = epoch_of(finished.last_transition_time) if finished is not None and over else epoch_of(last.end_time)
    if facts.usage is not None and facts.usage.usage is not None:
        return Decision(status=_with(view.status, facts.usage.usage, over=over))
    if now >= since + LONGEST_WAIT_SECONDS:
        return Decision(status=_with(view.status, Usage(missing=TOO_LATE), over=over))
    away = facts.connection.problem is not None or opened_elsewhere(view, facts.connection) is not None
    if not away and facts.usage is None:
        return Decision(status=view.status, action=ReadUsage(view.recorded_id))
    again = now + max(ASK_AGAIN_SECONDS, (now - since) / 2)
    return Decision(status=view.status, recheck_at=min(again, since + LONGEST_WAIT_SECONDS))


def _ran_and_ended(last: Attempt) -> bool:
    """Whether there was a run, a record told its end, and nothing is known of its use."""
    return last.usage is None and last.job_id is not None and last.start_time is not None and last.state != UNKNOWN


def _with(status: SlurmJobStatus, usage: Usage, *, over: bool) -> SlurmJobStatus:
    attempt = replace(status.attempts[-1], usage=usage)
    return replace(status, usage=usage if over else status.usage, attempts=(*status.attempts[:-1], attempt))
