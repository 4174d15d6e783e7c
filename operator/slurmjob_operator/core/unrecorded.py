"""Rules while no job id is recorded: nothing can run, and a submission may or may not have happened."""

from __future__ import annotations

from dataclasses import replace

from slurmjob_operator.api.conditions import ConditionType, EventReason, Reason
from slurmjob_operator.api.status import SlurmJobStatus
from slurmjob_operator.core import attempts, progress, suspension
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core.decision import AddFinalizer, Cancel, Decision, EventNote, ReadSources, Search, Submit
from slurmjob_operator.core.ending import announce, end_unseen
from slurmjob_operator.core.identity import is_of_this_attempt, marker_of, never_ran
from slurmjob_operator.core.records import Accepted
from slurmjob_operator.core.states import End
from slurmjob_operator.core.times import epoch_of
from slurmjob_operator.core.undecided import undecided
from slurmjob_operator.core.view import Deferral, Facts, JobView, Rejection, Trouble, Unconfirmed

LATE_SUBMISSION_SECONDS = 15
"""A frozen slurmctld makes a job up to MessageTimeout (10 s) after the answer was lost (TRAP F1)."""

MOST_UNCONFIRMED = 2
"""Submissions of one attempt that may end with an unknown outcome before we stop and ask."""

MOST_UNCONFIRMED_AT_ONCE = 2
"""Submissions of one user to one server whose outcome may be unknown at the same time."""

LOOK_AGAIN_SECONDS = 5.0


SOONEST_SOURCES_SECONDS = 5
LATEST_SOURCES_SECONDS = 60
"""How long a ConfigMap that is missing, or no good, is left alone, since no watch tells of it: as long as it has been
so already, within these bounds."""


def sources_not_read(view: JobView, facts: Facts, _now: float) -> Decision | None:
    """What would be submitted is not known before its ConfigMaps are read."""
    if not view.sourced or facts.sources is not None or isinstance(facts.submission, Accepted):
        return None
    return Decision(status=view.status, action=ReadSources())


