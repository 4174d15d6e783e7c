"""A trap, with the defence against it and without."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

Probe = Callable[[], Awaitable[bool]]
Without = Callable[[pytest.MonkeyPatch], None]


async def defended(patch: pytest.MonkeyPatch, *, probe: Probe, without: Without) -> None:
    """`probe` walks into the trap and tells whether all went well: it must with the defence, and must not where
    `without` has taken it away."""
    assert await probe(), "the trap caught us"
    with patch.context() as taken:
        without(taken)
        assert not await probe(), "the defence was taken away, and nothing is amiss: it is none, or the trap is gone"
