"""The body of job/submit, of one job or of a heterogeneous one."""

from __future__ import annotations

from typing import Any

from slurmjob_operator.slurm.dialects.dialect import Dialect
from slurmjob_operator.slurm.request import JobRequest


def body(dialect: Dialect, request: JobRequest, *, comment: str, extra: str | None) -> dict[str, Any]:
    """With `jobs`, one for each component, in the place of `job` where there are several; the script is the first
    one's."""
    version = dialect.version
    first = dialect.encode(request, comment=comment, extra=extra, version=version)
    if not request.others:
        return first
    others = [
        dialect.encode(one.request, comment=one.comment, extra=one.extra, version=version)["job"]
        for one in request.others
    ]
    return {"script": first["script"], "jobs": [first["job"], *others]}
