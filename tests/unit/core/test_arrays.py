"""What Slurm says of an array's parts, folded into one job; and that such a job is released once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmjob_operator.api.conditions import ConditionType, Reason
from slurmjob_operator.api.status import MOST_FAILURES
from slurmjob_operator.core import arrays, learning, progress
from slurmjob_operator.core.array_status import array_status, for_another_attempt, known_of
from slurmjob_operator.core.decide import decide
from slurmjob_operator.core.decision import Cancel, ReadAccounting, Release, RemoveFinalizer
from slurmjob_operator.core.records import Accepted, JobRecord
from slurmjob_operator.core.tasks import COMPLETED, Outcome, Tasks, with_ended, without
from slurmjob_operator.core.view import Facts, JobView, UsageAnswer
from slurmjob_operator.sbatch.index_sets import IndexSet
from slurmjob_operator.sbatch.types.arrays import spec_of
from tests.unit.core.values import CONNECTION, NOW, OPENED, comment, facts, held, reason_of, record, told, view

TEN = spec_of("0-9%3")
START = int(NOW) - 60
FAILED = Outcome(state="FAILED", reason=Reason.NON_ZERO_EXIT_CODE, exit_code=3)
STOPPED = Outcome(state="CANCELLED", reason=Reason.CANCELLED)


def array_view(**changes: Any) -> JobView:
    """Array 7 of ten tasks, recorded."""
    fresh = view(array=TEN)
    opened = replace(fresh, status=progress.opened(fresh, Facts(connection=CONNECTION), now=OPENED))
    status = progress.recorded(opened, Accepted(job_id=7), notices=(), now=OPENED + 10)
    return replace(fresh, status=status, **changes)


def rest(indexes: str | None, states: set[str] | None = None, **changes: Any) -> JobRecord:
    """The record of the tasks that have not started."""
    named = None if indexes is None else IndexSet.parse(indexes)
    return record(states, **{"array_id": 7, "indexes": named, **changes})


def task(index: int, state: str = "RUNNING", **changes: Any) -> JobRecord:
    """The record of a task that has started."""
    ended = {} if state == "RUNNING" else {"end_time": START + 9, "exit_code": 3 if state == "FAILED" else 0}
    values = {"job_id": 100 + index, "array_id": 7, "indexes": IndexSet.of([index]), "start_time": START, "nodes": "n1"}
    return record({state}, **{"reason": None, **values, **ended, **changes})


def in_slurmdbd(part: JobRecord) -> JobRecord:
    """As slurmdbd tells it."""
    return replace(part, source=told().source, reason=None, comment=part.comment if part.end_time else "")


def read(parts: list[JobRecord], seen: JobView | None = None, known: Facts | None = None) -> Facts:
    """What is known once slurmctld has told of these parts."""
    seen = seen or array_view()
    return learning.job_read(known or facts(), arrays.together(parts), view=seen, ours=True, now=NOW)


def sets(known: Facts) -> tuple[str, ...]:
    """Pending, running, succeeded, failed and untold ones."""
    assert known.tasks is not None
    it = known.tasks
    return tuple(str(one) for one in (it.pending, it.running, it.succeeded, it.failed, it.untold))


@pytest.mark.parametrize(
    ("parts", "expected", "states"),
    [
        ([rest("0-9")], ("0-9", "", "", "", ""), {"PENDING"}),
        ([rest("3-9"), task(0), task(1), task(2)], ("3-9", "0-2", "", "", ""), {"RUNNING"}),
        ([rest("3-9"), task(0, "COMPLETED"), task(1, "FAILED"), task(2)], ("3-9", "2", "0", "1", ""), {"RUNNING"}),
        ([rest("3-9"), task(2)], ("3-9", "2", "", "", "0-1"), {"RUNNING"}),
        ([rest("3-9"), task(0, "COMPLETED")], ("3-9", "", "0", "", "1-2"), {"PENDING"}),
        ([rest(None), task(2)], ("0-1,3-9", "2", "", "", ""), {"RUNNING"}),
        ([rest("2-9", {"CANCELLED"}), task(0, "COMPLETED")], ("", "", "0", "2-9", "1"), {"COMPLETING"}),
        ([rest(None, {"CANCELLED"}), task(0)], ("", "0", "", "", "1-9"), {"RUNNING"}),
        ([task(index, "COMPLETED") for index in range(10)], ("", "", "0-9", "", ""), {"COMPLETED"}),
        ([rest("1-9", {"CANCELLED"}), task(0, "FAILED")], ("", "", "", "0-9", ""), {"FAILED"}),
        ([rest("1-9", {"CANCELLED"}), task(0, "CANCELLED")], ("", "", "", "0-9", ""), {"CANCELLED"}),
        ([rest("1-9"), replace(task(0), states=frozenset({"SUSPENDED"}))], ("1-9", "0", "", "", ""), {"SUSPENDED"}),
        (
            [rest("1-9", {"CANCELLED"}), replace(task(0), states=frozenset({"CANCELLED", "COMPLETING"}))],
            ("", "0", "", "1-9", ""),
            {"CANCELLED", "COMPLETING"},
        ),
    ],
)
def test_what_slurmctld_shows(parts: list[JobRecord], expected: tuple[str, ...], states: set[str]) -> None:
    known = read(parts)
    assert sets(known) == expected
    assert isinstance(known.controller, JobRecord)
    assert (known.controller.job_id, known.controller.states) == (7, states)


def test_no_record_is_held_against_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an array of thousands each with each would take the loop for seconds."""
    parts = [*(task(index) for index in range(5)), *(rest(str(index)) for index in range(5, 10))]
    whole = arrays.together(parts)

    def compared(_self: JobRecord, _other: object) -> bool:
        raise AssertionError("compared")

    monkeypatch.setattr(JobRecord, "__eq__", compared)
    found = arrays.tasks_of(array_view(), facts(), shown=whole.parts)
    assert found is not None
    assert (str(found.pending), str(found.running)) == ("5-9", "0-4")
    assert found.running_ids == {100, 101, 102, 103, 104}


