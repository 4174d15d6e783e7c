"""Values of what is not about resources, against what the real sbatch was measured to do with them."""

from __future__ import annotations

from typing import Any

import pytest

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.types import (
    arrays,
    dependencies,
    files,
    mail,
    modes,
    moments,
    numbers,
    signals,
    times,
    words,
)
from slurmjob_operator.sbatch.types.signals import WarningSignal
from slurmjob_operator.sbatch.types.times import Delay, TimeLimit
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, R24_11, Release, ValueType

ALL_MAIL = ("BEGIN", "END", "FAIL", "REQUEUE", "INVALID_DEPEND", "STAGE_OUT")


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("90", 90),
        ("90:00", 90),
        ("10:29", 11),
        ("0:01", 1),
        ("1:30:00", 90),
        ("99:99:99", 6041),
        ("1-99", 7380),
        ("1-", 1440),
        ("1-00:00", 1440),
        ("1-0:0:1", 1441),
        ("2-3:04:05", 2 * 1440 + 3 * 60 + 5),
        ("0", None),
        ("00:00:00", None),
        ("-1", None),
        ("UNLIMITED", None),
        ("Infinite", None),
        ("99999999", 28417211),
        ("99999999:0", 28417211),
        ("71582788", None),
        ("71582789", 1),
        ("4294967294", None),
        ("4294967295", None),
        ("99999999999999999999", None),
    ],
)
def test_time_limits(text: str, minutes: int | None) -> None:
    assert times.TIME_LIMIT.parse(text, NEWEST) == TimeLimit(minutes=minutes)


@pytest.mark.parametrize(
    ("text", "seconds"), [("5", 300), ("1:30", 90), ("0:30", 30), ("1-0", 86400), ("0", 0), ("-1", None)]
)
def test_delays(text: str, seconds: int | None) -> None:
    assert times.DELAY.parse(text, NEWEST) == Delay(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "now", "NOW", "now+60", "now + 1 hour", "now+1HOUR", "now+2days", "now-5", "now+60 ", "now+1hour noon",
        "16:00", "4:00pm", "4:00 pm", "12:00am", "00:00pm", "23:59:59", "09:05", "0:00", "T16:00", "today",
        "tomorrow", "midnight", "noon", "teatime", "fika", "noon tomorrow", "tomorrow noon", "tomorrowT16:00",
        "16:00 tomorrow", "today tomorrow", "12:00 noon", "noonT", "2027-01-31", "2027-01-1", "2027-01-31T10:00",
        "2027-01-31T10:00:30", "2027-01-31 10:00", "2027-01-31-10:00", "2027-02-31", "1999-01-01", "01/31/27",
        "1/31", "01.31.27", "01/31/27-10:00", "1/1/27", "9/9", "02/30", "10:00 2027-01-31", "noon0131", "0131noon",
        "0131-10:00", "uts1800000000", "UTS1800000000", "uts 1800000000", "uts+1800000000",
    ],
)  # fmt: skip
def test_moments_stay_as_they_are(text: str) -> None:
    for release in (OLDEST, R24_11, NEWEST):
        assert moments.MOMENT.parse(text, release) == text


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "-", "T", "--", "x", "soon", "TODAY", "Tomorrow", "now+", "now+x", "now+3min", "now+1.5", "now1",
        "nowx", "now+1hourx", "now+1hour 5", "now noon", "noon now", "16", "1600", "24:00", "9:5", "9:05:7",
        "16:00pm", "13:00am", "3PM", "15:00:00pm", "t16:00", "2027-1-31", "2027-13-01", "2027-00-10", "2027-01-00",
        "2027-01-32", "2027-01-31Z", "2027-01-31T25:00", "2027-01-31T10:00:00+01:00", "27-01-31", "20270131",
        "01012027", "01/31/2027", "00/10", "99", "1700000000", "uts5", "uts1800000000 ", "11231",
    ],
)  # fmt: skip
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(InvalidValue):
        moments.MOMENT.parse(text, NEWEST)


@pytest.mark.parametrize(
    ("text", "sent"), [("0131", "01/31"), ("013127", "01/31/27"), ("1231", "12/31"), ("111", "11/1")]
)
def test_a_date_of_digits_gets_slashes(text: str, sent: str) -> None:
    assert moments.MOMENT.parse(text, NEWEST) == sent


