"""Words to options, as the getopt_long of each release's sbatch reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmjob_operator.sbatch import arguments
from slurmjob_operator.sbatch.arguments import Given, Word
from slurmjob_operator.sbatch.errors import InvalidScript, InvalidWord
from slurmjob_operator.sbatch.options import TABLE as REAL
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, R24_11, Release
from tests.unit.sbatch import measured
from tests.unit.sbatch.measured import RELEASES, TABLE


def _read(words: list[str], release: Release = NEWEST) -> tuple[list[tuple[str, str | None]], list[str]]:
    found, rest = arguments.read(words, release=release, table=TABLE)
    return [(one.option.name, one.text) for one in found], list(rest)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("words", "found", "rest"),
    [
        ([], [], []),
        (["--ntasks=2"], [("ntasks", "2")], []),
        (["--ntasks", "2"], [("ntasks", "2")], []),
        (["--comment="], [("comment", "")], []),
        (["--comment=a=b"], [("comment", "a=b")], []),
        (["--comment", "--hold"], [("comment", "--hold")], []),
        (["-n2", "-N", "1"], [("ntasks", "2"), ("nodes", "1")], []),
        (["-J=x"], [("job-name", "=x")], []),
        (["-nodes=2"], [("ntasks", "odes=2")], []),
        (["-Hn3"], [("hold", None), ("ntasks", "3")], []),
        (["-HsJ", "x"], [("hold", None), ("oversubscribe", None), ("job-name", "x")], []),
        (["-vvv"], [("verbose", None)] * 3, []),
        (["--hold", "--hold"], [("hold", None), ("hold", None)], []),
        # an argument that may be left out is part of the word, or is none
        (["--nice", "--nice=5", "--nice="], [("nice", None), ("nice", "5"), ("nice", "")], []),
        (["-k", "-koff", "-kn3", "-k=off"], [("no-kill", text) for text in (None, "off", "n3", "=off")], []),
        (["--exclusive", "user"], [("exclusive", None)], ["user"]),
        # the first word that is no option ends them
        (["-n2", "job.sh", "-N1"], [("ntasks", "2")], ["job.sh", "-N1"]),
        (["-n2", "--", "-N1"], [("ntasks", "2")], ["-N1"]),
        (["-n2", "--"], [("ntasks", "2")], []),
        (["--", "--"], [], ["--"]),
        (["-J", "--", "-n2"], [("job-name", "--"), ("ntasks", "2")], []),
        (["-"], [], ["-"]),
        (["–n2"], [], ["–n2"]),
        ([""], [], [""]),
        # other names
        (["--tasks-per-node=2"], [("ntasks-per-node", "2")], []),
        (["--cluster=a", "--clusters=b"], [("clusters", "a"), ("clusters", "b")], []),
        (["--no-requeue"], [("no-requeue", None)], []),
    ],
)
def test_words(words: list[str], found: list[tuple[str, str | None]], rest: list[str], release: Release) -> None:
    assert _read(words, release) == (found, rest)


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("out", "output output output"),
        ("err", "error error error"),
        ("job", "job-name job-name job-name"),
        ("part", "partition partition partition"),
        ("sockets", "sockets-per-node sockets-per-node sockets-per-node"),
        ("nodes", "nodes nodes nodes"),
        ("time", "time time time"),
        ("mem", "mem mem mem"),
        ("exclus", "exclusive exclusive exclusive"),
        ("tasks", "ntasks-per-node ntasks-per-node ntasks-per-node"),
        ("extra", "extra-node-info extra extra"),
        ("extra-", "extra-node-info extra-node-info extra-node-info"),
        ("container", "container container container"),
        ("container-i", "- container-id container-id"),
        ("container-", "- container-id ?"),
        ("sp", "spread-job spread-job ?"),
        ("po", "power - -"),
        ("oom", "- oom-kill-step oom-kill-step"),
        ("res", "reservation ? ?"),
        ("rese", "reservation reservation reservation"),
        ("mem-u", "- - mem-update"),
        ("mem-", "? ? ?"),
        ("ti", "? ? ?"),
        ("node", "? ? ?"),
        ("cpus", "? ? ?"),
        ("gpu", "? ? ?"),
        ("clu", "? ? ?"),
        ("mail", "? ? ?"),
        ("acc", "? ? ?"),
        ("ntask", "? ? ?"),
        ("workdir", "- - -"),
        ("share", "- - -"),
        ("x11", "- - -"),
        ("Ntasks", "- - -"),
        ("job_name", "- - -"),
        ("-n", "- - -"),
    ],
)
def test_abbreviations_are_those_of_the_release(typed: str, names: str) -> None:
    for release, expected in zip(RELEASES, names.split(), strict=True):
        try:
            ((name, _),), _ = _read([f"--{typed}", "x"], release)
        except InvalidWord as refused:
            name = "?" if "short for more than one" in refused.rule else "-"
        assert name == expected, release


@pytest.mark.parametrize(
    ("name", "taking"),
    [("requeue", (NEWEST,)), ("get-user-env", (OLDEST, R24_11)), ("nice", RELEASES), ("hold", ())],
)
@pytest.mark.parametrize("release", RELEASES)
def test_some_take_an_argument_only_on_some_releases(name: str, taking: tuple[Release, ...], release: Release) -> None:
    if release in taking:
        assert _read([f"--{name}=x"], release) == ([(name, "x")], [])
    else:
        with pytest.raises(InvalidWord, match=f"--{name} takes no argument"):
            _read([f"--{name}=x"], release)
    assert _read([f"--{name}"], release) == ([(name, None)], [])


@pytest.mark.parametrize(
    ("words", "index", "message"),
    [
        (["-n2", "--foo"], 1, "'--foo': is no option of sbatch 24.11"),
        (["--ouput=x"], 0, "'--ouput=x': is no option of sbatch 24.11; did you mean --output?"),
        (["--ntask-per-node"], 0, "'--ntask-per-node': is no option of sbatch 24.11; did you mean --ntasks-per-node?"),
        (["--cpu-bind=x"], 0, "'--cpu-bind=x': is no option of sbatch 24.11; did you mean --gpu-bind?"),
        (["--container-type=x"], 0, "'--container-type=x': is no option of sbatch 24.11; did you mean --container?"),
        (["--mem-p=2"], 0, "'--mem-p=2': is short for more than one option: --mem-per-cpu, --mem-per-gpu"),
        (
            ["--co"], 0,
            "'--co': is short for more than one option: --comment, --constraint, --container, --container-id, …",
        ),
        (["-n2", "-y"], 1, "'-y': -y is no option of sbatch 24.11"),
        (["-Hy"], 0, "'-Hy': -y is no option of sbatch 24.11"),
        (["-job-name"], 0, "'-job-name': -j is no option of sbatch 24.11; long options have two dashes: --job-name"),
        (["-é"], 0, "'-é': -é is no option of sbatch 24.11"),
        (["-:"], 0, "'-:': -: is no option of sbatch 24.11"),
        (["--hold=yes"], 0, "'--hold=yes': --hold takes no argument"),
        (["--hol="], 0, "'--hol=': --hold takes no argument"),
        (["-H", "-J"], 1, "'-J': -J needs an argument"),
        (["-HJ"], 0, "'-HJ': -J needs an argument"),
        (["--job"], 0, "'--job': --job-name needs an argument"),
    ],
)  # fmt: skip
def test_words_that_are_refused(words: list[str], index: int, message: str) -> None:
    with pytest.raises(InvalidWord) as refused:
        _read(words, R24_11)
    assert (str(refused.value), refused.value.index) == (message, index)


def test_directives_have_no_operands() -> None:
    known = arguments.grammar(NEWEST, TABLE)
    words = [Word("--exclusive", 2), Word("user", 3), Word("-n2", 4)]
    read = arguments.read_directives(words, known)
    assert next(read).option is TABLE["exclusive"]
    with pytest.raises(
        InvalidScript, match=r"script, line 3: 'user': is no option, nor an option's argument"
    ) as refused:
        next(read)
    assert refused.value.line == 3


def test_what_is_before_an_error_is_read() -> None:
    read = arguments.read_directives([Word("-n2", 2), Word("--foo", 5)], arguments.grammar(NEWEST, TABLE))
    assert next(read).text == "2"
    with pytest.raises(InvalidScript, match="script, line 5: '--foo'"):
        next(read)


def test_where() -> None:
    option = TABLE["mem"]
    assert Given(option=option, text="4").where == "--mem"
    assert Given(option=option, text="4", line=3).where == "script, line 3: --mem"
    assert Given(option=option, text="4", line=3, foreign="#PBS -l").where == "script, line 3: #PBS -l"


@given(st.lists(st.text(st.sampled_from("-=nHkJxé:"), max_size=5)), st.sampled_from(RELEASES))
def test_no_words_crash_and_none_is_lost(words: list[str], release: Release) -> None:
    try:
        found, rest = arguments.read(words, release=release, table=TABLE)
    except InvalidWord as refused:
        index = refused.index
    else:
        assert len(found) <= sum(map(len, words))
        assert list(rest) == words[len(words) - len(rest) :]
        return
    assert words[index].startswith("-")


@pytest.mark.parametrize("name", sorted(REAL))
def test_rows_of_the_table_are_options_of_the_real_sbatch(name: str) -> None:
    row, real = REAL[name], TABLE.get(name)
    assert real is not None, "no release's sbatch has it"
    same = ("short", "aliases", "argument", "changed", "since", "until", "sets", "inherited")
    assert {key: getattr(row, key) for key in same} == {key: getattr(real, key) for key in same}


def test_the_table_has_all_options_of_the_real_sbatch() -> None:
    assert set(REAL) == set(TABLE)


def test_letters_are_distinct() -> None:
    assert len(set(measured.LETTERS.values())) == len(measured.LETTERS)
