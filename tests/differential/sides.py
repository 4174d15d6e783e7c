"""Both sides of a comparison: what became of scripts, and the records of the jobs."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from sandboxlib.paths import Paths
from tests.differential import allowed, differences, ours, records, theirs, through_operator
from tests.differential.cases import ANCHOR, Case, Held, Outcome, Refused
from tests.differential.differences import Difference
from tests.differential.records import Record
from tests.real.cluster import Tenant

SETTLED_SECONDS: Final = 12.0

COMMENTS: Final = ("scontrol.Comment", "rest.comment")
"""scontrol shows none where it is empty."""


_MARKER: Final = re.compile(r"\[slurmjob\.dev/[^\]]*\] ?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A difference of one script over one API version, and the row that allows it."""

    case: Case
    version: str
    difference: Difference
    row: allowed.Row | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """By name what became of each script, and the records of those that became jobs."""

    outcomes: Mapping[str, Outcome]
    records: Mapping[str, Sequence[Record]]

    @property
    def accepted(self) -> int:
        """How many became jobs."""
        return len(self.records)


def findings(scripts: Sequence[Case], *, mine: Side, other: Side, suite: str, version: str) -> list[Finding]:
    """All differences between our side and sbatch's."""
    return [
        Finding(
            case=case,
            version=version,
            difference=found,
            row=allowed.explaining(found, suite=suite, version=version),
        )
        for case in scripts
        for found in _differences(mine, other, case)
    ]


def _differences(mine: Side, other: Side, case: Case) -> Iterator[Difference]:
    name = case.name
    outcomes = mine.outcomes[name], other.outcomes[name]
    if not (case.at_random and all(isinstance(outcome, Refused) for outcome in outcomes)):
        yield from differences.of_outcomes(*outcomes)
    if name in mine.records and name in other.records:
        yield from differences.of_jobs(mine.records[name], other.records[name])


# --- The sides: one's jobs are gone before the next one's come, since those of one name, or of an account with a limit,
# --- would see each other


def of_sbatch(paths: Paths, suite: str, scripts: Sequence[Case]) -> Side:
    """What the real sbatch makes of them."""
    return _side(paths, suite, theirs.submit(paths, suite, scripts))


def of_ours(paths: Paths, suite: str, scripts: Sequence[Case], *, version: str) -> Side:
    """What our bodies make of them over this API version."""
    return _side(paths, suite, asyncio.run(ours.submit(paths, suite, scripts, version=version)))


def of_operator(tenant: Tenant, scripts: Sequence[Case], *, foreseen: Mapping[str, Outcome]) -> Side:
    """What the operator makes of them as SlurmJobs; see `through_operator.submit` and `unmarked`."""
    return unmarked(_side(tenant.paths, tenant.suite, through_operator.submit(tenant, scripts, foreseen)))


def unmarked(side: Side) -> Side:
    """Without the operator's marker in comments. An empty comment and none are one then: its jobs all have one."""
    return replace(side, records={name: [_unmarked(record) for record in of] for name, of in side.records.items()})


def _unmarked(record: Record) -> Record:
    comments = {field: _MARKER.sub("", record.fields[field]) for field in COMMENTS if field in record.fields}
    shown = {field: text for field, text in comments.items() if text or field != COMMENTS[0]}
    return replace(record, fields={name: v for name, v in record.fields.items() if name not in COMMENTS} | shown)


def _side(paths: Paths, suite: str, outcomes: Mapping[str, Outcome]) -> Side:
    """Read the jobs' records, and cancel them."""
    held = {name: outcome.job_id for name, outcome in outcomes.items() if isinstance(outcome, Held)}
    jobs = _settled(paths, suite, held.values())
    records.cancel(paths, suite, held.values())
    return Side(outcomes=outcomes, records={name: jobs[job_id] for name, job_id in held.items()})


def _settled(paths: Paths, suite: str, job_ids: Collection[int]) -> Mapping[int, Sequence[Record]]:
    """The records, once slurmctld has looked at all dependencies: it forgets fulfilled ones at its next turn."""
    deadline = time.monotonic() + SETTLED_SECONDS
    while True:
        jobs = records.read(paths, suite)
        fresh = any(record.dependency_is_fresh for job_id in job_ids for record in jobs[job_id])
        if not fresh or time.monotonic() > deadline:
            return jobs
        time.sleep(1)


@contextmanager
def anchored(paths: Paths, suite: str, scripts: Sequence[Case]) -> Iterator[list[Case]]:
    """The scripts with the id of a held job called `anchor` in the place of `ANCHOR`."""
    case = Case(name="anchor", script="#!/bin/sh\n")
    anchor = theirs.submit(paths, suite, [case])[case.name]
    assert isinstance(anchor, Held), f"no job can be submitted: {anchor}"
    try:
        yield [replace(case, script=case.script.replace(ANCHOR, str(anchor.job_id))) for case in scripts]
    finally:
        records.cancel(paths, suite, [anchor.job_id])
