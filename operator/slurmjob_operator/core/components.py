"""A heterogeneous job seen as one job: the records of its components, made one that all rules read.

Slurm gives each component a record and an id of its own; the id of the first is the whole job's. All start together,
and the whole is over when all of them are. It is as its liveliest component is; when it is over, as the worst of them
ended, in the order of `WORST_FIRST`. It waits as long as one of them is held: each is released by itself (TRAP H1).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from slurmjob_operator.api.status import ComponentStatus
from slurmjob_operator.core import marker
from slurmjob_operator.core.known import total
from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.core.states import TERMINAL, WORST_FIRST, liveliness, script_exit


def joined(parts: Sequence[JobRecord]) -> JobRecord:
    """The records of all components as one. Its comment is that of a component that is yet to be released, if there is
    one."""
    ordered = sorted(parts, key=lambda part: part.het_offset or 0)
    held = any(part.waits_held for part in ordered)
    said = next(iter(unreleased(ordered)), None) or min(ordered, key=_rank)
    first = ordered[0]
    return replace(
        said,
        job_id=first.whole_id,
        held=held,
        restarts=max(part.restarts for part in ordered),
        nodes=",".join(part.nodes for part in ordered if part.nodes) or None,
        node_count=total(part.node_count for part in ordered),
        cpus=total(part.cpus for part in ordered),
        stdout_path=first.stdout_path,
        stderr_path=first.stderr_path,
        end_time=max((part.end_time for part in ordered if part.end_time is not None), default=None),
        parts=tuple(ordered),
    )


def _rank(part: JobRecord) -> tuple[int, int, int]:
    """The liveliest first, of those that are over the worst, then the first component."""
    worst = WORST_FIRST.index(min(part.states & TERMINAL)) if part.states & TERMINAL else 0
    return -liveliness(part.states), worst, part.het_offset or 0


def unreleased(parts: Iterable[JobRecord]) -> list[JobRecord]:
    """Those that wait held, and that nobody noted a release of."""
    marks = ((part, marker.parse(part.comment)) for part in parts if part.waits_held)
    return [part for part, mark in marks if mark is None or not mark.released]


def in_the_queue(parts: Iterable[JobRecord]) -> list[JobRecord]:
    """Those that wait and are not held."""
    return [part for part in parts if "PENDING" in part.states and not part.held]


def component_statuses(record: JobRecord) -> tuple[ComponentStatus, ...]:
    """One for each; none where there is one alone."""
    if record.het_id is None:
        return ()
    return tuple(_status(part) for part in record.parts)


def _status(part: JobRecord) -> ComponentStatus:
    over = bool(part.states & TERMINAL)
    code, signal = script_exit(part) if over else (None, None)
    return ComponentStatus(
        component=part.het_offset or 0,
        job_id=str(part.job_id),
        state="+".join(sorted(part.states)),
        reason=part.reason,
        nodes=part.nodes,
        exit_code=code,
        signal=signal,
    )
