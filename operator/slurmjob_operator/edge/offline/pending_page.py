"""The documentation's page of the reasons for which jobs wait, made from the table: `make docs` writes it, a test fails
when it is stale.

Run as `python -m slurmjob_operator.edge.offline.pending_page FILE`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from slurmjob_operator.core.pending_reasons import TABLE, Wait, meaning

HEAD: Final = """\
# Why a job waits

Slurm's word stands in `status.slurm.reason`, what it means in the message of a condition, with the start that Slurm
expects, where it expects one. A pending job is read for its reason after 10 s, then ever more rarely, at last every
five minutes. A guess of the start is written again when it moved by more than 15 minutes or a tenth.
"""

KINDS: Final[Mapping[Wait, str]] = {
    Wait.TURN: "`Reconciling=True`, reason `PendingInQueue`. Nothing is wrong; it starts by itself.",
    Wait.LIMIT: (
        "`Reconciling=True`, reason `PendingInQueue`. It starts when other jobs have ended, or the limit is raised."
    ),
    Wait.PERSON: "`Reconciling=True`, reason `Held` where somebody holds it, else `PendingInQueue`.",
    Wait.NEVER: (
        "`Stalled=True`, reason `NeverStarts`: Flux and Argo CD see that it makes no progress, and so does `kubectl "
        "wait --for=condition=Stalled`. The job is left in Slurm's queue. It goes on by itself when an administrator "
        "changes the job or the limit; else delete the SlurmJob. Of a job with several partitions Slurm tells the "
        "reason of one alone: such a job is not called stalled."
    ),
}

LIMITS: Final = """\
## Limits on one kind of resource

Slurm makes the words of these from the owner of the limit (`Assoc`, `QOS`, or none: a QOS for each account), what it
counts, and for whom. Some of them:
"""
EXAMPLES: Final = (
    *("AssocGrpCpuLimit", "QOSGrpGRES", "AssocGrpCPUMinutesLimit", "QOSGrpGRESRunMinutes", "QOSMaxGRESPerUser"),
    *("MaxMemoryPerAccount", "QOSMaxCpuPerJobLimit", "AssocMaxNodePerJobLimit", "QOSMinCpuNotSatisfied"),
)


def page() -> str:
    """The whole page."""
    parts = [HEAD, *("\n".join(_section(wait)) for wait in KINDS), "\n".join(_limits())]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _section(wait: Wait) -> Iterator[str]:
    yield f"## It {wait.value}" if wait is not Wait.LIMIT else f"## {wait.value.capitalize()}"
    yield ""
    yield KINDS[wait]
    yield ""
    yield "| reason | what it means |"
    yield "|---|---|"
    yield from (f"| `{reason}` | {row.words} |" for reason, row in sorted(TABLE.items()) if row.wait is wait)


def _limits() -> Iterator[str]:
    yield LIMITS
    yield "| reason | what it means | |"
    yield "|---|---|---|"
    for reason in EXAMPLES:
        if (row := meaning(reason)) is not None:
            yield f"| `{reason}` | {row.words} | {row.wait.value} |"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
