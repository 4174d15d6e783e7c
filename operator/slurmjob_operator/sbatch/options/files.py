"""Where the job works, reads and writes, and in which container."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from slurmjob_operator.sbatch.option import Handled, Option, Rest
from slurmjob_operator.sbatch.rest import made, plain
from slurmjob_operator.sbatch.types.files import FILE, NOWHERE, PATH, absolute
from slurmjob_operator.sbatch.types.modes import OPEN_MODE
from slurmjob_operator.sbatch.types.words import TEXT
from slurmjob_operator.sbatch.value import NEWEST, R24_11

STREAMS: Final = ("error", "input", "output")
CHDIR: Final = Handled(where="it is the request's `current_working_directory`")


def joined(values: Mapping[str, Any], *, chdir: str) -> dict[str, Any]:
    """Values with the names of files made absolute, as sbatch sends them; it never leaves standard input open."""
    given = {"input": NOWHERE, **values}
    return {**given, **{name: absolute(given[name], folder=chdir) for name in STREAMS if name in given}}


def _stream(key: str) -> Rest:
    """Never an empty name (TRAP POISON): what `joined` has not made absolute is left out."""
    return made(lambda name: {key: name} if name else {})


ROWS: Final = (
    Option(
        name="chdir",
        short="D",
        type=PATH,
        help="Working directory of the script. Default: the connection's, where relative ones start.",
        v38=CHDIR,
        v40=CHDIR,
        inherited=True,
    ),
    Option(
        name="container",
        type=TEXT,
        help="Folder of an OCI container bundle that the script runs in.",
        v38=plain("container"),
        v40=plain("container"),
        inherited=True,
    ),
    Option(
        name="container-id",
        type=TEXT,
        help="Id for the OCI container.",
        since=R24_11,
        v40=plain("container_id"),
        inherited=True,
    ),
    Option(
        name="container-type",
        type=TEXT,
        help="Kind of the container.",
        since=NEWEST,
        v40=plain("container_type", since="v0.0.45"),
        inherited=True,
    ),
    Option(
        name="error",
        short="e",
        type=FILE,
        help="File for the script's standard error, relative to the working directory. Default: that of the output.",
        v38=_stream("standard_error"),
        v40=_stream("standard_error"),
        inherited=True,
    ),
    Option(
        name="input",
        short="i",
        type=FILE,
        help="File for the script's standard input, relative to the working directory. Default: /dev/null.",
        v38=_stream("standard_input"),
        v40=_stream("standard_input"),
        inherited=True,
    ),
    Option(
        name="open-mode",
        type=OPEN_MODE,
        help="Whether output files are continued (append) or emptied (truncate). Default: the cluster's own.",
        v38=plain("open_mode", observed=False),
        v40=made(lambda mode: {"open_mode": [mode.upper()]}, observed=False),
        inherited=True,
    ),
    Option(
        name="output",
        short="o",
        type=FILE,
        help="File for the script's standard output, relative to the working directory; patterns such as %j and %x are "
        "filled in by Slurm. Default: slurm-%j.out.",
        v38=_stream("standard_output"),
        v40=_stream("standard_output"),
        inherited=True,
    ),
)