def source_missing(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Whoever deploys both may apply the ConfigMap later, as for a Pod."""
    if facts.sources is None or facts.sources.missing is None or suspension.is_kept_back(view, facts):
        return None
    status = _still(view, reason=Reason.SOURCE_NOT_FOUND, message=facts.sources.missing, now=now)
    return Decision(status=status, recheck_at=_sources_again_at(view, now))


def source_changed(view: JobView, facts: Facts, now: float) -> Decision | None:
    """A later attempt of something else than the first would be unnoticed: the object is the same."""
    was, status = view.status.template_hash, view.status
    if status.first_submit_time is None or facts.sources is None or attempts.wanted_hash(view, facts) == was:
        return None
    now_hash, then_hash = facts.sources.script_hash, status.sourced.script_hash if status.sourced else None
    what = "an environment variable" if now_hash == then_hash else f"the script (SHA-256 {then_hash}, now {now_hash})"
    message = (
        f"In a ConfigMap that the template names {what} is another one than in the attempt before: attempt "
        f"{status.attempt} is not submitted. Put it back, or create a new SlurmJob."
    )
    told = progress.rejected(view, reason=Reason.SOURCE_CHANGED, message=message, now=now)
    return Decision(status=told, recheck_at=_sources_again_at(view, now))


def _sources_again_at(view: JobView, now: float) -> float | None:
    """When what is wrong may have been put right without an edit of the object."""
    if not view.sourced:
        return None
    submitted = edit.find(view.status.conditions, ConditionType.SUBMITTED)
    since = epoch_of(submitted.last_transition_time) if submitted is not None and submitted.status == "False" else now
    return now + min(max(now - since, SOONEST_SOURCES_SECONDS), LATEST_SOURCES_SECONDS)


def template_invalid(view: JobView, facts: Facts, now: float) -> Decision | None:
    """We will not send this. What was sent before under another template is looked for once it is corrected."""
    if facts.invalid is None or isinstance(facts.submission, Accepted):
        return None
    if view.status.first_submit_time is not None:  # frozen since the first attempt: nobody could correct it
        return end_unseen(view, End(succeeded=False, reason=Reason.INVALID_TEMPLATE, message=facts.invalid), now)
    status = progress.rejected(view, reason=Reason.INVALID_TEMPLATE, message=facts.invalid, now=now)
    note = EventNote(reason=EventReason.INVALID_SPEC, message=facts.invalid, warning=True)
    return replace(announce(view, status, note), recheck_at=_sources_again_at(view, now))


def rejected_before(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Slurm refused this very template for good, and the object has not been edited since."""
    submitted = edit.find(view.status.conditions, ConditionType.SUBMITTED)
    if submitted is None or submitted.reason != Reason.SUBMISSION_REJECTED:
        return None
    same = view.status.observed_generation == view.generation
    same &= facts.connection.problem is not None or attempts.opened_elsewhere(view, facts.connection) is None
    same &= view.status.template_hash in (None, attempts.wanted_hash(view, facts))
    if not same or isinstance(facts.submission, Accepted):
        return None
    return Decision(status=view.status, recheck_at=_sources_again_at(view, now))


def connection_unusable(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Nothing can be asked or sent now."""
    return _wait(view, facts.connection.problem, now)


def slurm_in_trouble(view: JobView, facts: Facts, now: float) -> Decision | None:
    """The last request failed; it is tried again later."""
    trouble = facts.trouble
    return _wait(view, trouble, now) if trouble is not None and now < trouble.retry_at else None


def _wait(view: JobView, trouble: Trouble | None, now: float) -> Decision | None:
    if trouble is None:
        return None
    status = _still(view, reason=trouble.reason, message=trouble.message, now=now)
    return Decision(status=status, recheck_at=trouble.retry_at)


def _still(view: JobView, *, reason: Reason, message: str, now: float) -> SlurmJobStatus:
    """Not submitted yet; or, where nobody knows whether it was, still that."""
    tell = progress.waiting if attempts.unknown_reason(view.status) is None else progress.unsynced
    return tell(view, reason=reason, message=message, now=now)


def without_finalizer(view: JobView, _facts: Facts, _now: float) -> Decision | None:
    """Before anything exists in Slurm, make sure that we are asked before the object goes."""
    return None if view.has_finalizer else Decision(status=view.status, action=AddFinalizer())


def attempt_not_open(view: JobView, facts: Facts, now: float) -> Decision | None:
    """The intent is written before the deed, so that a crash in between is seen. It names template, cluster and
    user: when one of them is another now, and nothing is recorded, the attempt is opened anew."""
    status = view.status
    same_place = attempts.opened_elsewhere(view, facts.connection) is None
    if status.attempt is not None and status.template_hash == attempts.wanted_hash(view, facts) and same_place:
        return None
    if status.attempt is not None and isinstance(facts.submission, Accepted):
        return None
    return Decision(status=progress.opened(view, facts, now=now))


def accepted_not_recorded(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Record the id. A conflict means that somebody else wrote: the caller reads again and asks again."""
    if not isinstance(facts.submission, Accepted):
        return None
    accepted = facts.submission
    status = progress.recorded(view, accepted, notices=facts.notices, now=now)
    message = f"Submitted to {status.cluster_name} as job {accepted.job_id} of user {status.user}."
    events = (EventNote(reason=EventReason.SUBMITTED, message=message), *_warning(facts.notices))
    return Decision(status=status, events=events)


def _warning(notices: tuple[str, ...]) -> tuple[EventNote, ...]:
    """One for all options that have no effect."""
    if not notices:
        return ()
    return (EventNote(reason=EventReason.OPTIONS_WITHOUT_EFFECT, message=" ".join(notices), warning=True),)


def refused_for_good(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Slurm will not take this template."""
    if not isinstance(facts.submission, Rejection) or facts.submission.generation != view.generation:
        return None
    if facts.sent_for is not None and facts.sent_for[1] != attempts.wanted_hash(view, facts):
        return None
    message = facts.submission.message
    if view.status.first_submit_time is not None:  # frozen since the first attempt: nobody could correct it
        return end_unseen(view, End(succeeded=False, reason=Reason.SUBMISSION_REJECTED, message=message), now)
    status = progress.rejected(view, reason=Reason.SUBMISSION_REJECTED, message=message, now=now)
    note = EventNote(reason=EventReason.SUBMISSION_REJECTED, message=message, warning=True)
    return replace(announce(view, status, note), recheck_at=_sources_again_at(view, now))


def unconfirmed_elsewhere(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Each submission without an answer may hold a worker of slurmrestd and a held job: not too many at once."""
    if facts.unconfirmed_elsewhere < MOST_UNCONFIRMED_AT_ONCE:
        return None
    message = (
        "Answers to other submissions of this user were lost; this one waits until it is known what became of them."
    )
    status = _still(view, reason=Reason.SUBMISSION_PENDING, message=message, now=now)
    return Decision(status=status, recheck_at=now + LOOK_AGAIN_SECONDS)


def refused_for_now(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Slurm may take it later."""
    submission = facts.submission
    if not isinstance(submission, Deferral) or now >= submission.until or view.suspend:
        return None
    status = progress.waiting(view, reason=Reason.SUBMISSION_PENDING, message=submission.message, now=now)
    return Decision(status=status, recheck_at=submission.until)


def opened_by_this_process(view: JobView, facts: Facts, _now: float) -> Decision | None:
    """Nobody can have submitted this attempt before: no need to search."""
    return Decision(status=view.status, action=Submit()) if facts.fresh else None


def not_searched(view: JobView, facts: Facts, _now: float) -> Decision | None:
    """A crash, a lost answer, a restored backup: what may have been submitted is looked for first."""
    return Decision(status=view.status, action=Search()) if facts.search is None else None


def twin_held(view: JobView, facts: Facts, _now: float) -> Decision | None:
    """A job of ours for another template is held and was never released: it never runs."""
    for record in facts.search or ():
        mark = marker_of(record)
        mine = mark is not None and mark.uid == view.uid
        if mine and mark is not None and mark.template_hash != view.status.template_hash and record.waits_held:
            return Decision(status=view.status, action=Cancel(record.job_id))
    return None


def found_by_marker(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Adopt it in whatever state it is found, running and ended included; but for a twin that was cancelled before it
    could run, as we do when the template is edited: should it be edited back, that is no end of this attempt."""
    found = [record for record in facts.search or () if is_of_this_attempt(view, record) and not never_ran(record)]
    if not found:
        return None
    best = min(found, key=lambda record: (record.held, record.job_id))
    adopted = replace(facts, submission=Accepted(job_id=best.job_id))
    return accepted_not_recorded(view, adopted, now)


def late_submission_possible(view: JobView, facts: Facts, now: float) -> Decision | None:
    """A lost submission may still become a job: look again before another one is sent."""
    submission = facts.submission
    if not isinstance(submission, Unconfirmed):
        return None
    settled = submission.at + LATE_SUBMISSION_SECONDS
    if facts.searched_at >= settled:
        return None
    if now >= settled:
        return Decision(status=view.status, action=Search())
    message = "The answer to the submission was lost; looking for the job before another try."
    status = progress.waiting(view, reason=Reason.SUBMISSION_UNCONFIRMED, message=message, now=now)
    return Decision(status=status, recheck_at=settled)


def unconfirmed_too_often(view: JobView, facts: Facts, now: float) -> Decision | None:
    """Submitting again and again without an answer helps nobody: stop and ask. Status remembers it."""
    said_before = attempts.unknown_reason(view.status) is Reason.SUBMISSION_UNCONFIRMED
    if facts.unconfirmed < MOST_UNCONFIRMED and not said_before:
        return None
    message = (
        f"{MOST_UNCONFIRMED} submissions of this attempt ended without an answer, and no job of it is found. "
        "Nothing of it can run: whatever exists is held."
    )
    return undecided(view, facts, now, reason=Reason.SUBMISSION_UNCONFIRMED, message=message)


def nothing_found(view: JobView, _facts: Facts, now: float) -> Decision | None:
    """No job of this attempt exists; one that appears later is held and never recorded."""
    if view.suspend:
        return suspension.rest(view, now)
    return Decision(status=view.status, action=Submit())
