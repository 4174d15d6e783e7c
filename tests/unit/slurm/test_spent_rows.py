"""What slurmdbd's rows say of a job's use, in the shapes that 22.05, 24.11 and 26.05 gave."""

from __future__ import annotations

from typing import Any

import pytest

from slurmjob_operator.core.records import Spent
from slurmjob_operator.slurm.dialects.spent_rows import spent


def _step(*, seconds: Any, microseconds: Any, largest: Any, total: Any, energy: int = 0) -> dict[str, Any]:
    return {
        "time": {"total": {"seconds": seconds, "microseconds": microseconds}, "elapsed": 8},
        "tres": {
            "requested": {
                "max": [{"type": "cpu", "count": 2640}, {"type": "mem", "name": "", "count": largest, "node": "n1"}],
                "total": [{"type": "mem", "name": None, "count": total}],
            },
            "consumed": {"total": [{"type": "energy", "name": "", "count": energy}]},
        },
    }


ALLOCATED = [
    {"type": "cpu", "name": "", "count": 2},
    {"type": "mem", "name": None, "count": 200},
    {"type": "gres", "name": "gpu", "count": 3},
    {"type": "gres", "name": "gpu:a100", "count": 2},
]
BATCH = _step(seconds=2, microseconds=655221, largest=108265472, total=108265472)
SRUN = _step(seconds=2, microseconds=143567, largest=161927168, total=323854336, energy=70)


def test_of_two_steps() -> None:
    assert spent({"steps": [BATCH, SRUN], "tres": {"allocated": ALLOCATED}}) == Spent(
        cpu_seconds=4.798788,
        max_rss_bytes=161927168,
        total_rss_bytes=323854336,
        energy_joules=70,
        memory_bytes=200 * 2**20,
        gpus=3,
    )


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({}, Spent()),
        ({"steps": [], "tres": {"allocated": []}}, Spent()),
        ({"steps": [_step(seconds=0, microseconds=0, largest=0, total=0)]}, Spent(cpu_seconds=0.0)),
        ({"steps": "none", "tres": "none"}, Spent()),
        ({"steps": [{"time": {"total": {"seconds": -5}}}]}, Spent()),
        ({"steps": [{"time": {"end": 0}}, {"time": {"end": 1795773465}}]}, Spent(steps_open=True)),
        ({"steps": [{"time": {"end": {"set": True, "infinite": False, "number": 0}}}]}, Spent(steps_open=True)),
        ({"steps": [{"time": {"end": {"set": True, "infinite": False, "number": 1795773465}}}]}, Spent()),
        ({"tres": {"allocated": [{"type": "gres", "name": "gpu:a100", "count": 2}]}}, Spent(gpus=2)),
        ({"tres": {"allocated": [{"type": "gres", "name": "widget", "count": 2}]}}, Spent()),
        (
            {"tres": {"allocated": [{"type": "mem", "count": {"set": True, "number": 3}}]}},
            Spent(memory_bytes=3 * 2**20),
        ),
    ],
)
def test_what_is_not_there_is_not_known(row: dict[str, Any], expected: Spent) -> None:
    assert spent(row) == expected
