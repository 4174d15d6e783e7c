"""Every trap of slurmrestd that was measured, by name: where each stands that has no test in this folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ALL: Final = frozenset(
    ["V1", "J1", "J2", "J3", "S0", "S1", "S2", "S3", "S4", "S5", "S6", "S7", "POISON", "Q1", "Q2", "Q3", "A1", "A2",
     "F1", "F2", "F3", "F4", "F5", "P1", "P2", "H1", "H2", "H3", "R1", "R2"]
)  # fmt: skip

WAITING: Final[Mapping[str, str]] = {}
"""What no field leads into yet, and the subject that brings it."""

WITHOUT_DEFENCE: Final = {
    "S6": "ids of refused submissions are missing in the row of ids: nothing here takes ids for a row without gaps",
}
"""What needs nothing of us."""

GUARDS: Final = {
    "F1": ("searched for before it is submitted again", "late submissions are waited for", "submissions are held"),
    "F2": ("identity of what is read", "attempt in the marker", "twins are swept"),
    "F5": ("note in the marker", "slurmdbd before a release",
           "slurmdbd's backlog before a release, and that we saw it run"),
}  # fmt: skip
"""What only a fault shows: the guards of `tests/model/guards.py`, each of which is taken away there."""

SHOWN: Final = {
    "F1": ("tests/faults/test_lost_answers.py::test_answers_of_slurmrestd",
           "tests/faults/test_lost_answers.py::test_control_unheld_submissions_that_arrive_twice_run_twice"),
    "F2": ("tests/faults/test_lost_state.py::test_the_id_of_a_lost_job_is_given_to_a_stranger",),
    "F5": ("tests/faults/test_lost_state.py::test_killed_just_after_releases",
           "tests/e2e/test_accounting.py::test_slurmctld_rolls_back"),
}  # fmt: skip
"""The same traps on real daemons."""
