"""Each rule by its name: from what is known to the next status and the one next action."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slurmjob_operator.api.conditions import ConditionType, Reason
from slurmjob_operator.api.status import SlurmJobStatus, Usage
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core import learning, progress
from slurmjob_operator.core.attempts import open_attempt
from slurmjob_operator.core.decide import decide
from slurmjob_operator.core.decision import (
    AddFinalizer,
    Cancel,
    Decision,
    ReadAccounting,
    ReadJob,
    ReadUpSince,
    Release,
    RemoveFinalizer,
    Search,
    Submit,
)
from slurmjob_operator.core.recorded import RELEASE_AGAIN_SECONDS
from slurmjob_operator.core.records import Accepted, JobRecord, Source
from slurmjob_operator.core.undecided import LOST_SECONDS
from slurmjob_operator.core.unrecorded import LATE_SUBMISSION_SECONDS, MOST_UNCONFIRMED
from slurmjob_operator.core.view import (
    ConnectionFacts,
    Deferral,
    Facts,
    JobView,
    NotKnown,
    Rejection,
    Trouble,
    Unconfirmed,
    UsageAnswer,
)

NOW = 1_800_000_000.0
UP = ConnectionFacts(user="alice", cluster_name="campus")
KNOWN = Facts(connection=UP)
AWAY = Trouble(reason=Reason.CLUSTER_UNREACHABLE, message="away", retry_at=NOW + 5)

NEW = JobView(
    uid="u-1",
    namespace="ns",
    name="wing",
    generation=1,
    resource_version="1",
    connection="campus",
    template_hash="ab",
    slurm_name="wing",
    has_finalizer=True,
)


def _with(view: JobView, status: SlurmJobStatus) -> JobView:
    return replace(view, status=status)


OPEN = _with(NEW, decide(NEW, KNOWN, NOW).status)
"""The attempt is opened, nothing is recorded."""

RECORDED = _with(OPEN, decide(OPEN, replace(KNOWN, submission=Accepted(job_id=7)), NOW).status)
"""Job 7 is recorded."""

HELD = JobRecord(
    source=Source.CONTROLLER,
    job_id=7,
    user="alice",
    name="wing",
    states=frozenset({"PENDING"}),
    held=True,
    reason="JobHeldUser",
    comment="[slurmjob.dev/1 i=x o=ns/wing u=u-1 a=1 h=ab]",
    submit_time=int(NOW),
)
RELEASED = replace(HELD, held=False, reason="Priority", comment=HELD.comment.replace("]", " released]"))
RUNNING = replace(RELEASED, states=frozenset({"RUNNING"}), reason="None", start_time=int(NOW) + 1, nodes="n1")
ENDED = replace(RUNNING, states=frozenset({"COMPLETED"}), end_time=int(NOW) + 2, exit_code=0)
REFUSED = _with(RECORDED, progress.release_refused(RECORDED, message="the site says no", now=NOW))
AT_ITS_END = replace(KNOWN, usage=UsageAnswer(usage=Usage(elapsed_seconds=2)))
NO_SLURMDBD = replace(KNOWN.connection, accounting=False)
SUBMITTED = int(NOW)
LAGGING = replace(KNOWN, connection=replace(UP, accounting_lags=True), controller=HELD, accounting=(HELD,), backlog=0)
"""As on 22.05: slurmdbd says that it waits, and would say so seconds after the start too."""


def _reason(decision: Decision, kind: ConditionType) -> str | None:
    condition = edit.find(decision.status.conditions, kind)
    return condition.reason if condition else None


@pytest.mark.parametrize(
    ("rule", "view", "facts", "action"),
    [
        ("without_finalizer", replace(NEW, has_finalizer=False), KNOWN, AddFinalizer()),
        ("attempt_not_open", NEW, KNOWN, None),
        ("opened_by_this_process", OPEN, replace(KNOWN, fresh=True), Submit()),
        ("not_searched", OPEN, KNOWN, Search()),
        ("nothing_found", OPEN, replace(KNOWN, search=()), Submit()),
        ("twin_held", OPEN, replace(KNOWN, search=(replace(HELD, comment=HELD.comment.replace("h=ab", "h=cd")),)),
         Cancel(7)),
        ("accepted_too_late, the template was edited", replace(OPEN, template_hash="cd"),
         replace(KNOWN, submission=Accepted(job_id=9), sent_for=open_attempt(OPEN)), Cancel(9)),
        ("accepted_too_late, the next attempt is open", _with(OPEN, replace(OPEN.status, attempt=2)),
         replace(KNOWN, submission=Accepted(job_id=9), sent_for=open_attempt(OPEN)), Cancel(9)),
        ("late_submission_possible", OPEN, replace(KNOWN, submission=Unconfirmed(at=NOW), search=(), searched_at=NOW),
         None),
        ("late_submission_settled", OPEN,
         replace(KNOWN, submission=Unconfirmed(at=NOW - LATE_SUBMISSION_SECONDS), search=(), searched_at=NOW - 1),
         Search()),
        ("not_read", RECORDED, KNOWN, ReadJob(7)),
        ("accepted_too_late, another id is recorded", RECORDED,
         replace(KNOWN, submission=Accepted(job_id=9)), Cancel(9)),
        ("not_known_to_slurmctld", RECORDED, replace(KNOWN, controller=NotKnown(since=NOW)), ReadAccounting(7)),
        ("held_without_note, recorded here", RECORDED, replace(KNOWN, controller=HELD, recorded_here="7"), Release(7)),
        ("held_without_note, after a restart", RECORDED, replace(KNOWN, controller=HELD), ReadAccounting(7)),
        ("held_without_note, sent already", RECORDED, replace(KNOWN, controller=HELD, recorded_here="7", releases=1),
         ReadAccounting(7)),
        ("held_without_note, slurmdbd says it waits", RECORDED,
         replace(KNOWN, controller=HELD, accounting=(HELD,), backlog=0), Release(7)),
        ("held_without_note, slurmdbd says it waits, released just now", RECORDED,
         replace(KNOWN, controller=HELD, accounting=(HELD,), backlog=0, released_at=NOW - 1), None),
        ("held_without_note, released just now: slurmdbd is not asked yet", RECORDED,
         replace(KNOWN, controller=HELD, released_at=NOW - 1), None),
        ("held_without_note, slurmdbd says it waits, released a while ago", RECORDED,
         replace(KNOWN, controller=HELD, accounting=(HELD,), backlog=0, released_at=NOW - RELEASE_AGAIN_SECONDS),
         Release(7)),
        ("held_without_note, slurmdbd lags", RECORDED,
         replace(KNOWN, controller=HELD, accounting=(HELD,), backlog=3), None),
        ("held_without_note, slurmdbd knows nothing", RECORDED,
         replace(KNOWN, controller=HELD, accounting=(), backlog=0), None),
        ("held_without_note, it began", RECORDED,
         replace(KNOWN, controller=HELD, accounting=(replace(RUNNING, source=Source.ACCOUNTING),), backlog=0), None),
        ("held_without_note, a lagging slurmdbd says it waits", RECORDED, LAGGING, ReadUpSince()),
        ("held_without_note, it lags, slurmctld was up all the time", RECORDED,
         replace(LAGGING, up_since=SUBMITTED - 1), Release(7)),
        ("held_without_note, it lags, slurmctld was up all the time, released just now", RECORDED,
         replace(LAGGING, up_since=SUBMITTED - 1, released_at=NOW), None),
        ("held_without_note, it lags, slurmctld came up in that second", RECORDED,
         replace(LAGGING, up_since=SUBMITTED), None),
        ("held_without_note, it lags, slurmctld came up since", RECORDED,
         replace(LAGGING, up_since=SUBMITTED + 5), None),
        ("held_without_note, it lags, slurmctld was up, and Slurm requeued it", RECORDED,
         replace(LAGGING, up_since=SUBMITTED - 1, controller=replace(HELD, restarts=1)), None),
        ("held_without_note, it lags, slurmctld does not say", RECORDED, replace(LAGGING, up_since=0), None),
        ("held with the note", RECORDED, replace(KNOWN, controller=replace(RELEASED, held=True)), None),
        ("release_refused, not said yet", RECORDED, replace(KNOWN, controller=HELD, release_refused="no"), None),
        ("release_refused", REFUSED, replace(KNOWN, controller=HELD), Cancel(7)),
        ("release_refused, and somebody else released it", RECORDED,
         replace(KNOWN, controller=RUNNING, release_refused="no"), None),
        ("accepted_too_late, ended meanwhile",
         _with(RECORDED, decide(RECORDED, replace(AT_ITS_END, controller=ENDED), NOW).status),
         replace(KNOWN, submission=Accepted(job_id=9)), Cancel(9)),
        ("unconfirmed_elsewhere", OPEN, replace(KNOWN, fresh=True, unconfirmed_elsewhere=2), None),
        ("opened for another user", OPEN, replace(KNOWN, connection=replace(KNOWN.connection, user="bob")), None),
        ("without slurmdbd, before the release is noted", RECORDED,
         replace(KNOWN, connection=NO_SLURMDBD, controller=HELD, recorded_here="7"), None),
        ("without slurmdbd, the release is noted", _with(RECORDED, progress.releasing(RECORDED, now=NOW)),
         replace(KNOWN, connection=NO_SLURMDBD, controller=HELD, noted_here=True), Release(7)),
        ("without slurmdbd, sent already", _with(RECORDED, progress.releasing(RECORDED, now=NOW)),
         replace(KNOWN, connection=NO_SLURMDBD, controller=HELD, noted_here=True, releases=1), None),
        ("without slurmdbd, released perhaps by an earlier process",
         _with(RECORDED, progress.releasing(RECORDED, now=NOW)),
         replace(KNOWN, connection=NO_SLURMDBD, controller=HELD), None),
        ("comment rewritten before the release", RECORDED,
         replace(KNOWN, controller=replace(HELD, comment="mine"), recorded_here="7"), Release(7)),
        ("comment rewritten, after a restart", RECORDED,
         replace(KNOWN, controller=replace(HELD, comment="mine")), None),
        ("finished", _with(RECORDED, decide(RECORDED, replace(AT_ITS_END, controller=ENDED), NOW).status), KNOWN,
         RemoveFinalizer()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_next_action(rule: str, view: JobView, facts: Facts, action: Any) -> None:
    assert decide(view, facts, NOW).action == action


@pytest.mark.parametrize(
    ("view", "facts", "state", "condition", "reason"),
    [
        (NEW, KNOWN, "Submitting", ConditionType.RECONCILING, Reason.SUBMISSION_PENDING),
        (NEW, Facts(connection=ConnectionFacts(problem=AWAY)), "Waiting", ConditionType.SUBMITTED,
         Reason.CLUSTER_UNREACHABLE),
        (NEW, replace(KNOWN, invalid="template.mem: bad"), "Rejected", ConditionType.STALLED, Reason.INVALID_TEMPLATE),
        (OPEN, replace(KNOWN, submission=Rejection(message="no", generation=1)), "Rejected", ConditionType.STALLED,
         Reason.SUBMISSION_REJECTED),
        (OPEN, replace(KNOWN, submission=Deferral(message="full", until=NOW + 9)), "Waiting", ConditionType.SUBMITTED,
         Reason.SUBMISSION_PENDING),
        (OPEN, replace(KNOWN, submission=Unconfirmed(at=NOW), search=(), searched_at=NOW), "Waiting",
         ConditionType.SUBMITTED, Reason.SUBMISSION_UNCONFIRMED),
        (OPEN, replace(KNOWN, unconfirmed=MOST_UNCONFIRMED, search=()), "Unknown", ConditionType.STALLED,
         Reason.SUBMISSION_UNCONFIRMED),
        (OPEN, replace(KNOWN, submission=Accepted(job_id=7)), "Pending", ConditionType.SUBMITTED, Reason.ACCEPTED),
        (OPEN, replace(KNOWN, search=(RUNNING,)), "Pending", ConditionType.SUBMITTED, Reason.ACCEPTED),
        (RECORDED, replace(KNOWN, controller=RELEASED), "Pending", ConditionType.RECONCILING, Reason.PENDING_IN_QUEUE),
        (RECORDED, replace(KNOWN, controller=replace(RELEASED, held=True)), "Held", ConditionType.RECONCILING,
         Reason.HELD),
        (RECORDED, replace(KNOWN, controller=RUNNING), "Running", ConditionType.RECONCILING, Reason.RUNNING),
        (RECORDED, replace(KNOWN, controller=replace(RUNNING, states=frozenset({"SUSPENDED"}))), "Suspended",
         ConditionType.RECONCILING, Reason.SUSPENDED_IN_SLURM),
        (RECORDED, replace(KNOWN, controller=replace(ENDED, states=frozenset({"COMPLETED", "COMPLETING"}))),
         "Completing", ConditionType.RECONCILING, Reason.COMPLETING),
        (RECORDED, replace(AT_ITS_END, controller=ENDED), "Complete", ConditionType.COMPLETE, Reason.COMPLETED),
        (RECORDED, replace(AT_ITS_END, controller=replace(ENDED, states=frozenset({"FAILED"}), exit_code=3)), "Failed",
         ConditionType.STALLED, Reason.NON_ZERO_EXIT_CODE),
        (RECORDED, replace(KNOWN, controller=NotKnown(since=NOW), accounting=(ENDED,)), "Complete",
         ConditionType.FINISHED, Reason.COMPLETED),
        (RECORDED, replace(KNOWN, trouble=AWAY), "Pending", ConditionType.SYNCED, Reason.CLUSTER_UNREACHABLE),
        (RECORDED, replace(KNOWN, controller=NotKnown(since=NOW), accounting=()), "Pending", ConditionType.SYNCED,
         Reason.JOB_NOT_FOUND),
        (RECORDED, replace(KNOWN, controller=NotKnown(since=NOW), accounting=(replace(RUNNING),)), "Pending",
         ConditionType.SYNCED, Reason.JOB_NOT_FOUND),
        (RECORDED, replace(KNOWN, controller=replace(RUNNING, comment="", name="x")), "Pending", ConditionType.SYNCED,
         Reason.IDENTITY_UNPROVEN),
        (RECORDED, replace(KNOWN, controller=HELD, accounting=(RUNNING,), backlog=0), "Unknown", ConditionType.STALLED,
         Reason.STATE_ROLLED_BACK),
        (REFUSED, replace(AT_ITS_END, controller=replace(ENDED, states=frozenset({"CANCELLED"}))), "Failed",
         ConditionType.FAILED, Reason.RELEASE_REFUSED),
        (RECORDED, replace(KNOWN, connection=NO_SLURMDBD, controller=HELD), "Pending", ConditionType.RECONCILING,
         Reason.PENDING_IN_QUEUE),
    ],
)  # fmt: skip
def test_next_status(view: JobView, facts: Facts, state: str, condition: ConditionType, reason: Reason) -> None:
    decision = decide(view, facts, NOW)
    assert decision.status.state == state
    assert _reason(decision, condition) == reason
    assert decision.status.observed_generation == view.generation
    both = {ConditionType.RECONCILING, ConditionType.STALLED}
    assert len({c.type for c in decision.status.conditions} & both) <= 1, "kstatus reads either, never both"


def test_trouble_is_over_at_its_time() -> None:
    decision = decide(RECORDED, replace(KNOWN, trouble=AWAY), AWAY.retry_at)
    assert decision.action == ReadJob(7)


def test_a_strangers_record_is_no_record() -> None:
    stranger = replace(ENDED, user="bob", comment="")
    decision = decide(RECORDED, replace(KNOWN, controller=stranger), NOW)
    assert decision.action == ReadAccounting(7)
    decision = decide(RECORDED, replace(KNOWN, controller=stranger, accounting=(stranger,)), NOW)
    assert _reason(decision, ConditionType.SYNCED) == Reason.JOB_NOT_FOUND
    assert decision.status.state == "Pending"


def test_a_refusal_stands_until_the_object_is_edited() -> None:
    refused = _with(OPEN, decide(OPEN, replace(KNOWN, submission=Rejection(message="no", generation=1)), NOW).status)
    assert decide(refused, KNOWN, NOW + 99) == Decision(status=refused.status)
    edited = replace(refused, generation=2, template_hash="cd")
    assert decide(edited, KNOWN, NOW + 99).status.state == "Submitting"


def test_a_refusal_is_kept_through_an_outage() -> None:
    """Else the state would go to and fro with each outage, with an event each time."""
    facts = replace(KNOWN, submission=Rejection(message="no", generation=1))
    refused = _with(OPEN, decide(OPEN, facts, NOW).status)
    away = replace(facts, connection=ConnectionFacts(user="alice", cluster_name="campus", problem=AWAY))
    assert decide(refused, away, NOW) == Decision(status=refused.status)
    assert decide(OPEN, away, NOW).status.state == "Rejected", "and is told even when the outage came first"


def test_an_edit_of_anything_asks_again() -> None:
    facts = replace(KNOWN, submission=Rejection(message="no", generation=1))
    refused = _with(OPEN, decide(OPEN, facts, NOW).status)
    assert decide(replace(refused, generation=2), facts, NOW).action == Search()


def test_an_adopted_job_is_preferably_one_that_is_not_held() -> None:
    decision = decide(OPEN, replace(KNOWN, search=(HELD, replace(RUNNING, job_id=9))), NOW)
    assert decision.status.job_id == "9"


def test_a_found_job_of_another_user_is_not_adopted() -> None:
    decision = decide(OPEN, replace(KNOWN, search=(replace(HELD, user="bob"),)), NOW)
    assert decision.action == Submit()


@pytest.mark.parametrize("facts", [KNOWN, replace(KNOWN, controller=RUNNING), replace(KNOWN, trouble=AWAY)])
def test_deciding_again_on_what_was_written_changes_nothing(facts: Facts) -> None:
    first = decide(RECORDED, facts, NOW)
    second = decide(_with(RECORDED, first.status), facts, NOW + 1)
    assert second.status == first.status
    assert second.events == ()


@pytest.mark.parametrize(
    ("up_since", "later", "state", "reason"),
    [
        (SUBMITTED + 5, 0, "Unknown", Reason.STATE_ROLLED_BACK),
        (0, 0, "Pending", Reason.ACCOUNTING_UNAVAILABLE),
        (0, LOST_SECONDS, "Unknown", Reason.STATE_ROLLED_BACK),
    ],
)
def test_what_a_lagging_slurmdbd_says_is_no_proof(up_since: int, later: float, state: str, reason: Reason) -> None:
    """Waits while slurmctld may still say since when it has been up, then asks a person."""
    decision = decide(RECORDED, replace(LAGGING, up_since=up_since), SUBMITTED + later)
    condition = ConditionType.STALLED if state == "Unknown" else ConditionType.SYNCED
    assert (decision.action, decision.status.state, _reason(decision, condition)) == (None, state, reason)


def test_since_when_slurmctld_is_up_is_asked_anew_after_each_look_at_the_job() -> None:
    """A look that is newer than the answer may show what slurmctld has lost since."""
    known = learning.up_since_read(LAGGING, SUBMITTED - 1)
    assert known.up_since == SUBMITTED - 1
    assert learning.job_read(known, HELD, view=RECORDED, ours=True, now=NOW).up_since is None
    assert learning.up_since_read(LAGGING, None).up_since == 0


@pytest.mark.parametrize("notices", [(), ("--wait: nobody waits.",), ("--wait: nobody waits.", "--quiet: no.")])
def test_options_without_effect_are_told_in_the_condition_and_by_one_warning(notices: tuple[str, ...]) -> None:
    facts = replace(KNOWN, submission=Accepted(job_id=7, messages=("hello",)), notices=notices)
    decision = decide(OPEN, facts, NOW)
    submitted = edit.find(decision.status.conditions, ConditionType.SUBMITTED)
    assert submitted is not None
    assert submitted.message == " ".join(("Slurm accepted attempt 1 as job 7.", "It said: hello", *notices))
    warnings = [event.message for event in decision.events if event.warning]
    assert warnings == ([" ".join(notices)] if notices else [])