def test_elevenses_came_with_24_11() -> None:
    assert moments.MOMENT.parse("elevenses", R24_11) == "elevenses"
    with pytest.raises(InvalidValue):
        moments.MOMENT.parse("elevenses", OLDEST)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("USR1", WarningSignal(signal=10)),
        ("sigusr1", WarningSignal(signal=10)),
        ("10@0", WarningSignal(signal=10, seconds=0)),
        ("USR1@", WarningSignal(signal=10, seconds=0)),
        ("B:USR1@120", WarningSignal(signal=10, seconds=120, shell_only=True)),
        ("R:10@5", WarningSignal(signal=10, seconds=5, reservation=True)),
        ("rb:usr1@5", WarningSignal(signal=10, seconds=5, shell_only=True, reservation=True)),
        ("BR:XCPU", WarningSignal(signal=24, shell_only=True, reservation=True)),
        (" 10", WarningSignal(signal=10)),
        ("USR1@ +5", WarningSignal(signal=10, seconds=5)),
        ("99", WarningSignal(signal=99)),
        ("70000", WarningSignal(signal=4464)),
        ("-5", WarningSignal(signal=65531)),
    ],
)
def test_signals(text: str, expected: WarningSignal) -> None:
    assert signals.WARNING_SIGNAL.parse(text, NEWEST) == expected


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("END", ("END",)),
        ("fail,end", ("END", "FAIL")),
        ("ALL", ALL_MAIL),
        ("ALL,ARRAY_TASKS", (*ALL_MAIL, "ARRAY_TASKS")),
        ("NONE", ()),
        ("ALL,NONE", ()),
        ("BAD,NONE", ()),
        ("END, FAIL", ("END",)),
        ("END,BAD,FAIL", ("END", "FAIL")),
        ("BAD,END", ("END",)),
        (",END,,FAIL", ("END", "FAIL")),
        ("END,NONEX", ("END",)),
    ],
)
def test_mail_events(text: str, events: tuple[str, ...]) -> None:
    assert mail.MAIL_EVENTS.parse(text, NEWEST) == events


@pytest.mark.parametrize(
    "text",
    ["1,", ",1", "1,,2", "0-3:5", "[0-3]%2", "[0-3%2]", "1-3%2%3", "1-3%x", "", "%", "%2", "0-", "1-3:2%1,5", "1%2,3",
     "[1", "1]", "1-3%0", "1-1", "00-03", "[1-3],[5-7]", "1, 2"],
)  # fmt: skip
def test_arrays_that_slurmctld_takes(text: str) -> None:
    assert arrays.ARRAY.parse(text, NEWEST) == text


@pytest.mark.parametrize(
    "text",
    ["", "1234", "singleton", "SINGLETON", "AfterOK:1", "afterok:1:2", "after:1+5:2+6", "afterok:1?afterany:2",
     "afterok:1_2", "afterok:1_*", "afterok: 1", "afterok:1(x)", "afterok:1,singleton", "afterok:1,after:2?after:3",
     "expand:1", "afterok:1+5"],
)  # fmt: skip
def test_dependencies_that_slurmctld_reads(text: str) -> None:
    assert dependencies.DEPENDENCY.parse(text, NEWEST) == text


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", ()),
        ("singleton", ()),
        ("1234", (1234,)),
        ("1234_5", (1234,)),
        ("afterok:1:2_3,afternotok:3_*?after:12+10", (1, 2, 3, 12)),
        ("afterok: 7 ,afterany:7", (7,)),
        ("after:12+10(failed)", (12,)),
    ],
)
def test_jobs_that_a_dependency_names(text: str, ids: tuple[int, ...]) -> None:
    assert dependencies.job_ids(text) == ids


@pytest.mark.parametrize(
    "text",
    ["1:2", "afterany:1:afterok:2", "afterok:1,", "afterok:1,,afterok:2", " afterok:1", "afterok", "afterok:",
     "afterok:x",
     "never:1", "after:1+0", "after:1+x", "after:1+", "singletonx", "singleton:1", "afterok:1 "],
)  # fmt: skip
def test_dependencies_that_slurmctld_does_not_read(text: str) -> None:
    with pytest.raises(InvalidValue):
        dependencies.DEPENDENCY.parse(text, NEWEST)


