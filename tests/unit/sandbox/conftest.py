"""A sandbox of folders only: its own state and cache in a temporary folder, nothing left running afterwards.

Whatever the code under test does, no process but a test's own is ever signalled.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxlib.paths import Paths, default_paths

Program = Callable[..., Path]


@pytest.fixture(autouse=True)
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """Also what the command line takes: no test here sees the sandbox of this checkout."""
    wanted = Paths(checkout=tmp_path / "checkout", state=tmp_path / "state", cache=tmp_path / "cache")
    monkeypatch.setenv("SANDBOX_STATE", str(wanted.state))
    monkeypatch.setenv("SANDBOX_CACHE", str(wanted.cache))
    monkeypatch.delenv("SANDBOX_FIRST_PORT", raising=False)
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    assert (default_paths().state, default_paths().cache) == (wanted.state, wanted.cache)
    return wanted


@pytest.fixture(autouse=True)
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """All that a test started, by whatever way; what it leaves behind is ended with its group."""
    started: list[subprocess.Popen[bytes]] = []

    class Recorded(subprocess.Popen):  # type: ignore[type-arg]  # bytes or text
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self)

    kill, killpg = os.kill, os.killpg
    monkeypatch.setattr(subprocess, "Popen", Recorded)
    monkeypatch.setattr(os, "kill", lambda pid, number: kill(_own(pid, started, tmp_path), number))
    monkeypatch.setattr(os, "killpg", lambda group, number: killpg(_own(group, started, tmp_path), number))
    yield started
    monkeypatch.setattr(os, "killpg", killpg)
    for process in started:
        if process.poll() is None:
            if os.getpgid(process.pid) == process.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.wait()


def _own(pid: int, started: list[subprocess.Popen[bytes]], folder: Path) -> int:
    """The pid, if a test started that process, or it has this test's folder in its environment; else the test
    fails before anything is signalled: the code under test runs as root beside everything else of the machine."""
    if pid > 1 and any(process.pid == pid for process in started):
        return pid
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        environment = b""
    if pid <= 1 or f"{folder}/".encode() not in environment:
        pytest.fail(f"process {pid} is not this test's own, and would have been signalled")
    return pid


@pytest.fixture
def program() -> Program:
    """Writes a small shell program."""

    def write(path: Path, script: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return write


@pytest.fixture
def read_only_cache(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root writes wherever it likes, so the refusal of a read-only file system is played."""
    make, touch = Path.mkdir, Path.open

    def refuse(path: Path) -> None:
        if path.is_relative_to(paths.cache):
            raise OSError(30, "Read-only file system", str(path))

    def mkdir(self: Path, *arguments: Any, **options: Any) -> None:
        refuse(self)
        make(self, *arguments, **options)

    def opened(self: Path, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if mode != "r":
            refuse(self)
        return touch(self, mode, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    monkeypatch.setattr(Path, "open", opened)
