"""A folder of the cache is whole or not there, and is made once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sandboxlib.daemons import SandboxError
from sandboxlib.made_once import made_once
from sandboxlib.paths import Paths


def test_made_by_the_first_of_several(paths: Paths) -> None:
    made, folder = [], paths.cache / "kind" / "key"

    def make(unfinished: Path) -> None:
        made.append(unfinished)
        assert not folder.exists()
        unfinished.mkdir()
        (unfinished / "file").write_text("whole")

    workers = [threading.Thread(target=made_once, args=(paths, folder, make)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(made) == 1
    assert (made_once(paths, folder, make) / "file").read_text() == "whole"
    assert len(made) == 1


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