@pytest.mark.parametrize(
    ("value_type", "text", "value"),
    [
        (numbers.NICE, "", 100),
        (numbers.NICE, "-5", -5),
        (numbers.NICE, "x", 0),
        (numbers.NICE, "1.5", 1),
        (numbers.NICE, "0x10", 0),
        (numbers.PRIORITY, "top", 4294967293),
        (numbers.PRIORITY, "none", 0),
        (numbers.PRIORITY, "1k", 1),
        (numbers.ZERO_OR_ONE, "", 0),
        (numbers.ONE_OR_ZERO, "", 1),
        (numbers.ONE_OR_ZERO, " 1", 1),
        (words.UNLESS_OFF, "", True),
        (words.UNLESS_OFF, "OFF", False),
        (words.UNLESS_OFF, "no", False),
        (words.UNLESS_OFF, "Set", True),
        (words.YES_OR_NO, "YES", True),
        (modes.OPEN_MODE, "ab", "append"),
        (modes.OPEN_MODE, "T", "truncate"),
        (modes.PROFILE, "All,task", ("energy", "lustre", "network", "task")),
        (modes.PROFILE, "small", ("energy", "lustre", "network", "task")),
        (modes.PROFILE, "task+energy", ("energy", "task")),
        (modes.PROFILE, "nonesuch", ()),
        (modes.RESOURCE_LIMITS, "", "ALL"),
        (modes.RESOURCE_LIMITS, "RLIMIT_CORE STACK", "CORE,STACK"),
        (modes.FREQUENCY, "xtask=4x", "xtask=4x"),
        (modes.EXPORT, "A='1,2',B,,C=3", ("A='1,2'", "B", "C=3")),
        (modes.EXPORT, 'A="1,2",\'', ('A="1,2"', "'")),
        (modes.EXPORT, "A=1\\,2", ("A=1\\", "2")),
        (modes.EXPORT, "", ()),
        (files.FILE, "NONE", "/dev/null"),
        (files.FILE, "none.txt", "none.txt"),
        (files.FILE, "", ""),
    ],
)
def test_values(value_type: ValueType, text: str, value: Any) -> None:
    assert value_type.parse(text, NEWEST) == value


@pytest.mark.parametrize(
    ("value_type", "text", "release"),
    [
        (words.PARTITIONS, "", NEWEST),
        (modes.REQUEUE, "expedite", NEWEST),
        (modes.LOGIN, "30L", OLDEST),
        (modes.LOGIN, "", R24_11),
        (modes.LOGIN, "-1", R24_11),
    ],
)
def test_values_of_some_releases(value_type: ValueType, text: str, release: Release) -> None:
    value_type.parse(text, release)
    with pytest.raises(InvalidValue):
        value_type.parse(text, OLDEST if release == NEWEST else NEWEST)


@pytest.mark.parametrize(
    ("path", "folder", "absolute"),
    [
        ("x", "/home/a", "/home/a/x"),
        ("", "/home/a", "/home/a/"),
        ("./x", "/home/a", "/home/a/./x"),
        ("~/x", "/home/a", "/home/a/~/x"),
        ("/x", "/home/a", "/x"),
        ("x", "/home/", "/home//x"),
    ],
)
def test_names_become_absolute_by_what_stands_before_them(path: str, folder: str, absolute: str) -> None:
    assert files.absolute(path, folder=folder) == absolute


ENDS = " without NUL and line breaks"
TIME = 'must be minutes, "MM:SS", "HH:MM:SS", "D-HH", "D-HH:MM", "D-HH:MM:SS" or "UNLIMITED"'
FILE = 'must be the name of a file, or "none" for /dev/null'


