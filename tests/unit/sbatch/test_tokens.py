"""Quotes, escapes and comments in a directive, as in `sbatch -vvv` ("Found in script, argument …")."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmjob_operator.sbatch.errors import InvalidScript
from slurmjob_operator.sbatch.lines import SPACE, Line
from slurmjob_operator.sbatch.tokens import words
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, R24_11, Release
from tests.unit.sbatch.measured import RELEASES


def _split(text: str, release: Release = NEWEST) -> list[str]:
    return list(words(Line(7, text), release=release).texts)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("   ", []),
        (" -n2", ["-n2"]),
        (" -J x -n 2", ["-J", "x", "-n", "2"]),
        ("\t-n3\v-N1\f-J\tx\r", ["-n3", "-N1", "-J", "x"]),
        (" a\rb", ["a", "b"]),
        (" a\u00a0b", ["a\u00a0b"]),
        (" a\x1cb\x85c", ["a\x1cb\x85c"]),
        (" $USER `id` ~/x “a”", ["$USER", "`id`", "~/x", "“a”"]),
        # quotes
        (' "a b"', ["a b"]),
        (" 'a b'", ["a b"]),
        (""" a"b c"d'e f'g""", ["ab cde fg"]),
        ("""'a"b' "a'b" """, ['a"b', "a'b"]),
        ('"-n" --"comment"=a', ["-n", "--comment=a"]),
        ('" " "\t"', [" ", "\t"]),
        ('--comment="" -n2', ["--comment=", "-n2"]),
        ('""-n2 -n""2', ["-n2", "-n2"]),
        # a word of nothing ends the line
        ('-J "" x', ["-J"]),
        ("'' -n2", []),
        ("''\"\" -n2", []),
        ("-n2 \\\t-N1", ["-n2"]),
        ("-J \\", ["-J"]),
        # escapes
        (r"a\#b \:b a\"b \-n2", ["a#b", ":b", 'a"b', "-n2"]),
        (r"""'a\'b' "a\"b" "a\nb" "a\\b" a\\b""", ["a'b", 'a"b', "anb", "a\\b", "a\\b"]),
        (r"""'a\ b' "a\ b" """, ["a b", "a b"]),
        (r"a\\ b", ["a\\", "b"]),
        ("a\\\tb a\\\vb", ["a", "b", "a", "b"]),
        ("a\\", ["a"]),
        (r"a \ ".removesuffix(" "), ["a"]),
        # comments
        ("-n2 # more -N1", ["-n2"]),
        ("#-n2", []),
        ("a#b -n2", ["a"]),
        ('"a"#b', ["a"]),
        ('"a#b" ""#x', ["a#b"]),
        ("-n2 # don't", ["-n2"]),
        ("-n2 # :x", ["-n2"]),
        # colons
        ('a:b a: "":x ":x" "-J":x', ["a:b", "a:", ":x", ":x", "-J:x"]),
    ],
)
def test_words(text: str, found: list[str], release: Release) -> None:
    assert _split(text, release) == found


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (r"a\ b", ["a", "b"], ["a b"]),
        (r'"a"\ b', ["a", "b"], ["a b"]),
        (r"a\  b", ["a", "b"], ["a ", "b"]),
        (r"a\ # b", ["a"], ["a "]),
        (r"a\ \ b", ["a"], ["a  b"]),
        (r"-n2 \ -N1", ["-n2"], ["-n2", " -N1"]),
        (r"a\ ", ["a"], ["a "]),
    ],
)
def test_blanks_are_escaped_from_24_11_on(text: str, old: list[str], new: list[str]) -> None:
    assert (_split(text, OLDEST), _split(text, R24_11), _split(text, NEWEST)) == (old, new, new)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (":x", "script, line 7: ':': a word must not begin with a colon outside quotes"),
        (" -n2 : -n3", "script, line 7: ':': a word must not begin with a colon outside quotes"),
        (": -n3", "script, line 7: ':': a word must not begin with a colon outside quotes"),
        (' -J "a b', "script, line 7: '\"a b': a quote must end on the line it begins on"),
        (" -J a'b", 'script, line 7: "\'b": a quote must end on the line it begins on'),
        (' "a\\', "script, line 7: '\"a\\\\': a quote must end on the line it begins on"),
        (' "a\\"', "script, line 7: '\"a\\\\\"': a quote must end on the line it begins on"),
    ],
)
def test_lines_that_are_refused(text: str, message: str, release: Release) -> None:
    with pytest.raises(InvalidScript) as refused:
        _split(text, release)
    assert str(refused.value) == message


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("text", "separator", "found"),
    [
        (" hetjob", "hetjob", []),
        ("hetjob", "hetjob", []),
        (" \t HetJob\t", "hetjob", []),
        (" PACKJOB x", "packjob", []),
        (" hetjob -N1 foo 'unmatched : ", "hetjob", []),
        (" -n2 hetjob -N1", None, ["-n2"]),
        (" -J packjob 'unmatched", None, ["-J"]),
        (" hetjobs", None, ["hetjobs"]),
        (' "hetjob" hetjob:x', None, ["hetjob", "hetjob:x"]),
        (" hetjob#x", None, ["hetjob"]),
        (" hetjob\\", None, ["hetjob"]),
        (" --comment=hetjob -N1", None, ["--comment=hetjob", "-N1"]),
        # the sign of a kelvin is a K for whoever folds the case of all there is
        (" pac\u212ajob", None, ["pac\u212ajob"]),
    ],
)
def test_separators(text: str, separator: str | None, found: list[str], release: Release) -> None:
    assert words(Line(7, text), release=release) == (tuple(found), separator)


@pytest.mark.parametrize("release", RELEASES)
@given(texts=st.lists(st.text(st.characters(exclude_characters="\n\0", exclude_categories=["Cs"]), min_size=1)))
def test_quoted_words_come_back(texts: list[str], release: Release) -> None:
    quoted = ['"{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"')) for text in texts]
    assert _split(" ".join(quoted), release) == texts


@given(st.text(st.sampled_from(f"ab-=:#'\"\\{SPACE}".replace("\n", "")), max_size=30), st.sampled_from(RELEASES))
def test_no_line_crashes(text: str, release: Release) -> None:
    with suppress(InvalidScript):
        assert all(_split(text, release))
