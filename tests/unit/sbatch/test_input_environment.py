"""Variables that sbatch takes options from, as measured on the three releases."""

from __future__ import annotations

import pytest

from slurmjob_operator.sbatch import input_environment
from slurmjob_operator.sbatch.input_environment import VARIABLES
from slurmjob_operator.sbatch.options import TABLE
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, R24_11, Release


def _texts(release: Release = NEWEST, **variables: str) -> dict[str, str]:
    return {name: one.text for name, one in input_environment.settings(variables, release=release).items()}


@pytest.mark.parametrize(
    ("variable", "value", "option", "text"),
    [
        ("SBATCH_ACCOUNT", "research", "account", "research"),
        ("SBATCH_ACCOUNT", "", "account", ""),
        ("SBATCH_ARRAY_INX", "1-3", "array", "1-3"),
        ("SBATCH_MEM_PER_NODE", "10", "mem", "10"),
        ("SBATCH_TIMELIMIT", "7", "time", "7"),
        ("SBATCH_EXCLUSIVE", "", "exclusive", "node"),
        ("SBATCH_EXCLUSIVE", "user", "exclusive", "user"),
        ("SBATCH_EXCLUSIVE", "yes", "exclusive", "yes"),
        ("SBATCH_NO_KILL", "", "no-kill", "true"),
        ("SBATCH_NO_KILL", "off", "no-kill", "off"),
        ("SBATCH_OVERCOMMIT", "", "overcommit", "true"),
        ("SBATCH_OVERCOMMIT", "yes", "overcommit", "true"),
        ("SBATCH_OVERCOMMIT", "YES", "overcommit", "true"),
        ("SBATCH_OVERCOMMIT", "2", "overcommit", "true"),
        ("SBATCH_NO_REQUEUE", "yes", "requeue", "false"),
        ("SLURM_HINT", "nomultithread", "hint", "nomultithread"),
        ("SBATCH_REQ_SWITCH", "1", "switches", "1"),
        ("SBATCH_BURST_BUFFER", "x", "bb", "x"),
        ("SBATCH_CPU_FREQ_REQ", "high", "cpu-freq", "high"),
    ],
)
def test_what_a_variable_gives(variable: str, value: str, option: str, text: str) -> None:
    (name, setting), *others = input_environment.settings({variable: value}, release=NEWEST).items()
    assert (name, setting.text, setting.where) == (option, text, variable)
    assert others == []


@pytest.mark.parametrize("value", ["0", "no", "true", "-1", "1x", "y", "off"])
def test_flags_that_are_left_out(value: str) -> None:
    assert _texts(SBATCH_OVERCOMMIT=value) == {}


@pytest.mark.parametrize(
    "variable", ["SBATCH_NODES", "SBATCH_NTASKS", "SBATCH_NICE", "SLURM_NTASKS", "SBATCH_WAIT4SWITCH"]
)
def test_variables_that_give_nothing(variable: str) -> None:
    assert _texts(**{variable: "1"}) == {}


def test_two_variables_of_one_option() -> None:
    assert _texts(SBATCH_REQ_SWITCH="1", SBATCH_WAIT4SWITCH="0:30") == {"switches": "1@0:30"}
    assert _texts(SBATCH_NO_REQUEUE="", SBATCH_REQUEUE="") == {"requeue": "true"}
    assert _texts(SLURM_HINT="compute_bound", SBATCH_HINT="nomultithread") == {"hint": "nomultithread"}


@pytest.mark.parametrize(
    ("variable", "releases"),
    [
        ("SBATCH_CONTAINER", {OLDEST, R24_11, NEWEST}),
        ("SBATCH_CONTAINER_ID", {R24_11, NEWEST}),
        ("SBATCH_CONTAINER_TYPE", {NEWEST}),
        ("SBATCH_TRES_BIND", {R24_11, NEWEST}),
        ("SBATCH_SEGMENT_SIZE", {NEWEST}),
        ("SBATCH_SPREAD_SEGMENTS", {NEWEST}),
        ("SBATCH_POWER", {OLDEST}),
    ],
)
def test_releases(variable: str, releases: set[Release]) -> None:
    assert {release for release in (OLDEST, R24_11, NEWEST) if _texts(release, **{variable: "1"})} == releases


def test_every_variable_is_of_an_option() -> None:
    assert set(VARIABLES.values()) <= TABLE.keys()
