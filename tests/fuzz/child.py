"""One fuzzing process: `python -m tests.fuzz.child TARGET COUNTS [options of libFuzzer …]`.

Atheris instruments the modules as they are imported, so that libFuzzer sees which inputs reach new code. libFuzzer ends
the process by itself, past all of Python's own handlers: the counts go into a file as they grow.
"""

from __future__ import annotations

import importlib
import os
import struct
import sys
from pathlib import Path
from typing import Final

COUNTS: Final = struct.Struct("=QQ")
"""Inputs and lines."""

FAILING: Final = "failing"
"""The file, beside that of the counts, with the input that the target failed for."""

INSTRUMENTED: Final = ("slurmjob_operator.sbatch", "slurmjob_operator.slurm")


def main() -> None:
    """Fuzz until libFuzzer ends it."""
    name, counts, *options = sys.argv[1:]
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=list(INSTRUMENTED)):
        targets = importlib.import_module("tests.fuzz.targets")
    run = targets.TARGETS[name].run
    file = os.open(Path(counts), os.O_WRONLY | os.O_CREAT)
    inputs = lines = 0

    def once(data: bytes) -> None:
        nonlocal inputs, lines
        try:
            lines += run(data)
        except Exception:
            Path(counts).with_name(FAILING).write_bytes(data)
            raise
        inputs += 1
        os.pwrite(file, COUNTS.pack(inputs, lines), 0)

    atheris.Setup([sys.argv[0], *options], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
