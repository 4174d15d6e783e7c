"""Arguments of a script for a slurmrestd that takes none: set by the script itself, if a shell runs it.

What a shell's `set --` sets is what it would have got from its command line; `$0` is what it is anyway, slurmd's own
copy of the script. The line stands behind the first one, before all others, `#SBATCH` lines included: those have been
read.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

SHELLS: Final = frozenset({"ash", "bash", "dash", "ksh", "ksh93", "mksh", "sh", "zsh"})
ENV: Final = "env"


class NoShell(ValueError):
    """Arguments cannot be set in this script. The text names field, value and rule."""


def set_in(script: str, arguments: Sequence[str]) -> str:
    """The script with its arguments set. Raises `NoShell`."""
    first, newline, rest = script.partition("\n")
    if interpreter(first) not in SHELLS:
        raise NoShell(
            f"template.args: this release of Slurm takes no arguments over REST, and they can be set only in a script "
            f"that a shell runs; this one begins with {first[:80]!r}"
        )
    return f"{first}{newline or chr(10)}set -- {shlex.join(arguments)}\n{rest}"


def interpreter(first_line: str) -> str:
    """The name of the program that runs a script, by its first line; what `env` would run, where it is that."""
    words = first_line.removeprefix("#!").split()
    names = [PurePosixPath(word).name for word in words]
    if names[:1] == [ENV]:
        names = [name for name in names[1:] if not name.startswith("-") and "=" not in name]
    return names[0] if names else ""
