"""A pending job says why, in words that a person can act on."""

from __future__ import annotations

from dataclasses import replace

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


def test_every_reason_of_slurm_26_05_has_words() -> None:
    """Those for which a job may wait, as its library lists them."""
    kinds = "BB BBMinutes BBRunMinutes Billing BillingMinutes BillingRunMinutes Energy EnergyMinutes EnergyRunMinutes"
    kinds += " GRES GRESMinutes GRESRunMinutes License LicenseMinutes LicenseRunMinutes NodeMinutes NodeRunMinutes"
    kinds += " CPUMinutesLimit CPURunMinutesLimit CpuLimit JobsLimit MemLimit NodeLimit WallLimit"
    kinds += " Unknown UnknownMinutes UnknownRunMinutes"
    names = [f"{owner}Grp{kind}" for owner in ("Assoc", "QOS") for kind in kinds.split()]
    names += ["AssocGrpMemMinutes", "AssocGrpMemRunMinutes", "QOSGrpMemoryMinutes", "QOSGrpMemoryRunMinutes"]
    what = ["BB", "Billing", "Cpu", "Energy", "GRES", "License", "Memory", "Node", "Unknown"]
    names += [f"Max{kind}PerAccount" for kind in what] + [f"QOSMax{kind}PerUser" for kind in what]
    names += [f"Max{kind}RunMinsPer{whom}" for kind in what for whom in ("User", "Account")]
    names += [f"QOSMax{kind}MinutesPerJob" for kind in what] + [f"QOSMin{kind}" for kind in what]
    names += ["AssocMaxCpuPerJobLimit", "AssocMaxCpuMinutesPerJobLimit", "AssocMaxMemPerJob", "AssocMaxGRESPerNode"]
    names += ["QOSMaxCpuPerJobLimit", "QOSMaxCpuPerUserLimit", "QOSMaxNodePerUserLimit", "MaxJobsPerAccount"]
    silent = [name for name in names if "(" not in explain(_record(name))]
    assert silent == []


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
    for words in REASONS.values():
        assert words.split()[0] in {words.split()[0].lower(), "Slurm", "Slurm's"}
        assert not words.endswith(".")
