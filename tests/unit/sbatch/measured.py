"""sbatch's options by name as the real sbatch has them, and a table of rows with no more than that.

Measured: an ambiguous abbreviation (`--a`) lists all names that begin so; `--NAME` and `--NAME=` as the last word tell
whether an argument is needed, allowed or neither; which components of a heterogeneous job have an option that only the
first was given stands in sbatch's own listing (`-vvv`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from slurmjob_operator.sbatch.option import Argument, Option
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, R24_11, Release

RELEASES: Final = (OLDEST, R24_11, NEWEST)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FLAGS: Final = _listed("""
    contiguous help hold ignore-pbs no-requeue overcommit oversubscribe parsable quiet reboot requeue spread-job
    test-only usage use-min-nodes verbose version wait
""")
OPTIONAL: Final = _listed("exclusive get-user-env nice no-kill propagate")
REQUIRED: Final = _listed("""
    account acctg-freq array batch bb bbf begin chdir cluster-constraint clusters comment constraint container context
    core-spec cores-per-socket cpu-freq cpus-per-gpu cpus-per-task deadline delay-boot dependency distribution error
    exclude export export-file extra-node-info gid gpu-bind gpu-freq gpus gpus-per-node gpus-per-socket gpus-per-task
    gres gres-flags hint input job-name kill-on-invalid-dep licenses mail-type mail-user mcs-label mem mem-bind
    mem-per-cpu mem-per-gpu mincpus network nodefile nodelist nodes ntasks ntasks-per-core ntasks-per-gpu
    ntasks-per-node ntasks-per-socket ntasks-per-tres open-mode output partition prefer priority profile qos
    reservation signal sockets-per-node switches thread-spec threads-per-core time time-min tmp uid wait-all-nodes
    wckey wrap
""")
"""On all three releases. 22.05 knows `extra` as well, but only as an abbreviation of `extra-node-info`."""

CHANGED: Final = {"get-user-env": Argument.NONE, "requeue": Argument.OPTIONAL}
"""Their arguments from 26.05 on."""

LATER: Final = {
    R24_11: {
        Argument.NONE: _listed("stepmgr"),
        Argument.OPTIONAL: _listed("oom-kill-step resv-ports"),
        Argument.REQUIRED: _listed("autocomplete container-id extra segment tres-bind tres-per-task"),
    },
    NEWEST: {
        Argument.NONE: _listed("consolidate-segments external spread-segments"),
        Argument.OPTIONAL: (),
        Argument.REQUIRED: _listed("container-type mem-update resources"),
    },
}
"""Since which release there are others."""

GONE: Final = ("power",)
"""Only on 22.05."""

ALIASES: Final = {"clusters": ("cluster",), "ntasks-per-node": ("tasks-per-node",)}

LETTERS: Final = {
    "account": "A", "array": "a", "begin": "b", "chdir": "D", "clusters": "M", "constraint": "C", "core-spec": "S",
    "cpus-per-task": "c", "dependency": "d", "distribution": "m", "error": "e", "exclude": "x", "extra-node-info": "B",
    "gpus": "G", "help": "h", "hold": "H", "input": "i", "job-name": "J", "licenses": "L", "no-kill": "k",
    "nodefile": "F", "nodelist": "w", "nodes": "N", "ntasks": "n", "output": "o", "overcommit": "O",
    "oversubscribe": "s", "partition": "p", "qos": "q", "quiet": "Q", "time": "t", "verbose": "v", "version": "V",
    "wait": "W",
}  # fmt: skip

INHERITED: Final = frozenset(
    _listed("""
    account acctg-freq array batch bbf begin chdir cluster-constraint comment container container-id container-type
    context deadline delay-boot dependency error exclude export export-file extra get-user-env hint hold ignore-pbs
    input job-name kill-on-invalid-dep mcs-label mem nice no-kill no-requeue oom-kill-step open-mode output parsable
    prefer priority profile propagate qos reboot requeue reservation signal stepmgr time time-min wait wait-all-nodes
    wckey
    """)
)
"""What later components of a heterogeneous job take from the one before. Of what does nothing at all in a script
(`quiet`, `version` …) nothing can be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What getopt knows of an option. `since`, `until`: the releases that have it."""

    argument: Argument
    since: Release = OLDEST
    until: Release = NEWEST


def names() -> dict[str, Names]:
    """All options by long name."""
    always = {Argument.NONE: FLAGS, Argument.OPTIONAL: OPTIONAL, Argument.REQUIRED: REQUIRED}
    return {
        **{name: Names(argument=argument) for argument, found in always.items() for name in found},
        **{
            name: Names(argument=argument, since=release)
            for release, added in LATER.items()
            for argument, found in added.items()
            for name in found
        },
        **{name: Names(argument=Argument.REQUIRED, until=OLDEST) for name in GONE},
    }


def _row(name: str, known: Names) -> Option:
    return Option(
        name=name,
        help="",
        short=LETTERS.get(name),
        aliases=ALIASES.get(name, ()),
        argument=known.argument,
        changed=(NEWEST, CHANGED[name]) if name in CHANGED else None,
        default="false" if name == "no-requeue" else "left-out" if name in OPTIONAL and name not in CHANGED else None,
        sets="requeue" if name == "no-requeue" else None,
        since=known.since,
        until=known.until,
        inherited=name in INHERITED,
    )


TABLE: Final = {name: _row(name, known) for name, known in names().items()}
