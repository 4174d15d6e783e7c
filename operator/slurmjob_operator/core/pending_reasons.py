"""Slurm's reasons for which a job waits: what each means, and what kind of waiting it is (man squeue, JOB REASON CODES;
the words are those of `slurm_job_reason_string` of 22.05, 24.11 and 26.05).

Why a job ended is no reason to wait: such words stand in `ENDS`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Wait(Enum):
    """Kinds of waiting; the value is how the documentation calls them."""

    TURN = "waits for its turn"
    LIMIT = "a limit is reached"
    PERSON = "needs a person"
    NEVER = "will not start as it is"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a reason means: a sentence that goes on after the job's name."""

    wait: Wait
    words: str


_BY_KIND: Final[Mapping[Wait, Mapping[str, str]]] = {
    Wait.TURN: {
        "BeginTime": "its begin time has not come, or Slurm waits before it starts it again",
        "BlockFreeAction": "a block of nodes is being freed",
        "BurstBufferResources": "it waits for room in a burst buffer",
        "BurstBufferStageIn": "its burst buffer is being filled",
        "Cleaning": "Slurm cleans up after its last run",
        "Constraints": "no node that is available now has the features that it asks for",
        "Dependency": "it waits for another job",
        "FedJobLock": "it waits until the clusters of its federation agree who runs it",
        "Licenses": "it waits for a licence",
        "MpiPortsBusy": "all ports that are reserved for MPI are in use",
        "None": "Slurm has not looked at it yet",
        "NvidiaImexChannels": "all channels of the IMEX service are in use",
        "PowerNotAvail": "there is no electrical power left for it",
        "PowerReserved": "the electrical power that it needs is reserved",
        "Priority": "jobs of higher priority are before it",
        "Prolog": "the prolog runs on its nodes",
        "ReqNodeNotAvail": "a node that it needs is not available",
        "Reservation": "its reservation has not begun",
        "Resources": "it is first in line and waits for resources to become free",
        "SchedDefer": "the scheduler puts off looking at new jobs",
    },
    Wait.LIMIT: {
        "AccountingPolicy": "a limit of its account or QOS is reached",
        "AssocGrpJobsLimit": "the account runs as many jobs as it may",
        "AssocGrpSubmitJobsLimit": "the account has as many jobs in the queue as it may",
        "AssocMaxJobsLimit": "the user runs as many jobs in this account as allowed",
        "AssocMaxSubmitJobLimit": "the user has as many jobs of this account in the queue as allowed",
        "AssociationJobLimit": "the account runs as many jobs as it may",
        "AssociationResourceLimit": "the account uses all it may use at once",
        "AssociationTimeLimit": "the account has used the time that it was granted",
        "JobArrayTaskLimit": "as many tasks of its array run as it allows",
        "MaxPoweredUpNodes": "as many nodes are powered up as the cluster allows",
        "MaxSubmitJobsPerAccount": "the account has as many jobs of this QOS in the queue as allowed",
        "QOSGrpSubmitJobsLimit": "its QOS has as many jobs in the queue as it may",
        "QOSJobLimit": "its QOS runs as many jobs as it may",
        "QOSMaxJobsPerUserLimit": "the user runs as many jobs in this QOS as allowed",
        "QOSMaxSubmitJobPerUserLimit": "the user has as many jobs of this QOS in the queue as allowed",
        "QOSResourceLimit": "its QOS uses all it may use at once",
        "QOSTimeLimit": "its QOS has used the time that it was granted",
        "QOSUsageThreshold": "its share of the cluster is used up further than its QOS allows",
    },
    Wait.PERSON: {
        "BlockMaxError": "a block of nodes has failed too often; an administrator has to look",
        "BurstBufferOperation": "an operation of its burst buffer failed",
        "FrontEndDown": "the front end that it needs is down",
        "JobHeldAdmin": "an administrator holds it",
        "JobHeldUser": "its user holds it; `scontrol release` lets it go",
        "JobHoldMaxRequeue": (
            "Slurm has started it again as often as it may and holds it; `scontrol release` lets it go"
        ),
        "NodeDown": "a node that it needs is down",
        "PartitionDown": "its partition is down",
        "PartitionInactive": "its partition is inactive",
        "SystemFailure": "Slurm's own files or services failed; an administrator has to look",
    },
    Wait.NEVER: {
        "AccountNotAllowed": "its partition does not let its account in",
        "AssocMaxWallDurationPerJobLimit": "its time limit is longer than the account allows",
        "BadConstraints": "no node has the features and resources that it asks for",
        "DependencyNeverSatisfied": "the job it waits for can no longer fulfil the condition",
        "InvalidAccount": "its account is not valid",
        "InvalidQOS": "its QOS is not valid",
        "MaxMemPerLimit": "it asks for more memory per CPU or node than the cluster allows",
        "PartitionConfig": "it asks for more than its partition allows",
        "PartitionNodeLimit": "it asks for more (or fewer) nodes than its partition allows",
        "PartitionTimeLimit": "its time limit is longer than its partition allows",
        "QOSMaxWallDurationPerJobLimit": "its time limit is longer than its QOS allows",
        "QOSNotAllowed": "its partition or account does not allow its QOS",
        "ReservationDeleted": "its reservation has been deleted",
        "ReservationInvalid": "its reservation cannot be used",
    },
}

