"""What differs for a user between the releases of Slurm: one row each, that tests compare with the real daemons.

`docs/releases.md` is made from it (`python -m tests.real.releases docs/releases.md`), and a test says when it is stale
and when a row is held by no test.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from sandboxlib.slurm_suites import SUITES
from slurmjob_operator.slurm.dialects import DIALECTS, DOCUMENT_ONLY
from tests.real.cluster import SUITE


class Differs(StrEnum):
    """Each row's name, which a test calls it by."""

    VERSION = "API version that Auto finds"
    OTHERS = "API versions that can be named instead"
    FOLLOWED = "How live jobs are followed"
    LATE_EXIT_CODE = "Exit code of a job that slurmctld has forgotten"
    REFUSED_TOKEN = "A token that Slurm refuses"
    CLUSTER_NAME = "`status.clusterName`"
    EXTRA = "`markerFields: [Comment, Extra]`"
    UNKNOWN_DEPENDENCY = "`dependency: afterok:` a job that Slurm does not know"
    WHILE_COMPLETING = "State while nodes are cleaned up"
    NO_SLURMDBD = "A Slurm that has no slurmdbd"
    ABANDONED = "`slurmjob.dev/abandon` while slurmctld is away"
    LOST_NODE = "A job that lost its node"
    DERIVED_EXIT_CODE = "`status.usage.derivedExitCode`"
    BACKSLASH = "`output` with a backslash, which lets patterns stand as they are"
    DEFAULT_PARTITION = "The default partition, in a connection's status and in refusals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one release does: `value` is what tests expect, `text` what people read."""

    value: Any
    text: str


def _same(value: Any, text: str, *suites: str) -> dict[str, Said]:
    return {suite: Said(value=value, text=text) for suite in suites}


NEWER: Final = ("trixie", "forky")

