"""What the witnesses say: the ledger of executions, slurmdbd, Slurm's queue, and the SlurmJobs themselves.

The ledger is written by the jobs: `NAMESPACE/NAME JOBID RESTARTS`, a line each time a script begins (see
`tests.real.cluster`). slurmdbd is asked by `sacct`, not by the operator's own code. All are values; `gather` alone
asks anybody.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sandboxlib import slurm_cluster
from slurmjob_operator.api.conditions import Reason
from slurmjob_operator.core.marker import Marker, parse
from tests.real.cluster import SUITE, Tenant

SACCT: Final = (
    *("sacct", "--allusers", "--allocations", "--duplicates", "--noheader", "--parsable2"),
    "--format=JobIDRaw,State,ExitCode,Submit,Comment",
)
SQUEUE: Final = ("squeue", "--noheader", "--format=%A|%T|%r|%k")

WAITING_FOR_WORD: Final = frozenset({str(Reason.JOB_NOT_FOUND), str(Reason.IDENTITY_UNPROVEN)})
"""Reasons of Synced=False under which an object waits for what Slurm alone can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A script began: of which object (`NAMESPACE/NAME`), under which Slurm id."""

    object: str
    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounted:
    """One record of slurmdbd. It learns a comment, and with it our marker, only when a job ends."""

    job_id: str
    state: str
    exit_code: int
    submit: str
    mark: Marker | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """One job that Slurm has not done with."""

    job_id: str
    state: str
    reason: str
    mark: Marker | None

    @property
    def held(self) -> bool:
        """Whether it waits until somebody releases it."""
        return self.state == "PENDING" and self.reason.startswith("JobHeld")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """An attempt that is over by the object's own word; state UNKNOWN claims nothing."""

    attempt: int
    job_id: str | None
    state: str
    exit_code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A SlurmJob as it stands. `said`: it says why it does not go on. `unknown`: that nobody knows its end."""

    object: str
    uid: str
    attempt: int
    job_id: str | None
    finished: bool
    deleting: bool = False
    said: bool = False
    unknown: bool = False
    ended: tuple[Ended, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All of it, at one time: when nothing is expected to move any more."""

    executions: tuple[Execution, ...] = ()
    accounted: tuple[Accounted, ...] = ()
    queued: tuple[Queued, ...] = ()
    objects: tuple[Seen, ...] = ()


def gather(tenants: Sequence[Tenant], *, since: str = "now-1day") -> Evidence:
    """Ask all four about the objects of these namespaces. Raises what a witness raises that cannot be asked."""
    paths = tenants[0].paths
    namespaces = {tenant.namespace for tenant in tenants}
    ledger = slurm_cluster.home(paths, SUITE, "alice") / "ledger"
    listed = [tenant.kubectl("get", "slurmjobs", "-o", "json") for tenant in tenants]
    return Evidence(
        executions=read_ledger(ledger.read_text() if ledger.exists() else "", namespaces),
        accounted=read_sacct(tenants[0].slurm(*SACCT, f"--starttime={since}")),
        queued=tuple(q for q in read_squeue(tenants[0].slurm(*SQUEUE)) if q.mark and q.mark.namespace in namespaces),
        objects=tuple(seen for text in listed for seen in read_objects(text)),
    )


def read_ledger(text: str, namespaces: Collection[str]) -> tuple[Execution, ...]:
    """Lines of these namespaces. Raises `ValueError` for a line that is none: a torn ledger proves nothing."""
    found = []
    for line in text.splitlines():
        words = line.split(" ")
        if len(words) != 3 or words[0].count("/") != 1 or not (words[1].isdecimal() and words[2].isdecimal()):
            raise ValueError(f"no line of a ledger: {line!r}")
        if words[0].partition("/")[0] in namespaces:
            found.append(Execution(object=words[0], job_id=words[1]))
    return tuple(found)


def read_sacct(text: str) -> tuple[Accounted, ...]:
    """The output of `SACCT`, in its order. `CANCELLED by 2001` is CANCELLED."""
    found = []
    for line in text.splitlines():
        job_id, state, code, submit, comment = line.split("|", 4)
        found.append(
            Accounted(
                job_id=job_id,
                state=state.partition(" ")[0],
                exit_code=int(code.partition(":")[0]),
                submit=submit,
                mark=parse(comment),
            )
        )
    return tuple(found)


def read_squeue(text: str) -> tuple[Queued, ...]:
    """The output of `SQUEUE`."""
    found = []
    for line in text.splitlines():
        job_id, state, reason, comment = line.split("|", 3)
        found.append(Queued(job_id=job_id, state=state, reason=reason, mark=parse(comment)))
    return tuple(found)


def read_objects(text: str) -> tuple[Seen, ...]:
    """The output of `kubectl get slurmjobs -o json`."""
    return tuple(_seen(body) for body in json.loads(text)["items"])


def _seen(body: dict[str, Any]) -> Seen:
    meta, status = body["metadata"], body.get("status") or {}
    conditions = {c["type"]: c for c in status.get("conditions") or ()}
    stalled, synced = conditions.get("Stalled", {}), conditions.get("Synced", {})
    return Seen(
        object=f"{meta['namespace']}/{meta['name']}",
        uid=meta["uid"],
        attempt=status.get("attempt") or 0,
        job_id=status.get("jobId"),
        finished=conditions.get("Finished", {}).get("status") == "True",
        deleting="deletionTimestamp" in meta,
        said=stalled.get("status") == "True"
        or (synced.get("status") == "False" and synced.get("reason") in WAITING_FOR_WORD),
        unknown=status.get("state") == "Unknown",
        ended=tuple(
            Ended(attempt=it["attempt"], job_id=it.get("jobId"), state=it["state"], exit_code=it.get("exitCode"))
            for it in status.get("attempts") or ()
        ),
    )


def slurm_release(tenant: Tenant) -> str:
    """As Slurm says it, e.g. `26.05.5`."""
    return tenant.slurm("sinfo", "--version").rpartition(" ")[2]
