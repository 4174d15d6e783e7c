"""The fuzzing of answers (`make fuzz`) has what it begins with, and runs."""

from __future__ import annotations

import random

from slurmjob_operator.slurm.dialects import DIALECTS
from tests.fuzz.answers import read_answers
from tests.fuzz.mutation import recorded, seeds


def test_recorded_answers_hold_what_the_fuzzing_begins_with() -> None:
    found = {(version, call["call"]) for version, call in recorded()}
    assert {version for version, _ in found} == {"v0.0.38", "v0.0.40", "v0.0.42", "v0.0.45"}
    assert {version for version, _ in found} <= set(DIALECTS)
    assert len({call for _, call in found}) == 11


def test_fuzzing_of_answers_runs() -> None:
    """The seeds, and a few hundred edits: `make fuzz` does it for ten minutes, guided."""
    for seed in seeds():
        read_answers(seed)
    chance = random.Random(1)  # noqa: S311 - the same ones at each run
    for _ in range(500):
        read_answers(bytes([chance.randrange(255)]) + chance.randbytes(4 * chance.choice([1, 2, 4, 8])))
