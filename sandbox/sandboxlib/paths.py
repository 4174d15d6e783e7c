"""Where the sandbox keeps things: state in the checkout, costly results in the user's cache.

State (`.sandbox/`) belongs to one checkout and is thrown away by `down --purge`. The cache is shared by all
checkouts of a user; what lies in it is keyed by content, written under a temporary name and renamed, so that
a killed run leaves nothing half-made under a final name.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]

FIRST_PORT, LAST_PORT = 20000, 29999
"""Below the kernel's range for outgoing connections, so that none of them takes a port of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """The folders of one sandbox, and from where on it looks for free ports.

    Sandboxes that come up at the same moment would choose the same ports: give them first ports 100 apart.
    """

    checkout: Path
    state: Path
    cache: Path
    first_port: int = FIRST_PORT

    @property
    def logs(self) -> Path:
        """One log file per daemon and per long step."""
        return self.state / "logs"

    @property
    def run(self) -> Path:
        """Pid files and the chosen ports."""
        return self.state / "run"

    def make(self) -> None:
        """Create the folders; an unwritable one is the caller's `OSError`."""
        for folder in (self.state, self.logs, self.run, self.cache):
            folder.mkdir(parents=True, exist_ok=True)


def default_paths() -> Paths:
    """Take `SANDBOX_STATE`, `SANDBOX_CACHE` and `SANDBOX_FIRST_PORT` from the environment, else the usual ones.

    Raises `ValueError` with a sentence when the port is none.
    """
    cache_home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Paths(
        checkout=CHECKOUT,
        state=Path(os.environ.get("SANDBOX_STATE") or CHECKOUT / ".sandbox").absolute(),
        cache=Path(os.environ.get("SANDBOX_CACHE") or cache_home / "slurm-kube-sandbox").absolute(),
        first_port=_first_port(os.environ.get("SANDBOX_FIRST_PORT") or str(FIRST_PORT)),
    )


def _first_port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and FIRST_PORT <= int(text) < LAST_PORT):
        raise ValueError(f"SANDBOX_FIRST_PORT={text}: it is a number from {FIRST_PORT} to {LAST_PORT - 1}")
    return int(text)


def renew(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a file of configuration, if it is not so already. The race: somebody else reads it at the same moment, so
    it is never seen half-written."""
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    renewed = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    renewed.touch(mode=mode)
    renewed.write_text(text)
    renewed.replace(path)
