"""Several independent parts at once: what takes long in one of them is not waited for by the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from sandboxlib.daemons import SandboxError


def side_by_side(parts: Sequence[Callable[[], None]]) -> None:
    """Run all of them, each in a thread of its own, and wait for all, whatever one of them comes to.

    Raises what a part raised; of several failures one `SandboxError` with all their messages.
    """
    if not parts:
        return
    with ThreadPoolExecutor(len(parts)) as pool:
        errors = [error for future in [pool.submit(part) for part in parts] if (error := future.exception())]
    for error in errors:
        if len(errors) == 1 or not isinstance(error, SandboxError | OSError):
            raise error
    if errors:
        raise SandboxError("\n".join(str(error) for error in errors))
