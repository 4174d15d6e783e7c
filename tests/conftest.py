"""Fixtures of the real parts are known everywhere and made only where a test asks for them."""

from __future__ import annotations

import asyncio
import os

from hypothesis import settings

pytest_plugins = ["tests.real.fixtures"]

asyncio.set_event_loop(None)
"""Said once, so that pytest-asyncio does not have asyncio make a first loop (Python 3.11 to 3.13), which nobody
closes and the garbage collector then complains about in the middle of some test."""

settings.register_profile("steady", derandomize=True)
settings.register_profile("search", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
"""The same examples at every run, so that a run is red because of what was changed. `HYPOTHESIS_PROFILE=search`
looks further, at random."""
