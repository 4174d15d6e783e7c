"""`make check-errors`: the committed lists against the libraries of the three releases.

Prints what differs, and ends with the number of releases where something does. `--write` writes the lists anew.
"""

from __future__ import annotations

import difflib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sandboxlib import slurm_state
from sandboxlib.paths import Paths, default_paths
from tests.slurm_errors import copies, library

LIBRARIES: Final = "usr/lib/x86_64-linux-gnu"


def said(paths: Paths, suite: str, program: Path) -> str:
    """What a program says of the library in a suite's root file system; our Python runs on the C library from there."""
    root = slurm_state.root(paths, suite)
    of_slurm = root / LIBRARIES / "slurm-wlm"
    argv = [str(root / "lib64/ld-linux-x86-64.so.2"), "--library-path", f"{root / LIBRARIES}:{of_slurm}"]
    argv += [sys.executable, "-S", str(program), str(of_slurm / "libslurmfull.so")]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def compare(program: Path, committed: Callable[[str], Path], *, write: bool) -> int:
    """Compare what a program says of all three libraries with the file of each version; the number that differ."""
    differing = 0
    for suite, version in copies.SUITES.items():
        now, path = said(default_paths(), suite, program), committed(version)
        if write:
            path.write_text(now, encoding="utf-8")
        before = path.read_text(encoding="utf-8")
        found = list(difflib.unified_diff(before.splitlines(), now.splitlines(), path.name, suite, n=0, lineterm=""))
        differing += bool(found)
        print(f"{suite}: {'as' if not found else 'not as'} the list of {version} says")
        print("".join(f"  {line}\n" for line in found), end="")
    return differing


if __name__ == "__main__":
    sys.exit(compare(Path(library.__file__), copies.path, write=sys.argv[1:] == ["--write"]))
