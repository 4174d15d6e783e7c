"""How much memory daemons take, shared pages counted in proportion (proportional set size, PSS)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from sandboxlib.daemons import Daemon, process_group, running_pid

PROC = Path("/proc")


def used_by(daemons: Iterable[Daemon]) -> int:
    """Bytes of all processes of these daemons; those that run jobs are no part of them."""
    groups = {running_pid(daemon.pid_file) for daemon in daemons}
    processes = (process for process in PROC.glob("[0-9]*") if process_group(process) in groups - {None})
    return sum(_proportional(process) for process in processes)


def _proportional(process: Path) -> int:
    try:
        text = (process / "smaps_rollup").read_text()
    except OSError:  # it has ended, or is another user's
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB$", text, re.MULTILINE)
    return 1024 * int(found[1]) if found else 0
