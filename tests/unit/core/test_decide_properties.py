"""What holds of every decision, whatever is known: it never raises, it comes to rest, and it keeps the two rules."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from slurmjob_operator.api.conditions import ConditionType, Reason
from slurmjob_operator.api.slurmjob import DeletionPolicy
from slurmjob_operator.api.status import SlurmJobStatus
from slurmjob_operator.core import attempts, marker, progress
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core.decide import decide
from slurmjob_operator.core.decision import AddFinalizer, Cancel, Decision, ReadJob, Release, RemoveFinalizer, Submit
from slurmjob_operator.core.identity import Identity, identify
from slurmjob_operator.core.records import Accepted, JobRecord, Source
from slurmjob_operator.core.states import HARMLESS_FLAGS, TERMINAL, End, is_over
from slurmjob_operator.core.times import rfc3339
from slurmjob_operator.core.view import (
    ConnectionFacts,
    Deferral,
    Facts,
    JobView,
    NotKnown,
    Rejection,
    Trouble,
    Unconfirmed,
)
from tests.unit.core.values import (
    AWAY,
    CONNECTION,
    HASH,
    NOW,
    OPENED,
    OTHER_HASH,
    comment,
    ended,
    opened,
    record,
    recorded,
    rejected,
    running,
    view,
)

FLAGS = [*sorted(HARMLESS_FLAGS), "COMPLETING", "REQUEUED", "REQUEUE_HOLD", "CONFIGURING", "A_FLAG_OF_TOMORROW"]
LIVING = ["PENDING", "RUNNING", "SUSPENDED"]
TIMES = st.sampled_from([OPENED - 4000, OPENED, OPENED + 10, NOW - 1, NOW, NOW + 4000])

STATUSES = [
    SlurmJobStatus(),
    opened(),
    recorded(),
    running(),
    rejected(),
    ended(),
    progress.waiting(view(), reason=Reason.CONNECTION_NOT_FOUND, message="missing", now=OPENED),
    progress.rejected(view(), reason=Reason.INVALID_TEMPLATE, message="bad", now=OPENED),
    progress.unknown(view(opened()), reason=Reason.SUBMISSION_UNCONFIRMED, message="?", now=OPENED),
    progress.unsynced(view(running()), reason=Reason.CLUSTER_UNREACHABLE, message="away", now=OPENED),
    progress.unknown(view(running()), reason=Reason.STATE_ROLLED_BACK, message="?", now=OPENED),
    progress.cancelling(view(running()), now=OPENED),
    progress.decided(view(recorded()), End(succeeded=False, reason=Reason.RELEASE_REFUSED, message="no"), now=OPENED),
]

statuses = st.builds(
    lambda status, changes: replace(status, **changes),
    st.sampled_from(STATUSES),
    st.fixed_dictionaries(
        {},
        optional={
            "observed_generation": st.sampled_from([-1, 1, 2]),
            "job_id": st.sampled_from([None, "7", "9"]),
            "attempt": st.sampled_from([None, 1, 2]),
            "attempt_time": st.none() | TIMES.map(rfc3339),
            "template_hash": st.sampled_from([None, HASH, OTHER_HASH]),
            "user": st.sampled_from([None, "alice", "bob"]),
            "submit_time": st.none() | TIMES.map(rfc3339),
            "start_time": st.none() | TIMES.map(rfc3339),
            "slurm": st.none(),
        },
    ),
)

views = st.builds(
    view,
    statuses,
    generation=st.sampled_from([1, 2]),
    template_hash=st.sampled_from([HASH, HASH, OTHER_HASH]),
    has_finalizer=st.booleans(),
    deleting=st.booleans(),
    deletion_policy=st.sampled_from(DeletionPolicy),
)

comments = st.sampled_from(
    [
        "",
        "the site's own",
        comment(),
        comment(released=True),
        comment(template_hash=OTHER_HASH),
        comment(attempt=2),
        comment(uid="another"),
        "[slurmjob.dev/2 from the future]",
    ]
)

records = st.builds(
    lambda base, flags, **rest: record({base, *flags} - {""}, **rest),
    st.sampled_from([*LIVING, *sorted(TERMINAL), ""]),
    st.frozensets(st.sampled_from(FLAGS), max_size=2),
    source=st.sampled_from(Source),
    job_id=st.sampled_from([7, 9]),
    user=st.sampled_from(["alice", "alice", "bob"]),
    name=st.sampled_from(["wing", "wing", "other"]),
    comment=comments,
    held=st.booleans(),
    reason=st.sampled_from([None, "None", "Priority", "JobLaunchFailure", "Resources, Priority"]),
    restarts=st.integers(0, 2),
    submit_time=st.none() | TIMES.map(int),
    start_time=st.none() | st.just(0) | TIMES.map(int),
    end_time=st.none() | TIMES.map(int),
    exit_code=st.sampled_from([None, 0, 3]),
    signal=st.sampled_from([None, 0, 9, 53]),
    time_limit_seconds=st.sampled_from([None, 0, 3600]),
)

troubles = st.none() | st.sampled_from([AWAY, replace(AWAY, retry_at=NOW - 1)])
submissions = st.sampled_from(
    [
        Accepted(job_id=7),
        Accepted(job_id=9, messages=("hello",)),
        Rejection(message="never", generation=1),
        Rejection(message="never", generation=2),
        Deferral(message="later", until=NOW + 9),
        Deferral(message="later", until=NOW),
        Unconfirmed(at=NOW - 1),
        Unconfirmed(at=NOW - 15),
    ]
)

everything = st.builds(
    Facts,
    connection=st.sampled_from(
        [
            CONNECTION,
            CONNECTION,
            ConnectionFacts(problem=Trouble(reason=Reason.TOKEN_EXPIRED, message="", retry_at=NOW)),
        ]
    ),
    invalid=st.sampled_from([None, None, "template.time: soon"]),
    trouble=troubles,
    finalizer_here=st.booleans(),
    fresh=st.booleans(),
    submission=st.none() | submissions,
    unconfirmed=st.integers(0, 3),
    search=st.none() | st.lists(records, max_size=3).map(tuple),
    searched_at=TIMES,
    controller=st.none() | records | TIMES.map(lambda since: NotKnown(since=since)),
    accounting=st.none() | st.lists(records, max_size=3).map(tuple),
    backlog=st.sampled_from([None, 0, 3]),
    recorded_here=st.sampled_from([None, "7", "9"]),
    releases=st.integers(0, 2),
    released_at=st.none() | TIMES,
    release_refused=st.sampled_from([None, None, "the site says no"]),
    cancelled_at=st.none() | TIMES,
)

known_jobs = st.builds(
    lambda known, controller: replace(known, connection=CONNECTION, trouble=None, controller=controller),
    everything,
    st.builds(
        lambda found, **sure: replace(found, states=frozenset({"PENDING"}), **sure),
        records,
        held=st.sampled_from([True, True, False]),
        comment=st.sampled_from([comment(), comment(), comment(uid="another"), comment(released=True), ""]),
    ),
)
"""The connection works and slurmctld knows a job under the recorded id: where releases and cancellations happen."""

recorded_views = st.builds(
    view, st.sampled_from([recorded(), running()]), deleting=st.booleans(), generation=st.sampled_from([1, 2])
)

many = settings(max_examples=100, deadline=None)


def _written_first(status: SlurmJobStatus) -> tuple[object, ...]:
    """What a status write makes durable before something is done about it."""
    moving = edit.find(status.conditions, ConditionType.RECONCILING)
    return (
        *(status.job_id, status.template_hash, status.attempt, status.user, status.release_time, len(status.attempts)),
        attempts.unknown_reason(status),
        moving is not None and moving.reason == Reason.RELEASE_REFUSED,
    )


@many
@given(views, everything)
def test_it_comes_to_rest(seen: JobView, known: Facts) -> None:
    """Decided again on what was written, with the facts unchanged, nothing more is written. What is durable before
    the next effect (see `_written_first`) asks for other rules: those write once each."""
    moves = 0
    while True:
        decision = decide(seen, known, NOW)
        assert isinstance(decision, Decision)
        after = replace(seen, status=decision.status)
        if decision.action is None and decision.status == seen.status:
            return
        again = decide(after, known, NOW)
        if _written_first(after.status) == _written_first(seen.status):
            assert again.status == after.status
            ends = edit.is_true(after.status.conditions, ConditionType.FINISHED)
            assert again.action == decision.action or (ends and isinstance(again.action, RemoveFinalizer))
            return
        moves += 1
        assert moves <= 3
        assert decision.action is None, "what was opened or recorded is durable before anything is done"
        seen = after


@many
@given(views, everything)
def test_a_recorded_job_id_is_never_replaced(seen: JobView, known: Facts) -> None:
    after = decide(seen, known, NOW).status
    if seen.status.job_id is not None:
        assert after.job_id == seen.status.job_id
    if seen.status.first_submit_time is not None:
        assert after.first_submit_time == seen.status.first_submit_time
    if after.job_id is not None and seen.status.job_id is None:
        assert after.template_hash == seen.status.template_hash
        assert not seen.deleting
        assert after.first_submit_time is not None


@many
@given(recorded_views, known_jobs)
def test_only_a_recorded_job_that_is_proven_ours_is_released(seen: JobView, known: Facts) -> None:
    action = decide(seen, known, NOW).action
    if not isinstance(action, Release):
        return
    assert str(action.job_id) == seen.status.job_id
    assert isinstance(known.controller, JobRecord)
    assert identify(seen, known.controller) is Identity.OURS
    assert known.controller.held
    assert not seen.deleting
    assert known.release_refused is None


@many
@given(views, everything)
def test_nothing_is_submitted_before_the_attempt_stands(seen: JobView, known: Facts) -> None:
    action = decide(seen, known, NOW).action
    if isinstance(action, Submit):
        assert seen.has_finalizer
        assert not seen.deleting
        assert seen.status.job_id is None
        assert seen.status.attempt is not None
        assert seen.status.template_hash == seen.template_hash
        assert known.invalid is None
        assert known.connection.problem is None
        assert known.fresh or known.search is not None, "what may have been submitted is looked for first"
    if isinstance(action, AddFinalizer):
        assert not seen.has_finalizer
        assert not seen.deleting
    if isinstance(action, RemoveFinalizer):
        assert seen.has_finalizer
        assert seen.deleting or edit.is_true(seen.status.conditions, ConditionType.FINISHED)
    if isinstance(action, ReadJob):
        assert str(action.job_id) == seen.status.job_id


@many
@given(recorded_views | views, known_jobs)
def test_nobody_elses_job_is_cancelled(seen: JobView, known: Facts) -> None:
    action = decide(seen, known, NOW).action
    if not isinstance(action, Cancel):
        return
    in_hand = isinstance(known.submission, Accepted) and known.submission.job_id == action.job_id
    marked = any(
        found.job_id == action.job_id and (mark := marker.parse(found.comment)) is not None and mark.uid == seen.uid
        for found in known.search or ()
    )
    read = (
        isinstance(known.controller, JobRecord)
        and str(action.job_id) == seen.status.job_id
        and identify(seen, known.controller) is Identity.OURS
    )
    assert in_hand or marked or read


@many
@given(views, everything)
def test_only_a_record_says_that_a_job_is_over(seen: JobView, known: Facts) -> None:
    before = edit.is_true(seen.status.conditions, ConditionType.FINISHED)
    after = decide(seen, known, NOW).status
    if before:
        assert after == seen.status
    elif edit.is_true(after.conditions, ConditionType.FINISHED):
        if isinstance(known.submission, Rejection) and seen.status.job_id is None:
            assert (after.failed, seen.status.first_submit_time is not None) == (1, True), "a retry that Slurm refuses"
            return
        said = [*([known.controller] if isinstance(known.controller, JobRecord) else ()), *(known.accounting or ())]
        ends = [found for found in said if is_over(found.states) and identify(seen, found) is Identity.OURS]
        assert ends
        if after.succeeded:
            assert any("COMPLETED" in found.states for found in ends)
        assert after.end_time is not None
        assert (after.active, (after.succeeded or 0) + (after.failed or 0)) == (0, 1)


@many
@given(views, everything)
def test_kstatus_reads_either_moving_or_stuck(seen: JobView, known: Facts) -> None:
    conditions = decide(seen, known, NOW).status.conditions
    types = [condition.type for condition in conditions]
    assert len(set(types)) == len(types), "a list keyed by type"
    assert not {ConditionType.RECONCILING, ConditionType.STALLED} <= set(types)
    assert not edit.is_true(conditions, ConditionType.COMPLETE) or not edit.is_true(conditions, ConditionType.FAILED)
