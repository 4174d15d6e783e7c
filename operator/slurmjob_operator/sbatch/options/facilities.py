"""Licenses, networks, burst buffers and how nodes are run."""

from __future__ import annotations

from typing import Final

from slurmjob_operator.sbatch.option import Argument, Handled, NotSaid, Option
from slurmjob_operator.sbatch.rest import flag, plain, switch
from slurmjob_operator.sbatch.types.binding import CPU_SPEED
from slurmjob_operator.sbatch.types.counts import SHORT_OR_NONE
from slurmjob_operator.sbatch.types.expressions import BURST_BUFFER, LICENSES, NETWORK
from slurmjob_operator.sbatch.types.flag import FLAG
from slurmjob_operator.sbatch.value import NEWEST, R24_11

_ALL_BUT_V0041 = frozenset({"v0.0.42", "v0.0.43", "v0.0.44", "v0.0.45"})

ROWS: Final = (
    Option(
        name="licenses",
        short="L",
        help="Licenses that the job uses, as NAME or NAME:COUNT, separated by commas.",
        type=LICENSES,
        v38=plain("licenses"),
        v40=plain("licenses"),
    ),
    Option(
        name="resources",
        help="Hierarchical resources that the job uses, as NAME or NAME:COUNT, separated by commas.",
        type=LICENSES,
        since=NEWEST,
        v38=NotSaid(reason="Slurm 22.05 does not know it"),
        v40=Handled(where="the key of licenses, after those"),
    ),
    Option(
        name="network",
        help="What the job needs of the network, in the words of the cluster's switch.",
        type=NETWORK,
        v38=NotSaid(reason="Slurm 22.05 refuses it over REST; give it to srun in the script"),
        v40=plain("network"),
    ),
    Option(
        name="bb",
        help="What the job needs of a burst buffer, in the words of the cluster's plug-in.",
        type=BURST_BUFFER,
        v38=plain("burst_buffer"),
        v40=plain("burst_buffer"),
    ),
    Option(
        name="bbf",
        help="A file with what the job needs of a burst buffer.",
        refused="the file would be read on the machine where sbatch runs; put its lines into the script instead",
        inherited=True,
    ),
    Option(
        name="cpu-freq",
        help="Frequency of CPUs: low, medium, high, highm1 or kHz, LOWEST-HIGHEST:GOVERNOR, or a governor that the "
        "cluster allows.",
        type=CPU_SPEED,
        v38=plain("cpu_frequency"),
        v40=plain("cpu_frequency"),
    ),
    Option(
        name="reboot",
        argument=Argument.NONE,
        default="true",
        help="Whether the nodes are rebooted before the job starts. For administrators of Slurm only.",
        type=FLAG,
        v38=NotSaid(reason="Slurm 22.05 refuses it over REST; an administrator reboots nodes with scontrol"),
        v40=switch("reboot", observed=False),
        inherited=True,
    ),
    Option(
        name="stepmgr",
        argument=Argument.NONE,
        default="true",
        help="Whether the job's first node manages its steps, instead of Slurm's controller.",
        type=FLAG,
        since=R24_11,
        v38=NotSaid(reason="Slurm 22.05 does not know it"),
        v40=flag("STEPMGR_ENABLED", since="v0.0.41", observed=False),
        inherited=True,
    ),
    Option(
        name="resv-ports",
        argument=Argument.OPTIONAL,
        default="0",
        help="Number of ports that are reserved for the job's communication, 0 for one a task. It needs stepmgr.",
        type=SHORT_OR_NONE,
        since=R24_11,
        v38=NotSaid(reason="Slurm 22.05 does not know it"),
        v40=plain("resv_mpi_ports", since="v0.0.41", absent=_ALL_BUT_V0041, observed=False),
    ),
)
