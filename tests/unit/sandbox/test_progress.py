"""What a step says: that it began, that it goes on, how long it took; and where to look when it failed."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandboxlib import progress
from sandboxlib.daemons import SandboxError
from sandboxlib.paths import CHECKOUT


def test_output_and_command_are_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "step.log"
    progress.run_logged(["sh", "-c", "echo out; echo err >&2"], log=log)
    assert log.read_text() == "$ sh -c echo out; echo err >&2\nout\nerr\n"


def test_the_log_is_appended_to(tmp_path: Path) -> None:
    log = tmp_path / "step.log"
    progress.run_logged(["echo", "first"], log=log)
    progress.run_logged(["echo", "second"], log=log)
    assert log.read_text() == "$ echo first\nfirst\n$ echo second\nsecond\n"


def test_environment_folder_and_no_input(tmp_path: Path) -> None:
    log = tmp_path / "step.log"
    progress.run_logged(["sh", "-c", "cat; echo $X; pwd"], log=log, env={"X": "there"}, cwd=tmp_path)
    assert log.read_text().splitlines()[1:] == ["there", str(tmp_path)]


def test_a_failure_shows_the_last_lines_and_the_place_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "step.log"
    with pytest.raises(SandboxError) as error:
        progress.run_logged(["sh", "-c", "seq 1 40; echo it broke >&2; exit 3"], log=log)
    lines = str(error.value).splitlines()
    assert lines[:2] == ["sh failed with exit code 3.", f"Last lines of {log}:"]
    assert lines[2:] == [*(f"  | {number}" for number in range(27, 41)), "  | it broke"]


def test_a_failing_step_prints_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SandboxError), progress.step("building etcd"):
        progress.run_logged(["false"], log=tmp_path / "step.log")
    assert capsys.readouterr().err == "  - building etcd\n"


def test_a_step_says_how_long_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.step("building etcd"):
        assert capsys.readouterr().err == "  - building etcd\n"
    out, err = capsys.readouterr()
    assert re.fullmatch(r"    building etcd: done in 0\.\d s\n", err)
    assert out == ""


def test_a_long_step_says_that_it_goes_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress, "SAY_EVERY_SECONDS", 0.01)
    said = ""
    with progress.step("building etcd"):
        deadline = time.monotonic() + 3
        while said.count("    … building etcd: ") < 2 and time.monotonic() < deadline:
            time.sleep(0.005)
            said += capsys.readouterr().err
    assert said.count("    … building etcd: ") >= 2
    capsys.readouterr()
    time.sleep(0.03)
    assert capsys.readouterr().err == "", "nothing is said after the end"


def test_steps_side_by_side_speak_in_whole_lines(capfd: pytest.CaptureFixture[str]) -> None:
    titles = [f"suite-{number}: starting" for number in range(8)]

    def one(title: str) -> None:
        for _ in range(50):
            with progress.step(title):
                pass

    with ThreadPoolExecutor(len(titles)) as pool:
        list(pool.map(one, titles))
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 2 * 50 * len(titles)
    for title in titles:
        assert lines.count(f"  - {title}") == 50
        assert len([line for line in lines if re.fullmatch(rf"    {title}: done in \d\.\d s", line)]) == 50


def test_it_is_readable_without_a_terminal(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from sandboxlib import progress; progress.SAY_EVERY_SECONDS = 0.02\n"
        "with progress.step('one step'): progress.run_logged(['sleep', '0.05'], log=Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, str(tmp_path / "log")],
        env={"PYTHONPATH": str(CHECKOUT / "sandbox"), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "ascii"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    lines = done.stderr.decode("ascii").split("\n")
    assert done.stdout == b""
    assert lines[0] == "  - one step"
    assert lines[1].endswith("one step: 0 s")
    assert lines[-2].startswith("    one step: done in 0.")
    assert all(line.isprintable() for line in lines), "no control characters: a log file shows the same"
