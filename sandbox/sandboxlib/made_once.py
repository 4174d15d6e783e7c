"""A folder of the cache that is made once, by the first who needs it, whoever else waits for it."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

from sandboxlib.daemons import SandboxError
from sandboxlib.paths import Paths


def made_once(
    paths: Paths, folder: Path, make: Callable[[Path], None], *, clear: Callable[[Path], None] = shutil.rmtree
) -> Path:
    """The folder. `make` fills another one that does not exist yet, which is renamed in the end: a killed run leaves
    nothing under the final name. `clear` removes what such a run has left. Raises `SandboxError`."""
    if folder.exists():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = folder.with_name(f"{folder.name}.lock").open("w")
    except OSError as error:
        raise SandboxError(f"the cache {paths.cache} cannot be written: {error.strerror}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = folder.with_name(f"{folder.name}.unfinished")
            if unfinished.exists():
                clear(unfinished)
            make(unfinished)
            unfinished.rename(folder)
    return folder
