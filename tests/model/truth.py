"""What must hold whatever happens (design.md 8), told by somebody who sees everything.

Each thing that may be broken has a class of its own, so that a test can say which one it expects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slurmjob_operator.api.names import RESOLVE_ANNOTATION
from slurmjob_operator.core import marker
from slurmjob_operator.core.times import epoch_of
from slurmjob_operator.engine.views import template_hash
from tests.fakes.kube import InMemoryKube
from tests.fakes.slurm import ENDED, Birth, InMemorySlurm

POLICYS_WORDS = frozenset({"IdentityUnproven", "JobRecordLost", "StateRolledBack", "SubmissionUnconfirmed"})
"""Reasons of an end that stand for `unknownOutcomePolicy`."""

SLURMS_WORDS = frozenset({"SubmissionRejected", "ReleaseRefused"})
"""Reasons of an end where Slurm's own words say that nothing of it ever runs."""


LONGEST_DELETION_SECONDS = 86400
"""Where Slurm is away for so long, a deleted object is let go, and the job that lives on is named."""


class Broken(AssertionError):
    """An invariant does not hold."""


class RanTwice(Broken):
    """One attempt has run as two Slurm jobs."""


class ReleasedAgain(Broken):
    """A job was released whose script had begun before, without anybody's word: we make it run twice."""


class ReleasedUnrecorded(Broken):
    """A job was released that does not stand in status as the open attempt's."""


class RecordReplaced(Broken):
    """An attempt's job id was replaced, or taken away."""


class StrangerTouched(Broken):
    """A job that is not this object's was released, noted or cancelled."""


class EndWithoutRecord(Broken):
    """An end stands in status, and no record ever said so, nor a person or the policy."""


class AbsenceWasAnEnd(EndWithoutRecord):
    """Nobody knew how it ended, and it was ended nevertheless."""


class OwnCancelTaken(EndWithoutRecord):
    """An object that nobody deleted ended as cancelled, and we were the one who cancelled."""


class NotSettled(Broken):
    """Everything is up and time has passed, and an object neither ends, nor waits with a reason, nor goes."""


class LeftHeld(Broken):
    """Everything is up, the sweep has run, and a job of ours is still held that nobody will ever release."""


class UnseenSubmission(Broken):
    """A job was submitted for an object that may go without asking us: its finalizer is not on it."""


class SubmittedTwice(Broken):
    """One operator alone submitted an attempt again, although its first job was there to be found, or could still
    come: a lost submission takes effect seconds later (TRAP F1)."""


class WrongJobRecorded(Broken):
    """The recorded job was submitted for another attempt, or for another template than the object's."""


class FoughtAdministrator(Broken):
    """A job was released that an administrator holds."""


class LetGoAlive(Broken):
    """A deleted object was let go while its job lives, and nobody had asked for that."""


class NeedlessWrite(Broken):
    """Something was written although nothing had changed."""


