"""Times as Kubernetes writes them. The clock itself is always a parameter."""

from __future__ import annotations

from datetime import UTC, datetime


def rfc3339(epoch: float) -> str:
    """Whole seconds in UTC, e.g. `2026-11-22T07:00:04Z`."""
    return datetime.fromtimestamp(int(epoch), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def optional_rfc3339(epoch: float | None) -> str | None:
    """The same for a time that Slurm may not have said."""
    return None if epoch is None else rfc3339(epoch)


def epoch_of(text: str) -> int:
    """Whole seconds since the epoch of an RFC 3339 text."""
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())
