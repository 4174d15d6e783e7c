"""Which tasks of an array a row is of."""

from __future__ import annotations

from typing import Any

import pytest

from slurmjob_operator.slurm.dialects.array_rows import accounting_indexes, controller_indexes, of_all_tasks


@pytest.mark.parametrize(
    ("raw", "indexes"),
    [
        ({"array_task_id": 0, "array_task_string": ""}, "0"),
        ({"array_task_id": {"set": True, "number": 7}, "array_task_string": ""}, "7"),
        ({"array_task_id": None, "array_task_string": "0-6,8-99%10"}, "0-6,8-99"),
        ({"array_task_id": {"set": False, "number": 0}, "array_task_string": "0-8:4"}, "0,4,8"),
        ({"array_task_id": None, "array_task_string": "64-65,67-68,90,99,106,133,13..."}, None),
        ({"array_task_id": None, "array_task_string": ""}, None),
        ({"array_task_id": None}, None),
        ({"array_task_id": None, "array_task_string": ["0"]}, None),
    ],
)
def test_of_slurmctld(raw: dict[str, Any], indexes: str | None) -> None:
    found = controller_indexes(raw)
    assert (None if found is None else str(found)) == indexes


@pytest.mark.parametrize(
    ("raw", "indexes"),
    [
        ({"task_id": {"set": True, "number": 3}, "task": ""}, "3"),
        ({"task_id": 0, "task": None}, "0"),
        ({"task_id": None, "task": "0x3C"}, "2-5"),
        ({"task_id": {"set": False, "number": 0}, "task": "0x1"}, "0"),
        ({"task_id": None, "task": "0x"}, None),
        ({"task_id": None, "task": "3-9"}, None),
        ({"task_id": None, "task": "0x" + "f" * 1_300_000}, None),
        ({"task_id": None, "task": "0x" + "f" * 100_000}, None),
        ({}, None),
    ],
)
def test_of_slurmdbd(raw: dict[str, Any], indexes: str | None) -> None:
    found = accounting_indexes(raw)
    assert (None if found is None else str(found)) == indexes


def test_files_of_tasks_that_have_not_started() -> None:
    assert of_all_tasks("/x/slurm-12_4294967294.out") == "/x/slurm-12_%a.out"
    assert of_all_tasks(None) is None
