"""What a fault run has shown, as one line of counts, and whether that is enough.

    kills K runs N double 0 lost 0 false_end 0 stuck 0 orphans 0 held_left 0 slurm_restarts R releases 26.05.5

- *runs*: executions in the ledger.
- *double*: attempts of a SlurmJob whose script began under more than one Slurm id. Ours to prevent.
- *slurm_restarts*: executions of one Slurm id after its first. Slurm's own doing, counted apart.
- *lost*: objects whose job has ended by slurmdbd's word, and that have no end in status.
- *false_end*: attempts whose end in status is not the one that slurmdbd knows.
- *stuck*: objects that have not ended (or not gone) and do not say why.
- *orphans*: live jobs of ours whose object does not exist.
- *held_left*: held jobs of ours that no living object has recorded.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from slurmjob_operator.core.marker import Marker
from slurmjob_operator.core.states import TERMINAL
from tests.faults.ledger import Accounted, Ended, Evidence, Execution, Queued, Seen

UNKNOWN: Final = "UNKNOWN"
MUST_BE_ZERO: Final = ("double", "lost", "false_end", "stuck", "orphans", "held_left")

Attempt = tuple[str, str, int]
"""Object, uid, number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """What a run must have seen for its zeros to mean something."""

    kills: int = 20
    executions: int = 50