def test_what_ended_stays_known_and_what_lives_again_does_not() -> None:
    first = read([rest("2-9"), task(0, "COMPLETED"), task(1, "FAILED")])
    second = read([rest("2-9")], known=first)
    assert sets(second) == ("2-9", "", "0", "1", "")
    requeued = read([rest("2-9"), task(1)], known=second)
    assert sets(requeued) == ("2-9", "1", "0", "", "")


def test_a_new_process_goes_by_status() -> None:
    seen = array_view()
    known = read([rest("2-9"), task(0, "COMPLETED"), task(1, "FAILED")], seen)
    decision = decide(seen, known, NOW)
    again = replace(seen, status=decision.status)
    assert sets(read([rest("2-9")], again)) == ("2-9", "", "0", "1", "")


@pytest.mark.parametrize("accounting", [True, False])
def test_slurmdbd_is_asked_once_for_what_slurmctld_has_forgotten(accounting: bool) -> None:
    seen = array_view()
    known = read([rest("3-9"), task(2)], seen, facts(connection=replace(CONNECTION, accounting=accounting)))
    assert decide(seen, known, NOW).action == ReadAccounting(7)
    answered = learning.accounting_read(
        known, [in_slurmdbd(task(0, "COMPLETED")), in_slurmdbd(task(1, "FAILED"))], view=seen, backlog=0
    )
    assert sets(answered) == ("3-9", "2", "0", "1", "")
    assert decide(seen, answered, NOW).action is None
    silent = learning.accounting_read(known, [], view=seen, backlog=0)
    decision = decide(seen, silent, NOW)
    assert decision.action is None
    assert decision.status.array is not None
    assert decision.status.array.unknown_indexes == "0-1"


def test_slurmdbds_mask_tells_which_tasks_were_cancelled_where_slurmctlds_text_is_cut() -> None:
    seen = array_view()
    known = read([rest(None, {"CANCELLED"}), task(9, "COMPLETED")], seen)
    assert sets(known) == ("", "", "9", "", "0-8")
    records = [
        in_slurmdbd(rest("4-8", {"CANCELLED"}, end_time=START)),
        *(in_slurmdbd(task(i, "FAILED")) for i in range(4)),
    ]
    assert sets(learning.accounting_read(known, records, view=seen, backlog=0)) == ("", "", "9", "0-8", "")


# --- Released once -----------------------------------------------------------------------------------------------


def held_rest() -> JobRecord:
    return held(array_id=7, indexes=IndexSet.parse("0-9"))


