"""Every number that the three releases know is in the table, under its own name, with what to do about it."""

from __future__ import annotations

from collections import Counter

import pytest

from slurmjob_operator.slurm.classify import ERRORS, Operation
from slurmjob_operator.slurm.error_numbers import NO_ERRORS, TABLE, daemons, elsewhere, jobs
from slurmjob_operator.slurm.error_numbers.group import Meaning
from tests.slurm_errors import copies

VERSIONS = tuple(copies.SUITES.values())
NAMED = VERSIONS[1:]
SAID_BY_NO_LIBRARY = frozenset({1, 11, 5006})
"""EPERM and EAGAIN are the system's; 5006 is one that the sources of older releases had."""


@pytest.mark.parametrize("version", VERSIONS)
def test_each_number_of_a_release_is_in_the_table(version: str) -> None:
    known = copies.known(version)
    assert len(known) > 200
    missing = {number: text for number, (_name, text) in known.items() if number not in TABLE}
    assert set(missing) <= NO_ERRORS, f"not in the table: {missing}"


@pytest.mark.parametrize("version", NAMED)
def test_a_number_has_the_name_that_slurm_has_for_it(version: str) -> None:
    other = {
        number: (TABLE[number].name, name)
        for number, (name, _text) in copies.known(version).items()
        if number in TABLE and TABLE[number].name != name
    }
    newer = copies.known(VERSIONS[-1])
    assert {number for number in other if number in newer and newer[number][0] == other[number][1]} == set()


def test_the_table_knows_nothing_that_no_release_says() -> None:
    said = {number for version in VERSIONS for number in copies.known(version)}
    assert set(TABLE) - said == SAID_BY_NO_LIBRARY


def test_no_number_stands_in_two_groups() -> None:
    groups = [group for part in (daemons, jobs, elsewhere) for group in part.GROUPS]
    counts = Counter(row.number for group in groups for row in group.rows())
    assert [number for number, count in counts.items() if count > 1] == []


def test_each_group_says_what_to_do_in_a_sentence_of_its_own() -> None:
    groups = [group for part in (daemons, jobs, elsewhere) for group in part.GROUPS]
    assert len({group.advice for group in groups}) == len(groups)
    assert [group.advice for group in groups if group.advice[:1].isspace() or group.advice.endswith(".")] == []


@pytest.mark.parametrize("operation", list(Operation))
def test_each_meaning_has_an_error_for_each_operation(operation: Operation) -> None:
    assert set(ERRORS[operation]) == set(Meaning)
