"""The kind SlurmJob."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from slurmjob_operator.api.base import Model, ObjectName, crd
from slurmjob_operator.api.names import MANAGER
from slurmjob_operator.api.status import SlurmJobStatus
from slurmjob_operator.api.template import JobTemplate


class ConnectionKind(StrEnum):
    """Kinds of connections."""

    SLURM_CONNECTION = "SlurmConnection"


class DeletionPolicy(StrEnum):
    """What becomes of the Slurm job when its object is deleted."""

    CANCEL = "Cancel"
    ORPHAN = "Orphan"


class UnknownOutcomePolicy(StrEnum):
    """What to do when nobody knows how an attempt ended."""

    ASK = "Ask"
    FAIL = "Fail"
    RETRY = "Retry"


class ConnectionRef(Model):
    """A connection of the same namespace. There is no `namespace` key, by design."""

    kind: Annotated[ConnectionKind, Field(description="Kind of the connection. Default: SlurmConnection.")] = (
        ConnectionKind.SLURM_CONNECTION
    )
    name: Annotated[ObjectName, Field(description="Name of the connection.")]


class SlurmJobSpec(Model):
    """What is wanted: `template` is Slurm's, named after sbatch; the rest is named after batch/v1 Job."""

    connection_ref: Annotated[
        ConnectionRef,
        Field(description="Where the job runs. Frozen from the moment that a job id has been recorded."),
    ]
    suspend: Annotated[
        bool,
        Field(
            description=(
                "True gives back what the job has: what is not submitted is not, what waits in Slurm's queue is held "
                "there and keeps its job id, what runs is cancelled. False lets it go on: a held job is released, "
                "after a cancelled one comes a new attempt, which `backoffLimit` does not count. Default: false."
            )
        ),
    ] = False
    managed_by: Annotated[
        str,
        Field(
            min_length=1,
            max_length=63,
            description=(
                "Who reconciles this object. With any other value than the default this operator does not touch it, "
                f"nor its status. Cannot be changed. Default: {MANAGER}."
            ),
        ),
    ] = MANAGER
    deletion_policy: Annotated[
        DeletionPolicy,
        Field(
            description=(
                "What happens to the Slurm job when this object is deleted: Cancel ends it and waits for its "
                "end; Orphan lets a released job run on, and cancels one that was never released. Default: Cancel."
            )
        ),
    ] = DeletionPolicy.CANCEL
    backoff_limit: Annotated[
        int,
        Field(
            ge=0,
            le=100,
            json_schema_extra={"format": "int32"},
            description=(
                "How often a failed run is tried again, as a new Slurm job. A job that somebody cancelled, or that "
                "missed its deadline, is not tried again. What Slurm starts again by itself is no retry. Default: 0."
            ),
        ),
    ] = 0
    unknown_outcome_policy: Annotated[
        UnknownOutcomePolicy,
        Field(
            description=(
                "What to do when nobody knows how an attempt ended, since Slurm has lost its record: Ask waits for a "
                "person (annotation slurmjob.dev/resolve), Fail takes it for failed, Retry starts another attempt "
                "if `backoffLimit` allows one: choose it where a second run does no harm. Default: Ask."
            )
        ),
    ] = UnknownOutcomePolicy.ASK
    template: JobTemplate


class SlurmJob(Model):
    """A job on a Slurm cluster: submitted once per attempt, followed to its end, cancelled when deleted."""

    spec: SlurmJobSpec
    status: SlurmJobStatus = SlurmJobStatus()


FROZEN_RULES: list[dict[str, Any]] = [
    {
        "rule": (
            f"!has(oldSelf.status) || !has(oldSelf.status.firstSubmitTime) || self.spec.{name} == oldSelf.spec.{name}"
        ),
        "message": (
            f"`{name}` must not change once a job has been submitted (`status.firstSubmitTime` is set); "
            "create a new SlurmJob instead"
        ),
        "fieldPath": f".spec.{name}",
        "reason": "FieldValueForbidden",
    }
    for name in ("template", "connectionRef")
]
"""At the root of the schema, since only there a rule can look at `status`."""

IMMUTABLE_RULE: dict[str, Any] = {
    "rule": "self.spec.managedBy == oldSelf.spec.managedBy",
    "message": "`managedBy` must not change: two who reconcile one object would both submit it",
    "fieldPath": ".spec.managedBy",
    "reason": "FieldValueForbidden",
}

COLUMNS: list[dict[str, Any]] = [
    {"name": "State", "type": "string", "jsonPath": ".status.state"},
    {"name": "Tasks", "type": "string", "jsonPath": ".status.array.progress"},
    {"name": "Job ID", "type": "string", "jsonPath": ".status.jobId"},
    {"name": "Connection", "type": "string", "jsonPath": ".spec.connectionRef.name"},
    {"name": "Partition", "type": "string", "jsonPath": ".status.effective.partition", "priority": 1},
    {"name": "User", "type": "string", "jsonPath": ".status.user", "priority": 1},
    {"name": "Nodes", "type": "string", "jsonPath": ".status.slurm.nodes", "priority": 1},
    {"name": "Reason", "type": "string", "jsonPath": ".status.slurm.reason", "priority": 1},
    {"name": "Start", "type": "date", "jsonPath": ".status.startTime", "priority": 1},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]

SELECTABLE: list[str] = [".spec.connectionRef.name", ".status.state", ".status.jobId"]

EXTRA: dict[str, Any] = crd(validations=[*FROZEN_RULES, IMMUTABLE_RULE])
