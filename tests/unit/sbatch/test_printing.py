"""What is printed is read as the same again."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmjob_operator.sbatch import arguments, printing, script
from slurmjob_operator.sbatch.errors import InvalidScript, InvalidValue
from slurmjob_operator.sbatch.option import Argument
from slurmjob_operator.sbatch.settings import Setting
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, Release
from tests.unit.sbatch.measured import RELEASES, TABLE


def _settings(**texts: str) -> dict[str, Setting]:
    return {name.replace("_", "-"): Setting(text=text, where="") for name, text in texts.items()}


def _printed(**texts: str) -> list[str]:
    return printing.directives([_settings(**texts)], release=NEWEST, table=TABLE)


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("mem", "4G", "#SBATCH --mem=4G"),
        ("time", "1-00:00:00", "#SBATCH --time=1-00:00:00"),
        ("array", "0-99%10", "#SBATCH --array=0-99%10"),
        ("nodelist", "n[1-2],n4", "#SBATCH --nodelist=n[1-2],n4"),
        ("hold", "true", "#SBATCH --hold"),
        ("requeue", "true", "#SBATCH --requeue"),
        ("requeue", "false", "#SBATCH --no-requeue"),
        ("requeue", "expedite", "#SBATCH --requeue=expedite"),
        ("nice", "left-out", "#SBATCH --nice"),
        ("nice", "5", "#SBATCH --nice=5"),
        ("comment", "", '#SBATCH --comment=""'),
        ("comment", "a b", '#SBATCH --comment="a b"'),
        ("comment", "a#b", '#SBATCH --comment="a#b"'),
        ("comment", "it's", '#SBATCH --comment="it\'s"'),
        ("comment", 'a"b\\c', '#SBATCH --comment="a\\"b\\\\c"'),
        ("comment", "ä", '#SBATCH --comment="ä"'),
        ("job-name", "hetjob", "#SBATCH --job-name=hetjob"),
        ("output", "%x-%j.out", "#SBATCH --output=%x-%j.out"),
    ],
)
def test_a_line(name: str, text: str, line: str) -> None:
    assert _printed(**{name: text}) == [line]


def test_a_flag_that_is_not_set_has_no_line() -> None:
    assert _printed(hold="false", ntasks="2") == ["#SBATCH --ntasks=2"]


def test_words_have_no_quotes() -> None:
    settings = _settings(comment="a b", hold="true", requeue="false")
    words = printing.words(settings, release=NEWEST, table=TABLE)
    assert words == ["--comment=a b", "--hold", "--no-requeue"]
    found, rest = arguments.read(words, release=NEWEST, table=TABLE)
    assert ([one.option.name for one in found], rest) == (["comment", "hold", "no-requeue"], ())


def test_components() -> None:
    lines = printing.directives(
        [_settings(ntasks="2"), _settings(), _settings(hold="true")], release=OLDEST, table=TABLE
    )
    assert lines == ["#SBATCH --ntasks=2", "#SBATCH hetjob", "#SBATCH hetjob", "#SBATCH --hold"]


@pytest.mark.parametrize("text", ["a\nb", "a\0b", "\n"])
def test_what_no_line_can_hold(text: str) -> None:
    with pytest.raises(InvalidValue, match="can hold neither a line break nor a NUL character"):
        _printed(comment=text)


OWN = sorted(name for name, row in TABLE.items() if row.sets is None)
TEXTS = st.text(st.characters(exclude_characters="\n\0", exclude_categories=["Cs"]), max_size=20)


@st.composite
def _any_settings(draw: st.DrawFn, release: Release) -> dict[str, Setting]:
    names = draw(st.sets(st.sampled_from(OWN), max_size=8))
    rows = [TABLE[name] for name in sorted(names) if TABLE[name].since <= release <= TABLE[name].until]
    return {
        row.name: Setting(text="true" if row.argument_in(release) is Argument.NONE else draw(TEXTS), where="")
        for row in rows
    }


def _texts(settings: Mapping[str, Setting]) -> dict[str, str]:
    return {name: setting.text for name, setting in settings.items()}


@given(data=st.data(), release=st.sampled_from(RELEASES))
def test_what_is_printed_is_read_again(data: st.DataObject, release: Release) -> None:
    settings = data.draw(_any_settings(release))
    lines = printing.directives([settings], release=release, table=TABLE)
    text = printing.with_directives("#!/bin/sh\ntrue\n", lines)
    read = script.read(text, release=release, table=TABLE)
    (component,) = read.components
    assert _texts(script.settings(component, release=release)) == _texts(settings)


WORDS = ("-n2", "--hold", "hetjob", "'a b'", "-J", "--comment=x\\ y", "--comment='a#\"b\\\\'", "-A a", "--no-requeue")


@given(
    lines=st.lists(st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join), max_size=6),
    release=st.sampled_from(RELEASES),
)
def test_what_is_read_and_printed_is_read_as_the_same(lines: list[str], release: Release) -> None:
    text = "\n".join(("#!/bin/sh", *(f"#SBATCH {line}" for line in lines), "true", ""))
    try:
        first = script.read(text, release=release, table=TABLE)
    except InvalidScript:
        return
    settings = [script.settings(component, release=release) for component in first.components]
    printed = printing.with_directives(text, printing.directives(settings, release=release, table=TABLE))
    second = script.read(printed, release=release, table=TABLE)
    again = [script.settings(component, release=release) for component in second.components]
    assert [_texts(one) for one in again] == [_texts(one) for one in settings]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("#!/bin/sh\n#SBATCH -N1\ntrue\n", "#!/bin/sh\n#SBATCH -n2\ntrue\n"),
        ("#!/bin/sh\ntrue\n", "#!/bin/sh\n#SBATCH -n2\ntrue\n"),
        ("#!/bin/sh", "#!/bin/sh\n#SBATCH -n2"),
        ("#!/bin/sh\n#SBATCH -N1", "#!/bin/sh\n#SBATCH -n2"),
        # comments, blank lines and what is no directive stay
        (
            "#!/bin/sh\n# a\n#SBATCH -N1\n\n  #SBATCH -N3\n##SBATCH -N4\n#SBATCH hetjob\n# b\ntrue\n#SBATCH -N5\n",
            "#!/bin/sh\n#SBATCH -n2\n# a\n\n  #SBATCH -N3\n##SBATCH -N4\n# b\ntrue\n#SBATCH -N5\n",
        ),
        ("#!/bin/sh\n#PBS -N a\n#BSUB -J a\ntrue\n", "#!/bin/sh\n#SBATCH -n2\ntrue\n"),
        # one that may be part of a text is left, and made to count no longer
        (
            "#!/bin/sh\n#PBS -N a\ncat <<E\n#PBS -N b\nE\n",
            "#!/bin/sh\n#SBATCH --ignore-pbs\n#SBATCH -n2\ncat <<E\n#PBS -N b\nE\n",
        ),
    ],
)
def test_other_directives(before: str, after: str) -> None:
    assert printing.with_directives(before, ["#SBATCH -n2"]) == after


def test_foreign_lines_that_do_not_count_stay() -> None:
    before = "#!/bin/sh\n#SBATCH --ignore-pbs\n#PBS -N a\ntrue\n"
    after = "#!/bin/sh\n#SBATCH --ignore-pbs\n#PBS -N a\ntrue\n"
    assert printing.with_directives(before, [], foreign_counts=False) == after


@given(st.lists(st.sampled_from(["#SBATCH -n2", "#PBS -Na", "#BSUB -Ja", "# a", "", "true", " #SBATCH -n3"])))
def test_no_directive_is_left(lines: list[str]) -> None:
    text = "\n".join(("#!/bin/sh", *lines))
    left = printing.with_directives(text, [])
    (component,) = script.read(left, release=NEWEST, table=TABLE).components
    assert {one.option.name for one in component.given} <= {"ignore-pbs"}
    kept = [line for line in left.split("\n") if line != printing.FOREIGN_IGNORED]
    assert [line for line in kept if line in {"# a", "", "true", " #SBATCH -n3"}] == [
        line for line in lines if line in {"# a", "", "true", " #SBATCH -n3"}
    ]
