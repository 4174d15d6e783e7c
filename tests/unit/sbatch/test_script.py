"""A whole script: the order in which options count, repeated ones, heterogeneous jobs, and the first error."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmjob_operator.sbatch import script
from slurmjob_operator.sbatch.errors import InvalidScript
from slurmjob_operator.sbatch.script import Script
from slurmjob_operator.sbatch.settings import Setting, together
from slurmjob_operator.sbatch.types.flag import FLAG
from slurmjob_operator.sbatch.types.mail import MAIL_EVENTS
from slurmjob_operator.sbatch.types.times import TIME_LIMIT
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, R24_11, Release
from tests.unit.sbatch.measured import RELEASES, TABLE

TYPES = {"mail-type": MAIL_EVENTS, "time": TIME_LIMIT, "hold": FLAG}
WORDS_OF_MANIFESTS = {"distribution": frozenset({"node"})}
WITH_TYPES = {
    name: replace(row, type=TYPES.get(name), ours=WORDS_OF_MANIFESTS.get(name, frozenset()))
    for name, row in TABLE.items()
}


def _script(*lines: str) -> str:
    return "\n".join(("#!/bin/sh", *lines, ""))


def _read(*lines: str, release: Release = NEWEST, ignore_foreign: bool = False) -> Script:
    return script.read(_script(*lines), release=release, table=WITH_TYPES, ignore_foreign=ignore_foreign)


def _settings(*lines: str, release: Release = NEWEST) -> list[dict[str, str]]:
    components = _read(*lines, release=release).components
    found = [script.settings(component, release=release) for component in components]
    return [{name: setting.text for name, setting in settings.items()} for settings in found]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("lines", "settings"),
    [
        ((), {}),
        (("#SBATCH",), {}),
        (("#SBATCH -n2 --comment='a b' # more", "", "#SBATCH -H"), {"ntasks": "2", "comment": "a b", "hold": "true"}),
        (("#SBATCH -J", "# between", "#SBATCH a"), {"job-name": "a"}),
        (("#SBATCH -J", "#SBATCH -n2"), {"job-name": "-n2"}),
        (("#SBATCH -n2", "#SBATCH -n3"), {"ntasks": "3"}),
        (("#SBATCH -x n1", "#SBATCH -x n2"), {"exclude": "n2"}),
        (("#SBATCH --requeue", "#SBATCH --no-requeue"), {"requeue": "false"}),
        (("#SBATCH --no-requeue", "#SBATCH --requeue"), {"requeue": "true"}),
        (("#SBATCH --nice",), {"nice": "left-out"}),
        (("#SBATCH --no-kill --no-kill=off",), {"no-kill": "off"}),
        (("#SBATCH -n2 --",), {"ntasks": "2"}),
        (("#SBATCH --help -V --usage",), {"help": "true", "version": "true", "usage": "true"}),
        (("#PBS -N a", "#SBATCH -J b"), {"job-name": "a"}),
        (("#SBATCH -J b", "true", "#PBS -N a"), {"job-name": "a"}),
        (("#SBATCH -J b", "#BSUB -J a"), {"job-name": "a"}),
        (("#SBATCH --ignore-pbs", "#PBS -Q"), {"ignore-pbs": "true"}),
        (("#PBS -Q", "#SBATCH --ignore", "#BSUB -R x"), {"ignore-pbs": "true"}),
        (("#PBS -h",), {"hold": "true"}),
        (("#BSUB -x",), {"exclusive": "left-out"}),
    ],
)
def test_settings(lines: tuple[str, ...], settings: dict[str, str], release: Release) -> None:
    assert _settings(*lines, release=release) == [settings]


def test_settings_say_where() -> None:
    (component,) = _read("", "#SBATCH --no-requeue -n2", "#SBATCH -n3", "#PBS -N a").components
    where = {name: setting.where for name, setting in script.settings(component, release=NEWEST).items()}
    assert where == {
        "requeue": "script, line 3: --no-requeue",
        "ntasks": "script, line 4: --ntasks",
        "job-name": "script, line 5: #PBS -N",
    }


@pytest.mark.parametrize(
    ("first", "second", "old", "new"),
    [
        ("END", "FAIL", "END,FAIL", "FAIL"),
        ("END,BAD", "FAIL", "END,FAIL", "FAIL"),
        ("END", "NONE", "END", "NONE"),
        ("NONE", "END", "END", "END"),
        ("NONE", "NONE", "NONE", "NONE"),
        ("END", "NONE,FAIL", "END", "NONE,FAIL"),
        ("END,NONE", "FAIL", "FAIL", "FAIL"),
    ],
)
def test_mails_were_added_up(first: str, second: str, old: str, new: str) -> None:
    lines = (f"#SBATCH --mail-type={first}", f"#SBATCH --mail-type={second}")
    found = [_settings(*lines, release=release)[0]["mail-type"] for release in RELEASES]
    assert found == [old, old, new]


def test_mails_of_three_lines_and_of_pbs_are_added_up() -> None:
    lines = ("#PBS -m b", "#SBATCH --mail-type=END", "#SBATCH --mail-type=FAIL")
    assert [_settings(*lines, release=release)[0]["mail-type"] for release in RELEASES] == [
        "END,FAIL,BEGIN", "END,FAIL,BEGIN", "BEGIN"
    ]  # fmt: skip


def test_ignoring_foreign_lines_on_the_command_line() -> None:
    assert _read("#PBS -Q", ignore_foreign=True).components[0].given == ()


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("lines", "components"),
    [
        (("#SBATCH -n2", "#SBATCH hetjob", "#SBATCH -n3"), [{"ntasks": "2"}, {"ntasks": "3"}]),
        (("#SBATCHHetJob -N9", "#SBATCH -n3"), [{}, {"ntasks": "3"}]),
        (("#SBATCH hetjob", "#SBATCH hetjob"), [{}, {}, {}]),
        (("#SBATCH -n2", "  #SBATCH hetjob", "true", "#SBATCH hetjob"), [{"ntasks": "2"}]),
        (("#SBATCH -n2 hetjob", "#SBATCH -n3"), [{"ntasks": "3"}]),
        (("#SBATCH --", "#SBATCH hetjob", "#SBATCH -n3"), [{}, {"ntasks": "3"}]),
        # account and exclude are taken over, partition is not
        (
            ("#SBATCH -A a -p p -x n1 --no-requeue", "#SBATCH hetjob", "#SBATCH -x n2", "#SBATCH hetjob"),
            [
                {"account": "a", "partition": "p", "exclude": "n1", "requeue": "false"},
                {"account": "a", "exclude": "n2", "requeue": "false"},
                {"account": "a", "exclude": "n2", "requeue": "false"},
            ],
        ),
        # lines of another system count for each, and some are added to what is taken over
        (
            ("#PBS -v A -l proc=fast", "#SBATCH hetjob", "#SBATCH -n2"),
            [{"export": "A", "constraint": "fast"}, {"export": "A,A", "ntasks": "2", "constraint": "fast"}],
        ),
        (
            ("#PBS -N a", "#SBATCH hetjob", "#SBATCH --ignore-pbs -J b", "#SBATCH hetjob", "#SBATCH -J c"),
            [
                {"job-name": "a"},
                {"job-name": "b", "ignore-pbs": "true"},
                {"job-name": "c", "ignore-pbs": "true"},
            ],
        ),
    ],
)
def test_components(lines: tuple[str, ...], components: list[dict[str, str]], release: Release) -> None:
    assert _settings(*lines, release=release) == components


def test_warnings() -> None:
    lines = ("#SBATCH packjob", "#SBATCH -n2 packjob", "#PBS -W umask=022", "#SBATCH PackJob")
    assert _read(*lines).warnings == (
        "script, line 2: packjob is the old name of hetjob",
        "script, line 5: packjob is the old name of hetjob",
        "script, line 4: #PBS -W: the umask of a job cannot be said over REST; call `umask` in the script",
    )
    assert _read("#SBATCH -n2").warnings == ()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("#SBATCH --foo",), "script, line 2: '--foo': is no option of sbatch 24.11"),
        (("", "#SBATCH -n2", "#SBATCH foo"), "script, line 4: 'foo': is no option, nor"),
        (("#SBATCH -J", "#SBATCH hetjob", "#SBATCH a"), "script, line 2: '-J': -J needs an argument"),
        (("#SBATCH -n2", "#SBATCH 'x"), 'script, line 3: "\'x": a quote must end on the line it begins on'),
        # values are looked at in their turn, those that a later line changes too
        (("#SBATCH -t x", "#SBATCH -t 5"), "script, line 2: --time: 'x': must"),
        (("#SBATCH -t x", "#SBATCH --foo"), "script, line 2: --time: 'x': must"),
        (("#SBATCH --foo", "#SBATCH -t x"), "script, line 2: '--foo': is no option"),
        (("#SBATCH --hold -t 5", "#PBS -l walltime=x,nodes=1"), "script, line 3: #PBS -l: 'x': must"),
        (("#SBATCH hetjob", "#SBATCH -t x", "#SBATCH -t 1"), "script, line 3: --time: 'x': must"),
        (("#SBATCH -m node",), "script, line 2: --distribution: 'node': must be another word"),
        (("#SBATCH -m Node",), "script, line 2: --distribution: 'Node': must be another word"),
        (("#SBATCH --mail-type=BAD", "#SBATCH --mail-type=END"), "script, line 2: --mail-type: 'BAD': must"),
        # quotes of all lines are looked at before any option, those of other systems after the options
        (("#SBATCH --foo", "#SBATCH 'x"), 'script, line 3: "\'x": a quote must end'),
        (("#PBS 'x", "#SBATCH --foo"), "script, line 3: '--foo': is no option"),
    ],
)
def test_the_first_error(lines: tuple[str, ...], message: str) -> None:
    with pytest.raises(InvalidScript) as refused:
        _read(*lines, release=R24_11)
    assert str(refused.value).startswith(message)


def test_a_script_that_is_none() -> None:
    with pytest.raises(InvalidScript, match="script, line 1: must start with `#!`"):
        script.read("#SBATCH -n2\n", release=OLDEST, table=TABLE)


def test_a_long_script() -> None:
    text = _script("#SBATCH -n2", *["echo 'no directive: #SBATCH -n3'"] * 33_000)
    assert len(text) > 1_000_000
    assert script.read(text, release=NEWEST, table=TABLE).components[0].given[0].text == "2"


@pytest.mark.parametrize(
    "lines",
    [
        ["#SBATCH hetjob"] * 2000 + ["#PBS -v A"] * 2000,
        ["#SBATCH -J a"] * 2000 + ["#SBATCH hetjob"] * 2000,
        ["#SBATCH hetjob"] * 1000 + ["#PBS -m b -l proc=a -l accelerator=true"] * 1000,
        [f"#PBS -l {'proc=a,b,' * 7000}"],
        ["#SBATCH " + "-J" * 30000],
        ["#SBATCH " + "\\" * 60000],
        ["#SBATCH --" + "x" * 60000],
    ],
)
def test_no_script_of_64_kb_takes_long(lines: list[str]) -> None:
    """A tenant must not stop the operator for others: one process serves all."""
    assert len(_script(*lines)) < 65536
    began = time.process_time()
    with suppress(InvalidScript):
        for component in script.read(_script(*lines), release=OLDEST, table=TABLE).components:
            script.settings(component, release=OLDEST)
    assert time.process_time() - began < 3


WORDS = ("--ntasks", "-n", "2", "--hold", "hetjob", "'a b'", "#", ":", '"', "\\", "--", "foo", "-J", "--comment=x", "")


@given(st.lists(st.lists(st.sampled_from(WORDS)).map(" ".join)), st.sampled_from(("SBATCH", "PBS", "BSUB")))
def test_no_script_crashes(lines: list[str], magic: str) -> None:
    text = _script(*(f"#{magic} {line}" for line in lines))
    for release in RELEASES:
        try:
            read = script.read(text, release=release, table=TABLE)
        except InvalidScript as refused:
            refused_at = refused.line
        else:
            refused_at = None
            assert [script.settings(component, release=release) for component in read.components]
        assert refused_at is None or 2 <= refused_at <= len(lines) + 1


def test_the_order_of_settings_is_the_one_in_which_options_were_given_last() -> None:
    text = "#!/bin/sh\n#SBATCH --exclusive -n2\n#SBATCH --oversubscribe\n#SBATCH --exclusive=user\n"
    found = script.settings(script.read(text, release=OLDEST).components[0], release=OLDEST)
    assert list(found) == ["ntasks", "oversubscribe", "exclusive"]
    field = {"ntasks": Setting(text="3", where="template.ntasks")}
    assert list(together(found, field)) == ["oversubscribe", "exclusive", "ntasks"]
