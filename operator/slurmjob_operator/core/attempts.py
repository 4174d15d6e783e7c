"""Attempts: which ends are tried again and when, what is kept of an attempt that is over, and whose word decides
about one of unknown outcome.

An attempt is closed when it stands in `status.attempts`; only then the next one is opened. Its number is in the
marker of the Slurm job, so a job of an earlier attempt is never taken for one of a later.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from slurmjob_operator.api.conditions import ConditionType, Reason
from slurmjob_operator.api.slurmjob import UnknownOutcomePolicy
from slurmjob_operator.api.status import MOST_ATTEMPTS_KEPT, Attempt, SlurmJobStatus, Usage
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.core.states import NOT_TRIED_AGAIN, TERMINAL, script_exit
from slurmjob_operator.core.times import epoch_of, optional_rfc3339, rfc3339
from slurmjob_operator.core.view import ConnectionFacts, Facts, JobView, SentFor

FIRST_BACKOFF_SECONDS = 10
LONGEST_BACKOFF_SECONDS = 360
"""Those of batch/v1 Job: doubling from ten seconds to six minutes."""

FOLLOWED_AT_ONCE = frozenset({Reason.RESOLVED, Reason.JOB_SUSPENDED})
"""Reasons of an attempt that another one follows without a wait, whatever `backoffLimit` says."""

UNKNOWN = "UNKNOWN"
UNKNOWN_REASONS = frozenset(
    {
        Reason.IDENTITY_UNPROVEN,
        Reason.JOB_RECORD_LOST,
        Reason.STATE_ROLLED_BACK,
        Reason.SUBMISSION_UNCONFIRMED,
    }
)
"""Reasons of Stalled under which a person may say how an attempt ended."""


class Verdict(Enum):
    """A word on an attempt of unknown outcome; the values are those of the annotation."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    RETRY = "retry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """How an attempt of unknown outcome is to be taken."""

    verdict: Verdict
    of_a_person: bool


ASK = (
    " A person has to decide: annotate this object with slurmjob.dev/resolve: ATTEMPT/succeeded, ATTEMPT/failed or "
    "ATTEMPT/retry."
)


def is_closed(status: SlurmJobStatus) -> bool:
    """Whether the current attempt is over and kept."""
    return bool(status.attempts) and status.attempts[-1].attempt == status.attempt


def is_tried_again(states: frozenset[str]) -> bool:
    """Whether an attempt that ended so may be followed by another one."""
    return not states & NOT_TRIED_AGAIN


def retries_left(view: JobView) -> bool:
    """Whether `backoffLimit` allows another attempt."""
    return counted_before(view.status) < view.backoff_limit


def counted_before(status: SlurmJobStatus) -> int:
    """Attempts before the current one that `backoffLimit` counts."""
    return max((status.attempt or 1) - 1 - (status.suspended_attempts or 0), 0)


def is_suspended(status: SlurmJobStatus) -> bool:
    """Whether the last attempt that is over was ended by `spec.suspend`."""
    return bool(status.attempts) and status.attempts[-1].reason == Reason.JOB_SUSPENDED


def next_attempt_at(status: SlurmJobStatus) -> int:
    """When the attempt after a closed one may be opened, in epoch seconds."""
    last = status.attempts[-1]
    if last.reason in FOLLOWED_AT_ONCE:
        return epoch_of(last.end_time)
    backoff: int = FIRST_BACKOFF_SECONDS * 2 ** min(counted_before(status), 10)
    return epoch_of(last.end_time) + min(backoff, LONGEST_BACKOFF_SECONDS)


def keep(
    view: JobView, *, reason: Reason, record: JobRecord | None, used: Usage | None = None, now: float
) -> tuple[Attempt, ...]:
    """`status.attempts` with the current attempt closed. Without a record nobody knows its end."""
    status = view.status
    if is_closed(status):
        return status.attempts
    states = record.states & TERMINAL if record is not None else frozenset[str]()
    ended = record.end_time if record is not None else None
    exit_code, signal = script_exit(record) if record is not None else (None, None)
    this = Attempt(
        attempt=status.attempt or 1,
        job_id=status.job_id,
        state=min(states, default=UNKNOWN),
        reason=str(reason),
        exit_code=exit_code,
        signal=signal,
        start_time=optional_rfc3339(record.began_at) if record is not None else status.start_time,
        end_time=optional_rfc3339(ended) or rfc3339(now),
        usage=used,
    )
    return (*status.attempts, this)[-MOST_ATTEMPTS_KEPT:]


def wanted_hash(view: JobView, facts: Facts) -> str:
    """Hash of what would be submitted now. As long as the ConfigMaps that it names have not been read, nothing says
    that it is another one than the open attempt's."""
    if not view.sourced:
        return view.template_hash
    read = None if facts.sources is None else facts.sources.template_hash
    return read or view.status.template_hash or view.template_hash


def open_attempt(view: JobView) -> SentFor:
    """Number, template hash, cluster and user of the open attempt: what a submission is sent for."""
    status = view.status
    return status.attempt, status.template_hash, status.cluster_name, status.user


def opened_elsewhere(view: JobView, connection: ConnectionFacts) -> str | None:
    """Why the connection, as it is now, tells nothing about the open attempt: it names another cluster or user."""
    was, is_now = (view.status.cluster_name, view.status.user), (connection.cluster_name, connection.user)
    if all(before in (None, now) for before, now in zip(was, is_now, strict=True)):
        return None
    return (
        f"The connection leads to cluster {is_now[0]} as user {is_now[1]} now; attempt {view.status.attempt} was "
        f"opened on {was[0]} as {was[1]}. Nothing is asked there about it until the connection is put back."
    )


def unknown_reason(status: SlurmJobStatus) -> Reason | None:
    """Why nobody knows how the current attempt ended, if status says so already."""
    stalled = edit.find(status.conditions, ConditionType.STALLED)
    return Reason(stalled.reason) if stalled is not None and stalled.reason in UNKNOWN_REASONS else None


def word(view: JobView) -> Word | None:
    """Whose word decides about an attempt of unknown outcome: a person's before the policy's; None: nobody's yet."""
    person = _word_of_a_person(view)
    if person is not None:
        return Word(verdict=person, of_a_person=True)
    policy = _word_of_the_policy(view)
    return None if policy is None else Word(verdict=policy, of_a_person=False)


def _word_of_a_person(view: JobView) -> Verdict | None:
    """The annotation's verdict, honoured only while the attempt that it names is of unknown outcome."""
    number, _, said = view.resolve.partition("/")
    if unknown_reason(view.status) is None or number != str(view.status.attempt):
        return None
    return next((verdict for verdict in Verdict if verdict.value == said), None)


def _word_of_the_policy(view: JobView) -> Verdict | None:
    """What `unknownOutcomePolicy` says; a retry beyond `backoffLimit` is a failure."""
    match view.unknown_outcome_policy:
        case UnknownOutcomePolicy.FAIL:
            return Verdict.FAILED
        case UnknownOutcomePolicy.RETRY:
            return Verdict.RETRY if retries_left(view) else Verdict.FAILED
        case _:
            return None
