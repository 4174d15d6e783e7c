"""The targets of `make fuzz` hold for what they begin with, and for a few inputs at random."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS

SEEDS = {name: list(target.seeds()) for name, target in TARGETS.items()}


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_seeds(name: str) -> None:
    assert len(SEEDS[name]) > 100
    assert all(TARGETS[name].run(seed) > 0 for seed in SEEDS[name])


@pytest.mark.parametrize("name", sorted(TARGETS))
@given(data=st.binary(max_size=80), where=st.integers(0, 10_000))
def test_any_bytes(name: str, data: bytes, where: int) -> None:
    seed = SEEDS[name][where % len(SEEDS[name])]
    cut = where % (len(seed) + 1)
    assert TARGETS[name].run(data) > 0
    assert TARGETS[name].run(seed[:cut] + data + seed[cut:]) > 0
