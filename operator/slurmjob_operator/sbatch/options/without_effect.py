"""Options that are read and mean nothing here: they say how sbatch behaves at a terminal."""

from __future__ import annotations

from typing import Final

from slurmjob_operator.sbatch.option import Argument, Handled, Option

COMMAND_LINE: Final = Handled(where="`slurmjob-operator manifest` makes the script of it, as sbatch does")
NOTHING_IN_A_SCRIPT: Final = "it does nothing in a script, as with sbatch"
NO_TERMINAL: Final = "there is no terminal that sbatch could write to"

ROWS: Final = (
    Option(
        name="help",
        short="h",
        argument=Argument.NONE,
        help="Shows what options there are.",
        means_nothing=NOTHING_IN_A_SCRIPT,
    ),
    Option(
        name="parsable",
        argument=Argument.NONE,
        help="Prints the job's id alone.",
        means_nothing="the job's id stands in `status.jobId`",
        inherited=True,
    ),
    Option(
        name="quiet",
        short="Q",
        argument=Argument.NONE,
        help="Prints less.",
        means_nothing=NO_TERMINAL,
    ),
    Option(
        name="usage",
        argument=Argument.NONE,
        help="Shows what options there are, in short.",
        means_nothing=NOTHING_IN_A_SCRIPT,
    ),
    Option(
        name="verbose",
        short="v",
        argument=Argument.NONE,
        help="Prints more.",
        means_nothing=NO_TERMINAL,
    ),
    Option(
        name="version",
        short="V",
        argument=Argument.NONE,
        help="Prints the version of sbatch.",
        means_nothing=NOTHING_IN_A_SCRIPT,
    ),
    Option(
        name="wait",
        short="W",
        argument=Argument.NONE,
        help="Waits until the job has ended.",
        means_nothing="wait with `kubectl wait --for=condition=Finished`",
        inherited=True,
    ),
    Option(
        name="wrap",
        help="A command that stands for a script; not inside of one.",
        means_nothing=NOTHING_IN_A_SCRIPT,
        v38=COMMAND_LINE,
        v40=COMMAND_LINE,
    ),
)
