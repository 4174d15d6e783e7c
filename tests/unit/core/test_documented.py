"""What `docs/outcomes.md` says of ends and reasons is what the rules do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from slurmjob_operator.api.conditions import Reason
from slurmjob_operator.api.names import ABANDON_ANNOTATION, RESOLVE_ANNOTATION
from slurmjob_operator.core import attempts
from slurmjob_operator.core.states import TERMINAL, end_of
from tests.unit.core.values import record

TEXT = (Path(__file__).parents[3] / "docs" / "outcomes.md").read_text()
ROWS = {
    reason: cells[2].strip()
    for line in TEXT.split("\n## ")[0].splitlines()
    if line.startswith("| `") and (cells := line.strip("|").split("|"))
    for reason in re.findall(r"`(\w+)`", cells[0])
}


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_each_end_stands_there_with_whether_it_is_tried_again(state: str) -> None:
    end = end_of(record({state}, exit_code=1))
    again = "" if end.succeeded else "yes" if attempts.is_tried_again(frozenset({state})) else "no"
    assert ROWS[end.reason] == again


def test_no_reason_is_made_up() -> None:
    assert set(ROWS) <= set(Reason)
    assert set(attempts.UNKNOWN_REASONS) <= set(ROWS)


@pytest.mark.parametrize("verdict", attempts.Verdict)
def test_the_words_of_a_person(verdict: attempts.Verdict) -> None:
    assert f"1/{verdict.value}" in TEXT
    assert f"{RESOLVE_ANNOTATION}=" in TEXT


def test_break_glass() -> None:
    assert f"{ABANDON_ANNOTATION}=true" in TEXT
