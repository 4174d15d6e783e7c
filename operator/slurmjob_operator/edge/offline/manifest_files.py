"""The input of the offline commands: files, folders and standard input, as text."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

STDIN: Final = "-"
SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})
"""Of files in folders, as for kubectl; a file that is named counts whatever its name."""
LARGEST_FILE: Final = 32 * 2**20
"""In bytes."""


class UnusableInput(Exception):
    """Input that is no text that could be read. The text says which and why."""


def found(names: list[str]) -> Iterator[str]:
    """The files that are named, and those in the folders that are named, hidden ones and hidden folders left out.

    Raises `UnusableInput` for a name that does not exist, and for a folder without manifests.
    """
    for name in names:
        if name == STDIN or not Path(name).is_dir():
            yield name
            continue
        inside = list(_inside(name))
        if not inside:
            raise UnusableInput(f"{name}: holds no {', '.join(sorted(SUFFIXES))} file")
        yield from inside


def _inside(folder: str) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix in SUFFIXES:
                yield str(Path(place) / name)


def text(name: str) -> str:
    """The text of a file, or of standard input.

    Raises `UnusableInput` for what cannot be read, is too large, or is not UTF-8.
    """
    try:
        content = _bytes(name)
    except OSError as error:
        raise UnusableInput(f"{name}: {error.strerror or error}") from None
    if len(content) > LARGEST_FILE:
        raise UnusableInput(f"{name}: is larger than {LARGEST_FILE} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnusableInput(f"{name}:{line}: is not UTF-8") from None


def _bytes(name: str) -> bytes:
    if name == STDIN:
        return sys.stdin.buffer.read(LARGEST_FILE + 1)
    with Path(name).open("rb") as file:
        return file.read(LARGEST_FILE + 1)
