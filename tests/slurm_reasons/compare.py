"""`make check-reasons`: the committed lists against the libraries of the three releases.

Ends with the number of releases where something differs. `--write` writes the lists anew.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.slurm_errors.compare import compare
from tests.slurm_reasons import copies, library

if __name__ == "__main__":
    sys.exit(compare(Path(library.__file__), copies.path, write=sys.argv[1:] == ["--write"]))
