"""Daemons are real processes here: small ones. What runs is known from the pid file, and never guessed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandboxlib import daemons
from sandboxlib.daemons import Daemon, SandboxError, State

SLEEP = ("sleep", "30")
Make = Callable[..., Daemon]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def daemon(name: str = "one", *, argv: tuple[str, ...] = SLEEP, **fields: Any) -> Daemon:
        log, pid_file = tmp_path / "logs" / f"{name}.log", tmp_path / "run" / f"{name}.pid"
        return Daemon(name=name, argv=argv, log=log, pid_file=pid_file, **fields)

    return daemon


def _shell(script: str) -> tuple[str, ...]:
    return ("sh", "-c", script)


def _pid(daemon: Daemon) -> int:
    pid = daemons.running_pid(daemon.pid_file)
    assert pid is not None
    return pid


def _bystander() -> subprocess.Popen[bytes]:
    return subprocess.Popen(SLEEP, start_new_session=True)


def _wait(until: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 3
    while not until():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


# --- Start ------------------------------------------------------------------------------------------------


def test_start_runs_it_and_stop_ends_it(make: Make, processes: list[subprocess.Popen[bytes]]) -> None:
    daemon = make()
    assert not daemons.is_running(daemon)
    daemons.start(daemon)
    assert daemons.is_running(daemon)
    assert _pid(daemon) == processes[0].pid
    daemons.stop([daemon])
    assert not daemons.is_running(daemon)
    assert not daemon.pid_file.exists()
    assert processes[0].wait(1) == -signal.SIGTERM


def test_a_second_start_changes_nothing(make: Make, processes: list[subprocess.Popen[bytes]]) -> None:
    daemon = make()
    daemons.start(daemon)
    first = daemon.pid_file.read_text()
    daemons.start(daemon)
    assert daemon.pid_file.read_text() == first
    assert len(processes) == 1


def test_it_has_a_session_of_its_own(make: Make) -> None:
    daemon = make()
    daemons.start(daemon)
    assert os.getsid(_pid(daemon)) == _pid(daemon) != os.getsid(0)


def test_it_sees_its_own_environment_and_folder_and_no_input(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_CALLER", "leaked")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    script = 'cat; echo "mine=$MINE caller=${OF_THE_CALLER-unset}"; pwd; echo "$PATH"; echo error >&2; exec sleep 30'
    daemon = make(argv=_shell(script), env={"MINE": "yes"}, cwd=tmp_path)
    daemons.spawn(daemon)
    _wait(lambda: "error" in daemon.log.read_text(), "standard error is in the log")
    assert daemon.log.read_text().splitlines() == [
        "mine=yes caller=unset",
        str(tmp_path),
        f"{tmp_path}:/usr/bin:/bin",
        "error",
    ]


def test_the_log_of_an_earlier_life_is_kept(make: Make) -> None:
    daemon = make(argv=_shell("echo again; exec sleep 30"))
    daemon.log.parent.mkdir()
    daemon.log.write_text("before\n")
    daemons.spawn(daemon)
    _wait(lambda: daemon.log.read_text() == "before\nagain\n", "the log is appended to")


def test_start_waits_until_it_is_ready(make: Make) -> None:
    asked: list[int] = []
    daemon = make(ready=lambda: asked.append(1) or len(asked) == 3)  # type: ignore[func-returns-value]  # None: go on
    daemons.start(daemon)
    assert len(asked) == 3


def test_one_that_ends_at_once_is_an_error_with_its_last_words(make: Make) -> None:
    daemon = make(name="etcd", argv=_shell("echo no such disk; exit 1"), ready=lambda: False)
    with pytest.raises(SandboxError) as error:
        daemons.start(daemon)
    assert str(error.value).splitlines() == [
        "etcd ended at once.",
        f"Last lines of {daemon.log}:",
        "  | no such disk",
    ]


def test_one_that_is_never_ready_is_an_error_with_its_last_words(make: Make) -> None:
    daemon = make(name="etcd", argv=_shell("echo still looking; exec sleep 30"), ready=lambda: False, ready_seconds=0.1)
    with pytest.raises(SandboxError, match=r"etcd was not ready after 0 s\.\n(.*\n)+  \| still looking"):
        daemons.start(daemon)


def test_a_program_that_is_not_there_leaves_no_pid_file(make: Make, tmp_path: Path) -> None:
    daemon = make(argv=(str(tmp_path / "missing"),))
    with pytest.raises(FileNotFoundError):
        daemons.start(daemon)
    assert not daemon.pid_file.exists()


# --- Stop and kill ----------------------------------------------------------------------------------------


def test_stop_signals_all_in_order_before_it_waits(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first ends only when the last was asked as well: were they stopped one by one, it would be killed."""
    asked, clean = tmp_path / "last-was-asked", tmp_path / "first-ended-clean"
    patient = f"trap 'while ! test -e {asked}; do sleep 0.01; done; touch {clean}; exit' TERM; "
    first = make("first", argv=_shell(f"{patient} touch {tmp_path}/a; while :; do sleep 0.01; done"), stop_seconds=2)
    last = make(
        "last", argv=_shell(f"trap 'touch {asked}; exit' TERM; touch {tmp_path}/b; while :; do sleep 0.01; done")
    )
    sent: list[tuple[int, int]] = []
    killpg = os.killpg

    def record(group: int, number: int) -> None:
        sent.append((group, number))
        killpg(group, number)

    for daemon in (first, last):
        daemons.spawn(daemon)
    _wait(lambda: (tmp_path / "a").exists() and (tmp_path / "b").exists(), "both have their traps")
    wanted = [(_pid(daemon), number) for daemon in (first, last) for number in (signal.SIGTERM, signal.SIGCONT)]
    monkeypatch.setattr(os, "killpg", record)
    daemons.stop(iter([first, last]))
    assert sent == wanted
    assert clean.exists()
    assert not daemons.is_running(first)
    assert not daemons.is_running(last)


