"""A cancellation that is under way: sent, looked at soon, and sent again where it shows no effect."""

from __future__ import annotations

from slurmjob_operator.core.view import Facts

CANCEL_AGAIN_SECONDS = 60.0
"""A cancellation that shows no effect is asked for again; slurmctld may have forgotten it in a restart."""

CANCEL_LOOK_SECONDS = 2.0


def is_to_be_sent(facts: Facts, now: float) -> bool:
    """Whether none was sent by this process, or the last one long ago."""
    return facts.cancelled_at is None or now - facts.cancelled_at >= CANCEL_AGAIN_SECONDS
