"""The family v0.0.40 to v0.0.45, Slurm 23.11 and newer; with it v0.0.39, which asks as they do and answers in words of
v0.0.38.

`encode` makes the body of job/submit; the two readers make records of slurmctld's and slurmdbd's answers.
Keys and encodings are those verified to give the same record as sbatch (measured on v0.0.42 and v0.0.45). v0.0.39 is
served by no daemon that was at hand: it is held against its document only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from slurmjob_operator.core.records import JobRecord, Spent
from slurmjob_operator.sbatch.job import encoded
from slurmjob_operator.slurm.dialects import reading
from slurmjob_operator.slurm.dialects.dialect import Dialect
from slurmjob_operator.slurm.dialects.rows import accounting_row, controller_row, with_files
from slurmjob_operator.slurm.request import JobRequest

VERSIONS: Final = ("v0.0.45", "v0.0.44", "v0.0.43", "v0.0.42", "v0.0.41", "v0.0.40", "v0.0.39")
"""Newest first."""

UNSET_16_BITS: Final = 65534
"""Slurm's NO_VAL16."""

ITSELF: Final = "script"
WITHOUT_OOM_KILL_STEP: Final = frozenset({"v0.0.39", "v0.0.40", "v0.0.41"})
WITHOUT_STATES: Final = frozenset({"v0.0.39"})


def encode(request: JobRequest, *, comment: str, version: str, extra: str | None = None) -> dict[str, Any]:
    """The body of job/submit. The job is held; keys without a value are left out, above all file names:
    an empty one kills slurmrestd 24.11 (TRAP POISON)."""
    job: dict[str, Any] = {
        "name": request.name,
        "comment": comment,
        "hold": True,
        "current_working_directory": request.chdir,
        "environment": [f"{name}={value}" for name, value in request.environment.items()],
        **encoded(request.options, api_version=version),
    }
    if request.arguments:
        job["argv"] = [request.name or ITSELF, *request.arguments]  # the first is the script, whatever stands there
    if extra is not None:
        job["extra"] = extra
    if version not in WITHOUT_OOM_KILL_STEP:
        # left out, it becomes 0, "no", where sbatch leaves the question to the cluster (measured on 26.05)
        job.setdefault("oom_kill_step", UNSET_16_BITS)
    return {"script": request.script, "job": job}


def number(value: int) -> dict[str, Any]:
    """A number that may be unset."""
    return {"set": True, "number": value}


def controller_record(raw: Mapping[str, Any]) -> JobRecord:
    """A job of job/{id} or jobs."""
    exit_code, signal = _exit(raw.get("exit_code"))
    stdout = reading.path(raw.get("stdout_expanded")) or reading.path(raw.get("standard_output"))
    stderr = reading.path(raw.get("stderr_expanded")) or reading.path(raw.get("standard_error"))
    record = replace(controller_row(raw), exit_code=exit_code, signal=signal)
    return with_files(record, stdout=stdout, stderr=stderr or stdout)


def accounting_record(raw: Mapping[str, Any]) -> JobRecord:
    """A job of slurmdb/job(s)."""
    exit_code, signal = _exit(raw.get("exit_code"))
    record = accounting_row(raw)
    derived, _ = _exit(raw.get("derived_exit_code"))
    return replace(
        record,
        spent=replace(record.spent or Spent(), derived_exit_code=derived),
        exit_code=exit_code,
        signal=signal,
        stdout_path=reading.path(raw.get("stdout_expanded")),
        stderr_path=reading.path(raw.get("stderr_expanded")),
    )


def _exit(value: Any) -> tuple[int | None, int | None]:
    """`{status, return_code, signal: {id, name}}` as (exit code, signal); v0.0.39's slurmctld gives a wait status."""
    raw = reading.mapping(value)
    status = reading.words(raw.get("status"))
    signal = reading.mapping(raw.get("signal"))
    if "status" not in raw:
        return reading.wait_status(value)
    if "PENDING" in status or "INVALID" in status:
        return None, None
    return reading.count(raw.get("return_code")), reading.count(signal.get("id", signal.get("signal_id"))) or None


DIALECTS: Final = tuple(
    Dialect(
        version=version,
        encode=encode,
        controller_record=controller_record,
        accounting_record=accounting_record,
        lists_states=version not in WITHOUT_STATES,
        filters_by_user=True,
        knows_extra=True,
        slurmdbd_lags=False,
        drops_dependencies=False,
        names_cluster=True,
        number=number,
        tells_bad_tokens=True,
    )
    for version in VERSIONS
)
"""Newest first."""