def no_floor() -> Floor:
    """Nothing needs to have happened."""
    return Floor(kills=0, executions=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The counts; `found` names what was counted."""

    kills: int
    runs: int
    slurm_restarts: int
    releases: tuple[str, ...]
    found: Mapping[str, tuple[str, ...]]

    def count(self, kind: str) -> int:
        """How many of one kind of `MUST_BE_ZERO`."""
        return len(self.found[kind])

    def line(self) -> str:
        """The closing line."""
        zeros = " ".join(f"{kind} {self.count(kind)}" for kind in MUST_BE_ZERO)
        releases = ",".join(self.releases) or "none"
        return f"kills {self.kills} runs {self.runs} {zeros} slurm_restarts {self.slurm_restarts} releases {releases}"


def failures(verdict: Verdict, floor: Floor) -> tuple[str, ...]:
    """Why the run has failed; empty: it has not."""
    problems = []
    if verdict.kills < floor.kills:
        problems.append(f"only {verdict.kills} kills of at least {floor.kills}")
    if verdict.runs < floor.executions:
        problems.append(f"only {verdict.runs} executions of at least {floor.executions}")
    if not verdict.releases:
        problems.append("no release of Slurm is named")
    problems += [f"{kind}: {what}" for kind in MUST_BE_ZERO for what in verdict.found[kind]]
    return tuple(problems)


def close(verdict: Verdict, floor: Floor | None = None) -> None:
    """Print the closing line. Raises `AssertionError` where the run has failed."""
    print(verdict.line(), flush=True)
    problems = failures(verdict, floor or Floor())
    if problems:
        raise AssertionError("; ".join(problems))


def judge(evidence: Evidence, *, kills: int, releases: Collection[str], let_run: Collection[str] = ()) -> Verdict:
    """Compare the witnesses. `let_run`: objects (`NAMESPACE/NAME`) that were deleted in order to let their jobs run."""
    lost = tuple(seen for seen in evidence.objects if _is_lost(seen, evidence))
    return Verdict(
        kills=kills,
        runs=len(evidence.executions),
        slurm_restarts=sum(count - 1 for count in Counter(evidence.executions).values()),
        releases=tuple(sorted(releases)),
        found={
            "double": _double(evidence),
            "lost": tuple(seen.object for seen in lost),
            "false_end": tuple(said for seen in evidence.objects for said in _false_ends(seen, evidence)),
            "stuck": tuple(seen.object for seen in evidence.objects if seen not in lost and _is_stuck(seen)),
            "orphans": tuple(_name(job) for job in evidence.queued if _is_orphan(job, evidence, let_run)),
            "held_left": tuple(_name(job) for job in evidence.queued if _is_left_held(job, evidence)),
        },
    )


# --- Executions -----------------------------------------------------------------------------------------------


def _double(evidence: Evidence) -> tuple[str, ...]:
    ids: defaultdict[Attempt, set[str]] = defaultdict(set)
    for execution in evidence.executions:
        ids[attempt_of(execution, evidence)].add(execution.job_id)
    return tuple(
        f"{name} attempt {attempt}: {', '.join(sorted(found, key=int))}"
        for (name, _uid, attempt), found in ids.items()
        if len(found) > 1
    )


def attempt_of(execution: Execution, evidence: Evidence) -> Attempt:
    """By the marker in Slurm, else by the object's own word, else its current one: whoever ran without anybody's
    knowledge counts against it."""
    for mark in _marks(execution.job_id, evidence):
        if f"{mark.namespace}/{mark.name}" == execution.object:
            return execution.object, mark.uid, mark.attempt
    named = [seen for seen in evidence.objects if seen.object == execution.object]
    for seen in named:
        for ended in seen.ended:
            if ended.job_id == execution.job_id:
                return seen.object, seen.uid, ended.attempt
    return (execution.object, named[0].uid, named[0].attempt) if named else (execution.object, "", 0)


def _marks(job_id: str, evidence: Evidence) -> list[Marker]:
    rows: list[Accounted | Queued] = [*evidence.accounted, *evidence.queued]
    return [row.mark for row in rows if row.job_id == job_id and row.mark is not None]


# --- Ends -----------------------------------------------------------------------------------------------------


def _newest(job_id: str, uid: str, evidence: Evidence) -> Accounted | None:
    """slurmdbd's newest record of an id that is the object's. An end is only believed with its marker, since Slurm
    gives ids to strangers; before its end a job has none there."""
    rows = [a for a in evidence.accounted if a.job_id == job_id and _may_be_of(a, uid)]
    return max(reversed(rows), key=lambda row: row.submit, default=None)


def _may_be_of(record: Accounted, uid: str) -> bool:
    return record.state not in TERMINAL if record.mark is None else record.mark.uid == uid


def _is_lost(seen: Seen, evidence: Evidence) -> bool:
    """The recorded job, or one that ran without being recorded, has ended, and the object does not know."""
    if seen.finished or seen.deleting or any(ended.attempt == seen.attempt for ended in seen.ended):
        return False
    open_attempt = (seen.object, seen.uid, seen.attempt)
    ran = {e.job_id for e in evidence.executions if attempt_of(e, evidence) == open_attempt}
    of_it = ran | ({seen.job_id} if seen.job_id is not None else set())
    newest = [_newest(job_id, seen.uid, evidence) for job_id in of_it]
    return any(record is not None and record.state in TERMINAL for record in newest)


def _false_ends(seen: Seen, evidence: Evidence) -> list[str]:
    found = []
    for ended in seen.ended:
        if ended.state == UNKNOWN or ended.job_id is None:
            continue
        record = _newest(ended.job_id, seen.uid, evidence)
        if not _agree(ended, record):
            known = "nothing" if record is None else f"{record.state} {record.exit_code}"
            said = f"{ended.state} {ended.exit_code}"
            found.append(f"{seen.object} attempt {ended.attempt} job {ended.job_id}: {said}, slurmdbd says {known}")
    return found


def _agree(ended: Ended, record: Accounted | None) -> bool:
    """The states are one; exit codes contradict each other only where both are there (22.05 keeps 0 for all)."""
    if record is None or record.state != ended.state:
        return False
    return not ended.exit_code or not record.exit_code or ended.exit_code == record.exit_code


def _is_stuck(seen: Seen) -> bool:
    return (seen.deleting or not seen.finished) and not seen.said


# --- Left in Slurm --------------------------------------------------------------------------------------------


def _is_orphan(job: Queued, evidence: Evidence, let_run: Collection[str]) -> bool:
    if job.mark is None or job.state == "COMPLETING" or (job.held and not job.mark.released):
        return False
    exists = any(seen.uid == job.mark.uid for seen in evidence.objects)
    return not exists and f"{job.mark.namespace}/{job.mark.name}" not in let_run


def _is_left_held(job: Queued, evidence: Evidence) -> bool:
    if job.mark is None or job.mark.released or not job.held:
        return False
    return not any(
        seen.uid == job.mark.uid and seen.job_id == job.job_id and not seen.finished for seen in evidence.objects
    )


def _name(job: Queued) -> str:
    mark = job.mark
    return f"{job.job_id} {job.state}" if mark is None else f"{job.job_id} {job.state} of {mark.namespace}/{mark.name}"
