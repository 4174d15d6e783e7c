"""Sets of indexes of an array of jobs, as ranges: `0-28,30`.

Slurm's own texts of them are cut after 64 characters (measured on all releases), so ours are never taken from there
where an exact one is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

LONGEST_TEXT: Final = 65_536
"""Bytes of a set's text in a status. 10,000 indexes of which every other one is missing take 25,000."""

_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?", re.ASCII)

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class IndexSet:
    """Ranges with both their ends: ascending, apart from each other by at least one index."""

    ranges: tuple[Range, ...] = ()

    @classmethod
    def of(cls, indexes: Iterable[int]) -> IndexSet:
        """The set of these, in any order."""
        return cls(_joined(sorted((index, index) for index in indexes)))

    @classmethod
    def parse(cls, text: str) -> IndexSet:
        """A text as `str` makes it. Raises `ValueError` for another one."""
        found = []
        for part in text.split(",") if text else ():
            match = _RANGE.fullmatch(part)
            if match is None or int(match[2] or match[1]) < int(match[1]):
                raise ValueError(f"no set of indexes: {part[:20]!r}")
            found.append((int(match[1]), int(match[2] or match[1])))
        return cls(_joined(sorted(found)))

    def __str__(self) -> str:
        return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in self.ranges)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __iter__(self) -> Iterator[int]:
        return (index for first, last in self.ranges for index in range(first, last + 1))

    def __or__(self, other: IndexSet) -> IndexSet:
        if not self.ranges or not other.ranges:
            return self if self.ranges else other
        return IndexSet(_joined(sorted((*self.ranges, *other.ranges))))

    def __sub__(self, other: IndexSet) -> IndexSet:
        return self & _around(other) if other.ranges else self

    def __and__(self, other: IndexSet) -> IndexSet:
        found: list[Range] = []
        left, right = list(reversed(self.ranges)), list(reversed(other.ranges))
        while left and right:
            first, last = max(left[-1][0], right[-1][0]), min(left[-1][1], right[-1][1])
            if first <= last:
                found.append((first, last))
            (left if left[-1][1] < right[-1][1] else right).pop()
        return IndexSet(tuple(found))

    def text(self) -> str | None:
        """The text, if it is short enough to stand in a status."""
        found = str(self)
        return found if len(found) <= LONGEST_TEXT else None

    def shown(self, *, most: int = 60) -> str:
        """The text for people: cut after a range where it is long."""
        found = str(self)
        if len(found) <= most:
            return found
        return f"{found[: found.rindex(',', 0, most)]},…" if "," in found[:most] else f"{found[:most]}…"


NONE: Final = IndexSet()
_END: Final = 10**9


def union(sets: Iterable[IndexSet]) -> IndexSet:
    """All of them together."""
    return IndexSet(_joined(sorted(one for part in sets for one in part.ranges)))


def _around(inner: IndexSet) -> IndexSet:
    """All indexes but these."""
    edges: tuple[Range, ...] = ((-1, -1), *inner.ranges, (_END, _END))
    return IndexSet(tuple((a[1] + 1, b[0] - 1) for a, b in pairwise(edges) if a[1] + 1 <= b[0] - 1))


def _joined(ordered: list[Range]) -> tuple[Range, ...]:
    """Ranges that meet made one."""
    found: list[Range] = []
    for first, last in ordered:
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)
