"""No text is too long or too odd for a value type: it is a value, or `InvalidValue`, and soon."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.options import TABLE
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, Release, ValueType

TYPES = {row.type.name: row.type for row in TABLE.values() if row.type is not None}
LONG_NUMBER = "9" * 5000
"""Python itself refuses to make a number of so many digits."""

SOON_SECONDS = 1.0


def _odd(text: str) -> Iterator[str]:
    """Texts like this one, but not quite."""
    yield re.sub(r"[0-9]+", LONG_NUMBER, text)
    yield re.sub(r"[0-9]+", "0" * 5000 + "1", text)
    yield re.sub(r"[0-9]", "\u0663", text)  # a digit for str.isdigit(), none for C
    yield re.sub(r"[A-Za-z]+", lambda word: word[0] * 4000, text)
    yield from (text * 2000, f"{text}," * 4000, f"{text}:" * 4000, "-" * 20000 + text, "[" * 30000 + text)
    yield from (text + "]" * 30000, text + "[1]" * 10000, text + "[1-2]" * 30, text + "[1-65536]" * 3)
    yield from ("x" * 16000 + text + "[1-65536]", f"{text}\n", f"{text}\0", f" {text} ", text.swapcase(), f"={text}")


@pytest.mark.parametrize("release", [OLDEST, NEWEST])
@pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)
def test_no_text_is_too_much(kind: ValueType, release: Release) -> None:
    for text in {odd for example in (*kind.examples, *kind.wrong) for odd in _odd(example)}:
        began = time.process_time()
        with suppress(InvalidValue):
            value = kind.parse(text, release)
            assert kind.parse(kind.show(value), release) == value
        assert time.process_time() - began < SOON_SECONDS, text[:100]
