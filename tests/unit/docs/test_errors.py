"""The page of error numbers is the table's."""

from __future__ import annotations

from pathlib import Path

from slurmjob_operator.edge.offline import errors_page
from slurmjob_operator.slurm.error_numbers import TABLE

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "errors.md"


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == errors_page.page(), "run `make docs`"


def test_each_number_stands_there_once() -> None:
    lines = errors_page.page().splitlines()
    for number in TABLE:
        assert sum(line.startswith(f"| {number} |") for line in lines) == 1, number