def test_what_does_not_listen_is_killed_with_its_children(make: Make, tmp_path: Path) -> None:
    ready = tmp_path / "child"
    script = f"trap '' TERM; sleep 30 & echo $! > {ready}.part; mv {ready}.part {ready}; wait"
    daemon = make(argv=_shell(script), ready=ready.exists, stop_seconds=0.05)
    daemons.start(daemon)
    child = int(ready.read_text())
    assert daemons.start_time_ticks(child) is not None
    daemons.stop([daemon])
    assert not daemons.is_running(daemon)
    _wait(lambda: daemons.start_time_ticks(child) is None, "the child has ended with its parent")


def test_the_stop_signal_is_the_daemons_own(make: Make, processes: list[subprocess.Popen[bytes]]) -> None:
    daemon = make(stop_signal=signal.SIGUSR1)
    daemons.start(daemon)
    daemons.stop([daemon])
    assert processes[0].wait(1) == -signal.SIGUSR1


def test_kill_asks_nobody(make: Make, tmp_path: Path, processes: list[subprocess.Popen[bytes]]) -> None:
    trap = tmp_path / "trap"
    daemon = make(argv=_shell(f"trap '' TERM INT; touch {trap}; exec sleep 30"), ready=trap.exists)
    daemons.start(daemon)
    daemons.kill(daemon)
    assert not daemons.is_running(daemon)
    assert not daemon.pid_file.exists()
    assert processes[0].wait(1) == -signal.SIGKILL


def test_what_does_not_run_can_be_stopped_and_killed(make: Make) -> None:
    daemon = make()
    daemons.stop([daemon])
    daemons.kill(daemon)
    assert not daemons.send(daemon, signal.SIGTERM)


def test_it_can_be_started_again(make: Make) -> None:
    daemon = make()
    daemons.start(daemon)
    first = _pid(daemon)
    daemons.kill(daemon)
    daemons.start(daemon)
    assert _pid(daemon) != first


