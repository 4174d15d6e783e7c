"""The same script by the real `sbatch --hold` and by us: the same job record, or a refusal for the same reason.

Over every API version of this release the bodies go straight to slurmrestd; over the newest one they also go the whole
way, as SlurmJobs through the operator.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from sandboxlib.paths import Paths
from sandboxlib.slurm_suites import SUITES
from tests.differential import allowed, cases, generated, through_operator
from tests.differential.cases import Case, Refused
from tests.differential.compare import lines
from tests.differential.ours import release_of, telling
from tests.differential.sides import Side, anchored, findings, of_operator, of_ours, of_sbatch, unmarked
from tests.real.cluster import SUITE, Tenant

ALL = os.environ.get("DIFFERENTIAL") == "all"
"""`make test-differential`; `make test` has time for all scripts in the styles of the field, and for a part of the
others: one of so many."""

PART_OF_COMPARED = 3
MADE = 120 if ALL else 60
PART_OF_FIELD, PART_OF_OTHERS = 6, 40
"""So many scripts in the styles of the field, and so many others, for one that goes through the operator."""
VERSIONS = SUITES[SUITE].api_versions

pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    """The scripts, and what sbatch made of them."""

    scripts: Sequence[Case]
    side: Side


@pytest.fixture(scope="module")
def theirs(sandbox: Paths) -> Iterator[Theirs]:
    committed = cases.committed()
    field = [case for case in committed if case.name.startswith("field-")]
    others = [case for case in committed if not case.name.startswith("field-")][:: 1 if ALL else PART_OF_COMPARED]
    scripts = [*field, *others, *generated.batch(MADE, release=release_of(SUITE))]
    with anchored(sandbox, SUITE, scripts) as prepared:
        yield Theirs(scripts=prepared, side=of_sbatch(sandbox, SUITE, prepared))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_same_as_sbatch(sandbox: Paths, theirs: Theirs, version: str) -> None:
    """Over the newest version all of them, over the others those that tell something else. A row that is about no
    version is judged where all scripts are."""
    scripts = theirs.scripts
    if version != VERSIONS[0]:
        scripts = telling(scripts, release=release_of(SUITE), version=version, newest=VERSIONS[0])
    mine = of_ours(sandbox, SUITE, scripts, version=version)
    found = findings(scripts, mine=mine, other=theirs.side, suite=SUITE, version=version)
    unexplained = lines(finding for finding in found if finding.row is None)
    assert not unexplained, "\n".join(unexplained)
    if not ALL:
        return  # A row that none of a part needs may well be needed.
    needed = {finding.row.name for finding in found if finding.row is not None}
    judged = [
        row for row in allowed.ROWS if row.speaks_of(SUITE, version) and (row.versions or scripts is theirs.scripts)
    ]
    needless = [row.name for row in judged if row.name not in needed]
    assert not needless, f"no script needs these rows any more: {needless}"


def test_the_same_through_the_operator(tenant: Tenant, theirs: Theirs) -> None:
    """A part of the scripts; what their bodies came to is what the operator has to say."""
    version = VERSIONS[0]
    through_operator.connect(tenant)
    field = [case for case in theirs.scripts if case.name.startswith("field-")][::PART_OF_FIELD]
    others = [case for case in theirs.scripts if not case.name.startswith("field-")][::PART_OF_OTHERS]
    scripts = [*field, *others]
    foreseen = of_ours(tenant.paths, SUITE, scripts, version=version)
    mine = of_operator(tenant, scripts, foreseen=foreseen.outcomes)
    found = findings(scripts, mine=mine, other=unmarked(theirs.side), suite=SUITE, version=version)
    unexplained = lines(finding for finding in found if finding.row is None)
    assert not unexplained, "\n".join(unexplained)
    assert any(isinstance(outcome, Refused) for outcome in mine.outcomes.values())
    assert mine.accepted > len(scripts) / 2


def test_a_difference_is_found(sandbox: Paths) -> None:
    """The comparison sees what differs: another number of tasks, an option that only one side has."""
    scripts = [Case(name="differs", script=f"#!/bin/sh\n#SBATCH {options}\n") for options in ("-n 2", "-n 3 -c 2")]
    mine = of_ours(sandbox, SUITE, scripts[:1], version=VERSIONS[0])
    other = of_sbatch(sandbox, SUITE, scripts[1:])
    found = findings(scripts[:1], mine=mine, other=other, suite=SUITE, version=VERSIONS[0])
    fields = {finding.difference.field for finding in found}
    assert {"scontrol.NumTasks", "scontrol.CPUs/Task", "scontrol.NumCPUs"} <= fields
    assert any(field.startswith("rest.") for field in fields)
