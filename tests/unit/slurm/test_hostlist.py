"""Slurm's lists of hosts."""

from __future__ import annotations

import pytest

from slurmjob_operator.slurm.dialects.hostlist import matches


@pytest.mark.parametrize(
    ("text", "host", "held"),
    [
        ("n[1-8]", "n1", True),
        ("n[1-8]", "n8", True),
        ("n[1-8]", "n9", False),
        ("n[1-8]", "m1", False),
        ("n[1,3-5],login", "n4", True),
        ("n[1,3-5],login", "n2", False),
        ("n[1,3-5],login", "login", True),
        ("n[01-08]", "n01", True),
        ("n[01-08]", "n1", False),
        ("r[1-2]n[1-4]-ib", "r2n4-ib", True),
        ("r[1-2]n[1-4]-ib", "r3n4-ib", False),
        ("n1", "n11", False),
        ("", "n1", False),
    ],
)
def test_matches(text: str, host: str, held: bool) -> None:
    assert matches(text, host) is held
