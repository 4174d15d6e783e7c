"""The documentation's page of Slurm's error numbers, made from the table: `make docs` writes it, a test fails when it
is stale.

Run as `python -m slurmjob_operator.edge.offline.errors_page FILE`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from slurmjob_operator.slurm.error_numbers import TABLE
from slurmjob_operator.slurm.error_numbers.group import ErrorNumber, Meaning

HEAD: Final = """\
# What Slurm's error numbers mean here

slurmrestd says what is wrong by a number of Slurm's, and the operator goes by that number, not by the HTTP status,
which is another one from release to release. A message in a condition or an event ends with `[Slurm error N]` and what
stands behind N here.
"""

OF_THE_SITE: Final = """\
## What a job_submit plug-in of the site answers

Measured on 22.05, 24.11 and 26.05. What it says of a job that it takes is shown (`slurm.log_user`). Where it refuses
one, only its number arrives, and its words do not. `slurm.ERROR` is -1: of a submission or an update it is a refusal,
since an slurmctld that is away, hangs or dies gives other numbers; so is a number that Slurm itself has no words for.
Any other number means what stands here, whoever says it: a plug-in that returns 2050 is asked again later. What it
changes, the comment and the hold too, it changes without a word; the operator goes by the job as it then is.
"""

MEANINGS: Final[Mapping[Meaning, str]] = {
    Meaning.NEVER: "The same request would be refused again. A submission is `Rejected`: correct the SlurmJob.",
    Meaning.LATER: "It passes. A submission waits and is tried again, more and more seldom; nothing is lost.",
    Meaning.RATE_LIMITED: "Slurm asks to be asked less often. Nothing was done; it is tried again later.",
    Meaning.CREDENTIALS: "The connection is not ready (`AuthenticationFailed`) until its Secret holds a good token; "
    "jobs run on.",
    Meaning.UNKNOWN: "A request that changes something may have taken effect: before anything is done again, the "
    "operator looks. One that reads is asked again.",
    Meaning.NOT_FOUND: "Not an end: slurmdbd is asked, and where it does not know either, `JobNotFound` says so.",
    Meaning.NOT_SERVED: "The API version is looked for anew.",
}


def page() -> str:
    """The whole page."""
    parts = [HEAD, OF_THE_SITE, *("\n".join(_section(meaning)) for meaning in MEANINGS)]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _section(meaning: Meaning) -> Iterator[str]:
    yield f"## {meaning.value.capitalize()}"
    yield ""
    yield MEANINGS[meaning]
    yield ""
    yield "| number | name | what follows |"
    yield "|---|---|---|"
    for row in sorted(TABLE.values(), key=lambda row: row.number):
        if row.meaning is meaning:
            yield f"| {row.number} | {_name(row)} | {row.advice} |"


def _name(row: ErrorNumber) -> str:
    return f"`{row.name}`" if row.name else ""


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
