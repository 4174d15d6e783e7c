"""Run by itself, with the C library of the Slurm in question: prints the reasons of jobs that a libslurmfull.so knows.

22.05 answers a number that is none with that number, later ones with a word, that 24.11 misspells.
"""

import ctypes
import sys
from collections.abc import Iterator

HIGHEST = 400
NO_REASON = frozenset({"InvalidReason", "InvaildReason"})


def reasons(library: ctypes.CDLL) -> Iterator[tuple[int, str]]:
    """Number and word of each."""
    name = "job_state_reason_string" if hasattr(library, "job_state_reason_string") else "job_reason_string"
    word_of = getattr(library, name)
    word_of.restype = ctypes.c_char_p
    for number in range(HIGHEST):
        word = (word_of(number) or b"").decode()
        if word and word not in NO_REASON and word != str(number):
            yield number, word


if __name__ == "__main__":
    for row in reasons(ctypes.CDLL(sys.argv[1])):
        print(*row, sep="\t")
