"""How fast a script's directives are read, with their values: lines a CPU second over headers of the field.

python -m bench.directives [--seconds 5]
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from tests.differential.cases import committed

from bench.keeping import keep
from slurmjob_operator.sbatch import script
from slurmjob_operator.sbatch.errors import SbatchError
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, R24_11, Release

FIELD = "field"
RELEASES = (OLDEST, R24_11, NEWEST)


def _header(text: str) -> str:
    """The lines down to the first command: what comes after is not read, and would only make the numbers better."""
    lines = text.split("\n")
    end = next((index for index, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    return "\n".join(lines[:end])


def _rounds(headers: Sequence[str], release: Release, seconds: float) -> Iterator[int]:
    ends = time.process_time() + seconds
    while time.process_time() < ends:
        for header in headers:
            with suppress(SbatchError):
                for component in script.read(header, release=release).components:
                    script.settings(component, release=release)
        yield sum(header.count("\n") + 1 for header in headers)


def main() -> None:
    """Measure, print and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    seconds = parser.parse_args().seconds
    headers = [_header(case.script) for case in committed() if case.name.startswith(FIELD)]
    found = {}
    for release in RELEASES:
        began = time.process_time()
        lines = sum(_rounds(headers, release, seconds))
        found[str(release)] = round(lines / (time.process_time() - began))
        print(f"{release}: {found[str(release)]:,} lines a CPU second")
    keep("directives", python=platform.python_version(), headers=len(headers), lines_per_cpu_second=found)


if __name__ == "__main__":
    main()
