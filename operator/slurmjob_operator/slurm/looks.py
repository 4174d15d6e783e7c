"""What was last seen of a cluster, shared by all connections that would see the same: asked for once a minute."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Final

from slurmjob_operator.core.cluster import ClusterFacts
from slurmjob_operator.slurm.errors import Unavailable

SECONDS: Final = 60.0
AT_HAND_SECONDS: Final = 600.0
FORGOTTEN_SECONDS: Final = 3600.0


@dataclass(slots=True)
class _Looked:
    """`asked_at` is the last time that Slurm was asked, `found_at` the last time with success."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    asked_at: float | None = None
    found_at: float = 0.0
    found: ClusterFacts | None = None
    failed: bool = False


class Looks:
    """At one server. Who looks is whatever tells apart what may be seen: address, user, certificates."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._of: dict[Hashable, _Looked] = {}

    async def newest(self, who: Hashable, look: Callable[[], Awaitable[ClusterFacts]]) -> ClusterFacts:
        """What `look` finds, or what it found less than a minute ago. Who comes meanwhile waits for the same look.

        Raises what `look` does, and `Unavailable` where it was tried in vain less than a minute ago. A look that says
        nothing of the server, with a token that it refuses or by somebody who has gone, does not count.
        """
        self._forget_old()
        looked = self._of.setdefault(who, _Looked())
        async with looked.lock:
            now = self._monotonic()
            if looked.asked_at is not None and now - looked.asked_at < SECONDS:
                if looked.failed or looked.found is None:
                    raise Unavailable("the cluster was asked for its nodes and partitions a moment ago, in vain")
                return looked.found
            looked.asked_at, looked.failed = now, True
            try:
                looked.found = await look()
            except Unavailable:
                raise
            except BaseException:
                looked.asked_at = None
                raise
            looked.found_at, looked.failed = now, False
            return looked.found

    def at_hand(self, who: Hashable) -> ClusterFacts | None:
        """What was found last, if that is not long ago."""
        looked = self._of.get(who)
        if looked is None or self._monotonic() - looked.found_at > AT_HAND_SECONDS:
            return None
        return looked.found

    def _forget_old(self) -> None:
        now = self._monotonic()
        for who, looked in tuple(self._of.items()):
            if not looked.lock.locked() and now - (looked.asked_at or 0.0) > FORGOTTEN_SECONDS:
                del self._of[who]
