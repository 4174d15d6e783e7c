"""What jobs used, by slurmdbd of a real Slurm, against what sacct says of the same jobs."""

from __future__ import annotations

from typing import Any

import pytest

from sandboxlib.paths import Paths
from tests.real import cluster
from tests.real.cluster import Tenant
from tests.real.releases import Differs, expected

MEBIBYTE = 2**20
OF_TASKS = "/home/alice/ledger-of-tasks"
BUSY = """
python3 -c '
import time
while time.process_time() < 3:
    pass'
srun --ntasks=1 python3 -c '
import time
held = bytearray(150_000_000)
while time.process_time() < 5:
    pass
raise SystemExit(3)'
true
"""
"""Busy for a time of the processor, not of the clock: a loaded machine gives it less in the same time."""


def _seconds(text: str) -> float:
    """Of sacct's `[DD-[HH:]]MM:SS[.mmm]`."""
    found = 0.0
    for part in text.replace("-", ":").split(":"):
        found = found * 60 + float(part)
    return found


def _sacct(tenant: Tenant, job_id: str) -> list[dict[str, str]]:
    """A row for the job and for each step."""
    fields = ("JobID", "Elapsed", "TotalCPU", "MaxRSS", "AllocCPUS", "DerivedExitCode")
    out = tenant.slurm("sacct", "-n", "-P", "--noconvert", "-j", job_id, "-o", ",".join(fields))
    return [dict(zip(fields, line.split("|"), strict=True)) for line in out.splitlines()]


def _cpu(rows: list[dict[str, str]]) -> float:
    return sum(_seconds(row["TotalCPU"]) for row in rows if "." in row["JobID"])


def _rss(rows: list[dict[str, str]]) -> int:
    """`MaxRSS` is in bytes, or has a K behind it."""
    texts = [row["MaxRSS"] for row in rows if row["MaxRSS"]]
    return max((int(text[:-1]) * 1024 if text.endswith("K") else int(text) for text in texts), default=0)


def _usage(tenant: Tenant, name: str, *, seconds: int = 60) -> dict[str, Any]:
    tenant.wait(name, "Finished", seconds=seconds)
    tenant.wait_until(lambda: "usage" in tenant.status(name))
    usage: dict[str, Any] = tenant.status(name)["usage"]
    return usage


def test_as_sacct_has_it(tenant: Tenant) -> None:
    tenant.job("busy", script=BUSY, ntasks=2, mem="400M", partition="gpu", gres="gpu:1")
    tenant.job("never-ran", hold=True)
    usage = _usage(tenant, "busy")
    assert "missing" not in usage
    status = tenant.status("busy")
    rows = _sacct(tenant, status["jobId"])
    job = next(row for row in rows if row["JobID"] == status["jobId"])
    elapsed = _seconds(job["Elapsed"])
    assert usage["elapsedSeconds"] == elapsed
    assert usage["gpuSeconds"] == elapsed
    cpu = _cpu(rows)
    assert usage["cpuSeconds"] == pytest.approx(cpu, abs=1)
    assert usage["cpuSeconds"] >= 8
    assert usage["cpuEfficiencyPercent"] == pytest.approx(100 * cpu / (2 * elapsed), abs=8)
    assert usage.get("derivedExitCode") == expected(Differs.DERIVED_EXIT_CODE)
    assert usage.get("maxRssBytes", 0) == _rss(rows)
    if _rss(rows):
        assert usage["maxRssBytes"] > 100 * MEBIBYTE
        assert 25 <= usage["memoryEfficiencyPercent"] <= 60
    assert status["attempts"][-1]["usage"] == usage
    tenant.slurm("scancel", tenant.status("never-ran")["jobId"])
    tenant.wait("never-ran", "Failed")
    assert "usage" not in tenant.status("never-ran")


def test_of_an_array_and_of_each_attempt(tenant: Tenant) -> None:
    script = "timeout 2 sh -c 'while :; do :; done'\ntest $SLURMJOB_ATTEMPT.$SLURM_ARRAY_TASK_ID != 1.2"
    manifest = tenant.manifest("tasks", script=script, spec={"backoffLimit": 1}, ledger=OF_TASKS, array="1-3")
    tenant.apply(manifest)
    usage = _usage(tenant, "tasks", seconds=120)
    status = tenant.status("tasks")
    first, second = status["attempts"]
    assert second["usage"] == usage
    assert 6 <= first["usage"]["elapsedSeconds"] <= 15, "three tasks"
    assert 2 <= second["usage"]["elapsedSeconds"] <= 5, "one task"
    for attempt in (first, second):
        assert attempt["usage"]["cpuSeconds"] == pytest.approx(_cpu(_sacct(tenant, attempt["jobId"])), abs=1)


@pytest.mark.alone
def test_slurmdbd_is_away_at_the_end(tenant: Tenant, operator: Paths) -> None:
    """The end is told all the same; what was used once slurmdbd is back, and by another process."""
    tenant.job("missed", script=tenant.until("missed"))
    tenant.wait_state("missed", "Running")
    with cluster.stopped(operator, "slurmdbd"):
        tenant.go("missed")
        tenant.wait("missed", "Complete")
        assert "usage" not in tenant.status("missed")
        assert tenant.get("missed")["metadata"]["finalizers"]
        cluster.operator_kill(operator)
    cluster.operator_start(operator)
    assert _usage(tenant, "missed")["elapsedSeconds"] >= 0
    tenant.wait_until(lambda: not tenant.get("missed")["metadata"].get("finalizers"))
