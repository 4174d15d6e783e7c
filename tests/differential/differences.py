"""Where two outcomes differ, or two job records, leaving out what belongs to one job alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tests.differential.cases import Held, Outcome, Refused
from tests.differential.reasons import NOT_OVER_REST, same
from tests.differential.records import Record

ALONE: Final[Mapping[str, str]] = {
    "scontrol.JobId": "the job's own",
    "scontrol.ArrayJobId": "the job's own",
    "scontrol.HetJobId": "the job's own",
    "scontrol.HetJobIdSet": "the job's own",
    "rest.job_id": "the job's own",
    "rest.array_job_id.number": "the job's own",
    "rest.array_job_id": "the job's own",
    "rest.het_job_id.number": "the job's own",
    "rest.het_job_id": "the job's own",
    "rest.het_job_id_set": "the job's own",
    "scontrol.Command": "the file that sbatch was given",
    "rest.command": "the file that sbatch was given",
    "scontrol.SubmitLine": "the command line of sbatch",
    "rest.submit_line": "the command line of sbatch",
    "rest.step_id.sluid": "the job's own",
    "rest.step_id.job_id.number": "the job's own",
    "scontrol.AllocNode:Sid": "where the request came from",
    "rest.allocating_node": "where the request came from",
    "scontrol.LastSchedEval": "when the scheduler looked at it",
    "rest.last_sched_evaluation.number": "when the scheduler looked at it",
    "rest.last_sched_evaluation": "when the scheduler looked at it",
    "scontrol.Scheduler": "which scheduler looked at it last",
    "rest.scheduling_via": "which scheduler looked at it last",
}
"""Fields that say nothing of what was asked for, each with what it says instead."""

TIMES: Final = frozenset(
    {
        "scontrol.SubmitTime",
        "scontrol.EligibleTime",
        "scontrol.AccrueTime",
        "scontrol.StartTime",
        "scontrol.EndTime",
        "scontrol.Deadline",
        "rest.submit_time",
        "rest.eligible_time",
        "rest.accrue_time",
        "rest.start_time",
        "rest.end_time",
        "rest.pre_sus_time",
        "rest.deadline",
    }
)
"""Equal when they are as far apart as the two submissions were, and a minute: some count whole minutes from it."""

TIMES_IN_BOTH_FORMS: Final = TIMES | {f"{name}.number" for name in TIMES}

FLAGS: Final = "rest.flags"
LOOKED_AT: Final = "DEPENDENT"
"""Of every job, with a dependency or without, until slurmctld looks whether it has one."""

SUBMITTED: Final = "scontrol.SubmitTime"
ELIGIBLE: Final = "scontrol.EligibleTime"
ROUNDING_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One field; `outcome` where one side refuses and the other does not, or for another reason."""

    field: str
    ours: str
    theirs: str


OUTCOME: Final = "outcome"
ANSWER: Final = "answer"
"""slurmrestd took the body and says that it did not understand a key of it."""

COMPONENTS: Final = "components"


def of_outcomes(ours: Outcome, theirs: Outcome) -> Iterator[Difference]:
    """Held by both, refused by both for one reason, or refused by us for what this API version cannot say."""
    if isinstance(ours, Held) and ours.said:
        yield Difference(ANSWER, ours.said, "")
    if isinstance(ours, Held) and isinstance(theirs, Held):
        return
    if isinstance(ours, Refused) and isinstance(theirs, Refused):
        if same(ours=ours.reason, theirs=theirs.reason):
            return
    elif isinstance(ours, Refused) and ours.reason == NOT_OVER_REST:
        return
    yield Difference(OUTCOME, _said(ours), _said(theirs))


def _said(outcome: Outcome) -> str:
    return "accepted" if isinstance(outcome, Held) else f"refused, {outcome.reason} [{outcome.text}]"


def of_jobs(ours: Sequence[Record], theirs: Sequence[Record]) -> Iterator[Difference]:
    """Component by component; each field of a later one has its number before it."""
    if len(ours) != len(theirs):
        yield Difference(COMPONENTS, str(len(ours)), str(len(theirs)))
        return
    for number, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
        for found in of_records(mine, other):
            yield found if number == 0 else Difference(f"{number}.{found.field}", found.ours, found.theirs)


def of_records(ours: Record, theirs: Record) -> Iterator[Difference]:
    """Fields that differ, in order."""
    apart = abs(_epoch(ours.fields.get(SUBMITTED)) - _epoch(theirs.fields.get(SUBMITTED))) + ROUNDING_SECONDS
    differing = ours.fields.items() ^ theirs.fields.items()
    no_matter = ALONE.keys() | (TIMES_IN_BOTH_FORMS if _came_between(ours, theirs) else set())
    for field in sorted({field for field, _ in differing} - no_matter):
        mine, other = (_without_id(record, field) for record in (ours, theirs))
        if mine != other and not (_is_time(field) and _both_times(mine, other, apart=apart)):
            yield Difference(field, mine, other)


def _without_id(record: Record, field: str) -> str:
    """Files are named after the job's id, and some fields show them expanded."""
    value = record.fields.get(field, "absent")
    if value.isdigit() or _is_time(field):  # the same number by chance
        return value
    if field == FLAGS:
        return ",".join(word for word in value.split(",") if word != LOOKED_AT)
    return re.sub(rf"(?<![0-9])0*{record.job_id}(?![0-9])", "ID", value)


def _came_between(ours: Record, theirs: Record) -> bool:
    """Whether a time of the day, as `midnight`, came after one submission and before the other: it is today's for the
    first and tomorrow's for the second."""
    first, second = sorted(_epoch(record.fields.get(SUBMITTED)) for record in (ours, theirs))
    return any(first < _epoch(record.fields.get(ELIGIBLE)) < second for record in (ours, theirs))


def _is_time(field: str) -> bool:
    return field in TIMES_IN_BOTH_FORMS


def _both_times(ours: str, theirs: str, *, apart: float) -> bool:
    times = [_epoch(value) for value in (ours, theirs)]
    return all(times) and abs(times[0] - times[1]) <= apart


def _epoch(value: str | None) -> float:
    """Of `2026-11-26T03:46:48`, or of a number; 0 of anything else. The zone does not matter: times are compared with
    each other."""
    if value is None:
        return 0.0
    if value.isdigit():
        return float(value)
    try:
        return datetime.fromisoformat(f"{value}+00:00").timestamp()
    except ValueError:
        return 0.0
