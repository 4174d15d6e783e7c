"""Fixtures of the real parts are known everywhere and made only where a test asks for them."""

from __future__ import annotations

import asyncio

pytest_plugins = ["tests.real.fixtures"]

asyncio.set_event_loop(None)
"""Said once, so that pytest-asyncio does not have asyncio make a first loop (Python 3.11 to 3.13), which nobody
closes and the garbage collector then complains about in the middle of some test."""
