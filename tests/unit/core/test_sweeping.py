"""Which held jobs are twins: a table of owners, and of jobs that are none of our business."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slurmjob_operator.api.conditions import Reason
from slurmjob_operator.api.status import SlurmJobStatus
from slurmjob_operator.core import attempts, marker, sweeping
from slurmjob_operator.core.records import JobRecord
from tests.unit.core.values import NOW, comment, held, opened, recorded, running, view

MARK = marker.parse(comment())
CLOSED = replace(
    opened(), attempts=attempts.keep(view(opened()), reason=Reason.SUBMISSION_UNCONFIRMED, record=None, now=NOW)
)


@pytest.mark.parametrize(
    ("status", "twin"),
    [
        (SlurmJobStatus(), False),  # a restored backup: it will open attempt 1 and find this job
        (opened(), False),
        (replace(opened(), attempt=2), True),
        (replace(recorded(), job_id="7"), False),
        (replace(recorded(), job_id="8"), True),
        (replace(running(), job_id="8"), True),
        (replace(recorded(), job_id="8", attempt=2), True),
        (CLOSED, True),
    ],
)
def test_whether_an_object_can_never_record_it_any_more(status: SlurmJobStatus, twin: bool) -> None:
    assert MARK is not None
    assert sweeping.disowns(status, MARK, job_id=7) is twin


def test_an_object_that_looks_younger_than_the_job_may_own_it() -> None:
    assert MARK is not None
    assert not sweeping.disowns(opened(), replace(MARK, attempt=2), job_id=7)


@pytest.mark.parametrize(
    ("record", "suspected"),
    [
        (held(), True),
        (replace(held(), held=False), False),
        (replace(held(), states=frozenset({"RUNNING"})), False),
        (replace(held(), comment=comment(released=True)), False),
        (replace(held(), comment="somebody's own"), False),
        (replace(held(), restarts=1), False),
    ],
)
def test_suspects(record: JobRecord, suspected: bool) -> None:
    assert MARK is not None
    assert bool(sweeping.suspects([record], installation=MARK.installation)) is suspected
    assert not sweeping.suspects([record], installation="another/installation")


@pytest.mark.parametrize(("age", "settled"), [(0, False), (119, False), (120, True)])
def test_the_young_may_be_just_about_to_be_recorded(age: int, settled: bool) -> None:
    assert sweeping.is_settled(replace(held(), submit_time=int(NOW) - age), now=NOW) is settled
    assert not sweeping.is_settled(replace(held(), submit_time=None), now=NOW)
