"""The committed lists, read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
SUITES: Final = {"bookworm": "22.05.8", "trixie": "24.11.5", "forky": "26.05.5"}
"""The release whose list is committed, by the sandbox's suite."""


def path(version: str) -> Path:
    """A file of lines `number<TAB>name<TAB>text`; 22.05's library tells no names."""
    return FOLDER / f"{version}.tsv"


def known(version: str) -> Mapping[int, tuple[str, str]]:
    """Name and text by number."""
    lines = (line.split("\t") for line in path(version).read_text(encoding="utf-8").splitlines())
    return {int(number): (name, text) for number, name, text in lines}