class Truth:
    """Looks on at every write to Kubernetes, every release and cancellation, and counts executions.

    `watched`: what is looked for; all of it, but where a guard is taken away and one hole is expected.
    """

    def __init__(self, *, slurm: InMemorySlurm, kube: InMemoryKube, watched: tuple[type[Broken], ...]) -> None:
        self.watched = watched
        self._slurm = slurm
        self._kube = kube
        self._recorded: dict[tuple[str, int], str] = {}
        self._closed: set[tuple[str, int]] = set()
        self._finished: set[str] = set()
        self._ours: set[int] = set()
        self._unanswered: dict[int, set[str]] = {}
        self._lookers: dict[str, set[int]] = {}
        self.rewritten: set[int] = set()
        self.words: set[tuple[str, int]] = set()
        self.history: dict[str, list[Any]] = {}
        kube.watch = self._changed

    def tell(self, hole: type[Broken], what: str) -> None:
        """Something is broken; only what is watched for ends the history."""
        if issubclass(hole, self.watched):
            raise hole(what)

    # --- Kubernetes ---------------------------------------------------------------------------------------

    def _changed(self, event: str, body: dict[str, Any]) -> None:
        uid, status = body["metadata"]["uid"], body["status"]
        self.history.setdefault(uid, []).append(None if event == "DELETED" else body)
        if event == "DELETED":
            self._check_gone(body)
        self._check_record(body)
        for attempt in status.get("attempts", ()):
            if (uid, attempt["attempt"]) not in self._closed:
                self._closed.add((uid, attempt["attempt"]))
                self._check_end(body, attempt)
        if is_true(status, "Finished") and uid not in self._finished:
            self._finished.add(uid)
            self._check_verdict(uid, status)

    def _check_record(self, body: Mapping[str, Any]) -> None:
        uid, status = body["metadata"]["uid"], body["status"]
        attempt, job_id = status.get("attempt"), status.get("jobId")
        if attempt is None:
            return
        known = self._recorded.get((uid, attempt))
        if known is not None and job_id != known:
            self.tell(RecordReplaced, f"attempt {attempt}: {known} -> {job_id}")
        if job_id is None or known is not None:
            return
        self._recorded[uid, attempt] = job_id
        birth = self._slurm.births.get(int(job_id))
        mark = marker.parse(birth.comment) if birth is not None else None
        wanted = (attempt, template_hash(body["spec"]["template"]))
        if mark is not None and mark.uid == uid and (mark.attempt, mark.template_hash) != wanted:
            self.tell(WrongJobRecorded, f"{birth} was recorded for attempt {attempt}: {body['spec']['template']}")

    def _check_gone(self, body: Mapping[str, Any]) -> None:
        uid, status, spec = body["metadata"]["uid"], body["status"], body["spec"]
        job_id, attempt = int(status.get("jobId") or 0), status.get("attempt")
        job, birth = self._slurm.jobs.get(job_id), self._slurm.births.get(job_id)
        if job is None or birth is None or owner(birth) != (uid, attempt) or birth.serial in self.rewritten:
            return
        waited = self._slurm.now() - epoch_of(body["metadata"]["deletionTimestamp"])
        excused = spec.get("deletionPolicy") == "Orphan" or waited >= LONGEST_DELETION_SECONDS
        if not excused and not job.states & ENDED and (uid, attempt) not in self._closed:
            self.tell(LetGoAlive, f"{birth}: {job.states}")

    def _check_end(self, body: Mapping[str, Any], attempt: Mapping[str, Any]) -> None:
        uid, number, reason = body["metadata"]["uid"], attempt["attempt"], attempt["reason"]
        policy = body["spec"].get("unknownOutcomePolicy", "Ask")
        said = reason == "Resolved" and (uid, number) in self.words
        if said or reason in SLURMS_WORDS or (reason in POLICYS_WORDS and policy != "Ask"):
            return
        if attempt["state"] == "UNKNOWN":
            self.tell(AbsenceWasAnEnd, f"attempt {number}: {reason}")
        ends = [birth for birth, state in self._slurm.ended if state == attempt["state"]]
        theirs = [b for b in ends if owner(b) == (uid, number) and str(b.job_id) == attempt.get("jobId")]
        if not theirs:
            self.tell(EndWithoutRecord, f"attempt {number}: {attempt}")
        deleted = "deletionTimestamp" in body["metadata"]
        if attempt["state"] == "CANCELLED" and not deleted and all(b.serial in self._ours for b in theirs):
            self.tell(OwnCancelTaken, f"attempt {number}: {attempt}")

    def _check_verdict(self, uid: str, status: Mapping[str, Any]) -> None:
        attempts = status.get("attempts")
        if not attempts:
            self.tell(EndWithoutRecord, f"finished without an attempt: {status}")
            return
        last = attempts[-1]
        succeeded = status.get("succeeded") == 1
        if succeeded == (status.get("failed") == 1):
            self.tell(EndWithoutRecord, f"finished as both or neither: {status}")
        if last["state"] != "UNKNOWN" and succeeded != (last["state"] == "COMPLETED"):
            self.tell(EndWithoutRecord, f"succeeded={succeeded} after {last}")

    # --- Slurm --------------------------------------------------------------------------------------------

    def looked_at(self, uid: str, process: int) -> None:
        """This operator has begun to look after this object."""
        self._lookers.setdefault(uid, set()).add(process)

    def restarted(self, process: int) -> None:
        """This operator has forgotten everything."""
        self._unanswered[process] = set()

    def unanswered(self, process: int, comment: str) -> None:
        """The answer to this submission did not come, and this operator knows."""
        self._unanswered[process].add(comment)

    def submitting(self, uid: str, process: int, comment: str) -> None:
        """An operator is about to submit."""
        body = self._kube.objects.get(uid)
        if body is not None and not body["metadata"].get("finalizers"):
            self.tell(UnseenSubmission, uid)
        if self._lookers.get(uid) != {process}:
            return  # Two that submit at the same time make a twin: it is held, never recorded, and swept.
        if comment in self._unanswered[process] and any(late.comment == comment for late in self._slurm.late):
            self.tell(SubmittedTwice, f"before the first could have arrived: {comment}")
        for birth in self._slurm.births.values():
            found = birth.comment == comment and birth.serial not in self.rewritten
            if found and self._slurmdbd_knows(birth):
                self.tell(SubmittedTwice, f"although there is {birth}")

    def _slurmdbd_knows(self, birth: Birth) -> bool:
        submitted = self._slurm.jobs[birth.job_id].submit_time
        return any(record.submit_time == submitted for record in self._slurm.accounting.get(birth.job_id, ()))

    def releasing(self, uid: str, job_id: int, *, keep_held: bool) -> None:
        """An operator is about to release a job, or to note in it that it is in its user's hands."""
        job, birth = self._slurm.jobs.get(job_id), self._slurm.births.get(job_id)
        if job is None or birth is None:
            return
        if owner(birth)[0] != uid:
            self.tell(StrangerTouched, f"release of {birth}")
        status = self._kube.objects[uid]["status"] if uid in self._kube.objects else {}
        if not job.waits_held:
            return
        if status.get("jobId") != str(job_id) or owner(birth)[1] != status.get("attempt"):
            self.tell(ReleasedUnrecorded, f"release of {birth}: {status.get('jobId')}, attempt {status.get('attempt')}")
        if not keep_held and job.reason == "JobHeldAdmin":
            self.tell(FoughtAdministrator, f"release of {birth}")
        if not keep_held and birth in self._slurm.started and not self._retry_wanted(uid):
            self.tell(ReleasedAgain, f"release of {birth}")

    def _retry_wanted(self, uid: str) -> bool:
        body = self._kube.objects[uid]
        word = body["metadata"].get("annotations", {}).get(RESOLVE_ANNOTATION, "")
        policy: str = body["spec"].get("unknownOutcomePolicy", "Ask")
        return word == f"{body['status'].get('attempt')}/retry" or policy == "Retry"

    def cancelling(self, uid: str | None, job_id: int) -> None:
        """An operator is about to cancel; `uid` is None in a sweep, which looks at all jobs of the installation."""
        job, birth = self._slurm.jobs.get(job_id), self._slurm.births.get(job_id)
        if job is None or birth is None or job.states & ENDED:
            return
        if owner(birth)[0] is None or (uid is not None and owner(birth)[0] != uid):
            self.tell(StrangerTouched, f"cancellation of {birth}")
        self._ours.add(birth.serial)

    def check(self) -> None:
        """What can be looked at at any time."""
        ran: dict[tuple[str | None, int], int] = {}
        for birth in self._slurm.started:
            key = owner(birth)
            if key[0] is not None and ran.setdefault(key, birth.serial) != birth.serial:
                self.tell(RanTwice, f"attempt {key[1]} ran again as {birth}")

    def left_held(self) -> list[Birth]:
        """Jobs of ours that are held without the note, and that no object will ever release."""
        recorded = {
            (body["metadata"]["uid"], body["status"].get("attempt"), body["status"].get("jobId"))
            for body in self._kube.objects.values()
        }
        found = []
        for job_id, job in self._slurm.jobs.items():
            birth, mark = self._slurm.births[job_id], marker.parse(job.comment)
            if job.waits_held and mark is not None and not mark.released and birth.serial not in self.rewritten:
                uid, attempt = owner(birth)
                if (uid, attempt, str(job_id)) not in recorded:
                    found.append(birth)
        return found


def owner(birth: Birth) -> tuple[str | None, int]:
    """Uid and attempt that a job was submitted for; None: a stranger's job."""
    mark = marker.parse(birth.comment)
    return (None, 0) if mark is None else (mark.uid, mark.attempt)


def condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The condition of this type; empty where there is none."""
    return next((found for found in status.get("conditions", ()) if found["type"] == kind), {})


def is_true(status: Mapping[str, Any], kind: str) -> bool:
    """Whether the condition is there and True."""
    return condition(status, kind).get("status") == "True"
