"""The committed copies, read."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from slurmjob_operator.sbatch.option import Argument
from slurmjob_operator.sbatch.value import Release

FOLDER: Final = Path(__file__).parent
SUITES: Final = {"bookworm": "22.05.8", "trixie": "24.11.5", "forky": "26.05.5"}
"""The release whose words are committed, by the sandbox's suite."""

TOPICS: Final = ("help", "usage", "options")

MISPRINTS: Final = {
    "22.05.8": frozenset({"-r"}),
    "24.11.5": frozenset({"-r", "--power"}),
    "26.05.5": frozenset({"-r", "--power"}),
}
"""What a release's own texts name and its sbatch does not take."""

_LONG = re.compile(r"(?<![\w-])--([a-z][a-z0-9-]*)")
_SHORT = re.compile(r"(?<![\w-])-([A-Za-z])\b")


@cache
def text(version: str, topic: str) -> str:
    """One copy. `topic` is one of `TOPICS`."""
    return (FOLDER / f"{version}.{topic}.txt").read_text(encoding="utf-8")


def release(version: str) -> Release:
    """`Release(22, 5)` of `22.05.8`."""
    year, month, _ = version.split(".")
    return Release(int(year), int(month))


def long_names(version: str) -> set[str]:
    """Every long option that `--help` or `--usage` names."""
    return {name for topic in ("help", "usage") for name in _LONG.findall(text(version, topic))}


def short_names(version: str) -> dict[str, str]:
    """Long names by the letters that `--help` gives them."""
    lines = (line for line in text(version, "help").splitlines() if re.match(r"\s+-[A-Za-z][, ]", line))
    return {_SHORT.findall(line)[0]: _LONG.findall(line)[0] for line in lines}


def letters(version: str) -> set[str]:
    """Every short option that `--help` or `--usage` names."""
    return {letter for topic in ("help", "usage") for letter in _SHORT.findall(text(version, topic))}


@cache
def options(version: str) -> dict[str, Argument]:
    """Every long option that getopt_long knows, and whether it has an argument."""
    return {name: Argument[kind.upper()] for name, kind in (line.split() for line in _lines(version))}


def _lines(version: str) -> list[str]:
    return [line for line in text(version, "options").splitlines() if line and not line.startswith("#")]
