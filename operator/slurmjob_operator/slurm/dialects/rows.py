"""What rows of all families have in common: the same keys, whose values `reading` takes in either family's shape.

Each family adds what it says in a way of its own: how the job ended, and where its output is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from slurmjob_operator.core.records import JobRecord, Source
from slurmjob_operator.slurm.dialects import reading
from slurmjob_operator.slurm.dialects.array_rows import accounting_indexes, controller_indexes, of_all_tasks
from slurmjob_operator.slurm.dialects.spent_rows import spent


def controller_row(raw: Mapping[str, Any]) -> JobRecord:
    """A job of job/{id} or jobs. Older versions have no `hold`, `extra` and `failed_node`."""
    array_id = reading.job_id(raw.get("array_job_id"))
    het_id = reading.job_id(raw.get("het_job_id"))
    return JobRecord(
        source=Source.CONTROLLER,
        job_id=reading.job_id(raw.get("job_id")) or 0,
        user=reading.said(raw.get("user_name")),
        name=reading.said(raw.get("name")),
        states=reading.words(raw.get("job_state")),
        reason=reading.text(raw.get("state_reason")),
        description=reading.text(raw.get("state_description")),
        comment=reading.said(raw.get("comment")),
        extra=reading.said(raw.get("extra")),
        held=raw.get("hold") is True or reading.number(raw.get("priority")) == 0,
        restarts=reading.count(raw.get("restart_cnt")) or 0,
        submit_time=reading.time(raw.get("submit_time")),
        eligible_time=reading.time(raw.get("eligible_time")),
        start_time=reading.time(raw.get("start_time")),
        end_time=reading.time(raw.get("end_time")),
        account=reading.text(raw.get("account")),
        partition=reading.text(raw.get("partition")),
        qos=reading.text(raw.get("qos")),
        time_limit_seconds=_seconds(raw.get("time_limit")),
        nodes=reading.path(raw.get("nodes")),
        failed_node=reading.text(raw.get("failed_node")),
        node_count=reading.count(raw.get("node_count")),
        cpus=reading.count(raw.get("cpus")),
        het_id=het_id,
        het_offset=None if het_id is None else reading.count(raw.get("het_job_offset")),
        array_id=array_id,
        indexes=None if array_id is None else controller_indexes(raw),
    )


def with_files(record: JobRecord, *, stdout: str | None, stderr: str | None) -> JobRecord:
    """The record with its files; those of an array's tasks that have not started have no index yet."""
    if record.array_id is not None and (
        record.indexes is None or len(record.indexes) > 1 or "PENDING" in record.states
    ):
        stdout, stderr = of_all_tasks(stdout), of_all_tasks(stderr)
    return replace(record, stdout_path=stdout, stderr_path=stderr)


def accounting_row(raw: Mapping[str, Any]) -> JobRecord:
    """A job of slurmdb/job(s). slurmdbd says "None assigned" for no nodes and knows no reason."""
    times = reading.mapping(raw.get("time"))
    state, comment = raw.get("state"), raw.get("comment")
    nodes = reading.path(raw.get("nodes"))
    array = reading.mapping(raw.get("array"))
    array_id = reading.job_id(array.get("job_id"))
    het = reading.mapping(raw.get("het"))
    het_id = reading.job_id(het.get("job_id"))
    return JobRecord(
        source=Source.ACCOUNTING,
        job_id=reading.job_id(raw.get("job_id")) or 0,
        user=reading.said(reading.mapping(raw.get("association")).get("user") or raw.get("user")),
        name=reading.said(raw.get("name")),
        states=reading.words(state.get("current") if isinstance(state, Mapping) else state),
        # an object of three comments; the job's own is `job`
        comment=reading.said(comment.get("job") if isinstance(comment, Mapping) else comment),
        extra=reading.said(raw.get("extra")),
        restarts=reading.count(raw.get("restart_cnt")) or 0,
        submit_time=reading.time(times.get("submission")),
        eligible_time=reading.time(times.get("eligible")),
        start_time=reading.time(times.get("start")),
        end_time=reading.time(times.get("end")),
        account=reading.text(raw.get("account")),
        partition=reading.text(raw.get("partition")),
        qos=reading.text(raw.get("qos")),
        time_limit_seconds=_seconds(times.get("limit")),
        nodes=None if nodes == "None assigned" else nodes,
        failed_node=reading.text(raw.get("failed_node")),
        node_count=reading.count(raw.get("allocation_nodes")),
        cpus=_allocated_cpus(raw),
        elapsed_seconds=reading.count(times.get("elapsed")),
        spent=spent(raw),
        het_id=het_id,
        het_offset=None if het_id is None else reading.count(het.get("job_offset")),
        array_id=array_id,
        indexes=None if array_id is None else accounting_indexes(array),
    )


def _seconds(limit: Any) -> int | None:
    minutes = reading.count(limit)
    return None if minutes is None else minutes * 60


def _allocated_cpus(raw: Mapping[str, Any]) -> int | None:
    allocated = reading.objects(reading.mapping(raw.get("tres")).get("allocated"))
    return next((reading.count(item.get("count")) for item in allocated if item.get("type") == "cpu"), None)
