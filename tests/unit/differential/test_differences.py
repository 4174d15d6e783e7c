"""What counts as a difference between two jobs, and what a row allows."""

from __future__ import annotations

import pytest

from tests.differential import allowed
from tests.differential.cases import Held, Outcome, Refused
from tests.differential.differences import ALONE, Difference, of_jobs, of_outcomes, of_records
from tests.differential.reasons import CONFLICT, NOT_OVER_REST, OPTION, VALUE
from tests.differential.records import Record

SUBMITTED = "scontrol.SubmitTime"


def record(job_id: int, **fields: str) -> Record:
    names = {name.replace("__", "."): value for name, value in fields.items()}
    return Record(job_id=job_id, fields={SUBMITTED: "2026-01-01T12:00:00", **names})


@pytest.mark.parametrize(
    ("ours", "theirs", "differ"),
    [
        (record(1, scontrol__NumTasks="2"), record(2, scontrol__NumTasks="2"), False),
        (record(1, scontrol__NumTasks="2"), record(2, scontrol__NumTasks="3"), True),
        (record(1, scontrol__NumTasks="2"), record(2), True),
        (record(1, scontrol__StdOut="/a/slurm-1.out"), record(2, scontrol__StdOut="/a/slurm-2.out"), False),
        (record(1, scontrol__StdOut="/a/slurm-1.out"), record(2, scontrol__StdOut="/a/slurm-21.out"), True),
        (record(1, scontrol__Command="/a"), record(2, scontrol__Command="/b"), False),
        (
            record(1, scontrol__StartTime="2026-01-01T13:00:00"),
            record(2, scontrol__StartTime="2026-01-01T13:00:40"),
            False,
        ),
        (
            record(1, scontrol__StartTime="2026-01-01T13:00:00"),
            record(2, scontrol__StartTime="2026-01-01T14:00:00"),
            True,
        ),
        (record(1, scontrol__StartTime="Unknown"), record(2, scontrol__StartTime="2026-01-01T14:00:00"), True),
        (record(1, rest__start_time__number="100"), record(2, rest__start_time__number="130"), False),
        (record(1, rest__flags="A,DEPENDENT,B"), record(2, rest__flags="A,B"), False),
        (record(1, rest__flags="A,B"), record(2, rest__flags="A"), True),
        (record(1, rest__priority__number="100"), record(2, rest__priority__number="130"), True),
    ],
)
def test_of_records(ours: Record, theirs: Record, differ: bool) -> None:
    assert bool(list(of_records(ours, theirs))) is differ


def test_a_time_of_the_day_that_comes_between() -> None:
    """`--begin=midnight`, by sbatch a minute before it and by us a minute after it."""
    theirs = Record(job_id=2, fields={SUBMITTED: "2026-01-01T23:59:00", "scontrol.EligibleTime": "2026-01-02T00:00:00"})
    ours = Record(job_id=1, fields={SUBMITTED: "2026-01-02T00:01:00", "scontrol.EligibleTime": "2026-01-03T00:00:00"})
    later = Record(job_id=1, fields={SUBMITTED: "2026-01-01T23:59:30", "scontrol.EligibleTime": "2026-01-03T00:00:00"})
    assert not list(of_records(ours, theirs))
    assert [found.field for found in of_records(later, theirs)] == ["scontrol.EligibleTime"]


def test_a_job_of_other_components() -> None:
    one, two = record(1, scontrol__NumTasks="1"), record(2, scontrol__NumTasks="2")
    assert [found.field for found in of_jobs([one], [one, two])] == ["components"]
    assert [found.field for found in of_jobs([one, one], [one, two])] == ["1.scontrol.NumTasks"]


HELD = Held(job_id=1)


def refused(reason: str) -> Refused:
    return Refused(reason=reason, text="text")


@pytest.mark.parametrize(
    ("ours", "theirs", "fields"),
    [
        (HELD, HELD, []),
        (Held(job_id=1, said="ignored a key"), HELD, ["answer"]),
        (HELD, refused(VALUE), ["outcome"]),
        (refused(VALUE), HELD, ["outcome"]),
        (refused(NOT_OVER_REST), HELD, []),
        (refused(VALUE), refused(VALUE), []),
        (refused(CONFLICT), refused(OPTION), ["outcome"]),
    ],
)
def test_of_outcomes(ours: Outcome, theirs: Outcome, fields: list[str]) -> None:
    assert [found.field for found in of_outcomes(ours, theirs)] == fields


def test_what_is_left_out_has_a_reason() -> None:
    assert all(ALONE.values())


def test_few_differences_are_allowed() -> None:
    assert len(allowed.ROWS) <= allowed.AT_MOST
    assert len({row.name for row in allowed.ROWS}) == len(allowed.ROWS)
    assert all(row.reason for row in allowed.ROWS)


def test_a_row_allows_what_it_names_alone() -> None:
    row = allowed.Row(
        name="n", reason="r", suites=("trixie",), versions=("v0.0.40",), field=r"scontrol\.A", ours="0", theirs="absent"
    )
    found = Difference("scontrol.A", "0", "absent")
    assert row.allows(found, suite="trixie", version="v0.0.40")
    assert not row.allows(found, suite="trixie", version="v0.0.41")
    assert not row.allows(found, suite="forky", version="v0.0.40")
    assert not row.allows(Difference("scontrol.A", "1", "absent"), suite="trixie", version="v0.0.40")
    assert not row.allows(Difference("scontrol.AB", "0", "absent"), suite="trixie", version="v0.0.40")
