"""The page of options is what the table says, and says something of every option and every release."""

from __future__ import annotations

from pathlib import Path

import pytest

from slurmjob_operator.edge.offline import options_page
from slurmjob_operator.sbatch.option import NotSaid, Option
from slurmjob_operator.sbatch.options import ROWS
from slurmjob_operator.sbatch.value import OLDEST

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/options.md"


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text() == options_page.page(), "run `make docs`"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_option_is_named_with_its_reason(row: Option) -> None:
    page = options_page.page()
    assert f"`--{row.name}`" in page
    for sentence in (row.means_nothing, row.refused):
        assert sentence is None or sentence in page
    if row.known_in(OLDEST) and isinstance(row.v38, NotSaid):
        assert row.v38.reason in page


def test_links_lead_to_headings() -> None:
    page = options_page.page()
    for row in ROWS:
        if f"(#{row.name})" in page:
            assert f"\n### {row.name}\n" in page