def test_it_is_released_by_the_process_that_recorded_it() -> None:
    seen = array_view()
    assert decide(seen, read([held_rest()], seen, facts(recorded_here="7")), NOW).action == Release(7)


@pytest.mark.parametrize(
    "records",
    [
        [rest("1-9"), task(0)],
        [rest("1-9"), task(0, "COMPLETED")],
        [task(index) for index in range(10)],
        [replace(rest("0-9"), start_time=START)],
    ],
)
def test_held_again_after_any_task_of_it_began_it_stays_held(records: list[JobRecord]) -> None:
    """slurmctld was rolled back (TRAP F5): one task of ten that slurmdbd knows to have begun is enough."""
    seen = array_view()
    known = read([held_rest()], seen)
    assert decide(seen, known, NOW).action == ReadAccounting(7)
    answered = learning.accounting_read(known, map(in_slurmdbd, records), view=seen, backlog=0)
    decision = decide(seen, answered, NOW)
    assert decision.action is None
    assert reason_of(decision, ConditionType.STALLED) == ("True", "StateRolledBack")


def test_held_and_never_begun_by_slurmdbds_word_it_is_released() -> None:
    seen = array_view()
    known = read([held_rest()], seen)
    answered = learning.accounting_read(known, [in_slurmdbd(rest("0-9"))], view=seen, backlog=0)
    assert decide(seen, answered, NOW).action == Release(7)


def test_tasks_that_somebody_holds_are_not_released() -> None:
    seen = array_view()
    known = read([rest("1-8", held=True, reason="JobHeldAdmin"), task(0), rest("9")], seen, facts(recorded_here="7"))
    assert decide(seen, known, NOW).action is None


# --- Letting go --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "action"),
    [
        ([rest("1-9"), task(0)], Cancel(7)),
        ([task(0), task(1, "COMPLETED")], Cancel(7)),
        (
            [rest("1-9", {"CANCELLED"}), replace(task(0), states=frozenset({"CANCELLED", "COMPLETING"}))],
            RemoveFinalizer(),
        ),
        ([rest("1-9", {"CANCELLED"}), task(0, "CANCELLED")], RemoveFinalizer()),
        ([rest("5-9", {"CANCELLED"})], RemoveFinalizer()),
    ],
)
def test_an_object_that_is_deleted(parts: list[JobRecord], action: object) -> None:
    """Nothing that slurmctld has forgotten can run, however it ended."""
    seen = array_view(deleting=True, deletion_time="2027-01-15T08:00:00Z")
    assert decide(seen, read(parts, seen), NOW).action == action


# --- Its end, and another attempt --------------------------------------------------------------------------------


def over(*groups: tuple[str, Outcome]) -> Tasks:
    assert TEN is not None
    return Tasks(wanted=TEN.indexes, ended=tuple((outcome, IndexSet.parse(text)) for text, outcome in groups))


@pytest.mark.parametrize(
    ("tasks", "reason", "message", "code"),
    [
        (over(("0-9", COMPLETED)), "Completed", "All 10 tasks of Slurm job 7 completed.", 0),
        (
            over(("0-7", COMPLETED), ("8-9", FAILED)),
            "NonZeroExitCode",
            "2 of 10 tasks of Slurm job 7 failed: 2 NonZeroExitCode, exit code 3 (8-9).",
            3,
        ),
        (
            over(("0-6", STOPPED), ("7", FAILED), ("8-9", Outcome(state="FAILED", reason=Reason.SIGNALED, signal=9))),
            "Signaled",
            "10 of 10 tasks of Slurm job 7 failed: 1 NonZeroExitCode, exit code 3 (7); 2 Signaled, signal 9 (8-9); "
            "7 Cancelled (0-6).",
            3,
        ),
    ],
)
def test_how_the_whole_ended(tasks: Tasks, reason: str, message: str, code: int) -> None:
    record = arrays.whole(arrays.together([task(0, "COMPLETED")]), tasks)
    end = arrays.end_of_job(record)
    assert (end.reason, end.message, end.succeeded) == (reason, message, reason == "Completed")
    assert record.exit_code == code
    assert record.end_time == START + 9


