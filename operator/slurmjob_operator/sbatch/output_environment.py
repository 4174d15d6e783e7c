"""What sbatch itself puts into the environment of a batch script, beside what slurmd does: scripts read it, and srun
takes its defaults from it (man sbatch, OUTPUT ENVIRONMENT VARIABLES; man srun, INPUT ENVIRONMENT VARIABLES).

Measured on 22.05, 24.11 and 26.05: sbatch sets these, and a job that comes over REST has none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from slurmjob_operator.sbatch.options import TABLE
from slurmjob_operator.sbatch.settings import Settings
from slurmjob_operator.sbatch.value import R24_11, Release

BY_OPTION: Final = (
    *("cpus-per-gpu", "cpus-per-task", "distribution", "gpu-bind", "gpu-freq", "gpus", "gpus-per-node"),
    *("gpus-per-socket", "hint", "ntasks-per-core", "ntasks-per-gpu", "ntasks-per-node", "ntasks-per-socket"),
    *("threads-per-core", "tres-bind", "tres-per-task"),
)
"""Each is told by the variable of its name. What one option makes of another counts: `--hint=compute_bound` is also
`SLURM_THREADS_PER_CORE=1`, and from 24.11 on `--cpus-per-task=2` also `SLURM_TRES_PER_TASK=cpu=2`."""

BEFORE_TRES: Final = ("gpus-per-task",)
"""Told only before 24.11, which speaks of TRES instead."""

LAUNCHERS: Final[Mapping[str, str]] = {
    "HYDRA_BOOTSTRAP": "slurm",
    "HYDRA_LAUNCHER_EXTRA_ARGS": "--external-launcher",
    "I_MPI_HYDRA_BOOTSTRAP": "slurm",
    "I_MPI_HYDRA_BOOTSTRAP_EXEC_EXTRA_ARGS": "--external-launcher",
    "OMPI_MCA_plm_slurm_args": "--external-launcher",
    "PRTE_MCA_plm_slurm_args": "--external-launcher",
}
"""How `mpirun` of the usual libraries finds its way into the allocation; from 24.11 on."""

ANY_NUMBER: Final = "65535"
"""Of tasks on a core, as `--hint=multithread` has it."""


GROUPS: Final = ("HET_GROUP", "PACK_GROUP")
"""What stands behind the names of a heterogeneous job's variables, before the number of the component; the second is
that of older days."""


def variables(
    settings: Settings, values: Mapping[str, Any], *, release: Release, chdir: str, component: int | None = None
) -> dict[str, str]:
    """By name. `settings` are what was given, `values` what it comes to; `chdir` stands for the folder that one submits
    from, since there is no other. `component` is the number of a heterogeneous job's, whose variables have names of
    their own."""
    found = {**_memory(values), **_of_options(settings, values, release=release)}
    if component is not None:
        found = _of_component(found, values, number=component)
    return {
        "SLURM_SUBMIT_DIR": chdir,
        "SLURM_PRIO_PROCESS": "0",
        **(LAUNCHERS if release >= R24_11 else {}),
        **found,
    }


def _of_component(found: Mapping[str, str], values: Mapping[str, Any], *, number: int) -> dict[str, str]:
    """Of several components slurmd tells only how many tasks the first one has."""
    tasks = values.get("ntasks")
    counts = {} if tasks is None else dict.fromkeys(("SLURM_NTASKS", "SLURM_NPROCS"), str(tasks))
    return {f"{name}_{group}_{number}": text for name, text in {**found, **counts}.items() for group in GROUPS}


def _of_options(settings: Settings, values: Mapping[str, Any], *, release: Release) -> dict[str, str]:
    told = [*BY_OPTION, *(() if release >= R24_11 else BEFORE_TRES)]
    found = {_variable(name): _text(name, values[name]) for name in told if name in values}
    if values.get("hint") == ("multithread",):
        found["SLURM_NTASKS_PER_CORE"] = ANY_NUMBER
    if "threads-per-core" in settings:
        found.pop("SLURM_HINT", None)
    return found


def _memory(values: Mapping[str, Any]) -> dict[str, str]:
    """In MiB; how memory is bound, and whether that is told."""
    found: dict[str, str] = {}
    if "mem-per-gpu" in values:
        found["SLURM_MEM_PER_GPU"] = str(values["mem-per-gpu"])
    if "mem-bind" in values:
        binding = values["mem-bind"]
        found["SLURM_MEM_BIND"] = binding.text
        found["SLURM_MEM_BIND_VERBOSE"] = "verbose" if "VERBOSE" in binding.words else "quiet"
    return found


def _variable(option: str) -> str:
    return "SLURM_" + option.upper().replace("-", "_")


def _text(option: str, value: Any) -> str:
    kind = TABLE[option].type
    text = str(value) if kind is None else kind.show(value)
    return text.lower() if option == "distribution" else text
