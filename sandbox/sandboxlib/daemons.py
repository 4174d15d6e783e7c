"""Start, stop and watch daemons without systemd.

A daemon is described by a value; what runs is known from its pid file, so a second process (another shell, a
test) can stop what a first one started. A pid file is believed only when the process's start time still
matches, so that a recycled pid is never signalled; a process whose pid file is lost is known by its environment.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

MARK = "SANDBOX_PID_FILE"
"""Environment variable of every daemon and of what it starts: whose they are, if their pid file is lost."""

_SPAWNED: list[subprocess.Popen[bytes]] = []
"""Daemons that this process itself started."""


class SandboxError(Exception):
    """A step failed; the message says what, and where to read on."""


PAUSE_SECONDS = 5.0
"""SIGSTOP takes effect at once, but for a thread that the kernel has in hand."""


class State(StrEnum):
    """What `status` says of a daemon. `UP` is not: ready."""

    UP = "up"
    PAUSED = "paused"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """One long-running process of the sandbox. It must stay in the foreground (`-D`, `-F`)."""

    name: str
    argv: tuple[str, ...]
    log: Path
    pid_file: Path
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    ready: Callable[[], bool] | None = None
    ready_seconds: float = 60.0
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 15.0


def start_time_ticks(pid: int) -> int | None:
    """Field 22 of /proc/PID/stat, or None when there is no such (live) process."""
    fields = _stat(Path(f"/proc/{pid}"))
    return None if fields is None or fields[0] == "Z" else int(fields[19])


def _stat(process: Path) -> list[str] | None:
    """The fields of its `stat` from the third on: state, parent, process group, session …; None: there is none."""
    try:
        stat = (process / "stat").read_text()
    except OSError:
        return None
    return stat.rpartition(")")[2].split()


def process_group(process: Path) -> int | None:
    """Of one folder of /proc; None when there is no such process any more."""
    fields = _stat(process)
    return None if fields is None else int(fields[2])


def running_pid(pid_file: Path) -> int | None:
    """The pid written by `start`, if that very process still lives."""
    try:
        pid_text, ticks_text = pid_file.read_text().split()
        pid, ticks = int(pid_text), int(ticks_text)
    except (OSError, ValueError):
        return None
    return pid if start_time_ticks(pid) == ticks else None


def is_running(daemon: Daemon) -> bool:
    """Whether the process of this daemon lives (not: whether it is ready)."""
    return running_pid(daemon.pid_file) is not None


def state_of(daemon: Daemon) -> State:
    """Whether the process of this daemon lives, and whether `pause` holds it."""
    pid = running_pid(daemon.pid_file)
    if pid is None:
        return State.DOWN
    return State.PAUSED if _stands_still(pid) else State.UP


def spawn(daemon: Daemon) -> None:
    """Start the daemon in a session of its own unless it runs already; do not wait until it is ready.

    One that is paused goes on.
    """
    if is_running(daemon):
        send(daemon, signal.SIGCONT)
        return
    _end_strays(daemon)
    daemon.log.parent.mkdir(parents=True, exist_ok=True)
    daemon.pid_file.parent.mkdir(parents=True, exist_ok=True)
    with daemon.log.open("ab") as log:
        process = subprocess.Popen(
            daemon.argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ.get("PATH", os.defpath), **daemon.env, MARK: str(daemon.pid_file)},
            cwd=daemon.cwd,
            start_new_session=True,
        )
    _SPAWNED.append(process)
    ticks = start_time_ticks(process.pid)
    daemon.pid_file.write_text(f"{process.pid} {ticks or 0}\n")


def _end_strays(daemon: Daemon) -> None:
    """Kill what an earlier start left behind whose pid file is lost: it would hold the port."""
    mark = f"{MARK}={daemon.pid_file}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            marked = mark in (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if marked and int(process.name) not in (1, os.getpid(), os.getppid()):
            with suppress(ProcessLookupError):
                os.kill(int(process.name), signal.SIGKILL)


def wait_ready(daemon: Daemon) -> None:
    """Wait until `ready` says so; raise with the last log lines when the daemon ends or time is up."""
    deadline = time.monotonic() + daemon.ready_seconds
    while True:
        if not is_running(daemon):
            raise SandboxError(f"{daemon.name} ended at once.\n{tail(daemon.log)}")
        if daemon.ready is None or daemon.ready():
            return
        if time.monotonic() > deadline:
            raise SandboxError(f"{daemon.name} was not ready after {daemon.ready_seconds:.0f} s.\n{tail(daemon.log)}")
        time.sleep(0.05)


def start(daemon: Daemon) -> None:
    """Start the daemon and wait until it is ready."""
    spawn(daemon)
    wait_ready(daemon)


def send(daemon: Daemon, number: int) -> bool:
    """Signal the daemon's process group; False when it does not run."""
    pid = running_pid(daemon.pid_file)
    if pid is None:
        return False
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return False
    return True


