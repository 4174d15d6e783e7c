"""What a row of slurmdbd says of a job's use of resources: the same shape in all API versions (measured on v0.0.38,
v0.0.42 and v0.0.45). A job's own times are 0 there; those of its steps are true.

In a step `tres.requested` is what it used, despite the name: memory in bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from slurmjob_operator.core.known import largest, total
from slurmjob_operator.core.records import Spent
from slurmjob_operator.slurm.dialects import reading

MEBIBYTE: Final = 2**20
MICROSECONDS: Final = 1_000_000


def spent(raw: Mapping[str, Any]) -> Spent:
    """Of a job of slurmdb/job(s) with its steps. A 0 of memory or energy says that nobody measured it."""
    steps = reading.objects(raw.get("steps"))
    used = [reading.mapping(reading.mapping(step.get("tres")).get("requested")) for step in steps]
    consumed = [reading.mapping(reading.mapping(step.get("tres")).get("consumed")) for step in steps]
    allocated = reading.mapping(raw.get("tres")).get("allocated")
    memory = _count(allocated, "mem")
    return Spent(
        cpu_seconds=total(_cpu_seconds(step) for step in steps),
        max_rss_bytes=largest(_count(of_step.get("max"), "mem") for of_step in used),
        total_rss_bytes=largest(_count(of_step.get("total"), "mem") for of_step in used),
        energy_joules=largest(_count(of_step.get("total"), "energy") for of_step in consumed),
        memory_bytes=None if memory is None else memory * MEBIBYTE,
        gpus=_gpus(allocated),
        steps_open=any(_is_open(step) for step in steps),
    )


def _is_open(step: Mapping[str, Any]) -> bool:
    """Its end is 0 until slurmdbd hears of it, which may be later than of the job's own end."""
    return reading.number(reading.mapping(step.get("time")).get("end")) == 0


def _cpu_seconds(step: Mapping[str, Any]) -> float | None:
    total = reading.mapping(reading.mapping(step.get("time")).get("total"))
    seconds, microseconds = reading.count(total.get("seconds")), reading.count(total.get("microseconds"))
    return None if seconds is None else seconds + (microseconds or 0) / MICROSECONDS


def _count(rows: Any, kind: str) -> int | None:
    """The count of a trackable resource. Of memory it may be greater than other counts are."""
    found = (reading.number(row.get("count")) for row in reading.objects(rows) if row.get("type") == kind)
    return next((number for number in found if number is not None and number > 0), None)


def _gpus(rows: Any) -> int | None:
    """All of them; without such a sum those of each type together."""
    gres = [row for row in reading.objects(rows) if row.get("type") == "gres"]
    counts = {reading.said(row.get("name")): reading.count(row.get("count")) or 0 for row in gres}
    typed = sum(count for name, count in counts.items() if name.startswith("gpu:"))
    return counts.get("gpu") or typed or None
