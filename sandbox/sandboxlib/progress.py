"""Say what is done, how long it has taken, and where to look when it fails. Readable without a terminal."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sandboxlib.daemons import SandboxError, tail

SAY_EVERY_SECONDS = 15.0


def say(text: str) -> None:
    """One line on standard error, at once and in one piece: others may speak at the same time."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextmanager
def step(title: str) -> Iterator[None]:
    """Announce a step, remind every 15 s that it goes on, and print how long it took.

    Each line names the step: several steps go on side by side.
    """
    began = time.monotonic()
    done = threading.Event()

    def remind() -> None:
        while not done.wait(SAY_EVERY_SECONDS):
            say(f"    … {title}: {time.monotonic() - began:.0f} s")

    say(f"  - {title}")
    reminder = threading.Thread(target=remind, daemon=True)
    reminder.start()
    try:
        yield
    finally:
        done.set()
        reminder.join()
    say(f"    {title}: done in {time.monotonic() - began:.1f} s")


def run_logged(
    argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> None:
    """Run a command with its output in `log`; on failure raise with the last lines of that log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        out.write(f"$ {' '.join(argv)}\n".encode())
        out.flush()
        code = subprocess.call(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, cwd=cwd)
    if code != 0:
        raise SandboxError(f"{argv[0]} failed with exit code {code}.\n{tail(log)}")