def pause(daemon: Daemon) -> None:
    """Hold the daemon's whole process group with SIGSTOP until `resume`; returns when all of it stands still.

    Its sockets stay open: the kernel goes on taking connections, and nobody answers. Raises when it does not run.
    """
    pid = running_pid(daemon.pid_file)
    if pid is None or not send(daemon, signal.SIGSTOP):
        raise SandboxError(f"{daemon.name} does not run")
    deadline = time.monotonic() + PAUSE_SECONDS
    while not _stands_still(pid):
        if time.monotonic() > deadline:
            raise SandboxError(f"{daemon.name} was not held by SIGSTOP after {PAUSE_SECONDS:.0f} s")
        time.sleep(0.005)


def _stands_still(group: int) -> bool:
    """Whether no thread of any process of the group runs on: some are stopped, the rest are over or in the kernel's
    hands (so is one that waits in vfork for a child that was stopped before it became a program)."""
    states: set[str] = set()
    for process in Path("/proc").glob("[0-9]*"):
        fields = _stat(process)
        if fields is not None and int(fields[2]) == group:
            states |= {thread[0] for path in process.glob("task/[0-9]*") if (thread := _stat(path)) is not None}
    return "T" in states and states <= set("TDZX")


def resume(daemon: Daemon) -> None:
    """Let a paused daemon go on. Raises when it does not run."""
    if not send(daemon, signal.SIGCONT):
        raise SandboxError(f"{daemon.name} does not run")


def stop(daemons: Iterable[Daemon]) -> None:
    """Ask all of them to end at once, wait, kill what is left after `stop_seconds`.

    One that is paused is asked before it goes on, so that ending is what it does next.
    """
    daemons = list(daemons)
    for daemon in daemons:
        send(daemon, daemon.stop_signal)
        send(daemon, signal.SIGCONT)
    for daemon in daemons:
        _wait_gone(daemon, seconds=daemon.stop_seconds)
        if send(daemon, signal.SIGKILL):
            _wait_gone(daemon, seconds=5.0)
        _end_strays(daemon)
        daemon.pid_file.unlink(missing_ok=True)
    _reap()


def kill(daemon: Daemon) -> None:
    """End the daemon with SIGKILL, as a crash would."""
    send(daemon, signal.SIGKILL)
    _wait_gone(daemon, seconds=5.0)
    daemon.pid_file.unlink(missing_ok=True)


def _wait_gone(daemon: Daemon, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while is_running(daemon) and time.monotonic() < deadline:
        _reap()
        time.sleep(0.02)


def _reap() -> None:
    """Collect those of our own children that have ended, which would else stay as zombies."""
    for process in tuple(_SPAWNED):
        if process.poll() is not None:
            with suppress(ValueError):  # another thread was as quick
                _SPAWNED.remove(process)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, and where it is, for an error message."""
    try:
        last = log.read_text(errors="replace").splitlines()[-lines:] if lines > 0 else []
    except OSError:
        last = ["(no log)"]
    return "\n".join([f"Last lines of {log}:", *(f"  | {line}" for line in last)])
