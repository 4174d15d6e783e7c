"""Why a job waits, in words that a person can act on (man squeue, JOB REASON CODES)."""

from __future__ import annotations

from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.core.times import rfc3339

REASONS: dict[str, str] = {
    "AssocGrpCpuLimit": "the account uses all CPUs it may use at once",
    "AssocGrpJobsLimit": "the account runs as many jobs as it may",
    "AssocGrpMemLimit": "the account uses all memory it may use at once",
    "AssocGrpNodeLimit": "the account uses all nodes it may use at once",
    "AssocMaxCpuPerJobLimit": "it asks for more CPUs than the account may use for one job; it will never start",
    "AssocMaxJobsLimit": "the user runs as many jobs in this account as allowed",
    "AssocMaxNodePerJobLimit": "it asks for more nodes than the account may use for one job; it will never start",
    "AssocMaxWallDurationPerJobLimit": "its time limit is longer than the account allows; it will never start",
    "BeginTime": "its begin time has not come, or Slurm waits before it starts it again",
    "Dependency": "it waits for another job",
    "DependencyNeverSatisfied": "the job it waits for can no longer fulfil the condition; it will never start",
    "InvalidAccount": "its account is not valid; it will never start",
    "InvalidQOS": "its QOS is not valid; it will never start",
    "JobArrayTaskLimit": "as many tasks of its array run as it allows",
    "JobHeldAdmin": "an administrator holds it",
    "JobHeldUser": "its user holds it; `scontrol release` lets it go",
    "Licenses": "it waits for a licence",
    "NodeDown": "a node that it needs is down",
    "None": "Slurm has not looked at it yet",
    "PartitionConfig": "it asks for more than its partition allows; it will not start as it is",
    "PartitionDown": "its partition is down",
    "PartitionInactive": "its partition is inactive",
    "PartitionNodeLimit": "it asks for more (or fewer) nodes than its partition allows",
    "PartitionTimeLimit": "its time limit is longer than its partition allows; it will not start as it is",
    "Priority": "jobs of higher priority are before it",
    "Prolog": "the prolog runs on its nodes",
    "QOSGrpCpuLimit": "its QOS uses all CPUs it may use at once",
    "QOSMaxCpuPerUserLimit": "the user uses all CPUs that the QOS allows",
    "QOSMaxJobsPerUserLimit": "the user runs as many jobs in this QOS as allowed",
    "QOSMaxWallDurationPerJobLimit": "its time limit is longer than its QOS allows; it will never start",
    "ReqNodeNotAvail": "a node that it needs is not available",
    "Reservation": "its reservation has not begun",
    "Resources": "it is first in line and waits for resources to become free",
    "Cleaning": "Slurm cleans up after its last run",
}


def explain(record: JobRecord) -> str:
    """One sentence: Slurm's reason, what it means, and Slurm's guess of the start where it has one."""
    reason = (record.reason or "None").split(",")[0].strip()
    known = REASONS.get(reason)
    words = f"Slurm job {record.job_id} waits: {reason}" + (f" ({known})." if known else ".")
    guess = estimated_start(record)
    return words if guess is None else f"{words} Slurm expects to start it at {rfc3339(guess)}."


def estimated_start(record: JobRecord) -> int | None:
    """Slurm's guess: the start time of a job that has not started."""
    return record.start_time if "PENDING" in record.states and record.start_time else None


def keep_estimate(*, old: int | None, new: int | None, now: float) -> int | None:
    """The estimate to show: it is written again only when it moved by more than 15 minutes or 10 %."""
    if old is None or new is None:
        return new
    return old if abs(new - old) <= max(900.0, 0.1 * abs(old - now)) else new
