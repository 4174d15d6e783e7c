"""The scripts that are compared: where they come from, and what is in them."""

from __future__ import annotations

import pytest

from slurmjob_operator.sbatch.options import TABLE
from slurmjob_operator.sbatch.value import NEWEST, OLDEST
from tests.differential import cases, generated, ours
from tests.differential.cases import Case

MADE = 20


def test_each_has_a_name_of_its_own() -> None:
    names = [case.name for case in cases.committed()]
    assert len(names) == len(set(names)) > 500


def test_blocks() -> None:
    assert cases.blocks("\n== a\n#!/bin/sh\n== b-c\n\ntrue\n") == [("a", "#!/bin/sh\n"), ("b-c", "\ntrue\n")]


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a" * 61])
def test_a_name_that_a_file_and_an_object_cannot_both_have(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a case"):
        Case(name=name, script="")


def test_scripts_are_made_again_as_they_were() -> None:
    made = generated.batch(MADE, release=NEWEST)
    assert len(made) == MADE
    assert made == generated.batch(MADE, release=NEWEST)
    assert made != generated.batch(MADE, release=NEWEST, number=1)


def test_scripts_are_made_of_what_the_release_has() -> None:
    text = "".join(case.script for case in generated.batch(MADE, release=OLDEST))
    newer = [row.name for row in TABLE.values() if row.since > OLDEST and row.name not in generated.LEFT_OUT]
    assert newer
    assert not [name for name in newer if f"--{name}=" in text or f"--{name} " in text]


def test_what_another_version_says_otherwise_is_told() -> None:
    scripts = [Case(name=f"c{at}", script="#!/bin/sh\n") for at in range(2 * ours.PART_OF_THE_SAME)]
    scripts[1] = Case(name="c1", script="#!/bin/sh\n#SBATCH -m arbitrary -w n1\n")
    told = ours.telling(scripts, release=ours.release_of("trixie"), version="v0.0.40", newest="v0.0.42")
    assert [case.name for case in told] == ["c0", "c1", f"c{ours.PART_OF_THE_SAME}"]
