"""A pending job says why, in words that a person can act on."""

from __future__ import annotations

import pytest

from slurmjob_operator.core.records import JobRecord, Source
from slurmjob_operator.core.waiting import REASONS, estimated_start, explain, keep_estimate


def _record(reason: str | None, *, start: int | None = None, state: str = "PENDING") -> JobRecord:
    return JobRecord(
        source=Source.CONTROLLER,
        job_id=7,
        user="a",
        name="n",
        states=frozenset({state}),
        reason=reason,
        start_time=start,
    )


@pytest.mark.parametrize(
    ("reason", "start", "text"),
    [
        ("Priority", None, "Slurm job 7 waits: Priority (jobs of higher priority are before it)."),
        ("SomethingNew", None, "Slurm job 7 waits: SomethingNew."),
        (None, None, "Slurm job 7 waits: None (Slurm has not looked at it yet)."),
        ("Resources, Priority", None,
         "Slurm job 7 waits: Resources (it is first in line and waits for resources to become free)."),
        ("Priority", 1_800_000_000,
         "Slurm job 7 waits: Priority (jobs of higher priority are before it). "
         "Slurm expects to start it at 2027-01-15T08:00:00Z."),
    ],
)  # fmt: skip
def test_words(reason: str | None, start: int | None, text: str) -> None:
    assert explain(_record(reason, start=start)) == text


def test_a_job_that_runs_has_no_estimate() -> None:
    assert estimated_start(_record(None, start=5, state="RUNNING")) is None


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        (None, 100_000, 100_000),
        (100_000, None, None),
        (100_000, 100_899, 100_000),
        (100_000, 101_000, 101_000),
        (100_000, 99_000, 99_000),
        (1_000_000, 1_050_000, 1_000_000),
        (1_000_000, 1_200_000, 1_200_000),
    ],
)
def test_an_estimate_is_written_again_only_when_it_moved(old: int | None, new: int | None, kept: int | None) -> None:
    """By more than 15 minutes, or by 10 % of what is left."""
    assert keep_estimate(old=old, new=new, now=98_000) == kept


def test_reasons_are_clauses() -> None:
    for words in REASONS.values():
        assert words.split()[0] in {words.split()[0].lower(), "Slurm"}
        assert not words.endswith(".")
