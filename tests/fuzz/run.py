"""Fuzz all targets for ten minutes each, and write down what came of it: `make fuzz` (FUZZ_SECONDS for less). With
names of targets (`python -m tests.fuzz.run answers`) only those, and nothing is written down.

An input that makes a target fail ends the run and is kept as `.fuzz/TARGET/failing`. What was found stays in `.fuzz/`,
and the next run begins with it.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.fuzz.child import COUNTS
from tests.fuzz.targets import TARGETS, Target

FOLDER: Final = Path(".fuzz")
RESULT: Final = Path("bench/fuzz.md")
SECONDS: Final = "600"
LONGEST_INPUT: Final = 8192
STARTUP_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one target. `failed`: an input was found that it fails for."""

    name: str
    seconds: float
    inputs: int
    lines: int
    failed: bool

    def row(self) -> str:
        """Of the table in the result."""
        lines = f"{self.lines / self.seconds:,.0f}" if self.name == "directives" else ""
        crashes = "yes" if self.failed else "none"
        return (
            f"| {self.name} | {self.seconds:.0f} | {self.inputs:,} | {self.inputs / self.seconds:,.0f} | {lines} "
            f"| {crashes} |"
        )


def fuzz(name: str, target: Target, *, seconds: int) -> Outcome:
    """Run one target in a process of its own."""
    folder = FOLDER / name
    seeds, found, counts = folder / "seeds", folder / "found", folder / "counts"
    for made in (seeds, found):
        made.mkdir(parents=True, exist_ok=True)
    for index, seed in enumerate(target.seeds()):
        (seeds / f"{index:04}").write_bytes(seed)
    words = folder / "words"
    words.write_text("".join(f"{_quoted(word)}\n" for word in target.words()))
    counts.write_bytes(COUNTS.pack(0, 0))
    options = [f"-max_total_time={seconds}", f"-max_len={LONGEST_INPUT}", f"-dict={words}", "-timeout=10"]
    folders = [f"-artifact_prefix={folder}/", str(found), str(seeds)]
    began = time.monotonic()
    argv = [sys.executable, "-m", "tests.fuzz.child", name, str(counts), *options, *folders]
    done = subprocess.run(argv, check=False, timeout=seconds + STARTUP_SECONDS)
    inputs, lines = COUNTS.unpack(counts.read_bytes())
    took = time.monotonic() - began
    return Outcome(name=name, seconds=took, inputs=inputs, lines=lines, failed=done.returncode != 0)


def _quoted(word: str) -> str:
    """As a dictionary of libFuzzer has it."""
    return '"{}"'.format("".join(f"\\x{byte:02x}" for byte in word.encode()))


def main() -> int:
    """Write the result; 1 where an input made a target fail."""
    seconds = int(os.environ.get("FUZZ_SECONDS", SECONDS))
    wanted = sys.argv[1:]
    outcomes = [fuzz(name, target, seconds=seconds) for name, target in TARGETS.items() if name in (wanted or TARGETS)]
    text = "\n".join(
        (
            "# Fuzzing",
            "",
            f"`FUZZ_SECONDS={seconds} make fuzz`, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python "
            f"{platform.python_version()}, one process. Lines a second are those of an instrumented parser that is fed "
            "mostly nonsense; `bench/results/directives.json` has those of real headers.",
            "",
            "| target | seconds | executions | a second | lines a second | crashes |",
            "|---|---|---|---|---|---|",
            *(outcome.row() for outcome in outcomes),
            "",
        )
    )
    if not wanted:
        RESULT.write_text(text)
    print(text)
    return int(any(outcome.failed for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
