"""Environment variables that sbatch takes options from (man sbatch, "INPUT ENVIRONMENT VARIABLES"; those that are not
documented, and what flags take, measured on 22.05, 24.11 and 26.05)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from slurmjob_operator.sbatch.option import Argument
from slurmjob_operator.sbatch.options import TABLE
from slurmjob_operator.sbatch.settings import Setting
from slurmjob_operator.sbatch.value import NEWEST, R24_11, Release

PREFIX: Final = "SBATCH_"
WAIT_FOR_SWITCHES: Final = "SBATCH_WAIT4SWITCH"
"""The second part of `--switches`; nothing without SBATCH_REQ_SWITCH."""

_OTHER_NAMES: Final = {
    "SLURM_CLUSTERS": "clusters",
    "SLURM_HINT": "hint",
    "SBATCH_ARRAY_INX": "array",
    "SBATCH_BURST_BUFFER": "bb",
    "SBATCH_CPU_FREQ_REQ": "cpu-freq",
    "SBATCH_DEBUG": "verbose",
    "SBATCH_MEM_PER_NODE": "mem",
    "SBATCH_REQ_SWITCH": "switches",
    "SBATCH_SEGMENT_SIZE": "segment",
    "SBATCH_TIMELIMIT": "time",
}
_NAMED_ALIKE: Final = (
    *("account", "acctg-freq", "batch", "cluster-constraint", "clusters", "consolidate-segments", "constraint"),
    *("container", "container-id", "container-type", "core-spec", "cpus-per-gpu", "delay-boot", "distribution"),
    *("error", "exclusive", "export", "get-user-env", "gpu-bind", "gpu-freq", "gpus", "gpus-per-node"),
    *("gpus-per-socket", "gpus-per-task", "gres", "gres-flags", "hint", "ignore-pbs", "input", "job-name", "mem-bind"),
    *("mem-per-cpu", "mem-per-gpu", "network", "no-kill", "no-requeue", "open-mode", "output", "overcommit"),
    *("partition", "power", "profile", "qos", "requeue", "reservation", "signal", "spread-job", "spread-segments"),
    *("thread-spec", "threads-per-core", "tres-bind", "tres-per-task", "use-min-nodes", "wait", "wait-all-nodes"),
    "wckey",
)
"""`gpus-per-node` is SBATCH_GPUS_PER_NODE, and so on."""

VARIABLES: Final[Mapping[str, str]] = {
    **_OTHER_NAMES,
    **{PREFIX + name.upper().replace("-", "_"): name for name in _NAMED_ALIKE},
}
"""Options by variable. Of two that give the same option the later one wins, as for sbatch."""

_SINCE: Final = {"segment": NEWEST, "tres-bind": R24_11, "tres-per-task": R24_11}
"""The first release whose sbatch has the variable, where it is not the first that has the option."""

_YES: Final = "yes"


def settings(environ: Mapping[str, str], *, release: Release) -> dict[str, Setting]:
    """The options that the variables of an environment give, by long name."""
    found: dict[str, Setting] = {}
    for variable, name in VARIABLES.items():
        option = TABLE[name]
        if variable not in environ or not option.known_in(release) or release < _SINCE.get(name, release):
            continue
        text = _text(environ[variable], option.argument_in(release), option.default)
        if text is not None:
            found[option.sets or name] = Setting(text=text, where=variable)
    return dict(_with_time(found, environ))


def _text(value: str, argument: Argument, default: str | None) -> str | None:
    """What a variable's value says; None where it leaves a flag out."""
    if argument is Argument.REQUIRED or (argument is Argument.OPTIONAL and value):
        return value
    return (default or "true") if argument is Argument.OPTIONAL or _is_set(value) else None


def _is_set(value: str) -> bool:
    """Flags: nothing, `yes` in any case, and numbers from 1 on."""
    return value == "" or value.lower() == _YES or (value.isascii() and value.isdigit() and int(value) > 0)


def _with_time(found: Mapping[str, Setting], environ: Mapping[str, str]) -> Iterator[tuple[str, Setting]]:
    for name, setting in found.items():
        if name == "switches" and WAIT_FOR_SWITCHES in environ:
            yield name, Setting(text=f"{setting.text}@{environ[WAIT_FOR_SWITCHES]}", where=setting.where)
        else:
            yield name, setting
