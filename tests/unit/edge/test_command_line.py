"""Options of sbatch and ours on one command line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmjob_operator.edge.offline import command_line
from slurmjob_operator.edge.offline.command_line import FLAGS, WITH_ARGUMENT, InvalidCommandLine
from slurmjob_operator.sbatch.options import TABLE
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, R24_11, Release


def _read(*words: str) -> tuple[list[tuple[str, str | None]], dict[str, str], str | None]:
    line = command_line.read(words, release=NEWEST)
    return [(one.option.name, one.text) for one in line.given], line.ours, line.script


@pytest.mark.parametrize("ours", [*WITH_ARGUMENT, *FLAGS])
def test_none_of_ours_is_short_for_one_of_sbatch(ours: str) -> None:
    names = [name for row in TABLE.values() for name in (row.name, *row.aliases)]
    assert [name for name in names if name.startswith(ours)] == []


@pytest.mark.parametrize("release", [OLDEST, R24_11, NEWEST])
@pytest.mark.parametrize("word", ["--di=block", "--use", "--dist=block"])
def test_abbreviations_of_sbatch_stay_what_they_are(word: str, release: Release) -> None:
    assert command_line.read([word], release=release).ours == {}


@pytest.mark.parametrize(
    ("words", "given_", "ours", "script"),
    [
        ([], [], {}, None),
        (["s"], [], {}, "s"),
        (["-"], [], {}, "-"),
        (["-n1", "s", "-N", "2"], [("ntasks", "1"), ("nodes", "2")], {}, "s"),
        (["--name", "a", "s", "--fields"], [], {"name": "a", "fields": ""}, "s"),
        (["s", "--name=--fields"], [], {"name": "--fields"}, "s"),
        (["--comment", "--name", "s"], [("comment", "--name")], {}, "s"),
        (["--comment=--name", "s"], [("comment", "--name")], {}, "s"),
        (["-n", "--fields", "s"], [("ntasks", "--fields")], {}, "s"),
        (["--wrap", "s"], [("wrap", "s")], {}, None),
        (["-Hn3", "--name", "a", "-Jb", "s"], [("hold", None), ("ntasks", "3"), ("job-name", "b")], {"name": "a"}, "s"),
        (["--exclusive", "s"], [("exclusive", None)], {}, "s"),
        (["-n1", "--", "-s"], [("ntasks", "1")], {}, "-s"),
        (["-J", "--", "s"], [("job-name", "--")], {}, "s"),
        (["--name", "a", "--name", "b"], [], {"name": "b"}, None),
    ],
)
def test_read(words: list[str], given_: list[tuple[str, str | None]], ours: dict[str, str], script: str | None) -> None:
    assert _read(*words) == (given_, ours, script)


@pytest.mark.parametrize(
    ("words", "release"),
    [
        (["s"], None),
        (["--slurm-release", "22.05"], "22.05"),
        (["s", "--slurm-release=x"], "x"),
        (["--slurm-release"], None),
    ],
)
def test_the_release_is_known_before(words: list[str], release: str | None) -> None:
    assert command_line.release_named(words) == release


WORDS = st.text(alphabet="-=:nameJHx ", max_size=9) | st.sampled_from(["--name", "--", "--fields", "-n"])


@given(st.lists(WORDS, max_size=6))
def test_no_words_do_harm(words: list[str]) -> None:
    try:
        line = command_line.read(words, release=NEWEST)
    except InvalidCommandLine:
        return
    assert len(line.given) + len(line.ours) <= sum(map(len, words))