def test_another_attempt_is_of_those_that_may_end_otherwise() -> None:
    seen = array_view(backoff_limit=1)
    ends = [task(0, "FAILED"), task(1, "CANCELLED"), *(task(index, "COMPLETED") for index in range(2, 10))]
    failed = decide(seen, replace(read(ends, seen), usage=UsageAnswer()), NOW)
    assert failed.status.state == "Retrying"
    retried = replace(seen, status=failed.status)
    assert str(arrays.remaining(retried)) == "0"
    second = replace(seen, status=progress.opened(retried, facts(), now=NOW + 20))
    assert arrays.option(second) == "0%3"
    assert arrays.option(seen) is None, "the template's own text"
    array = second.status.array
    assert array is not None
    assert (array.pending, array.succeeded, array.failed, array.progress) == (1, 8, 1, "9/10")
    assert (array.succeeded_indexes, array.failed_indexes) == ("2-9", "1")


def test_indexes_that_cannot_be_written_down_are_not_tried_again() -> None:
    spec = spec_of("0-40000")
    assert spec is not None
    seen = replace(array_view(backoff_limit=1), array=spec)
    odd, even = IndexSet.of(range(1, 40_001, 2)), IndexSet.of(range(0, 40_001, 2))
    ends = [task(0, "FAILED", indexes=even), task(1, "COMPLETED", indexes=odd)]
    decision = decide(seen, replace(read(ends, seen), usage=UsageAnswer()), NOW)
    assert reason_of(decision, ConditionType.FAILED) == ("True", "IndexSetTooLarge")
    array = decision.status.array
    assert array is not None
    assert (array.failed, array.succeeded, array.failed_indexes, array.succeeded_indexes) == (
        20_001,
        20_000,
        None,
        None,
    )
    assert [group.indexes for group in array.failures] == [None]


def test_with_many_kinds_of_failures_details_are_left_out_not_tasks() -> None:
    kinds = [Outcome(state="FAILED", reason=Reason.NON_ZERO_EXIT_CODE, exit_code=code + 1) for code in range(30)]
    ended = tuple((kind, IndexSet.of([index])) for index, kind in enumerate(kinds))
    status = array_status(Tasks(wanted=IndexSet.parse("0-30"), ended=(*ended, (STOPPED, IndexSet.of([30])))))
    assert len(status.failures) <= MOST_FAILURES
    assert [(it.reason, it.exit_code, it.indexes) for it in status.failures] == [
        ("Cancelled", None, "30"),
        ("NonZeroExitCode", None, "0-29"),
    ]


# --- Properties --------------------------------------------------------------------------------------------------

OUTCOMES = st.sampled_from([COMPLETED, FAILED, STOPPED, Outcome(state="FAILED", reason=Reason.SIGNALED, signal=9)])
ENDS = st.dictionaries(st.integers(0, 30), OUTCOMES, max_size=30)


@given(ENDS, ENDS)
def test_the_newer_end_of_a_task_counts(old: dict[int, Outcome], new: dict[int, Outcome]) -> None:
    known = with_ended((), ((outcome, IndexSet.of([index])) for index, outcome in old.items()))
    both = with_ended(known, ((outcome, IndexSet.of([index])) for index, outcome in new.items()))
    assert {index: outcome for outcome, indexes in both for index in indexes} == old | new
    kept = without(both, IndexSet.of(new))
    assert {index for _, indexes in kept for index in indexes} == set(old) - set(new)


@given(ENDS)
def test_a_status_tells_a_later_process_all_it_has_to_know(ends: dict[int, Outcome]) -> None:
    known = with_ended((), ((outcome, IndexSet.of([index])) for index, outcome in ends.items()))
    tasks = Tasks(wanted=IndexSet.parse("0-30"), ended=known)
    status = array_status(tasks)
    assert dict(known_of(status)) == dict(known)
    again = for_another_attempt(status)
    assert again is not None
    final = {index for index, outcome in ends.items() if outcome in (COMPLETED, STOPPED)}
    assert (again.total, again.pending, again.running) == (31, 31 - len(final), 0)
    assert {index for _, indexes in known_of(again) for index in indexes} == final


def test_a_comment_of_somebody_elses_proves_nothing_of_a_task() -> None:
    seen = array_view()
    strange = task(0, "FAILED", comment=comment(uid="somebody-elses"))
    known = learning.accounting_read(read([rest("1-9")], seen), [in_slurmdbd(strange)], view=seen, backlog=0)
    assert sets(known) == ("1-9", "", "", "", "0")
