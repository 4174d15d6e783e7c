"""A group of Slurm's error numbers that mean the same for whoever asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Meaning(StrEnum):
    """What is to be made of an error. Only `UNKNOWN` leaves open whether something was changed."""

    LATER = "retry later"
    NEVER = "never"
    UNKNOWN = "outcome unknown"
    NOT_FOUND = "not found"
    CREDENTIALS = "credentials"
    RATE_LIMITED = "rate limited"
    NOT_SERVED = "not served"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorNumber:
    """One error. `name` is that of slurm_errno.h; empty, where no library of 24.11 or 26.05 tells it. `advice` follows
    Slurm's own words: what it comes from, or what to do."""

    number: int
    name: str
    meaning: Meaning
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """`numbers` are number and name, separated by commas; `-` for no name."""

    meaning: Meaning
    advice: str
    numbers: str

    def rows(self) -> Iterator[ErrorNumber]:
        """One for each number."""
        for item in self.numbers.split(","):
            number, name = item.split()
            yield ErrorNumber(
                number=int(number), name="" if name == "-" else name, meaning=self.meaning, advice=self.advice
            )
