"""Why a job waits, in words that a person can act on (man squeue, JOB REASON CODES)."""

from __future__ import annotations

from slurmjob_operator.core.pending_reasons import Wait, meaning
from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.core.times import rfc3339

MOST_DESCRIPTION_CHARACTERS = 200

AS_IT_IS = "it will not start as it is"


def explain(record: JobRecord) -> str:
    """One sentence: Slurm's reason, what it means, and Slurm's guess of the start where it has one."""
    reason, found = _reason(record), meaning(_reason(record))
    known = _held_again(record) or (found.words if found is not None else None)
    if found is not None and found.wait is Wait.NEVER:
        known = f"{known}; {AS_IT_IS}"
    words = f"Slurm job {record.job_id} waits: {reason}" + (f" ({known})." if known else ".")
    guess = estimated_start(record)
    return words if guess is None else f"{words} Slurm expects to start it at {rfc3339(guess)}."


def never_starts(record: JobRecord) -> bool:
    """Whether it waits for what will not come until somebody changes the job or a limit. Of several partitions Slurm
    tells the reason of one alone, and it may start in another."""
    found = meaning(_reason(record))
    alone = "," not in (record.partition or "")
    return alone and not record.held and found is not None and found.wait is Wait.NEVER


def _reason(record: JobRecord) -> str:
    """Slurm's word; what it adds behind a comma are names of nodes."""
    return (record.reason or "None").split(",")[0].strip()


def _held_again(record: JobRecord) -> str | None:
    """Slurm's own sentence, where Slurm, or an administrator by requeuehold, holds a job that had begun: the
    reason is then JobHeldUser, which would blame its user."""
    if not record.waits_held or not record.description:
        return None
    return f"{record.description[:MOST_DESCRIPTION_CHARACTERS]}; `scontrol release` lets it go"


def estimated_start(record: JobRecord) -> int | None:
    """Slurm's guess: the start time of a job that has not started."""
    return record.start_time if "PENDING" in record.states and record.start_time else None


def keep_estimate(*, old: int | None, new: int | None, now: float) -> int | None:
    """The estimate to show: it is written again only when it moved by more than 15 minutes or 10 %."""
    if old is None or new is None:
        return new
    return old if abs(new - old) <= max(900.0, 0.1 * abs(old - now)) else new
