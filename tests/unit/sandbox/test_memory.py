"""The memory of daemons: their own processes and those of their group, and of nobody else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxlib import daemons, memory
from sandboxlib.daemons import Daemon


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(memory, "PROC", tmp_path / "proc")
    return tmp_path / "proc"


def _process(proc: Path, pid: int, *, group: int, kilobytes: int | None) -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    (folder / "stat").write_text(f"{pid} (a (b) c) S 1 {group} {group} 0 -1\n")
    if kilobytes is not None:
        text = f"00400000-7fff [rollup]\nRss:  99999 kB\nPss:  {kilobytes} kB\nPss_Dirty:  1 kB\n"
        (folder / "smaps_rollup").write_text(text)


def _daemon(tmp_path: Path, name: str) -> Daemon:
    return Daemon(name=name, argv=(name,), log=tmp_path / name, pid_file=tmp_path / f"{name}.pid")


def test_groups_of_the_daemons_count(proc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """slurmctld has a second process in its group; one that has ended, or that may not be looked at, counts nothing."""
    _process(proc, 10, group=10, kilobytes=100)
    _process(proc, 11, group=10, kilobytes=20)
    _process(proc, 12, group=10, kilobytes=None)
    _process(proc, 20, group=20, kilobytes=3)
    _process(proc, 30, group=30, kilobytes=5000)
    _process(proc, 40, group=40, kilobytes=70)
    (proc / "40" / "stat").unlink()  # just ended; and so has slurmd
    pids = {"slurmctld.pid": 10, "slurmdbd.pid": 20, "slurmd.pid": None}
    monkeypatch.setattr(memory, "running_pid", lambda path: pids[path.name])
    wanted = [_daemon(tmp_path, name) for name in ("slurmctld", "slurmdbd", "slurmd")]
    assert memory.used_by(wanted) == 123 * 1024
    assert memory.used_by(wanted[2:]) == 0


def test_of_a_process_that_lives(tmp_path: Path) -> None:
    own = Path(f"/proc/{os.getpid()}")
    assert daemons.process_group(own) == os.getpgrp()
    assert daemons.process_group(tmp_path) is None
    assert memory._proportional(own) > 1_000_000
