"""How facts change when something was done or answered. Pure, so that histories can be played through."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from slurmjob_operator.core import arrays
from slurmjob_operator.core.attempts import open_attempt
from slurmjob_operator.core.records import Accepted, JobRecord
from slurmjob_operator.core.usage import usage_told
from slurmjob_operator.core.view import (
    Deferral,
    Facts,
    JobView,
    NotKnown,
    Rejection,
    Sources,
    Submission,
    Trouble,
    Unconfirmed,
    UsageAnswer,
)


def finalizer_added(facts: Facts) -> Facts:
    """From here on nobody but this process can have opened the attempt."""
    return replace(facts, finalizer_here=True)


def status_written(facts: Facts, *, before: JobView, after: JobView) -> Facts:
    """What our own status write means for what we know."""
    if after.status.job_id is not None and before.status.job_id is None:
        return replace(
            facts,
            fresh=False,
            submission=None,
            unconfirmed=0,
            search=None,
            tasks=None,
            usage=None,
            controller=None,
            accounting=None,
            recorded_here=after.status.job_id,
            noted_here=False,
            releases=0,
            released_at=None,
            held_at=None,
            cancelled_at=None,
        )
    if _opened(before) != _opened(after) and after.status.job_id is None:
        return replace(
            facts,
            fresh=_nothing_sent(facts, before),
            submission=facts.submission if isinstance(facts.submission, Accepted) else None,
            unconfirmed=0,
            search=None,
            tasks=None,
            usage=None,
            controller=None,
            accounting=None,
            backlog=None,
            recorded_here=None,
            releases=0,
            released_at=None,
            release_refused=None,
            held_at=None,
            cancelled_at=None,
            missing_since=None,
            missing_reads=0,
        )
    if after.status.release_time is not None and before.status.release_time is None:
        return replace(facts, noted_here=True)
    return facts


def another_attempt(facts: Facts) -> Facts:
    """Somebody else has opened an attempt, or the answer to our own write was lost: what was known is of another one.
    A submission in hand is kept, to be cancelled."""
    kept = facts.submission if isinstance(facts.submission, Accepted) else None
    return replace(
        Facts(connection=facts.connection, finalizer_here=facts.finalizer_here),
        submission=kept,
        sent_for=facts.sent_for if kept is not None else None,
        terminating=facts.terminating,
        blocked_told=facts.blocked_told,
    )


def told_why_blocked(facts: Facts, *, terminating: bool) -> Facts:
    """An event said why the object is not let go, or its namespace took no event any more."""
    return replace(facts, blocked_told=True, terminating=facts.terminating or terminating)


def _opened(view: JobView) -> tuple[object, ...]:
    """What changes when an attempt is opened; the time alone may not, being in whole seconds."""
    return view.status.attempt, view.status.attempt_time, view.status.template_hash


def _nothing_sent(facts: Facts, before: JobView) -> bool:
    """Whether no submission of this object can exist in Slurm: else it is searched for first."""
    if before.status.attempt is None:
        return facts.finalizer_here
    answered = isinstance(facts.submission, Rejection | Deferral)
    return facts.finalizer_here and answered and facts.unconfirmed == 0


def sources_read(facts: Facts, sources: Sources) -> Facts:
    """What the ConfigMaps that the template names say."""
    return replace(facts, sources=sources)


def submitting(facts: Facts, view: JobView) -> Facts:
    """To be stored before the request leaves: whatever happens then, a submission may exist."""
    return replace(facts, fresh=False, search=None, sent_for=open_attempt(view))


def submission_answered(facts: Facts, answer: Submission) -> Facts:
    """What the submission came to."""
    more = 1 if isinstance(answer, Unconfirmed) else 0
    return replace(facts, submission=answer, unconfirmed=facts.unconfirmed + more, search=None, trouble=None)


def searched(facts: Facts, records: Iterable[JobRecord], *, now: float) -> Facts:
    """What a search found, perhaps nothing."""
    return replace(facts, search=tuple(records), searched_at=now, trouble=None)


def job_read(facts: Facts, record: JobRecord, *, view: JobView, ours: bool, now: float) -> Facts:
    """slurmctld's record; `ours`: whether it proves to be of this attempt."""
    seen = facts if ours else _missed(facts, now)
    since, reads = (None, 0) if ours else (seen.missing_since, seen.missing_reads)
    tasks = arrays.tasks_of(view, facts, shown=record.parts or (record,)) if ours else facts.tasks
    return replace(
        facts,
        controller=arrays.whole(record, tasks),
        tasks=tasks,
        missing_since=since,
        missing_reads=reads,
        accounting=None,
        backlog=None,
        up_since=None,
        trouble=None,
    )


