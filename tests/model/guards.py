"""The guards of the protocol, and how each is taken away: by changing the real code, or what it is given.

A guard that nothing breaks without is none; a model that does not notice is none either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from slurmjob_operator.api.conditions import Reason
from slurmjob_operator.core import (
    conditions,
    decide,
    identity,
    letting_go,
    marker,
    progress,
    recorded,
    sweeping,
    unrecorded,
)
from slurmjob_operator.core.decision import Decision, Release, RemoveFinalizer
from slurmjob_operator.core.identity import Identity
from slurmjob_operator.core.records import Accepted, JobRecord
from slurmjob_operator.core.states import End
from slurmjob_operator.core.view import Facts, JobView, NotKnown
from slurmjob_operator.engine import acting
from tests.model import truth
from tests.model.truth import Broken

Patch = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True, kw_only=True)
class Guard:
    """`remove` changes the code; `kube` and `slurm` stand between an operator and its ports instead. `holes`: what
    the machine may find without it. `rules`: of what the machine does, that which matters here: with all of it a
    hole that takes four steps in a row is found as well, but not within seconds."""

    name: str
    holes: tuple[type[Broken], ...]
    rules: tuple[str, ...]
    remove: Patch = lambda _patch: None
    kube: Callable[[Any], Any] = lambda port: port
    slurm: Callable[[Any], Any] = lambda port: port


# --- Ways to take something away ------------------------------------------------------------------------------


def without_rule(patch: pytest.MonkeyPatch, rules: str, name: str, instead: Any = None) -> None:
    """Take a rule out of a list of `decide`, or put another one in its place."""
    old = getattr(decide, rules)
    assert any(rule.__name__ == name for rule in old), f"{rules} has no rule {name}"
    new = ((instead if rule.__name__ == name else rule) for rule in old)
    patch.setattr(decide, rules, tuple(rule for rule in new if rule is not None))


def everywhere(patch: pytest.MonkeyPatch, old: Any, new: Any) -> None:
    """Replace a function in every module that names it."""
    modules = [identity, recorded, unrecorded, letting_go, acting]
    named = [module for module in modules if getattr(module, old.__name__, None) is old]
    assert named
    for module in named:
        patch.setattr(module, old.__name__, new)


class Between:
    """A port that another one stands before."""

    def __init__(self, port: Any) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)


def not_held(port: Any) -> Any:
    """Submissions are not held, those that arrive late neither."""
    submit = port.cluster.submit
    port.cluster.submit = lambda *arguments, **keywords: submit(*arguments, **{**keywords, "held": False})
    return port


class Unconditional(Between):
    """Writes carry no precondition: whatever stands there is written over."""

    def _newest(self, key: Any) -> str:
        body = self._port.body(key.uid)
        return "0" if body is None else str(body["metadata"]["resourceVersion"])

    async def write_status(self, key: Any, *, old: Any, new: Any, resource_version: str) -> Any:
        return await self._port.write_status(key, old=old, new=new, resource_version=self._newest(key))


# --- Each guard -----------------------------------------------------------------------------------------------


def _released_at_once(patch: pytest.MonkeyPatch) -> None:
    submit = acting.Actor._submit

    async def submit_and_release(self: acting.Actor, entry: Any, port: Any) -> None:
        await submit(self, entry, port)
        if isinstance(entry.facts.submission, Accepted):
            await port.release(entry.facts.submission.job_id, comment=self._marker(entry).comment(""))

    patch.setattr(acting.Actor, "_submit", submit_and_release)


def _not_searched(patch: pytest.MonkeyPatch) -> None:
    def pretend(view: JobView, facts: Facts, now: float) -> Decision | None:
        return None

    without_rule(patch, "UNRECORDED", "not_searched", pretend)


def _anybodys_job(patch: pytest.MonkeyPatch) -> None:
    everywhere(patch, identity.identify, lambda _view, _record: Identity.OURS)


def _any_attempts_job(patch: pytest.MonkeyPatch) -> None:
    def of_this_object(view: JobView, record: JobRecord) -> bool:
        mark = marker.parse(record.comment)
        return mark is not None and mark.uid == view.uid and mark.template_hash == view.status.template_hash

    everywhere(patch, identity.is_of_this_attempt, of_this_object)


def _any_templates_job(patch: pytest.MonkeyPatch) -> None:
    def of_this_attempt(view: JobView, record: JobRecord) -> bool:
        mark = marker.parse(record.comment)
        return mark is not None and mark.uid == view.uid and mark.attempt == view.status.attempt

    everywhere(patch, identity.is_of_this_attempt, of_this_attempt)
    without_rule(patch, "UNRECORDED", "twin_held")


def _no_late_submission(patch: pytest.MonkeyPatch) -> None:
    without_rule(patch, "UNRECORDED", "late_submission_possible")


def _no_note(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(marker.Marker, "note_released", lambda self: self)


def _slurmdbd_not_asked(patch: pytest.MonkeyPatch) -> None:
    def held(view: JobView, facts: Facts, _now: float) -> Decision | None:
        record = facts.controller
        mark = marker.parse(record.comment) if isinstance(record, JobRecord) else None
        if not isinstance(record, JobRecord) or mark is None or mark.released or not record.waits_held:
            return None
        return Decision(status=view.status, action=Release(view.recorded_id))

    without_rule(patch, "RECORDED", "held_without_note", held)


def _backlog_not_asked(patch: pytest.MonkeyPatch) -> None:
    rule = recorded.held_without_note

    def held(view: JobView, facts: Facts, now: float) -> Decision | None:
        blind = replace(view, status=replace(view.status, start_time=None))
        return rule(blind, replace(facts, backlog=0) if facts.accounting is not None else facts, now)

    without_rule(patch, "RECORDED", "held_without_note", held)


def _no_finalizer(patch: pytest.MonkeyPatch) -> None:
    without_rule(patch, "UNRECORDED", "without_finalizer")


def _absence_is_an_end(patch: pytest.MonkeyPatch) -> None:
    rule = recorded.not_known_to_slurmctld
    end = End(succeeded=False, reason=Reason.JOB_RECORD_LOST, message="It is not there.")

    def not_known(view: JobView, facts: Facts, now: float) -> Decision | None:
        if not isinstance(facts.controller, NotKnown):
            return rule(view, facts, now)
        return Decision(status=progress.decided(view, end, now=now))

    without_rule(patch, "RECORDED", "not_known_to_slurmctld", not_known)


def _let_go_unseen(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        letting_go, "_recorded", lambda view, _facts, _now: Decision(status=view.status, action=RemoveFinalizer())
    )


def _times_move(patch: pytest.MonkeyPatch) -> None:
    put = conditions.put

    def moved(current: Any, kind: Any, status: Any, *, reason: Any, message: str = "", now: float) -> Any:
        fresh = conditions.drop(current, kind)
        return put(fresh, kind, status, reason=reason, message=message, now=now)

    patch.setattr(conditions, "put", moved)


def _not_swept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sweeping, "suspects", lambda _records, *, installation: ())


LOOK, LIVE, KILL = "an_operator_looks", "all_goes_well_for_a_while", "an_operator_is_killed"
BOTH, FAIL, RESTART = "both_look_at_the_same_time", "a_request_will_fail", "an_operator_is_restarted"
EDIT, DELETE, CHANGE = "somebody_edits_it", "somebody_deletes_it", "somebody_changes_a_job"
CRASH, FORGET = "slurmctld_is_killed", "slurmctld_forgets_what_ended"
END, TIME = "running_jobs_end", "time_passes"

GUARDS = (
    Guard(name="finalizer before a submission", remove=_no_finalizer, holes=(truth.UnseenSubmission,), rules=(LOOK,)),
    Guard(name="submissions are held", slurm=not_held, holes=(truth.RanTwice,), rules=(LIVE, LOOK, FAIL, RESTART)),
    Guard(
        name="searched for before it is submitted again",
        remove=_not_searched,
        holes=(truth.SubmittedTwice,),
        rules=(LIVE, KILL),
    ),
    Guard(
        name="late submissions are waited for",
        remove=_no_late_submission,
        holes=(truth.SubmittedTwice,),
        rules=(LOOK, FAIL),
    ),
    Guard(
        name="record by precondition", kube=Unconditional, holes=(truth.RecordReplaced,), rules=(LOOK, LIVE, KILL, BOTH)
    ),
    Guard(
        name="released only when recorded", remove=_released_at_once, holes=(truth.ReleasedUnrecorded,), rules=(LOOK,)
    ),
    Guard(
        name="identity of what is read",
        remove=_anybodys_job,
        holes=(truth.StrangerTouched, truth.EndWithoutRecord),
        rules=(LOOK, LIVE, CRASH, DELETE),
    ),
    Guard(
        name="attempt in the marker",
        remove=_any_attempts_job,
        holes=(truth.WrongJobRecorded,),
        rules=(LIVE, KILL, TIME),
    ),
    Guard(
        name="template's hash in the marker",
        remove=_any_templates_job,
        holes=(truth.WrongJobRecorded,),
        rules=(LIVE, KILL, EDIT),
    ),
    Guard(
        name="note in the marker",
        remove=_no_note,
        holes=(truth.FoughtAdministrator, truth.ReleasedAgain),
        rules=(LOOK, CHANGE, END, RESTART),
    ),
    Guard(
        name="slurmdbd before a release",
        remove=_slurmdbd_not_asked,
        holes=(truth.ReleasedAgain,),
        rules=(LIVE, CRASH),
    ),
    Guard(
        name="slurmdbd's backlog before a release, and that we saw it run",
        remove=_backlog_not_asked,
        holes=(truth.ReleasedAgain,),
        rules=(LIVE, CRASH),
    ),
    Guard(name="twins are swept", remove=_not_swept, holes=(truth.LeftHeld,), rules=(LIVE, KILL, BOTH, FAIL)),
    Guard(name="absence is no end", remove=_absence_is_an_end, holes=(truth.AbsenceWasAnEnd,), rules=(LIVE, FORGET)),
    Guard(name="a live job holds its object", remove=_let_go_unseen, holes=(truth.LetGoAlive,), rules=(LIVE, DELETE)),
    Guard(
        name="nothing changed, nothing written", remove=_times_move, holes=(truth.NeedlessWrite,), rules=(LOOK, LIVE)
    ),
)
