"""One SlurmJob, brought forward: gather, decide, act, until there is nothing to do now."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from slurmjob_operator.api.conditions import Reason
from slurmjob_operator.core import arrays, components, learning, marker
from slurmjob_operator.core.attempts import is_closed
from slurmjob_operator.core.decide import decide
from slurmjob_operator.core.decision import (
    Action,
    AddFinalizer,
    Cancel,
    Hold,
    ReadAccounting,
    ReadJob,
    ReadSources,
    ReadUpSince,
    ReadUsage,
    Release,
    RemoveFinalizer,
    Search,
    Submit,
)
from slurmjob_operator.core.identity import CLOCK_SLACK_SECONDS, Identity, identify, marker_of
from slurmjob_operator.core.recorded import priority_left_out
from slurmjob_operator.core.records import Accepted, JobRecord
from slurmjob_operator.core.times import epoch_of
from slurmjob_operator.core.view import ConnectionFacts, Deferral, JobView, NotKnown, Rejection, Trouble, Unconfirmed
from slurmjob_operator.engine.effects import Effect
from slurmjob_operator.engine.job_object import JobObject, context
from slurmjob_operator.engine.ports import Outside
from slurmjob_operator.engine.registry import Entry
from slurmjob_operator.engine.templates import LookedOver, Place, look_over, own_variables
from slurmjob_operator.engine.unknown_outcomes import ServerUser
from slurmjob_operator.slurm import errors as slurm_errors
from slurmjob_operator.slurm.following import TaskStates
from slurmjob_operator.slurm.port import SlurmPort

MOST_STEPS = 25
"""Decisions in one go; more than any way through the protocol takes, so that a circle shows."""

FIRST_RETRY_SECONDS = 2.0
LONGEST_RETRY_SECONDS = 120.0
LONGEST_TROUBLE_SECONDS = 10.0
"""While Slurm does not answer one job's requests, although its connection works; or the poll period, where that is
shorter: what is well again is soon found so."""


USAGE_SECONDS = 2.0
"""The end of a job is written so much later at most, for the sake of what it used (measured: 5 to 380 ms)."""

logger = logging.getLogger(__name__)


class CredentialsLost(Exception):
    """The token was refused: the session has to get another one."""


def retry_delay(failures: int) -> float:
    """Seconds until the next try after so many failures in a row: doubling, bounded."""
    return min(FIRST_RETRY_SECONDS * 2.0 ** min(failures, 10), LONGEST_RETRY_SECONDS)


class Actor:
    """Brings entries of one connection forward. `port` is None while the connection cannot be used."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._object = JobObject(outside)
        self.port: SlurmPort | None = None
        self.connection = ConnectionFacts()
        self.server = ""
        self.marks_extra = False
        self.place: Place | None = None
        self.period_seconds = LONGEST_TROUBLE_SECONDS
        self.on_unknown_outcome: Callable[[], None] = lambda: None

    async def bring_forward(self, entry: Entry) -> float | None:
        """Returns when to look again (epoch seconds), None: when something happens.

        Raises `Gone`, `CredentialsLost`, and `kube_errors.KubeError` when a write did not succeed.
        """
        for _ in range(MOST_STEPS):
            now = self._outside.now()
            looked_over = self._looked_over(entry)
            entry.facts = replace(
                entry.facts,
                connection=self.connection,
                invalid=looked_over.invalid,
                notices=looked_over.notices,
                unconfirmed_elsewhere=self._outside.unknown_outcomes.others(entry.view.uid, at=self._at, now=now),
            )
            decision = decide(entry.view, entry.facts, now)
            settled = decision.status == entry.view.status and decision.action is None
            if not await self._object.write(entry, decision):
                continue
            if settled:
                if entry.view.array is not None:
                    entry.facts = learning.outdated(entry.facts)  # Records of many tasks are not kept.
                if entry.facts.trouble is None and not isinstance(entry.facts.submission, Deferral):
                    entry.failures = 0
                return decision.recheck_at
            if decision.action is not None:
                await self._act(entry, decision.action)
                self._object.count_orphan(entry, decision)
        logger.error("going in circles; trying again later", extra=context(entry.view))
        return self._outside.now() + LONGEST_RETRY_SECONDS

    @property
    def _at(self) -> ServerUser:
        return self.server, self.connection.user

    # --- Slurm --------------------------------------------------------------------------------------------

    async def _act(self, entry: Entry, action: Action) -> None:
        match action:
            case AddFinalizer():
                await self._object.write_finalizer(entry, present=True)
            case RemoveFinalizer():
                await self._object.write_finalizer(entry, present=False)
            case ReadSources():
                await self._object.read_sources(entry)
            case _:
                await self._ask_slurm(entry, action)

    async def _ask_slurm(self, entry: Entry, action: Action) -> None:
        """Errors are values here: nothing is concluded from a request that failed."""
        port = self.port
        if port is None:
            raise CredentialsLost
        try:
            await self._do(entry, port, action)
        except slurm_errors.CredentialsRejected:
            raise CredentialsLost from None
        except slurm_errors.SlurmError as error:
            self._note_trouble(entry, error, reason=_reason(action, error))

    def _note_trouble(self, entry: Entry, error: slurm_errors.SlurmError, *, reason: Reason) -> None:
        delay = min(retry_delay(entry.failures), self.period_seconds, LONGEST_TROUBLE_SECONDS)
        if isinstance(error, slurm_errors.AnswerTooLarge):
            delay = LONGEST_RETRY_SECONDS
        entry.failures += 1
        logger.warning("Slurm: %s; trying again in %.0f s", error, delay, extra=context(entry.view))
        trouble = Trouble(reason=reason, message=str(error), retry_at=self._outside.now() + delay)
        entry.facts = learning.troubled(entry.facts, trouble)

    async def _do(self, entry: Entry, port: SlurmPort, action: Action) -> None:
        match action:
            case Submit():
                await self._submit(entry, port)
            case Search():
                await self._search(entry, port)
            case ReadJob(job_id):
                await self._read(entry, port, job_id)
            case ReadAccounting(job_id):
                backlog = await port.accounting_backlog() if self.connection.accounting else None
                records = await port.accounting(job_id)
                entry.facts = learning.accounting_read(entry.facts, records, view=entry.view, backlog=backlog)
            case ReadUsage(job_id):
                within = None if is_closed(entry.view.status) else USAGE_SECONDS  # then nothing waits for it any more
                records = await _if_it_answers(port.accounting(job_id, within=within))
                entry.facts = learning.usage_read(entry.facts, records, view=entry.view)
            case ReadUpSince():
                entry.facts = learning.up_since_read(entry.facts, await port.up_since())
            case Release(job_id):
                await self._release(entry, port, job_id)
            case Hold(job_id):
                await self._hold(entry, port, job_id)
            case Cancel(job_id):
                await self._cancel(entry, port, job_id)

    async def _submit(self, entry: Entry, port: SlurmPort) -> None:
        looked_over = self._looked_over(entry)
        request = looked_over.request
        if request is None:  # the connection has become another one since it was decided
            return
        comment = self._marker(entry).comment(looked_over.comment)
        extra = self._extra(entry, looked_over.extra)
        others = tuple(
            replace(one, comment=self._marker(entry).comment(one.comment), extra=self._extra(entry, one.extra))
            for one in looked_over.others
        )
        request = replace(request, others=others)
        entry.facts = learning.submitting(entry.facts, entry.view)
        now, generation = self._outside.now(), entry.view.generation
        answer: Accepted | Rejection | Deferral | Unconfirmed
        try:
            self._outside.witness.before(Effect.SUBMIT)
            answer = await port.submit_held(request, comment=comment, extra=extra)
            self._outside.witness.after(Effect.SUBMIT)
        except slurm_errors.Refused as error:
            answer = Rejection(message=str(error), generation=generation)
        except slurm_errors.RefusedForNow as error:
            answer = Deferral(message=str(error), until=now + retry_delay(entry.failures))
            entry.failures += 1
        except slurm_errors.OutcomeUnknown as error:
            logger.warning("submission without an answer: %s", error, extra=context(entry.view))
            self._outside.metrics.submission_outcome_unknown()
            answer = Unconfirmed(at=self._outside.now())
            self._outside.unknown_outcomes.note(entry.view.uid, at=self._at, now=answer.at)
            self.on_unknown_outcome()
        entry.facts = learning.submission_answered(entry.facts, answer)

    async def _search(self, entry: Entry, port: SlurmPort) -> None:
        opened = entry.view.status.attempt_time
        since = (epoch_of(opened) if opened else int(self._outside.now())) - CLOCK_SLACK_SECONDS
        now = self._outside.now()
        records = await port.search(name=entry.view.slurm_name, since=since)
        entry.facts = learning.searched(entry.facts, records, now=now)

    async def _read(self, entry: Entry, port: SlurmPort, job_id: int) -> None:
        try:
            record = await port.job(job_id)
            if entry.view.array is not None:
                entry.array_read_at = self._outside.monotonic()
                entry.shown = TaskStates.of_record(record) or entry.shown
            ours = identify(entry.view, record) is Identity.OURS
            entry.facts = learning.job_read(entry.facts, record, view=entry.view, ours=ours, now=self._outside.now())
        except slurm_errors.JobNotFound:
            entry.facts = learning.job_not_known(entry.facts, now=self._outside.now())

    async def _release(self, entry: Entry, port: SlurmPort, job_id: int) -> None:
        record = entry.facts.controller
        parts = components.unreleased(record.parts) if isinstance(record, JobRecord) and record.het_id else []
        for part in parts:
            if not await self._release_one(entry, port, part.job_id, part):
                return
        if not parts:
            await self._release_one(entry, port, job_id, record)

    async def _release_one(
        self, entry: Entry, port: SlurmPort, job_id: int, record: JobRecord | NotKnown | None
    ) -> bool:
        """Whether Slurm took it: else the other components stay held."""
        text = record.comment if isinstance(record, JobRecord) else ""
        mark = marker.parse(text) or self._marker(entry)
        comment = mark.note_released().comment(marker.user_text(text))
        try:
            self._outside.witness.before(Effect.RELEASE)
            view = entry.view
            priority = view.priority if job_id == view.recorded_id else None
            refused = await port.release(job_id, comment=comment, keep_held=view.hold, priority=priority)
            self._outside.witness.after(Effect.RELEASE)
        except slurm_errors.JobNotFound:
            entry.facts = learning.job_not_known(entry.facts, now=self._outside.now())
        except slurm_errors.Refused as error:
            entry.facts = learning.release_refused(entry.facts, str(error))
        except slurm_errors.OutcomeUnknown as error:
            logger.warning("release without an answer: %s", error, extra=context(entry.view))
            entry.facts = learning.released(entry.facts, now=self._outside.now())
            self._note_trouble(entry, error, reason=Reason.CLUSTER_UNREACHABLE)
        else:
            entry.facts = learning.released(entry.facts, now=self._outside.now())
            if refused is not None:
                await self._object.post(entry, priority_left_out(entry.view, refused))
            return True
        return False

    async def _hold(self, entry: Entry, port: SlurmPort, job_id: int) -> None:
        """Of a heterogeneous job each component. It may have started meanwhile: what came of it is read back."""
        record = entry.facts.controller
        if not isinstance(record, JobRecord):
            return
        for part in components.in_the_queue(record.parts) if record.het_id else [record]:
            mark = marker.parse(part.comment) or self._marker(entry)
            comment = mark.note_suspended().comment(marker.user_text(part.comment))
            try:
                self._outside.witness.before(Effect.HOLD)
                await port.hold(part.job_id if part.het_id else job_id, comment=comment)
                self._outside.witness.after(Effect.HOLD)
            except (slurm_errors.JobNotFound, slurm_errors.Refused, slurm_errors.OutcomeUnknown) as error:
                logger.warning("hold without effect: %s", error, extra=context(entry.view))
                break
        entry.facts = learning.hold_sent(entry.facts, now=self._outside.now())

    async def _cancel(self, entry: Entry, port: SlurmPort, job_id: int) -> None:
        """Read it first: what stood under this id some time ago may be somebody else's job now (TRAP F2)."""
        try:
            if is_of_this_object(entry.view, await port.job(job_id)):
                self._outside.witness.before(Effect.CANCEL)
                await port.cancel(job_id)
                self._outside.witness.after(Effect.CANCEL)
        except slurm_errors.JobNotFound:
            logger.info("job %s is gone already", job_id, extra=context(entry.view))
        except slurm_errors.OutcomeUnknown as error:
            logger.warning("cancellation without an answer: %s", error, extra=context(entry.view))
        entry.facts = learning.cancel_sent(entry.facts, job_id, now=self._outside.now())

    async def cancel_left_over(self, entry: Entry) -> None:
        """The object vanished while we held an unrecorded job in hand: it is held, and goes."""
        submission = entry.facts.submission
        if self.port is None or not isinstance(submission, Accepted):
            return
        try:
            await self._cancel(entry, self.port, submission.job_id)
        except slurm_errors.SlurmError as error:
            logger.warning("held job %s stays: %s", submission.job_id, error, extra=context(entry.view))

    # --- The template -------------------------------------------------------------------------------------

    def _looked_over(self, entry: Entry) -> LookedOver:
        """Once for each template and connection: a pass asks at every step. There is none once a job id is recorded."""
        template = entry.filled if entry.view.sourced else entry.template
        if entry.template is None or template is None:
            return LookedOver()
        room, status = self._marker(entry).room(), entry.view.status
        key = (template, self.place, room, status.attempt)
        if entry.looked_over is None or entry.looked_over[0] != key:
            found = look_over(
                template,
                name=entry.view.slurm_name,
                place=self.place,
                room=room,
                own=_own_variables(entry.view),
                array=arrays.option(entry.view),
            )
            entry.looked_over = (key, found)
        return entry.looked_over[1]

    def _extra(self, entry: Entry, given: str | None) -> str | None:
        """Slurm's field of that name: the user's own, else the marker where the connection wants it there too."""
        return self._marker(entry).comment("") if self.marks_extra and given is None else given

    def _marker(self, entry: Entry) -> marker.Marker:
        return entry.view.marker(self._outside.installation)


