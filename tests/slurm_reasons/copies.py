"""The committed lists, read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.slurm_errors.copies import SUITES

FOLDER: Final = Path(__file__).parent
VERSIONS: Final = tuple(SUITES.values())


def path(version: str) -> Path:
    """A file of lines `number<TAB>word`."""
    return FOLDER / f"{version}.tsv"


def known(version: str) -> Mapping[int, str]:
    """Words by number."""
    lines = (line.split("\t") for line in path(version).read_text(encoding="utf-8").splitlines())
    return {int(number): word for number, word in lines}
