"""The place where requests to one slurmrestd wait for their turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from slurmjob_operator.slurm.turns import Limits, Turns


@dataclass(slots=True, eq=False)
class _Ticket:
    """`called`: its turn has come. `awaited` is done then."""

    awaited: asyncio.Future[None]
    called: bool = False


class Admission:
    """Of one server, for all connections that name it. Used from one event loop."""

    def __init__(self, monotonic: Callable[[], float], limits: Limits) -> None:
        self._turns = Turns[_Ticket](monotonic, limits)
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def turn(self, name: str, limits: Limits) -> AsyncIterator[None]:
        """Wait for the turn of this connection, and have it until the end of the block."""
        ticket = _Ticket(asyncio.get_running_loop().create_future())
        self._turns.wait(name, ticket, limits)
        self._call()
        try:
            await ticket.awaited
            yield
        finally:
            if ticket.called:  # The race: it may be, although it was cancelled while it waited.
                self._turns.done(name)
            else:
                self._turns.leave(name, ticket)
            self._call()

    def _call(self) -> None:
        """Let all go whose turn it is, and come back when a rate lets the next one go."""
        while (ticket := self._turns.next()) is not None:
            ticket.called = True
            if not ticket.awaited.done():
                ticket.awaited.set_result(None)
        self.close()
        seconds = self._turns.pause_seconds
        if seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._call)

    def close(self) -> None:
        """Forget when to come back; who waits then goes on with the next request."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
