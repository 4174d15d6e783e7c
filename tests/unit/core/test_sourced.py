"""Templates that take texts from ConfigMaps: read before each submission, and the same in every attempt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slurmjob_operator.api.conditions import ConditionType, Reason
from slurmjob_operator.api.status import SlurmJobStatus, Sourced
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core import progress
from slurmjob_operator.core.attempts import open_attempt, wanted_hash
from slurmjob_operator.core.decide import decide
from slurmjob_operator.core.decision import AddFinalizer, Cancel, Decision, ReadSources, Search, Submit
from slurmjob_operator.core.records import Accepted
from slurmjob_operator.core.unrecorded import LATEST_SOURCES_SECONDS, SOONEST_SOURCES_SECONDS
from slurmjob_operator.core.view import JobView, Rejection, Sources
from tests.unit.core.values import NOW, OPENED, facts, recorded, view

FILLED, OTHER = "f" * 16, "e" * 16
READ = Sources(template_hash=FILLED, script_hash="5c" * 32)
EDITED = Sources(template_hash=OTHER, script_hash="ed" * 32)
GONE = Sources(missing="template.scriptFrom: ConfigMap wing is not there, or the operator may not read it.")


def sourced(status: SlurmJobStatus | None = None, **changes: Any) -> JobView:
    return view(status, sourced=True, **changes)


def opened(sources: Sources = READ) -> SlurmJobStatus:
    return progress.opened(sourced(priority=9, hold=True), facts(sources=sources), now=OPENED)


def second_attempt() -> SlurmJobStatus:
    """Attempt 1 has failed; 2 is open, and nothing of it is recorded."""
    return replace(opened(), attempt=2, first_submit_time=recorded().first_submit_time)


def rejected() -> SlurmJobStatus:
    return progress.rejected(sourced(opened()), reason=Reason.SUBMISSION_REJECTED, message="no", now=OPENED)


def reason(decision: Decision, kind: ConditionType) -> str | None:
    condition = edit.find(decision.status.conditions, kind)
    return condition.reason if condition else None


@pytest.mark.parametrize(
    ("rule", "view", "known", "action"),
    [
        ("not read", sourced(), {}, ReadSources()),
        ("not read, the attempt is open", sourced(opened()), {}, ReadSources()),
        ("read", sourced(has_finalizer=False), {"sources": READ}, AddFinalizer()),
        ("the same as when it was opened", sourced(opened()), {"sources": READ}, Search()),
        ("the same as when it was opened, nothing sent", sourced(opened()), {"sources": READ, "fresh": True}, Submit()),
        ("another one than in the attempt before", sourced(second_attempt()), {"sources": EDITED}, None),
        ("the same as in the attempt before", sourced(second_attempt()), {"sources": READ}, Search()),
        ("accepted: recorded before anything is read again", sourced(opened()),
         {"submission": Accepted(job_id=7), "sent_for": open_attempt(sourced(opened()))}, None),
        ("accepted for what is not wanted any more", sourced(opened()),
         {"submission": Accepted(job_id=7), "sent_for": open_attempt(sourced(opened())), "sources": EDITED}, Cancel(7)),
        ("rejected, the same still", sourced(rejected()), {"sources": READ}, None),
        ("no ConfigMap is named", view(), {}, None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_next_action(rule: str, view: JobView, known: dict[str, Any], action: Any) -> None:
    assert decide(view, facts(**known), NOW).action == action, rule


def test_it_waits_for_a_configmap_that_is_not_there() -> None:
    decision = decide(sourced(), facts(sources=GONE), NOW)
    assert (decision.status.state, decision.status.attempt) == ("Waiting", None)
    assert reason(decision, ConditionType.SUBMITTED) == Reason.SOURCE_NOT_FOUND
    assert reason(decision, ConditionType.RECONCILING) == Reason.SOURCE_NOT_FOUND
    assert decision.recheck_at == NOW + SOONEST_SOURCES_SECONDS
    for later, after in ((20, 20), (3600, LATEST_SOURCES_SECONDS)):
        again = decide(sourced(decision.status), facts(sources=GONE), NOW + later)
        assert (again.status, again.recheck_at) == (decision.status, NOW + later + after)


def test_what_was_read_stands_in_the_opened_attempt() -> None:
    status = opened()
    assert status.template_hash == FILLED
    assert status.sourced == Sourced(script_hash=READ.script_hash, job_name="wing", hold=True, priority=9)


def test_what_was_read_is_forgotten_with_the_reference() -> None:
    """The template was edited: its script stands in it now."""
    assert progress.opened(view(opened()), facts(), now=OPENED).sourced is None
    assert progress.opened(sourced(opened()), facts(), now=OPENED).sourced == opened().sourced, "not read in this pass"


def test_variables_alone_leave_no_hash_of_a_script() -> None:
    assert opened(replace(READ, script_hash=None)).sourced is None


def test_an_edit_before_the_first_submission_opens_the_attempt_anew() -> None:
    decision = decide(sourced(opened()), facts(sources=EDITED), NOW)
    assert (decision.status.attempt, decision.status.template_hash) == (1, OTHER)
    assert decision.status.sourced == Sourced(script_hash=EDITED.script_hash, job_name="wing")


@pytest.mark.parametrize(
    ("edited", "words"),
    [
        (EDITED, f"the script (SHA-256 {READ.script_hash}, now {EDITED.script_hash})"),
        (replace(READ, template_hash=OTHER), "an environment variable"),
    ],
)
def test_a_later_attempt_of_something_else_is_not_submitted(edited: Sources, words: str) -> None:
    decision = decide(sourced(second_attempt()), facts(sources=edited, fresh=True), NOW)
    assert (decision.action, decision.status.state) == (None, "Rejected")
    assert reason(decision, ConditionType.STALLED) == Reason.SOURCE_CHANGED
    stalled = edit.find(decision.status.conditions, ConditionType.STALLED)
    assert stalled is not None
    assert f"{words} is another one than in the attempt before: attempt 2 is not submitted" in stalled.message
    assert decision.recheck_at == NOW + LATEST_SOURCES_SECONDS
    again = decide(sourced(decision.status), facts(sources=READ), NOW)
    assert again.action == Search(), "it was put back"


def test_a_script_that_is_no_good_is_read_again() -> None:
    decision = decide(sourced(), facts(sources=READ, invalid="template.script: no"), NOW)
    assert reason(decision, ConditionType.STALLED) == Reason.INVALID_TEMPLATE
    assert decision.recheck_at == NOW + SOONEST_SOURCES_SECONDS
    assert decide(view(), facts(invalid="template.script: no"), NOW).recheck_at is None


def test_what_slurm_refused_is_sent_again_when_the_configmap_is_another_one() -> None:
    refusal = {"submission": Rejection(message="no", generation=1), "sent_for": open_attempt(sourced(opened()))}
    told = decide(sourced(opened()), facts(sources=READ, **refusal), NOW)
    assert reason(told, ConditionType.SUBMITTED) == Reason.SUBMISSION_REJECTED
    assert told.recheck_at == NOW + LATEST_SOURCES_SECONDS
    kept = decide(sourced(told.status), facts(sources=READ), NOW)
    assert (kept.status, kept.action) == (told.status, None)
    assert decide(sourced(told.status), facts(sources=EDITED), NOW).status.template_hash == OTHER
    assert decide(sourced(told.status), facts(sources=EDITED, **refusal), NOW).status.template_hash == OTHER


def test_nothing_read_is_nothing_changed() -> None:
    assert wanted_hash(sourced(opened()), facts()) == FILLED
    assert wanted_hash(sourced(opened()), facts(sources=GONE)) == FILLED
    assert wanted_hash(sourced(), facts()) == sourced().template_hash
