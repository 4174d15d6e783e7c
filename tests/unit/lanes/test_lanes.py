"""`make test`: nothing is left out of the lanes, what they come to is counted, and a run can be stopped."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from sandboxlib.paths import FIRST_PORT, LAST_PORT
from sandboxlib.slurm_suites import SUITES
from tests import lanes, run
from tests.lanes import ROOT, Lane, Result, Runner, Stopped, executions

REPORT = """\
<testsuites><testsuite>
<testcase classname="tests.e2e.test_life" name="test_success"/>
<testcase classname="tests.contract.test_slurm_port.TestIt" name="test_info[v0.0.38]"/>
<testcase classname="tests.e2e.test_life" name="test_bad">
<failure message="AssertionError: not so&#10;assert 1 == 2">def test_bad():
E  no

a.py:7: AssertionError</failure></testcase>
<testcase classname="tests.e2e.test_life" name="test_broken"><error message="no"/></testcase>
<testcase classname="tests.e2e.test_life" name="test_skipped"><skipped message="no"/></testcase>
</testsuite></testsuites>
"""


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path / "lanes")


def _lanes(runner: Runner) -> list[Lane]:
    return [Lane.of(name, number, runner) for number, name in enumerate(SUITES)]


def _python(text: str) -> list[str]:
    return [sys.executable, "-c", text]


# --- What runs where --------------------------------------------------------------------------------------


def test_each_slurm_has_a_lane_that_runs_all_parts() -> None:
    assert lanes.ORDER.keys() == SUITES.keys()
    assert {frozenset(parts) for parts in lanes.ORDER.values()} == {frozenset({"contract", "e2e", "alone"})}
    assert lanes.ORDER[lanes.KUBERNETES_IN][0] == "contract", "no operator may run beside it"


def test_each_file_of_fault_runs_is_in_one_lane(runner: Runner) -> None:
    files = {f"tests/faults/{path.name}" for path in (ROOT / "tests/faults").glob("test_*.py")}
    assert lanes.FAULTS_IN.keys() <= files
    found: list[str] = []
    for lane in _lanes(runner):
        arguments = lane.fault_runs()
        ignored = {argument.removeprefix("--ignore=") for argument in arguments if argument.startswith("--ignore=")}
        found += sorted(files - ignored) if "tests/faults" in arguments else arguments
        assert arguments, "each release has some"
    assert sorted(found) == sorted(files)


def test_lanes_do_not_share_ports_or_state(runner: Runner) -> None:
    made = _lanes(runner)
    firsts = [lane.paths.first_port for lane in made]
    assert firsts == [firsts[0] + lanes.PORTS_OF_A_LANE * number for number in range(len(made))]
    assert firsts[0] > FIRST_PORT + 500, "where the sandbox of a person is not"
    assert firsts[-1] + lanes.PORTS_OF_A_LANE <= LAST_PORT
    assert len({lane.paths.state for lane in made}) == len(made)


# --- What it comes to -------------------------------------------------------------------------------------


def test_a_report_is_counted_by_kind_and_a_skipped_test_is_missing(tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_text(REPORT)
    result = Result()
    result.read(tmp_path / "report.xml")
    assert result.passed == {"e2e": 1, "contract": 1}
    assert result.kinds() == "1 contract, 1 e2e"
    assert result.failed == ["tests.e2e.test_life::test_bad", "tests.e2e.test_life::test_broken"]
    assert result.reasons == {
        "tests.e2e.test_life::test_bad": "a.py:7: AssertionError: AssertionError: not so assert 1 == 2",
        "tests.e2e.test_life::test_broken": ": no",
    }
    assert result.missing == ["tests.e2e.test_life::test_skipped"]
    assert not result.good


@pytest.mark.parametrize(
    ("result", "good"),
    [
        (Result(passed=Counter(e2e=1)), True),
        (Result(), False),
        (Result(passed=Counter(e2e=1), failed=["a"]), False),
        (Result(passed=Counter(e2e=1), missing=["a"]), False),
        (Result(passed=Counter(e2e=1), wrong=["a"]), False),
    ],
)
def test_a_result_is_good_only_when_something_ran_and_nothing_is_wrong(result: Result, good: bool) -> None:
    assert result.good is good


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        (["a/x 1 0", "a/y 2 0"], []),
        (["a/x 1 0", "a/x 1 1"], []),
        (["a/x 1 0", "a/x 1 0"], ["ran more than once: a/x 1 0"]),
        (["a/x 1 0", "a/x 2 0"], ["ran more than once: a/x"]),
        ([], ["nothing ran at all"]),
    ],
)
def test_executions(lines: list[str], wrong: list[str]) -> None:
    said, found = executions(Counter(lines))
    assert found == wrong
    assert said.startswith(f"executions in the ledger: {len(lines)}, ")


def test_the_closing_line_counts_by_kind_and_release_and_names_surprises(runner: Runner) -> None:
    made = _lanes(runner)[:2]
    for lane, release in zip(made, ("22.05.8", ""), strict=True):
        lane.release, lane.memory_limits = release, True
        lane.result.passed.update(e2e=3, faults=1)
    made[1].result.failed.append("a")
    unit = Result(passed=Counter(unit=5, model=2))
    line = run.closing_line(made, unit, 125.0, ["trixie: Slurm 27.05.1 is another release"])
    assert line == (
        "tests: 15 passed (5 unit, 2 model; Slurm 22.05.8: 3 e2e, 1 faults; Slurm trixie: 3 e2e, 1 faults), 1 failed, "
        "0 skipped, in 2 min 5 s; memory limits true; trixie: Slurm 27.05.1 is another release"
    )


# --- Running ----------------------------------------------------------------------------------------------


def test_what_goes_well_is_told_without_its_dots(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.run("trixie", "some tests", _python(r"print('.....   [ 50%]\n\n2 passed in 1 s')"))
    first, *rest = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\[trixie\] == some tests: \d+ s", first)
    assert rest == ["[trixie] 2 passed in 1 s"]


def test_what_fails_is_told_whole(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    assert not runner.run("trixie", "some tests", _python(r"print('..F   [ 50%]\n\nE  no'); raise SystemExit(1)"))
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.endswith(" s, FAILED")
    assert rest == ["[trixie] ..F   [ 50%]", "[trixie] ", "[trixie] E  no"]


def test_what_takes_long_is_told_line_by_line(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    assert runner.run_aloud("trixie", "sandbox up", _python(r"print('one\ntwo')"))
    assert not runner.run_aloud("trixie", "sandbox up", _python("raise SystemExit('three')"))
    assert capsys.readouterr().out.splitlines() == [f"[trixie] sandbox up: {word}" for word in ("one", "two", "three")]


def test_pytest_that_breaks_without_a_report_is_no_success(runner: Runner) -> None:
    result = Result()
    lanes.pytest(runner, result, "none", "broken", "--no-such-option", workers=0)
    assert result.wrong == ["pytest failed: broken"]


def test_a_run_that_is_stopped_ends_its_programs_and_starts_no_more(runner: Runner, tmp_path: Path) -> None:
    there, seen = tmp_path / "there", []

    def long() -> None:
        with pytest.raises(Stopped):
            runner.run("a", "long", _python(f"import time; open({str(there)!r}, 'w'); time.sleep(60)"))
        seen.append("stopped")

    thread = threading.Thread(target=long)
    thread.start()
    deadline = time.monotonic() + 20
    while not there.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    runner.stop()
    thread.join(20)
    assert seen == ["stopped"]
    with pytest.raises(Stopped):
        runner.run("a", "more", _python("pass"))
    runner.go_on()
    assert runner.run("a", "putting in order", _python("pass"))


def test_when_one_part_fails_the_others_end_too(runner: Runner) -> None:
    def fails() -> None:
        raise ZeroDivisionError

    def for_ever() -> None:
        while runner.run("a", "short", _python("pass")):
            pass

    def waits() -> None:
        with pytest.raises(Stopped):
            for_ever()

    with pytest.raises(ZeroDivisionError):
        run.side_by_side(runner, [fails, waits])
