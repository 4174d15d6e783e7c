"""Compare scripts with the real sbatch: `python -m tests.differential.compare --suite forky FILE.sh…`.

Both sides submit each script, held; outcomes and job records are compared field by field, and all jobs are cancelled.
The sandbox's Slurm of that release has to be up.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from sandboxlib.paths import default_paths
from sandboxlib.slurm_suites import SUITES
from tests.differential import cases, generated
from tests.differential.cases import Case
from tests.differential.differences import Difference
from tests.differential.ours import release_of
from tests.differential.sides import Finding, Side, anchored, findings, of_ours, of_sbatch

SHOWN_CHARACTERS: Final = 160


def lines(found: Iterable[Finding]) -> list[str]:
    """One line for each difference of a script, over whichever versions, sorted by what stands in the script."""
    versions: dict[tuple[str, str, Difference], list[str]] = defaultdict(list)
    for finding in found:
        versions[directives(finding.case.script), finding.case.name, finding.difference].append(finding.version)
    return [
        f"{_short(options)} | {name} | {' '.join(sorted(over))} | {one.field}: "
        f"ours {_short(one.ours)!r}, sbatch {_short(one.theirs)!r}"
        for (options, name, one), over in sorted(versions.items())
    ]


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def directives(script: str) -> str:
    """What stands behind `#SBATCH` and its like, in one line."""
    lines = [line for line in script.splitlines() if re.match(r"#(SBATCH|PBS|BSUB)", line)]
    return " ⏎ ".join(line.removeprefix("#SBATCH").strip() for line in lines)


def _read(file: Path) -> Case:
    """A script file; bytes that are no UTF-8 cannot stand in a SlurmJob."""
    return Case(name=cases.slug(file.stem), script=file.read_bytes().decode())


def main(argv: Sequence[str] | None = None) -> int:
    """Print what differs. 0: nothing that is not allowed."""
    parser = argparse.ArgumentParser(prog="compare", description="Scripts by the real sbatch and by us.")
    parser.add_argument("--suite", choices=tuple(SUITES), required=True)
    parser.add_argument("--version", action="append", help="of slurmrestd's API (default: all that it serves)")
    parser.add_argument("--committed", action="store_true", help="also all scripts of tests/differential/scripts")
    parser.add_argument("--generated", type=int, default=0, metavar="N", help="also so many made from the table")
    parser.add_argument("--seed", type=int, default=0, help="of those that are made")
    parser.add_argument("--allowed", action="store_true", help="also print differences that are allowed")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    asked = parser.parse_args(argv)
    scripts = [*(_read(file) for file in asked.files), *(cases.committed() if asked.committed else ())]
    if asked.generated:
        scripts += generated.batch(asked.generated, release=release_of(asked.suite), number=asked.seed)
    versions = asked.version or SUITES[asked.suite].api_versions
    found, other = _found(asked.suite, scripts, versions)
    unexplained = [finding for finding in found if finding.row is None]
    print(*lines(found if asked.allowed else unexplained), sep="\n")
    refused = len(scripts) - other.accepted
    print(
        f"{asked.suite}: {len(scripts)} scripts, sbatch took {other.accepted} and refused {refused}; "
        f"over {', '.join(versions)}: {len(unexplained)} differences that are not allowed"
    )
    return 1 if unexplained else 0


def _found(suite: str, scripts: Sequence[Case], versions: Sequence[str]) -> tuple[list[Finding], Side]:
    """What differs over these versions, and what sbatch did."""
    paths = default_paths()
    found: list[Finding] = []
    with anchored(paths, suite, scripts) as prepared:
        other = of_sbatch(paths, suite, prepared)
        for version in versions:
            mine = of_ours(paths, suite, prepared, version=version)
            found += findings(prepared, mine=mine, other=other, suite=suite, version=version)
    return found, other


if __name__ == "__main__":
    sys.exit(main())