async def _if_it_answers(asked: Awaitable[tuple[JobRecord, ...]]) -> tuple[JobRecord, ...]:
    """Nothing, where slurmdbd does not answer in time or not at all: it is asked again."""
    try:
        return await asked
    except slurm_errors.CredentialsRejected:
        raise
    except slurm_errors.SlurmError as error:
        logger.debug("slurmdbd does not tell what a job used: %s", error)
        return ()


def is_of_this_object(view: JobView, record: JobRecord) -> bool:
    """Whether it is a job of this object: of any attempt of it by its marker, else of the open one by all we know."""
    mark = marker_of(record)
    same_user = view.status.user in (None, record.user)
    if mark is not None:
        return same_user and mark.uid == view.uid
    return view.status.job_id == str(record.job_id) and identify(view, record) is Identity.OURS


def _own_variables(view: JobView) -> dict[str, str]:
    return own_variables(name=view.name, namespace=view.namespace, uid=view.uid, attempt=view.status.attempt or 1)


def _reason(action: Action, error: slurm_errors.SlurmError) -> Reason:
    if isinstance(error, slurm_errors.AccountingUnavailable):
        return Reason.ACCOUNTING_UNAVAILABLE
    if isinstance(action, Cancel) and isinstance(error, slurm_errors.Refused):
        return Reason.CANCELLATION_REFUSED
    if isinstance(error, slurm_errors.NotSupported):
        return Reason.UNSUPPORTED_SERVER
    return Reason.CLUSTER_UNREACHABLE
