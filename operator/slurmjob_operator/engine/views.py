"""From the API server's bodies to slim views, and back to what is written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from slurmjob_operator.api.names import ABANDON_ANNOTATION, JOB_FINALIZER, RESOLVE_ANNOTATION
from slurmjob_operator.api.slurmjob import DeletionPolicy, UnknownOutcomePolicy
from slurmjob_operator.api.status import SlurmConnectionStatus, SlurmJobStatus
from slurmjob_operator.core.view import JobView
from slurmjob_operator.engine import sources
from slurmjob_operator.kube.port import Kind, ObjectKey
from slurmjob_operator.slurm.template import Outline, array_of, outline

JOB_STATUS: TypeAdapter[SlurmJobStatus] = TypeAdapter(SlurmJobStatus)
CONNECTION_STATUS: TypeAdapter[SlurmConnectionStatus] = TypeAdapter(SlurmConnectionStatus)


def object_key(kind: Kind, body: Mapping[str, Any]) -> ObjectKey:
    """Name and uid of an object."""
    metadata = body["metadata"]
    return ObjectKey(kind=kind, namespace=metadata["namespace"], name=metadata["name"], uid=metadata["uid"])


def template_hash(template: Mapping[str, Any]) -> str:
    """16 hexadecimal digits over the template's canonical JSON."""
    text = json.dumps(template, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def job_view(body: Mapping[str, Any], *, known: JobView | None = None) -> JobView:
    """Reduce a SlurmJob. What the schema guarantees is relied on; the template is checked elsewhere. `known` is an
    older view of it: what its template says is not read again where that is the same."""
    metadata, spec = body["metadata"], body["spec"]
    template = spec.get("template") or {}
    digest = template_hash(template)
    same = known is not None and known.template_hash == digest
    status = JOB_STATUS.validate_python(body.get("status") or {})
    asked = known if known is not None and same else _outline(template, status, name=metadata["name"])
    annotations = metadata.get("annotations") or {}
    return JobView(
        uid=metadata["uid"],
        namespace=metadata["namespace"],
        name=metadata["name"],
        generation=metadata["generation"],
        resource_version=metadata["resourceVersion"],
        connection=spec["connectionRef"]["name"],
        deletion_policy=DeletionPolicy(spec.get("deletionPolicy", DeletionPolicy.CANCEL)),
        template_hash=digest,
        hold=asked.hold,
        priority=asked.priority,
        array=asked.array,
        slurm_name=asked.slurm_name,
        sourced=next(sources.references(template), None) is not None,
        backoff_limit=spec.get("backoffLimit", 0),
        unknown_outcome_policy=UnknownOutcomePolicy(spec.get("unknownOutcomePolicy", UnknownOutcomePolicy.ASK)),
        suspend=spec.get("suspend", False),
        resolve=annotations.get(RESOLVE_ANNOTATION, ""),
        deleting="deletionTimestamp" in metadata,
        deletion_time=metadata.get("deletionTimestamp"),
        abandoned=annotations.get(ABANDON_ANNOTATION) == "true",
        has_finalizer=JOB_FINALIZER in (metadata.get("finalizers") or ()),
        status=status,
    )


def _outline(template: Mapping[str, Any], status: SlurmJobStatus, *, name: str) -> Outline:
    """A script in a ConfigMap may be another one by now: what it said when the attempt was opened stands in status."""
    said = status.sourced
    if said is None or sources.SCRIPT not in template:
        return outline(template, name=name)
    return Outline(
        slurm_name=said.job_name or name,
        hold=said.hold is True,
        priority=said.priority,
        array=array_of(said.array or ""),
    )


def with_sources(view: JobView, template: Mapping[str, Any]) -> JobView:
    """The view of an object whose template has these texts in their places."""
    asked = outline(template, name=view.name)
    return replace(view, slurm_name=asked.slurm_name, hold=asked.hold, priority=asked.priority, array=asked.array)


def status_body(status: SlurmJobStatus | SlurmConnectionStatus) -> dict[str, Any]:
    """The status as it stands in a manifest: absent keys for what is not known."""
    adapter: TypeAdapter[Any] = JOB_STATUS if isinstance(status, SlurmJobStatus) else CONNECTION_STATUS
    body: dict[str, Any] = adapter.dump_python(status, mode="json", by_alias=True, exclude_none=True)
    return body


def newer(left: str, right: str) -> bool:
    """Whether resourceVersion `left` is newer than `right`. They are ordered numbers (KEP-5504); were they
    ever not, the preconditions of our writes would still hold."""
    if left.isdigit() and right.isdigit():
        return int(left) > int(right)
    return left != right
