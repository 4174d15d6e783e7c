"""The page of differences is what the tests compare with real daemons, no more and no less."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxlib.slurm_suites import SUITES
from tests.real import releases
from tests.real.releases import TABLE, Differs

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_is_not_stale() -> None:
    assert (ROOT / "docs/releases.md").read_text() == releases.page(), "run `make docs`"


@pytest.mark.parametrize("row", Differs)
def test_each_row_says_something_of_each_release_and_differs(row: Differs) -> None:
    said = TABLE[row]
    assert said.keys() == SUITES.keys()
    assert len({of.text for of in said.values()}) > 1
    assert len({str(of.value) for of in said.values()}) > 1


@pytest.mark.parametrize("row", Differs)
def test_each_row_is_held_by_a_test_on_real_daemons(row: Differs) -> None:
    tests = [*(ROOT / "tests/e2e").glob("test_*.py"), *(ROOT / "tests/contract").glob("test_*.py")]
    assert any(f"expected(Differs.{row.name})" in path.read_text() for path in tests)
