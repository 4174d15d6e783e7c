"""Why a job waits, in words that a person can act on (man squeue, JOB REASON CODES)."""

from __future__ import annotations

import re

from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.core.times import rfc3339

MOST_DESCRIPTION_CHARACTERS = 200

REASONS: dict[str, str] = {
    "AccountNotAllowed": "its partition does not let its account in; it will not start as it is",
    "AccountingPolicy": "a limit of its account or QOS is reached",
    "AssocGrpJobsLimit": "the account runs as many jobs as it may",
    "AssocMaxJobsLimit": "the user runs as many jobs in this account as allowed",
    "AssocMaxWallDurationPerJobLimit": "its time limit is longer than the account allows; it will never start",
    "AssociationJobLimit": "the account runs as many jobs as it may",
    "AssociationResourceLimit": "the account uses all it may use at once",
    "AssociationTimeLimit": "the account has used the time that it was granted",
    "BadConstraints": "no node has the features and resources that it asks for; it will never start",
    "BeginTime": "its begin time has not come, or Slurm waits before it starts it again",
    "BurstBufferOperation": "an operation of its burst buffer failed",
    "BurstBufferResources": "it waits for room in a burst buffer",
    "BurstBufferStageIn": "its burst buffer is being filled",
    "Cleaning": "Slurm cleans up after its last run",
    "Dependency": "it waits for another job",
    "DependencyNeverSatisfied": "the job it waits for can no longer fulfil the condition; it will never start",
    "FedJobLock": "it waits until the clusters of its federation agree who runs it",
    "InactiveLimit": "the system's limit of inactivity is reached",
    "InvalidAccount": "its account is not valid; it will never start",
    "InvalidQOS": "its QOS is not valid; it will never start",
    "JobArrayTaskLimit": "as many tasks of its array run as it allows",
    "JobHeldAdmin": "an administrator holds it",
    "JobHeldUser": "its user holds it; `scontrol release` lets it go",
    "JobHoldMaxRequeue": "Slurm has started it again as often as it may and holds it; `scontrol release` lets it go",
    "Licenses": "it waits for a licence",
    "MaxMemPerLimit": "it asks for more memory per CPU or node than the cluster allows; it will not start as it is",
    "MaxPoweredUpNodes": "as many nodes are powered up as the cluster allows",
    "NodeDown": "a node that it needs is down",
    "None": "Slurm has not looked at it yet",
    "PartitionConfig": "it asks for more than its partition allows; it will not start as it is",
    "PartitionDown": "its partition is down",
    "PartitionInactive": "its partition is inactive",
    "PartitionNodeLimit": "it asks for more (or fewer) nodes than its partition allows",
    "PartitionTimeLimit": "its time limit is longer than its partition allows; it will not start as it is",
    "Priority": "jobs of higher priority are before it",
    "Prolog": "the prolog runs on its nodes",
    "QOSJobLimit": "its QOS runs as many jobs as it may",
    "QOSMaxJobsPerUserLimit": "the user runs as many jobs in this QOS as allowed",
    "QOSMaxWallDurationPerJobLimit": "its time limit is longer than its QOS allows; it will never start",
    "QOSNotAllowed": "its partition or account does not allow its QOS; it will not start as it is",
    "QOSResourceLimit": "its QOS uses all it may use at once",
    "QOSTimeLimit": "its QOS has used the time that it was granted",
    "QOSUsageThreshold": "its share of the cluster is used up further than its QOS allows",
    "ReqNodeNotAvail": "a node that it needs is not available",
    "Reservation": "its reservation has not begun",
    "ReservationDeleted": "its reservation has been deleted; it will not start as it is",
    "ReservationInvalid": "its reservation cannot be used; it will not start as it is",
    "Resources": "it is first in line and waits for resources to become free",
    "SystemFailure": "Slurm's own files or services failed; an administrator has to look",
}

_LIMIT = re.compile(
    r"(?P<owner>Assoc|QOS)?(?P<kind>Grp|Max|Min)(?P<what>BB|Billing|C[Pp][Uu]|Energy|GRES|Jobs|License|Mem|Memory|Node|Unknown|Wall)"
    r"(?P<time>Minutes|RunMinutes|RunMins)?(?P<per>PerJob|PerNode|PerUser|PerAccount)?(?:Limit|NotSatisfied)?"
)
"""How Slurm names the limits of associations and QOS; one that names no owner is a QOS's limit for each account."""

_WHAT = {
    "bb": "burst buffer",
    "billing": "billing units",
    "cpu": "CPUs",
    "energy": "energy",
    "gres": "generic resources (GPUs, for one)",
    "jobs": "jobs",
    "license": "licences",
    "mem": "memory",
    "memory": "memory",
    "node": "nodes",
    "unknown": "a resource",
    "wall": "run time",
}
_PER = {"PerJob": "one job", "PerNode": "one node", "PerUser": "one user", "PerAccount": "one account"}


def _limit_in_words(reason: str) -> str | None:
    """What a limit means, from how its name is put together; None: it is no such name."""
    limit = _LIMIT.fullmatch(reason)
    if limit is None:
        return None
    owner = "the account" if limit["owner"] == "Assoc" else "its QOS"
    what = _WHAT[limit["what"].lower()]
    who = f" for {_PER[limit['per']]}" if limit["per"] else ""
    if limit["kind"] == "Min":
        return f"it asks for less than {owner} demands: {what}; it will not start as it is"
    if limit["per"] in ("PerJob", "PerNode"):
        spent = " times minutes" if limit["time"] else ""
        return f"it asks for more than {owner} allows{who}: {what}{spent}; it will not start as it is"
    if limit["time"] == "Minutes":
        return f"{owner} has used up what it was granted: minutes of {what}"
    if limit["time"]:
        return f"running jobs have claimed all that {owner} allows{who}: minutes of {what}"
    return f"all that {owner} allows{who} at once is in use: {what}"


def explain(record: JobRecord) -> str:
    """One sentence: Slurm's reason, what it means, and Slurm's guess of the start where it has one."""
    reason = (record.reason or "None").split(",")[0].strip()
    known = _held_again(record) or REASONS.get(reason) or _limit_in_words(reason)
    words = f"Slurm job {record.job_id} waits: {reason}" + (f" ({known})." if known else ".")
    guess = estimated_start(record)
    return words if guess is None else f"{words} Slurm expects to start it at {rfc3339(guess)}."


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
