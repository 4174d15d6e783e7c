"""A folder of the cache is whole or not there, and is made once."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from sandboxlib.daemons import SandboxError
from sandboxlib.made_once import made_once
from sandboxlib.paths import Paths


def test_made_by_the_first_while_others_wait(paths: Paths) -> None:
    made, folder = [], paths.cache / "kind" / "key"

    def make(unfinished: Path) -> None:
        made.append(unfinished)
        with folder.with_name("key.lock").open() as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert not folder.exists()
        unfinished.mkdir()
        (unfinished / "file").write_text("whole")

    for _ in range(2):
        assert (made_once(paths, folder, make) / "file").read_text() == "whole"
    assert len(made) == 1


def test_made_by_another_meanwhile(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was not there when it was asked for, and is there once the lock is had."""
    folder = paths.cache / "kind" / "key"

    def others_turn(_lock: object, _how: int) -> None:
        folder.mkdir()

    monkeypatch.setattr(fcntl, "flock", others_turn)
    made_once(paths, folder, lambda _unfinished: pytest.fail("it is there"))


def test_what_a_killed_run_left_is_cleared(paths: Paths) -> None:
    folder = paths.cache / "kind" / "key"

    def killed(unfinished: Path) -> None:
        unfinished.mkdir()
        (unfinished / "half").touch()
        raise SandboxError("killed")

    with pytest.raises(SandboxError, match="killed"):
        made_once(paths, folder, killed)
    assert not folder.exists()
    made_once(paths, folder, Path.mkdir)
    assert list(folder.iterdir()) == []


def test_a_cache_that_cannot_be_written(paths: Paths) -> None:
    paths.cache.parent.mkdir(parents=True, exist_ok=True)
    paths.cache.write_text("a file")
    with pytest.raises(SandboxError, match=r"the cache .* cannot be written"):
        made_once(paths, paths.cache / "kind" / "key", Path.mkdir)
