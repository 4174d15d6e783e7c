"""The family v0.0.38: Slurm 22.05.

`encode` makes the body of job/submit; the two readers make records of slurmctld's and slurmdbd's answers. Keys and
encodings are those verified to give the same record as sbatch (measured on 22.05.8); some of them slurmrestd's own
document does not name, or names with another type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.sbatch.job import encoded
from slurmjob_operator.slurm.dialects import file_names, reading
from slurmjob_operator.slurm.dialects.dialect import Dialect
from slurmjob_operator.slurm.dialects.rows import accounting_row, controller_row, with_files
from slurmjob_operator.slurm.request import JobRequest

VERSIONS: Final = ("v0.0.38",)

UNFINISHED: Final = frozenset({"PENDING", "RUNNING", "SUSPENDED", "CONFIGURING"})
"""The exit code of such a job is 0, and says nothing."""


def encode(request: JobRequest, *, comment: str, version: str, extra: str | None = None) -> dict[str, Any]:
    """The body of job/submit. The job is held; `extra` does not exist, and `argv` kills slurmrestd (TRAP S4)."""
    del extra
    job: dict[str, Any] = {
        "name": request.name,
        "comment": comment,
        "hold": True,
        "current_working_directory": request.chdir,
        "environment": dict(request.environment),
        **encoded(request.options, api_version=version),
    }
    return {"script": request.script, "job": job}


def controller_record(raw: Mapping[str, Any]) -> JobRecord:
    """A job of job/{id} or jobs. Its state is one word: COMPLETING stands in the place of the state that it ends in."""
    record = controller_row(raw)
    exit_code, signal = (None, None) if record.states & UNFINISHED else reading.wait_status(raw.get("exit_code"))
    stdout = _file(raw, reading.path(raw.get("standard_output")) or _default(raw))
    error = reading.path(raw.get("standard_error"))
    stderr = stdout if error is None else _file(raw, error)
    return with_files(replace(record, exit_code=exit_code, signal=signal), stdout=stdout, stderr=stderr)


def _default(raw: Mapping[str, Any]) -> str:
    is_task = reading.job_id(raw.get("array_job_id")) is not None
    return file_names.DEFAULT_OF_TASKS if is_task else file_names.DEFAULT


def _file(raw: Mapping[str, Any], path: str) -> str | None:
    """The file as slurmctld names it; None where the record has no folder that the name is relative to."""
    chdir = reading.path(raw.get("current_working_directory"))
    if chdir is None:
        return None
    job_id = reading.job_id(raw.get("job_id")) or 0
    job = file_names.OfJob(
        job_id=job_id,
        array_id=reading.job_id(raw.get("array_job_id")) or job_id,
        index=reading.count(raw.get("array_task_id")),
        user=reading.said(raw.get("user_name")),
        name=reading.said(raw.get("name")),
    )
    return reading.path(file_names.expanded(path, chdir=chdir, job=job))


def accounting_record(raw: Mapping[str, Any]) -> JobRecord:
    """A job of slurmdb/job(s). An exit code that is not a signal is lost there: it says 0 of every job (measured)."""
    record = accounting_row(raw)
    signal = reading.mapping(reading.mapping(raw.get("exit_code")).get("signal"))
    return replace(
        record,
        exit_code=0 if "COMPLETED" in record.states else None,
        signal=reading.count(signal.get("signal_id")) or None,
    )


DIALECTS: Final = tuple(
    Dialect(
        version=version,
        encode=encode,
        controller_record=controller_record,
        accounting_record=accounting_record,
        lists_states=False,
        filters_by_user=False,
        knows_extra=False,
        slurmdbd_lags=True,
        drops_dependencies=True,
        names_cluster=False,
        number=int,
        tells_bad_tokens=False,
    )
    for version in VERSIONS
)
"""Newest first."""