def _missed(facts: Facts, now: float) -> Facts:
    return replace(facts, missing_since=facts.missing_since or now, missing_reads=facts.missing_reads + 1)


def job_not_known(facts: Facts, *, now: float) -> Facts:
    """slurmctld answered, and does not know the id. When it was first seen missing is kept."""
    missed = _missed(facts, now)
    return replace(missed, controller=NotKnown(since=missed.missing_since or now), trouble=None)


def accounting_read(facts: Facts, records: Iterable[JobRecord], *, view: JobView, backlog: int | None) -> Facts:
    """slurmdbd's records of the id. Of an array's tasks they tell beside what slurmctld has said of others."""
    told, controller = tuple(records), facts.controller
    shown = controller.parts if isinstance(controller, JobRecord) else ()
    tasks = arrays.tasks_of(view, facts, shown=shown, told=told)
    if isinstance(controller, JobRecord):
        controller = arrays.whole(controller, tasks)
    return replace(facts, accounting=told, controller=controller, tasks=tasks, backlog=backlog, trouble=None)


def usage_read(facts: Facts, records: Iterable[JobRecord], *, view: JobView) -> Facts:
    """What slurmdbd says of a run that has ended; no records: it did not answer."""
    return replace(facts, usage=UsageAnswer(usage=usage_told(view, facts, records)))


def up_since_read(facts: Facts, since: int | None) -> Facts:
    """Since when slurmctld has been up; None where it does not say."""
    return replace(facts, up_since=since or 0, trouble=None)


def released(facts: Facts, *, now: float) -> Facts:
    """A release was sent; whether it took effect is read back."""
    sent = facts.releases + 1
    return replace(facts, releases=sent, released_at=now, controller=None, accounting=None, trouble=None)


def release_refused(facts: Facts, message: str) -> Facts:
    """Slurm will not release it."""
    return replace(facts, releases=facts.releases + 1, release_refused=message, controller=None, trouble=None)


def hold_sent(facts: Facts, *, now: float) -> Facts:
    """A hold was sent, or refused; whether it took effect, or the job has started meanwhile, is read back."""
    return replace(facts, held_at=now, controller=None, accounting=None, trouble=None)


def cancel_sent(facts: Facts, job_id: int, *, now: float) -> Facts:
    """A cancellation was sent; whether it took effect is read back."""
    twin = isinstance(facts.submission, Accepted) and facts.submission.job_id == job_id
    return replace(
        facts,
        cancelled_at=facts.cancelled_at if twin else now,
        submission=None if twin else facts.submission,
        search=None,
        controller=None,
        accounting=None,
        trouble=None,
    )


def troubled(facts: Facts, trouble: Trouble) -> Facts:
    """A request failed; nothing is concluded from it."""
    return replace(facts, trouble=trouble)


def outdated(facts: Facts) -> Facts:
    """What Slurm said has to be asked again; what this process did stays known. But that it recorded the job a while
    ago is no proof any more that nobody has released it since."""
    return replace(
        facts, controller=None, accounting=None, backlog=None, search=None, recorded_here=None, sources=None, usage=None
    )
