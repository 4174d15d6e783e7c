"""A SlurmJob at each point of the protocol, and what Slurm may say of it, as values to build examples from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from slurmjob_operator.api.conditions import ConditionType, Reason
from slurmjob_operator.api.status import SlurmJobStatus
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core import progress
from slurmjob_operator.core.decision import Action, Decision
from slurmjob_operator.core.marker import Marker
from slurmjob_operator.core.records import Accepted, JobRecord, Source
from slurmjob_operator.core.states import end_of
from slurmjob_operator.core.view import ConnectionFacts, Facts, JobView, Trouble

NOW = 1_800_000_000.0
OPENED = NOW - 60
"""When the attempt of the examples was opened; it was recorded ten seconds later."""

UID = "5f0c7b62-0b0e-4a55-9c83-0f1a7f0f9f31"
HASH = "0123456789abcdef"
OTHER_HASH = "fedcba9876543210"
CONNECTION = ConnectionFacts(user="alice", cluster_name="campus")
AWAY = Trouble(reason=Reason.CLUSTER_UNREACHABLE, message="no answer", retry_at=NOW + 20)


def view(status: SlurmJobStatus | None = None, **changes: Any) -> JobView:
    """The SlurmJob `ns/wing`, with our finalizer unless said otherwise."""
    return JobView(
        **{
            "uid": UID,
            "namespace": "ns",
            "name": "wing",
            "generation": 1,
            "resource_version": "10",
            "connection": "campus",
            "template_hash": HASH,
            "slurm_name": "wing",
            "has_finalizer": True,
            "status": SlurmJobStatus() if status is None else status,
            **changes,
        }
    )


def opened() -> SlurmJobStatus:
    """Attempt 1 is open, nothing is recorded."""
    return progress.opened(view(), Facts(connection=CONNECTION), now=OPENED)


def recorded() -> SlurmJobStatus:
    """Job 7 is recorded."""
    return progress.recorded(view(opened()), Accepted(job_id=7), notices=(), now=OPENED + 10)


def running() -> SlurmJobStatus:
    """Job 7 was seen running."""
    return progress.following(view(recorded()), record(states={"RUNNING"}, start_time=int(NOW) - 30), now=NOW - 30)


def rejected() -> SlurmJobStatus:
    """Slurm refused the template."""
    return progress.rejected(view(opened()), reason=Reason.SUBMISSION_REJECTED, message="no such partition", now=OPENED)


def ended() -> SlurmJobStatus:
    """Job 7 has completed, and status says so."""
    over = record(states={"COMPLETED"}, end_time=int(NOW) - 5)
    return progress.ended(view(recorded()), over, end=end_of(over), now=NOW)


def facts(**changes: Any) -> Facts:
    """What this process knows, the connection being usable."""
    return Facts(**{"connection": CONNECTION, **changes})


def comment(*, uid: str = UID, attempt: int = 1, template_hash: str = HASH, released: bool = False) -> str:
    """A comment with a marker."""
    return Marker(
        installation="ops/slurmjob-operator",
        namespace="ns",
        name="wing",
        uid=uid,
        attempt=attempt,
        template_hash=template_hash,
        released=released,
    ).comment("")


def record(states: set[str] | None = None, **changes: Any) -> JobRecord:
    """slurmctld's record of job 7, released and pending for its priority unless said otherwise."""
    return JobRecord(
        **{
            "source": Source.CONTROLLER,
            "job_id": 7,
            "user": "alice",
            "name": "wing",
            "states": frozenset({"PENDING"} if states is None else states),
            "reason": "Priority",
            "comment": comment(released=True),
            "submit_time": int(OPENED) + 10,
            **changes,
        }
    )


def held(**changes: Any) -> JobRecord:
    """slurmctld's record of job 7 as it was submitted: held, without the note."""
    return record(**{"held": True, "reason": "JobHeldUser", "comment": comment(), **changes})


def told(states: set[str] | None = None, **changes: Any) -> JobRecord:
    """slurmdbd's record of job 7, which has no comment before the end."""
    return record(states, **{"source": Source.ACCOUNTING, "reason": None, "comment": "", **changes})


def reason_of(decision: Decision, kind: ConditionType) -> tuple[str, str] | None:
    """Status and reason of a condition in the decision's status."""
    found = edit.find(decision.status.conditions, kind)
    return None if found is None else (found.status, found.reason)


def assert_only(decision: Decision, seen: JobView, action: Action | None, recheck_at: float | None = None) -> None:
    """This action and nothing else: nothing is written, nobody is told."""
    assert decision == Decision(status=seen.status, action=action, recheck_at=recheck_at)


def written(seen: JobView, decision: Decision) -> JobView:
    """The view once the decision's status stands."""
    return replace(seen, status=decision.status)
