"""Run by itself, with the C library of the Slurm in question: prints the error numbers that a libslurmfull.so knows.

Since 24.11 the library has a table with names. 22.05 has `slurm_strerror` alone, which is asked for each number.
"""

import ctypes
import sys
from collections.abc import Iterator

HIGHEST = 13_000
OWN = 1000
"""Numbers below are the system's."""


class _Entry(ctypes.Structure):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("text", ctypes.c_char_p))


def table(library: ctypes.CDLL) -> Iterator[tuple[int, str, str]]:
    """Number, name and text of each."""
    if hasattr(library, "slurm_errtab_size"):
        size = ctypes.c_int.in_dll(library, "slurm_errtab_size").value
        for entry in (_Entry * size).in_dll(library, "slurm_errtab"):
            yield entry.number, (entry.name or b"").decode(), (entry.text or b"").decode()
        return
    library.slurm_strerror.restype = ctypes.c_char_p
    for number in (-1, 0, *range(OWN, HIGHEST)):
        text = (library.slurm_strerror(number) or b"").decode()
        if text and not text.startswith("Unknown error"):
            yield number, "", text


if __name__ == "__main__":
    for row in sorted(table(ctypes.CDLL(sys.argv[1]))):
        print(*row, sep="\t")
