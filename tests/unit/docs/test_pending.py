"""The page of reasons is made from the table."""

from __future__ import annotations

from pathlib import Path

from slurmjob_operator.core.pending_reasons import TABLE
from slurmjob_operator.edge.offline import pending_page

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/pending.md"


def test_it_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == pending_page.page(), "run `make docs`"


def test_each_reason_has_a_row() -> None:
    text = pending_page.page()
    assert [reason for reason in TABLE if f"| `{reason}` |" not in text] == []
    assert all(f"| `{reason}` |" in text for reason in pending_page.EXAMPLES)
