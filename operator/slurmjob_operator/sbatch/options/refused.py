"""Options that cannot be had over REST on any version, each with why and what to do instead."""

from __future__ import annotations

from typing import Final

from slurmjob_operator.sbatch.option import Argument, Option
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, R24_11

ROWS: Final = (
    Option(
        name="autocomplete",
        help="Lists the options that start with a word, for shells.",
        since=R24_11,
        refused="it makes sbatch list its options, and submit nothing; take it away",
    ),
    Option(
        name="clusters",
        short="M",
        aliases=("cluster",),
        help="Clusters, of which the one that starts the job first gets it.",
        refused="a slurmrestd speaks for one cluster; name the connection to the wanted one in `connectionRef`",
    ),
    Option(
        name="export-file",
        help="File with the variables for the script.",
        refused="the file is where sbatch runs, and nothing runs there; put the variables into `environment`",
        inherited=True,
    ),
    Option(
        name="external",
        argument=Argument.NONE,
        help="A job without a script, whose work is started by others.",
        since=NEWEST,
        refused="such a job has no script, and a SlurmJob always has one; take it away",
    ),
    Option(
        name="gid",
        help="Group that the job runs as.",
        refused="only root may choose it, and no job is submitted as root; the connection decides who the job runs as",
    ),
    Option(
        name="power",
        help="Power management options.",
        until=OLDEST,
        refused="slurmrestd has no key for it, and newer Slurm has no such option; take it away",
    ),
    Option(
        name="test-only",
        argument=Argument.NONE,
        help="Tells when the job could start, and submits nothing.",
        refused="it makes sbatch submit nothing; take it away, or set `spec.suspend` to hold the object back",
    ),
    Option(
        name="uid",
        help="User that the job runs as.",
        refused="only root may choose it, and no job is submitted as root; the connection decides who the job runs as",
    ),
)