TABLE: Final[Mapping[Differs, Mapping[str, Said]]] = {
    Differs.VERSION: {
        name: Said(value=suite.api_versions[0], text=suite.api_versions[0]) for name, suite in SUITES.items()
    },
    Differs.OTHERS: {
        name: Said(value=suite.api_versions[1:], text=", ".join(suite.api_versions[1:]) or "none")
        for name, suite in SUITES.items()
    },
    Differs.FOLLOWED: {
        **_same(
            False,
            "one by one, at most 50 reads a second over all connections to a server: with more than 500 live jobs "
            "and a poll period of 10 s an end is seen later",
            "bookworm",
        ),
        **_same(True, "all of them in few requests", *NEWER),
    },
    Differs.LATE_EXIT_CODE: {
        **_same(
            None,
            "unknown, unless it was 0 or a signal: slurmdbd's REST plug-in loses it. It is seen as long as slurmctld "
            "has the job (`MinJobAge`, 300 s by default)",
            "bookworm",
        ),
        **_same(3, "known from slurmdbd", *NEWER),
    },
    Differs.REFUSED_TOKEN: {
        **_same(
            False,
            "slurmctld only falls silent, slurmdbd says that the token is bad; a submission that meets it counts as "
            "one of unknown outcome, and is searched for",
            "bookworm",
        ),
        **_same(True, "said at once", *NEWER),
    },
    Differs.CLUSTER_NAME: {
        **_same(False, "asked of slurmdbd; `unknown` without one", "bookworm"),
        **_same(True, "in every answer", *NEWER),
    },
    Differs.EXTRA: {
        **_same(False, "refused: jobs have no field `extra` before 23.11", "bookworm"),
        **_same(True, "works", *NEWER),
    },
    Differs.UNKNOWN_DEPENDENCY: {
        **_same(
            "does not know job",
            "refused by the operator: sbatch of that release drops it, and the job runs",
            "bookworm",
        ),
        **_same("dependency problem", "refused: `Job dependency problem`", *NEWER),
    },
    Differs.WHILE_COMPLETING: {
        **_same(
            frozenset({"COMPLETING"}),
            "`COMPLETING` in the place of the state that it ends in: a job that is deleted while its node is dead is "
            "let go when Slurm gives the node up",
            "bookworm",
        ),
        **_same(
            frozenset({"CANCELLED", "COMPLETING"}),
            "`COMPLETING` beside the state that it ends in: a deleted job is let go at once",
            *NEWER,
        ),
    },
    Differs.NO_SLURMDBD: {
        **_same(
            ("-s", "openapi/v0.0.38"),
            "works; slurmrestd does not start without `-s openapi/v0.0.38` there",
            "bookworm",
        ),
        **_same(("-s", "slurmctld"), "works; slurmrestd does not start without `-s slurmctld` there", "trixie"),
        **_same((), "works", "forky"),
    },
    Differs.ABANDONED: {
        **_same(25, "lets go within 25 s: a request under way is waited for", "bookworm"),
        **_same(5, "lets go within 5 s", *NEWER),
    },
    Differs.LOST_NODE: {
        **_same(False, "`lost a node`", "bookworm"),
        **_same(True, "`lost node NAME`", *NEWER),
    },
    Differs.DERIVED_EXIT_CODE: {
        "bookworm": Said(value=None, text="not known: slurmdbd's REST plug-in loses it"),
        **_same(3, "the highest exit code of the job's steps", *NEWER),
    },
    Differs.BACKSLASH: {
        **_same(True, "`status.stdoutPath` names the file", "bookworm", "forky"),
        **_same(
            False,
            "`status.stdoutPath` names another file: slurmrestd fills the patterns in where slurmd does not",
            "trixie",
        ),
    },
    Differs.DEFAULT_PARTITION: {
        **_same(True, "named", "bookworm", "forky"),
        **_same(None, "not known: v0.0.40 to v0.0.44 do not say which one it is", "trixie"),
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRun:
    """A release that no daemon at hand is of. `served` are API versions that it has by Slurm's release notes, newest
    first (an older one beside them changes nothing), `found` is the one that Auto finds."""

    name: str
    served: tuple[str, ...]
    found: str


NOT_RUN: Final = (
    NotRun(name="23.02.7", served=("v0.0.39", "v0.0.38", "v0.0.37"), found="v0.0.38"),
    NotRun(name="23.11.10", served=("v0.0.40", "v0.0.39", "v0.0.38"), found="v0.0.40"),
    NotRun(name="24.05.8", served=("v0.0.41", "v0.0.40", "v0.0.39"), found="v0.0.41"),
    NotRun(name="25.05.4", served=("v0.0.43", "v0.0.42", "v0.0.41"), found="v0.0.43"),
    NotRun(name="25.11.1", served=("v0.0.44", "v0.0.43", "v0.0.42"), found="v0.0.44"),
)
"""Held against constructed answers (tests/unit/slurm/test_other_releases.py)."""


def expected(row: Differs, suite: str = SUITE) -> Any:
    """What the tests of one Slurm expect of it."""
    return TABLE[row][suite].value


def page() -> str:
    """The documentation's page."""
    suites = list(SUITES.values())
    lines = [
        "# What differs between releases of Slurm",
        "",
        "Made from the tests: each row is compared with the real daemons at each run of `make test`. What is not named "
        "here is the same on all of them.",
        "",
        "| | " + " | ".join(f"Slurm {suite.release}" for suite in suites) + " |",
        "|---" * (len(suites) + 1) + "|",
        *(f"| {row} | " + " | ".join(said[suite.name].text for suite in suites) + " |" for row, said in TABLE.items()),
        "",
        "## Releases in between",
        "",
        f"Auto takes the newest API version that both sides know, of {_span()}. A slurmrestd whose release is not in "
        "the table above is spoken to in a version that is, or in one beside it. No daemon of these releases was run; "
        "they are held against answers that were constructed: those of real daemons in the nearest version, checked "
        "against the OpenAPI documents.",
        "",
        "| Slurm | Auto finds | run against a daemon |",
        "|---|---|---|",
        *(f"| {release.name.rpartition('.')[0]} | {release.found} | not run against a daemon |" for release in NOT_RUN),
        "",
        "Where a slurmrestd has v0.0.40 or newer and not `jobs/state`, jobs are followed one by one, as on 22.05. "
        "While slurmdbd is away, 23.11 may say so beside each answer of slurmctld (by its sources): nothing is "
        "believed then.",
        "",
        "A server that is of another release at the next answer is found out anew. One that names another cluster is "
        "not believed, and the connection says `ClusterChanged`; before v0.0.40 answers do not name it, and only a new "
        "connection finds out. Where no version is in common, the message says which the server serves, by its own "
        "document (measured: 0.5 to 1.8 MB, 0.03 to 0.3 s), that is asked for once in ten minutes.",
        "",
        f"{', '.join(sorted(DOCUMENT_ONLY))} is spoken only where a connection names it: no daemon was at hand that "
        "serves it, so it is held against its document only. Slurm 23.02 serves v0.0.38 beside it, 23.11 v0.0.40.",
        "",
        "v0.0.40 and v0.0.41 cannot say that the cluster's own `OOMKillStep` applies: jobs have it off.",
        "",
    ]
    return "\n".join(lines)


def _span() -> str:
    known = [version for version in DIALECTS if version not in DOCUMENT_ONLY]
    return f"{known[-1]} and {known[-2]} to {known[0]}"


def main(arguments: Sequence[str]) -> None:
    """Write the page into the file that is named."""
    Path(arguments[0]).write_text(page())


if __name__ == "__main__":
    main(sys.argv[1:])
