"""What stands in status of the tasks of an array: counts, sets of indexes, and how those failed that did.

It says all that a later process has to know: who ended, and who is not to be tried again.
"""

from __future__ import annotations

from dataclasses import replace

from slurmjob_operator.api.conditions import Reason
from slurmjob_operator.api.status import MOST_FAILURES, ArrayStatus, TaskFailures
from slurmjob_operator.core import attempts
from slurmjob_operator.core.tasks import COMPLETED, Ended, Outcome, Tasks, with_ended
from slurmjob_operator.sbatch.index_sets import LONGEST_TEXT, NONE, IndexSet

WITHOUT_DETAILS = Outcome(state="FAILED", reason=Reason.NON_ZERO_EXIT_CODE)
"""Of a task that stands among the failed ones, and in no group of them."""


def array_status(tasks: Tasks) -> ArrayStatus:
    """As people and later processes read it. A set whose text would be too long is left out; the counts are not."""
    over = len(tasks.over)
    return ArrayStatus(
        total=len(tasks.wanted),
        pending=len(tasks.pending),
        running=len(tasks.running),
        succeeded=len(tasks.succeeded),
        failed=len(tasks.failed),
        progress=f"{over}/{len(tasks.wanted)}",
        succeeded_indexes=tasks.succeeded.text(),
        failed_indexes=tasks.failed.text(),
        unknown_indexes=tasks.untold.text(),
        failures=_failures(tasks.ended),
    )


def _failures(ended: Ended) -> tuple[TaskFailures, ...]:
    groups = [(outcome, indexes) for outcome, indexes in ended if not outcome.succeeded]
    if len(groups) > MOST_FAILURES or sum(len(str(indexes)) for _, indexes in groups) > LONGEST_TEXT:
        groups = list(with_ended((), ((_in_short(outcome), indexes) for outcome, indexes in groups)))
    groups.sort(key=lambda group: (is_tried_again(group[0]), -len(group[1]), min(group[1])))
    return tuple(
        TaskFailures(
            state=outcome.state,
            reason=str(outcome.reason),
            exit_code=outcome.exit_code,
            signal=outcome.signal,
            count=len(indexes),
            indexes=indexes.text(),
        )
        for outcome, indexes in groups[:MOST_FAILURES]
    )


def _in_short(outcome: Outcome) -> Outcome:
    return Outcome(state=outcome.state, reason=outcome.reason)


def known_of(status: ArrayStatus | None) -> Ended:
    """The ends that stand in status, of this attempt's tasks and of earlier ones'."""
    if status is None:
        return ()
    found: Ended = ((COMPLETED, _set(status.succeeded_indexes)), (WITHOUT_DETAILS, _set(status.failed_indexes)))
    groups = ((_outcome(group), _set(group.indexes)) for group in status.failures)
    return tuple((outcome, indexes) for outcome, indexes in with_ended(found, groups) if indexes)


def _outcome(group: TaskFailures) -> Outcome:
    return Outcome(state=group.state, reason=Reason(group.reason), exit_code=group.exit_code, signal=group.signal)


def _set(text: str | None) -> IndexSet:
    return IndexSet.parse(text or "")


def for_another_attempt(status: ArrayStatus | None, *, resumed: bool = False) -> ArrayStatus | None:
    """As it stands when the tasks that failed, and may be tried again, are to be submitted anew; with them those whose
    ends nobody knows. `resumed`: only what a suspension ended is."""
    if status is None:
        return None
    known = known_of(status)
    kept = tuple((outcome, indexes) for outcome, indexes in known if resumed or not is_tried_again(outcome))
    tasks = Tasks(wanted=NONE, ended=kept)
    return replace(
        array_status(tasks),
        total=status.total,
        pending=status.total - len(tasks.over),
        progress=f"{len(tasks.over)}/{status.total}",
        unknown_indexes="",
    )


def is_tried_again(outcome: Outcome) -> bool:
    """Whether tasks that ended so are in the next attempt, should there be one."""
    return not outcome.succeeded and attempts.is_tried_again(frozenset({outcome.state}))