TABLE: Final[Mapping[str, Meaning]] = {
    reason: Meaning(wait, words) for wait, reasons in _BY_KIND.items() for reason, words in reasons.items()
}
"""By Slurm's word; limits on single resources have words that are put together (`meaning`)."""

ENDS: Final = frozenset(
    {
        "DeadLine",
        "InactiveLimit",
        "JobLaunchFailure",
        "NonZeroExitCode",
        "OutOfMemory",
        "RaisedSignal",
        "TimeLimit",
    }
)
"""Why a job ended."""

_LIMIT: Final = re.compile(
    r"(?P<owner>Assoc|QOS)?(?P<kind>Grp|Max|Min)(?P<what>BB|Billing|C[Pp][Uu]|Energy|GRES|Jobs|License|Mem|Memory|Node|Unknown|Wall)"
    r"(?P<time>Minutes|RunMinutes|RunMins)?(?P<per>PerJob|PerNode|PerUser|PerAccount)?(?:Limit|NotSatisfied)?"
)
"""How Slurm names the limits of associations and QOS; one that names no owner is a QOS's limit for each account."""

_WHAT: Final = {
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
_PER: Final = {"PerJob": "one job", "PerNode": "one node", "PerUser": "one user", "PerAccount": "one account"}


def meaning(reason: str) -> Meaning | None:
    """What a reason means; None: it is none that we know."""
    return TABLE.get(reason) or _of_limit(reason)


def _of_limit(reason: str) -> Meaning | None:
    """What a limit means, from how its name is put together."""
    limit = _LIMIT.fullmatch(reason)
    if limit is None:
        return None
    owner = "the account" if limit["owner"] == "Assoc" else "its QOS"
    what = _WHAT[limit["what"].lower()]
    who = f" for {_PER[limit['per']]}" if limit["per"] else ""
    if limit["kind"] == "Min":
        return Meaning(Wait.NEVER, f"it asks for less than {owner} demands: {what}")
    if limit["per"] in ("PerJob", "PerNode"):
        spent = " times minutes" if limit["time"] else ""
        return Meaning(Wait.NEVER, f"it asks for more than {owner} allows{who}: {what}{spent}")
    if limit["time"] == "Minutes":
        return Meaning(Wait.LIMIT, f"{owner} has used up what it was granted: minutes of {what}")
    if limit["time"]:
        return Meaning(Wait.LIMIT, f"running jobs have claimed all that {owner} allows{who}: minutes of {what}")
    return Meaning(Wait.LIMIT, f"all that {owner} allows{who} at once is in use: {what}")