def test_whoever_did_not_start_it_can_stop_it(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another shell knows of it by its pid file alone."""
    daemon = make()
    daemons.start(daemon)
    monkeypatch.setattr(daemons, "_SPAWNED", [])
    other = make()
    assert daemons.is_running(other)
    daemons.stop([other])
    assert not daemons.is_running(daemon)


# --- Pause and resume -------------------------------------------------------------------------------------


def _paused(make: Make, **fields: Any) -> Daemon:
    daemon = make(**fields)
    daemons.start(daemon)
    daemons.pause(daemon)
    return daemon


def test_a_paused_one_lives_and_does_nothing_until_it_goes_on(make: Make) -> None:
    daemon = make(argv=_shell("while :; do echo more; sleep 0.005; done"))
    daemons.start(daemon)
    _wait(lambda: daemons.state_of(daemon) is State.UP and daemon.log.stat().st_size > 0, "it works")
    daemons.pause(daemon)
    said = daemon.log.stat().st_size
    assert daemons.state_of(daemon) is State.PAUSED
    assert daemons.is_running(daemon)
    time.sleep(0.05)
    assert daemon.log.stat().st_size == said
    daemons.resume(daemon)
    _wait(lambda: daemon.log.stat().st_size > said, "it goes on")
    assert daemons.state_of(daemon) is State.UP


def test_its_children_are_held_with_it(make: Make, tmp_path: Path) -> None:
    ready = tmp_path / "child"
    script = f"sleep 30 & echo $! > {ready}.part; mv {ready}.part {ready}; wait"
    daemon = _paused(make, argv=_shell(script), ready=ready.exists)
    stat = Path(f"/proc/{int(ready.read_text())}/stat")
    assert stat.read_text().rpartition(")")[2].split()[0] == "T"
    daemons.resume(daemon)
    _wait(lambda: stat.read_text().rpartition(")")[2].split()[0] == "S", "the child goes on as well")


@pytest.mark.parametrize("begin", [daemons.start, daemons.spawn])
def test_start_lets_a_paused_one_go_on(
    make: Make, begin: Callable[[Daemon], None], processes: list[subprocess.Popen[bytes]]
) -> None:
    daemon = _paused(make)
    begin(daemon)
    _wait(lambda: daemons.state_of(daemon) is State.UP, "it goes on")
    assert len(processes) == 1


def test_a_paused_one_ends_clean_when_it_is_stopped(make: Make, tmp_path: Path) -> None:
    """By the signal that it waits for: not by SIGKILL when the time is up."""
    trap, clean = tmp_path / "trap", tmp_path / "clean"
    script = f"trap 'touch {clean}; exit' TERM; touch {trap}; while :; do sleep 0.01; done"
    daemon = _paused(make, argv=_shell(script), ready=trap.exists, stop_seconds=3)
    daemons.stop([daemon])
    assert daemons.state_of(daemon) is State.DOWN
    assert clean.exists()


def test_a_paused_one_can_be_killed(make: Make, processes: list[subprocess.Popen[bytes]]) -> None:
    daemon = _paused(make)
    daemons.kill(daemon)
    assert daemons.state_of(daemon) is State.DOWN
    assert processes[0].wait(1) == -signal.SIGKILL


def test_whoever_did_not_start_it_can_resume_it(make: Make) -> None:
    daemon = _paused(make)
    daemons.resume(make())
    assert daemons.state_of(daemon) is State.UP


@pytest.mark.parametrize("act", [daemons.pause, daemons.resume])
def test_what_does_not_run_can_be_neither_paused_nor_resumed(make: Make, act: Callable[[Daemon], None]) -> None:
    """A test that believed it had paused something would prove nothing."""
    daemon, other = make("etcd"), _bystander()
    daemon.pid_file.parent.mkdir()
    daemon.pid_file.write_text(f"{other.pid} 1\n")
    with pytest.raises(SandboxError, match=r"^etcd does not run$"):
        act(daemon)
    assert Path(f"/proc/{other.pid}/stat").read_text().rpartition(")")[2].split()[0] in "RS"


def test_one_that_is_not_held_is_an_error(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon = make("etcd")
    daemons.start(daemon)
    monkeypatch.setattr(daemons, "PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(os, "killpg", lambda _group, _number: None)
    with pytest.raises(SandboxError, match=r"^etcd was not held by SIGSTOP"):
        daemons.pause(daemon)


# --- Strays -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", [daemons.start, lambda daemon: daemons.stop([daemon])])
def test_one_whose_pid_file_is_lost_is_ended(
    make: Make, act: Callable[[Daemon], None], processes: list[subprocess.Popen[bytes]]
) -> None:
    daemon = make()
    daemons.start(daemon)
    environment = Path(f"/proc/{_pid(daemon)}/environ")
    _wait(lambda: daemons.MARK.encode() in environment.read_bytes(), "the kernel has set its environment up")
    daemon.pid_file.unlink()
    assert not daemons.is_running(daemon)
    act(daemon)
    assert processes[0].wait(1) == -signal.SIGKILL


def test_others_are_left_alone(make: Make, tmp_path: Path, processes: list[subprocess.Popen[bytes]]) -> None:
    """Neither a process without the mark, nor a daemon whose pid file has nearly the same name."""
    other, unmarked = make("one.pid-of-another"), _bystander()
    near = subprocess.Popen(SLEEP, env={"OTHER": f"{daemons.MARK}={tmp_path}/run/one.pid", "PATH": os.defpath})
    daemons.start(other)
    daemons.start(make("one"))
    daemons.stop([make("one")])
    assert daemons.is_running(other)
    assert unmarked.poll() is None
    assert near.poll() is None


def test_the_guard_of_these_tests_holds() -> None:
    for signalled in (os.kill, os.killpg):
        with pytest.raises(pytest.fail.Exception, match="is not this test's own"):
            signalled(os.getppid(), 0)


# --- Pid files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shift", [-1, 1])
@pytest.mark.parametrize("act", [lambda daemon: daemons.stop([daemon]), daemons.kill])
def test_a_recycled_pid_is_never_signalled(make: Make, act: Callable[[Daemon], None], shift: int) -> None:
    """The pid of the file now belongs to somebody else: same number, another start time."""
    daemon, other = make(), _bystander()
    ticks = daemons.start_time_ticks(other.pid)
    assert ticks is not None
    daemon.pid_file.parent.mkdir()
    daemon.pid_file.write_text(f"{other.pid} {ticks + shift}\n")
    assert not daemons.is_running(daemon)
    assert not daemons.send(daemon, signal.SIGKILL)
    act(daemon)
    with pytest.raises(subprocess.TimeoutExpired):
        other.wait(0.03)
    assert not daemon.pid_file.exists()


def test_start_replaces_a_stale_pid_file(make: Make) -> None:
    daemon, other = make(), _bystander()
    daemon.pid_file.parent.mkdir()
    daemon.pid_file.write_text(f"{other.pid} 1\n")
    daemons.start(daemon)
    assert _pid(daemon) != other.pid
    assert other.poll() is None


@pytest.mark.parametrize(
    "text", [b"", b"{pid}", b"{pid} ", b"{pid} {half}", b"x y", b"{pid} {ticks} 1", b"{pid} {ticks} \xff", b"-1 5"]
)
def test_a_half_written_pid_file_is_not_believed(tmp_path: Path, text: bytes) -> None:
    ticks = str(daemons.start_time_ticks(os.getpid()))
    for name, value in {"pid": str(os.getpid()), "ticks": ticks, "half": ticks[:-1]}.items():
        text = text.replace(f"{{{name}}}".encode(), value.encode())
    pid_file = tmp_path / "pid"
    pid_file.write_bytes(text)
    assert daemons.running_pid(pid_file) is None


def test_a_whole_pid_file_is_believed(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    assert daemons.running_pid(pid_file) is None
    pid_file.write_text(f"{os.getpid()} {daemons.start_time_ticks(os.getpid())}\n")
    assert daemons.running_pid(pid_file) == os.getpid()


def test_the_start_time_is_found_behind_an_odd_name(tmp_path: Path) -> None:
    """The name stands in parentheses in /proc/PID/stat, and may hold blanks and parentheses itself."""
    odd = tmp_path / "a) Z 1 (b"
    odd.symlink_to("/bin/sleep")
    process = subprocess.Popen([odd, "30"])
    before = daemons.start_time_ticks(os.getpid())
    found = daemons.start_time_ticks(process.pid)
    assert Path(f"/proc/{process.pid}/comm").read_text().strip() == odd.name
    assert before is not None
    assert found is not None
    assert before <= found <= time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK")


def test_a_zombie_does_not_live() -> None:
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert Path(f"/proc/{process.pid}/stat").exists()
    assert daemons.start_time_ticks(process.pid) is None


# --- Logs -------------------------------------------------------------------------------------------------


def test_tail_says_where_the_log_is(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_bytes(b"".join(b"line %d\n" % number for number in range(20)) + b"bad \xff byte\n")
    assert daemons.tail(log, 2) == f"Last lines of {log}:\n  | line 19\n  | bad \ufffd byte"
    assert len(daemons.tail(log).splitlines()) == 1 + 15


def test_tail_of_a_missing_log(tmp_path: Path) -> None:
    assert daemons.tail(tmp_path / "x.log") == f"Last lines of {tmp_path / 'x.log'}:\n  | (no log)"


def test_a_child_that_two_threads_collect_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other thread is done between our look and our removal."""
    spawned: list[object] = []

    class Ended:
        def poll(self) -> int:
            spawned.remove(self)
            return 0

    spawned += [Ended(), Ended()]
    monkeypatch.setattr(daemons, "_SPAWNED", spawned)
    daemons._reap()
    assert spawned == []
