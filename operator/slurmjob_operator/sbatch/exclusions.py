"""Options that sbatch does not take together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from slurmjob_operator.sbatch.errors import ConflictingOptions
from slurmjob_operator.sbatch.types.tres import gres_amounts
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, R24_11, Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """`one` does not go with any of `others`, from release `since` on."""

    one: str
    others: tuple[str, ...]
    since: Release = OLDEST


EXCLUSIONS: Final = (
    Exclusion(one="mem", others=("mem-per-cpu", "mem-per-gpu")),
    Exclusion(one="mem-per-cpu", others=("mem-per-gpu",)),
    Exclusion(one="ntasks-per-gpu", others=("gpus-per-task", "gpus-per-socket", "ntasks-per-node")),
    Exclusion(one="ntasks-per-tres", others=("gpus-per-task", "gpus-per-socket", "ntasks-per-node")),
    Exclusion(one="ntasks-per-gpu", others=("tres-per-task",), since=R24_11),
    Exclusion(one="ntasks-per-tres", others=("tres-per-task",), since=R24_11),
    Exclusion(one="core-spec", others=("thread-spec",)),
    Exclusion(one="cpus-per-gpu", others=("cpus-per-task",)),
    Exclusion(one="exclusive", others=("oversubscribe",), since=R24_11),
)


def check(values: Mapping[str, Any], *, release: Release) -> None:
    """Raises `ConflictingOptions`; the one that was given later is to blame."""
    given = [name for name, value in values.items() if value is not False]
    for exclusion in EXCLUSIONS:
        found = [name for name in given if name in {exclusion.one, *exclusion.others}]
        if exclusion.one in found and len(found) > 1 and release >= exclusion.since:
            first, *_, last = found
            other = first if exclusion.one in {first, last} else exclusion.one
            raise ConflictingOptions(last, f"does not go together with --{other}")
    _check_equal_ratios(values)
    _check_gpus_of_a_node(values, release)
    _check_ports(values)


def _check_equal_ratios(values: Mapping[str, Any]) -> None:
    """Two names of the same number."""
    ratios = {values[name] for name in ("ntasks-per-gpu", "ntasks-per-tres") if name in values}
    if len(ratios) > 1:
        raise ConflictingOptions("ntasks-per-tres", "is another number than --ntasks-per-gpu")


def _check_gpus_of_a_node(values: Mapping[str, Any], release: Release) -> None:
    """Older releases add both up."""
    if release < NEWEST or not values.get("gpus-per-node"):
        return
    if any(name == "gpu" for name, _ in gres_amounts(values.get("gres", ""))):
        raise ConflictingOptions("gpus-per-node", "does not go together with GPUs in --gres")


def _check_ports(values: Mapping[str, Any]) -> None:
    """sbatch also takes it where slurm.conf switches it on for all jobs, which nobody sees over REST."""
    if "resv-ports" in values and not values.get("stepmgr"):
        raise ConflictingOptions("resv-ports", "needs --stepmgr")