@pytest.mark.parametrize(
    ("value_type", "text", "message"),
    [
        (times.TIME_LIMIT, "1h", f"'1h': {TIME}"),
        (times.TIME_LIMIT, "", f"'': {TIME}"),
        (times.TIME_LIMIT, "1:00\n2", f"'1:00\\n2': {TIME}"),
        (
            times.TIME_LIMIT,
            "4294967293",
            f"'4294967293': {TIME}; this many seconds overflow in sbatch: at most 68 years",
        ),
        (times.DELAY, "soon", f"'soon': {TIME}"),
        (
            moments.MOMENT,
            "25h",
            '\'25h\': must be a time of day ("16:00", "4:00pm", "noon", "teatime"), a date ("2027-01-31", '
            '"2027-01-31T10:00", "01/31/27"), "today", "tomorrow", or "now" and perhaps "+COUNT" '
            "seconds, minutes, hours, "
            "days or weeks",
        ),
        (
            signals.WARNING_SIGNAL,
            "FOO@5",
            "'FOO@5': must be a signal's number or one of the names HUP, INT, TERM, USR1, USR2 …, "
            '"B:" before it for the '
            'batch shell alone, "@SECONDS" after it (at most 65535)',
        ),
        (
            mail.MAIL_EVENTS,
            "DONE",
            "'DONE': must be a list, with commas, of BEGIN, END, FAIL, REQUEUE, INVALID_DEPEND, STAGE_OUT, TIME_LIMIT, "
            "TIME_LIMIT_90, TIME_LIMIT_80, TIME_LIMIT_50, ARRAY_TASKS, or ALL, or NONE",
        ),
        (
            arrays.ARRAY,
            "3-1",
            "'3-1': must be indexes and rising ranges with commas, a range with a step as in "
            '"0-30:5", and after the last '
            'one perhaps "%" and how many may run at once',
        ),
        (
            dependencies.DEPENDENCY,
            "afterok",
            "'afterok': must be \"singleton\", a job's id, or TYPE:JOBID[:JOBID…] with after, "
            "afterany, afterburstbuffer, "
            "aftercorr, afternotok or afterok, several with commas (all must be fulfilled) or "
            "question marks (one is enough)",
        ),
        (numbers.NICE, "2147483646", "'2147483646': must be a whole number between -2147483645 and 2147483645"),
        (numbers.PRIORITY, "-1", "'-1': must be a whole number between 0 and 4294967293, or \"TOP\""),
        (numbers.ZERO_OR_ONE, "2", "'2': must be 0 or 1"),
        (words.NAME, "", "'': must be a name"),
        (words.NAME, "a\nb", f"'a\\nb': must be a name,{ENDS}"),
        (words.NAME, "é" * 513, f"'{'é' * 60}…': must be a name, of at most 1024 bytes"),
        (words.TEXT, "a\x00b", f"'a\\x00b': must be one line of text,{ENDS}"),
        (words.YES_OR_NO, "maybe", '\'maybe\': must be "yes" or "no"'),
        (words.UNLESS_OFF, "on", '\'on\': must be "set", "off", or nothing at all'),
        (files.FILE, "a\nb", f"'a\\nb': {FILE},{ENDS}"),
        (files.FILE, "x" * 4096, f"'{'x' * 60}…': {FILE}, of at most 4095 bytes"),
        (files.PATH, "/a\x00", f"'/a\\x00': must be the name of a folder,{ENDS}"),
        (modes.OPEN_MODE, "write", '\'write\': must be "append" or "truncate"'),
        (
            modes.PROFILE,
            "cpu",
            "'cpu': must be a list, with commas, of energy, lustre, network, task, or all, or none",
        ),
        (
            modes.RESOURCE_LIMITS,
            "stack",
            "'stack': must be ALL, NONE, or a list, with commas, of AS, CORE, CPU, DATA, FSIZE, "
            "MEMLOCK, NOFILE, NPROC, RSS, "
            "STACK",
        ),
        (
            modes.FREQUENCY,
            "often",
            "'often': must be a number of seconds or a list, with commas, of task=SECONDS, energy=…, network=… and "
            'filesystem=…, e.g. "task=30,energy=0"',
        ),
        (modes.REQUEUE, "now", '\'now\': must be "true" or "false"; from 26.05 on also "expedite"'),
        (modes.LOGIN, "3x", '\'3x\': must be "true" or "false", or, before 26.05, a number of seconds, S or L'),
    ],
)
def test_what_is_said_of_a_wrong_value(value_type: ValueType, text: str, message: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        value_type.parse(text, OLDEST)
    assert str(raised.value) == message


def test_the_longest_texts_are_taken() -> None:
    assert words.TEXT.parse("x" * 1024, NEWEST)
    assert files.FILE.parse("x" * 4095, NEWEST)
