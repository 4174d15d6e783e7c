"""A pending job says why, in words that a person can act on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slurmjob_operator.core.pending_reasons import ENDS, TABLE, Wait, meaning
from slurmjob_operator.core.records import JobRecord, Source
from slurmjob_operator.core.waiting import estimated_start, explain, keep_estimate, never_starts
from tests.slurm_reasons import copies


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


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("AssocGrpCpuLimit", "all that the account allows at once is in use: CPUs"),
        ("AssocGrpMemLimit", "all that the account allows at once is in use: memory"),
        ("AssocGrpCPUMinutesLimit", "the account has used up what it was granted: minutes of CPUs"),
        ("QOSGrpGRESRunMinutes",
         "running jobs have claimed all that its QOS allows: minutes of generic resources (GPUs, for one)"),
        ("AssocMaxNodePerJobLimit",
         "it asks for more than the account allows for one job: nodes; it will not start as it is"),
        ("QOSMaxCpuMinutesPerJobLimit",
         "it asks for more than its QOS allows for one job: CPUs times minutes; it will not start as it is"),
        ("QOSMaxGRESPerUser",
         "all that its QOS allows for one user at once is in use: generic resources (GPUs, for one)"),
        ("MaxMemoryRunMinsPerAccount",
         "running jobs have claimed all that its QOS allows for one account: minutes of memory"),
        ("QOSMinCpuNotSatisfied", "it asks for less than its QOS demands: CPUs; it will not start as it is"),
    ],
)  # fmt: skip
def test_limits_are_read_from_how_slurm_names_them(reason: str, words: str) -> None:
    assert explain(_record(reason)) == f"Slurm job 7 waits: {reason} ({words})."


@pytest.mark.parametrize(
    ("held", "description", "text"),
    [
        (True, None, "JobHeldUser (its user holds it; `scontrol release` lets it go)."),
        (True, "job requeued in held state",
         "JobHeldUser (job requeued in held state; `scontrol release` lets it go)."),
        (True, "x" * 5000, f"JobHeldUser ({'x' * 200}; `scontrol release` lets it go)."),
        (False, "something else", "JobHeldUser (its user holds it; `scontrol release` lets it go)."),
    ],
)  # fmt: skip
def test_a_job_that_slurm_holds_says_it_in_slurms_words(held: bool, description: str | None, text: str) -> None:
    record = replace(_record("JobHeldUser"), held=held, description=description)
    assert explain(record) == f"Slurm job 7 waits: {text}"


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
    for row in TABLE.values():
        assert row.words.split()[0] in {row.words.split()[0].lower(), "Slurm", "Slurm's"}
        assert not row.words.endswith(".")


@pytest.mark.parametrize("version", copies.VERSIONS)
def test_every_reason_of_a_release_has_words_and_a_kind(version: str) -> None:
    words = set(copies.known(version).values())
    assert len(words) > 190
    assert {word for word in words if meaning(word) is None} <= ENDS


def test_the_table_has_no_reason_that_no_release_knows() -> None:
    words = {word for version in copies.VERSIONS for word in copies.known(version).values()}
    assert set(TABLE) | ENDS <= words
    assert not set(TABLE) & ENDS


@pytest.mark.parametrize(
    ("reason", "partition", "held", "never"),
    [
        ("DependencyNeverSatisfied", "debug", False, True),
        ("PartitionTimeLimit", "debug", False, True),
        ("QOSMinCpuNotSatisfied", None, False, True),
        ("PartitionTimeLimit", "debug,gpu", False, False),
        ("BadConstraints", "debug", True, False),
        ("QOSMaxCpuPerUserLimit", "debug", False, False),
        ("Priority", "debug", False, False),
        ("SomethingNew", "debug", False, False),
        (None, "debug", False, False),
    ],
)
def test_what_will_not_start_as_it_is(reason: str | None, partition: str | None, held: bool, never: bool) -> None:
    record = replace(_record(reason), partition=partition, held=held)
    assert never_starts(record) is never
    if reason is not None and never:
        found = meaning(reason)
        assert found is not None
        assert found.wait is Wait.NEVER
        assert explain(record).endswith("; it will not start as it is).")
