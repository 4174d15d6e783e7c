"""The table of options: complete, and true to what the sbatch of three releases say of themselves."""

from __future__ import annotations

from typing import Any

import pytest

from slurmjob_operator.sbatch.option import Argument, Handled, NotSaid, Option, Rest
from slurmjob_operator.sbatch.options import FIELDS, ROWS, TABLE
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, R24_11, Release
from tests.sbatch_help import copies

VERSIONS = tuple(copies.SUITES.values())
RELEASES = (OLDEST, R24_11, NEWEST)
TOMORROW = Release(27, 11)
SAID = tuple(row for row in ROWS if not (row.refused or row.sets or row.type is None or row.means_nothing))


def _names(release: Release) -> dict[str, Option]:
    """Every long name that the table has for a release, aliases too."""
    known = (row for row in ROWS if row.known_in(release))
    return {name: row for row in known for name in (row.name, *row.aliases)}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_option_of_sbatch_is_in_the_table(version: str) -> None:
    assert set(_names(copies.release(version))) == set(copies.options(version))


@pytest.mark.parametrize("version", VERSIONS)
def test_every_option_that_help_and_usage_name_is_in_the_table(version: str) -> None:
    named = {f"--{name}" for name in copies.long_names(version)} | {f"-{letter}" for letter in copies.letters(version)}
    rows = _names(copies.release(version))
    assert (
        named - {f"--{name}" for name in rows} - {f"-{row.short}" for row in rows.values()} == copies.MISPRINTS[version]
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_arguments_are_those_that_getopt_tells(version: str) -> None:
    release = copies.release(version)
    ours = {name: row.argument_in(release) for name, row in _names(release).items()}
    assert ours == copies.options(version)


@pytest.mark.parametrize("version", VERSIONS)
def test_letters_are_those_of_help(version: str) -> None:
    rows = _names(copies.release(version))
    assert {row.short: row.name for row in rows.values() if row.short} == copies.short_names(version)


def test_a_copy_says_something() -> None:
    assert [len(copies.options(version)) for version in VERSIONS] == [106, 114, 120]


def test_what_is_known_is_known_tomorrow() -> None:
    assert set(_names(TOMORROW)) == set(_names(NEWEST))


def test_an_option_that_is_gone_stays_gone() -> None:
    assert not TABLE["power"].known_in(R24_11)


def test_names_letters_and_fields_stand_once() -> None:
    assert len(TABLE) == len(ROWS)
    letters = [row.short for row in ROWS if row.short]
    assert sorted(letters) == sorted(set(letters))
    assert len(FIELDS) == len([row for row in ROWS if row.field])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_says_one_thing(row: Option) -> None:
    kinds = [row.refused is not None, row.sets is not None, row.means_nothing is not None, row in SAID]
    assert kinds.count(True) == 1, row


@pytest.mark.parametrize("row", SAID, ids=lambda row: row.name)
def test_each_family_that_can_meet_an_option_says_something_of_it(row: Option) -> None:
    assert row.v38 is not None or not row.known_in(OLDEST)
    assert row.v40 is not None


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_texts_are_sentences_for_people(row: Option) -> None:
    assert row.help[0].isupper()
    assert row.help.endswith(".")
    assert "--" not in row.help
    reasons = [row.refused, row.means_nothing]
    reasons += [how.reason for how in (row.v38, row.v40) if isinstance(how, NotSaid)]
    reasons += [how.where for how in (row.v38, row.v40) if isinstance(how, Handled)]
    for reason in filter(None, reasons):
        assert len(reason) > 10
        assert not reason.endswith(".")


@pytest.mark.parametrize("row", [row for row in ROWS if row.refused], ids=lambda row: row.name)
def test_a_refusal_says_what_to_do_instead(row: Option) -> None:
    assert row.refused is not None
    assert ";" in row.refused


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_default_is_a_value(row: Option) -> None:
    kinds = {row.argument_in(release) for release in RELEASES if row.known_in(release)}
    if row.type is None:
        assert row.sets is None or TABLE[row.sets].type is not None
        return
    assert (row.default is not None) == (kinds != {Argument.REQUIRED})
    if row.default is not None:
        for release in (release for release in RELEASES if row.known_in(release)):
            row.type.parse(row.default, release)


def test_what_another_option_sets_is_a_value_of_it() -> None:
    for row in ROWS:
        if row.sets is not None:
            target = TABLE[row.sets].type
            assert target is not None
            assert row.default is not None
            target.parse(row.default, NEWEST)


FILES = ("error", "input", "output")


@pytest.mark.parametrize("name", FILES)
def test_an_empty_file_name_is_never_sent(name: str) -> None:
    for how in (TABLE[name].v38, TABLE[name].v40):
        assert isinstance(how, Rest)
        assert how.encode("") == {}
        assert list(how.encode("x").values()) == ["x"]


def _body(name: str, text: str, *, api_version: str, release: Release) -> Any:
    row = TABLE[name]
    assert row.type is not None
    how = row.v38 if api_version == "v0.0.38" else row.v40
    assert isinstance(how, Rest)
    value = row.type.parse(text, release)
    reason = how.reason_against(value, api_version)
    return how.encode(value) if reason is None else reason


@pytest.mark.parametrize(
    ("name", "text", "v38", "v45"),
    [
        ("time", "90", {"time_limit": 90}, {"time_limit": {"set": True, "infinite": False, "number": 90}}),
        ("time", "0", {"time_limit": 0}, {"time_limit": {"set": True, "infinite": True, "number": 0}}),
        ("time-min", "5", {"time_minimum": 5}, {"time_minimum": {"set": True, "infinite": False, "number": 5}}),
        ("delay-boot", "5", {"delay_boot": "5:0"}, {"delay_boot": 300}),
        ("delay-boot", "-1", {"delay_boot": "UNLIMITED"}, {"delay_boot": 4294967295}),
        ("begin", "0131", {"begin_time": "01/31"}, {"begin_time": "01/31"}),
        ("array", "1-3", {"array": "1-3"}, {"array": "1-3"}),
        ("array", "", {}, {"array": ""}),
        ("kill-on-invalid-dep", "YES", {"kill_on_invalid_dependency": True}, {"flags": ["KILL_INVALID_DEPENDENCY"]}),
        ("kill-on-invalid-dep", "no", {"kill_on_invalid_dependency": False}, {"flags": ["NO_KILL_INVALID_DEPENDENCY"]}),
        ("nice", "much", {"nice": 0}, {"nice": 0}),
        ("output", "None", {"standard_output": "/dev/null"}, {"standard_output": "/dev/null"}),
        ("open-mode", "a", {"open_mode": "append"}, {"open_mode": ["APPEND"]}),
        ("mail-type", "end,TIME_LIMIT_80", {"mail_type": "END,TIME_LIMIT_80"}, {"mail_type": ["END", "TIME=80%"]}),
        ("mail-type", "none", {"mail_type": "NONE"}, {"mail_type": []}),
        (
            "signal",
            "USR1",
            {"signal": "10@60"},
            {"kill_warning_signal": "10", "kill_warning_delay": {"set": True, "number": 60}},
        ),
        ("no-kill", "true", {"no_kill": "set"}, {"kill_on_node_fail": False}),
        ("no-kill", "off", {}, {}),
        ("profile", "none", {"profile": "none"}, {"profile": ["NONE"]}),
        ("profile", "task,energy", {"profile": "energy,task"}, {"profile": ["ENERGY", "TASK"]}),
        ("requeue", "true", {"requeue": True}, {"requeue": True}),
        ("requeue", "false", {"no_requeue": True}, {"requeue": False}),
        ("wait-all-nodes", "1", {"wait_all_nodes": 1}, {"wait_all_nodes": True}),
        ("wait-all-nodes", "0", {"wait_all_nodes": 0}, {"wait_all_nodes": False}),
    ],
)
def test_keys(name: str, text: str, v38: Any, v45: Any) -> None:
    assert _body(name, text, api_version="v0.0.38", release=OLDEST) == v38
    assert _body(name, text, api_version="v0.0.45", release=NEWEST) == v45


def test_the_shell_alone_can_be_signalled_from_v40_on() -> None:
    assert "cannot say `B:`" in _body("signal", "B:USR1", api_version="v0.0.38", release=OLDEST)
    assert _body("signal", "B:USR1@9", api_version="v0.0.40", release=R24_11)["kill_warning_flags"] == ["BATCH_JOB"]


def test_expedited_requeue_needs_v44() -> None:
    assert "needs v0.0.44" in _body("requeue", "expedite", api_version="v0.0.43", release=NEWEST)
    body = _body("requeue", "Expedite", api_version="v0.0.44", release=NEWEST)
    assert body == {"requeue": True, "flags": ["EXPEDITED_REQUEUE"]}


def test_container_type_needs_v45() -> None:
    assert "needs v0.0.45" in _body("container-type", "oci", api_version="v0.0.44", release=NEWEST)


def test_the_key_that_kills_slurmrestd_22_05_is_not_said() -> None:
    assert isinstance(TABLE["batch"].v38, NotSaid)
