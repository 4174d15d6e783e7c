"""Each fault of a run by an example of it and by the nearest thing that is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slurmjob_operator.core.marker import Marker
from tests.faults.ledger import Accounted, Ended, Evidence, Execution, Queued, Seen
from tests.faults.verdict import MUST_BE_ZERO, Floor, Verdict, close, failures, judge


def mark(*, name: str = "a", uid: str = "u", attempt: int = 1, released: bool = False) -> Marker:
    return Marker(
        installation="i",
        namespace="ns",
        name=name,
        uid=uid,
        attempt=attempt,
        template_hash="abc",
        released=released,
    )


def ran(*ids: str, name: str = "a") -> tuple[Execution, ...]:
    return tuple(Execution(object=f"ns/{name}", job_id=job_id) for job_id in ids)


def dbd(
    job_id: str,
    state: str = "COMPLETED",
    exit_code: int = 0,
    *,
    submit: str = "2026-11-25T01:00:00",
    marked: Marker | None = None,
) -> Accounted:
    return Accounted(job_id=job_id, state=state, exit_code=exit_code, submit=submit, mark=marked)


def ours(job_id: str, state: str = "COMPLETED", exit_code: int = 0, *, attempt: int = 1) -> Accounted:
    return dbd(job_id, state, exit_code, marked=mark(attempt=attempt))


def queued(job_id: str, state: str = "RUNNING", reason: str = "None", *, marked: Marker | None) -> Queued:
    return Queued(job_id=job_id, state=state, reason=reason, mark=marked)


def held(job_id: str, marked: Marker | None) -> Queued:
    return queued(job_id, "PENDING", "JobHeldUser", marked=marked)


def ended(job_id: str | None = "7", state: str = "COMPLETED", exit_code: int | None = 0, *, attempt: int = 1) -> Ended:
    return Ended(attempt=attempt, job_id=job_id, state=state, exit_code=exit_code)


def done(*attempts: Ended) -> Seen:
    last = attempts[-1]
    return Seen(object="ns/a", uid="u", attempt=last.attempt, job_id=last.job_id, finished=True, ended=attempts)


def open_(
    job_id: str | None = "7",
    *attempts: Ended,
    attempt: int = 1,
    deleting: bool = False,
    said: bool = False,
    uid: str = "u",
) -> Seen:
    return Seen(
        object="ns/a",
        uid=uid,
        attempt=attempt,
        job_id=job_id,
        finished=False,
        deleting=deleting,
        said=said,
        ended=attempts,
    )


CASES: dict[str, tuple[Evidence, dict[str, int]]] = {
    "nothing at all": (Evidence(), {}),
    "a quiet life": (Evidence(executions=ran("7"), accounted=(ours("7"),), objects=(done(ended()),)), {"runs": 1}),
    # --- double
    "two ids of one attempt, by marker": (
        Evidence(executions=ran("7", "8"), accounted=(ours("7"), ours("8")), objects=(done(ended()),)),
        {"runs": 2, "double": 1},
    ),
    "two attempts": (
        Evidence(
            executions=ran("7", "8"),
            accounted=(ours("7", "FAILED", 3), ours("8", attempt=2)),
            objects=(done(ended("7", "FAILED", 3), ended("8", attempt=2)),),
        ),
        {"runs": 2},
    ),
    "two attempts, known by the object alone": (
        Evidence(executions=ran("7", "8"), objects=(open_("8", ended("7", "UNKNOWN"), attempt=2, said=True),)),
        {"runs": 2},
    ),
    "an id that nobody knows counts against the current attempt": (
        Evidence(executions=ran("7", "9"), objects=(open_(said=True),)),
        {"runs": 2, "double": 1},
    ),
    "two ids of an object that is gone": (Evidence(executions=ran("7", "9")), {"runs": 2, "double": 1}),
    "two ids, one of them live": (
        Evidence(
            executions=ran("7", "8"),
            accounted=(ours("7"),),
            queued=(queued("8", marked=mark()),),
            objects=(done(ended()),),
        ),
        {"runs": 2, "double": 1},
    ),
    "one name, two objects": (
        Evidence(
            executions=ran("7", "8"),
            accounted=(ours("7"), dbd("8", marked=mark(uid="v"))),
            objects=(done(ended()),),
        ),
        {"runs": 2},
    ),
    "two objects": (Evidence(executions=(*ran("7"), *ran("8", name="b"))), {"runs": 2}),
    # --- Slurm's own restarts
    "one id three times": (
        Evidence(executions=ran("7", "7", "7"), accounted=(ours("7"),), objects=(done(ended()),)),
        {"runs": 3, "slurm_restarts": 2},
    ),
    # --- lost and stuck
    "its recorded job has ended": (Evidence(accounted=(ours("7"),), objects=(open_(),)), {"lost": 1}),
    "its recorded job has ended, whatever it says": (
        Evidence(accounted=(ours("7"),), objects=(open_(said=True),)),
        {"lost": 1},
    ),
    "a job that it never recorded ran and ended": (
        Evidence(executions=ran("8"), accounted=(ours("8"),), objects=(open_(None),)),
        {"runs": 1, "lost": 1},
    ),
    "a twin was cancelled before it ran": (
        Evidence(accounted=(ours("8", "CANCELLED"),), objects=(open_("7"),)),
        {"stuck": 1},
    ),
    "the stranger that got its id has ended": (
        Evidence(accounted=(dbd("7"), dbd("7", marked=mark(uid="v"))), objects=(open_(said=True),)),
        {},
    ),
    "requeued after a node failed": (
        Evidence(
            accounted=(ours("7", "NODE_FAIL"), dbd("7", "PENDING", submit="2026-11-25T01:00:01")),
            objects=(open_(),),
        ),
        {"stuck": 1},
    ),
    "requeued within the second": (
        Evidence(accounted=(ours("7", "NODE_FAIL"), dbd("7", "PENDING")), objects=(open_(),)),
        {"stuck": 1},
    ),
    "it runs still": (Evidence(accounted=(dbd("7", "RUNNING"),), objects=(open_(),)), {"stuck": 1}),
    "it waits and says why": (Evidence(objects=(open_(None, said=True),)), {}),
    "waits for another attempt": (
        Evidence(accounted=(ours("7", "FAILED"),), objects=(open_("7", ended("7", "FAILED")),)),
        {"stuck": 1},
    ),
    "is not let go": (Evidence(accounted=(ours("7"),), objects=(open_(deleting=True),)), {"stuck": 1}),
    "has ended and is not let go": (
        Evidence(accounted=(ours("7"),), objects=(replace(done(ended()), deleting=True),)),
        {"stuck": 1},
    ),
    "is not let go and says why": (Evidence(objects=(open_(deleting=True, said=True),)), {}),
    # --- false ends
    "slurmdbd knows nothing of it": (Evidence(objects=(done(ended()),)), {"false_end": 1}),
    "slurmdbd says that it runs": (
        Evidence(accounted=(dbd("7", "RUNNING"),), objects=(done(ended()),)),
        {"false_end": 1},
    ),
    "slurmdbd says that it failed": (
        Evidence(accounted=(ours("7", "FAILED"),), objects=(done(ended()),)),
        {"false_end": 1},
    ),
    "another exit code": (
        Evidence(accounted=(ours("7", "FAILED", 4),), objects=(done(ended("7", "FAILED", 3)),)),
        {"false_end": 1},
    ),
    "an exit code that slurmdbd has not": (
        Evidence(accounted=(ours("7", "FAILED"),), objects=(done(ended("7", "FAILED", 3)),)),
        {},
    ),
    "an exit code that nobody told": (
        Evidence(accounted=(ours("7", "FAILED", 3),), objects=(done(ended("7", "FAILED", None)),)),
        {},
    ),
    "of an earlier attempt": (
        Evidence(
            accounted=(ours("7"), ours("8", attempt=2)),
            objects=(done(ended("7", "FAILED"), ended("8", attempt=2)),),
        ),
        {"false_end": 1},
    ),
    "an unknown end claims nothing": (Evidence(objects=(done(ended("7", "UNKNOWN", None)),)), {}),
    "an end without a job claims nothing": (Evidence(objects=(done(ended(None, "FAILED")),)), {}),
    "the end of a stranger proves nothing": (
        Evidence(accounted=(dbd("7", marked=mark(uid="v")),), objects=(done(ended()),)),
        {"false_end": 1},
    ),
    # --- left in Slurm
    "runs without its object": (Evidence(queued=(queued("7", marked=mark()),)), {"orphans": 1}),
    "waits without its object": (
        Evidence(queued=(queued("7", "PENDING", "Priority", marked=mark(released=True)),)),
        {"orphans": 1},
    ),
    "held by a person without its object": (Evidence(queued=(held("7", mark(released=True)),)), {"orphans": 1}),
    "runs without its object, that has a namesake": (
        Evidence(queued=(queued("7", marked=mark()),), objects=(open_(None, uid="v", said=True),)),
        {"orphans": 1},
    ),
    "was let run": (Evidence(queued=(queued("7", marked=mark(name="free")),)), {}),
    "is ending": (Evidence(queued=(queued("7", "COMPLETING", marked=mark()),)), {}),
    "runs with its object": (
        Evidence(queued=(queued("7", marked=mark()),), objects=(open_(said=True),)),
        {},
    ),
    "a stranger's": (Evidence(queued=(queued("7", marked=None), held("8", None))), {}),
    "held without its object": (Evidence(queued=(held("7", mark()),)), {"held_left": 1}),
    "held beside the recorded one": (
        Evidence(queued=(held("8", mark()),), objects=(open_(said=True),)),
        {"held_left": 1},
    ),
    "held and recorded": (Evidence(queued=(held("7", mark()),), objects=(open_(said=True),)), {}),
    "held, recorded, and its object has ended": (
        Evidence(queued=(held("7", mark()),), objects=(done(ended("7", "UNKNOWN")),)),
        {"held_left": 1},
    ),
    "held by a person": (Evidence(queued=(held("7", mark(released=True)),), objects=(open_(said=True),)), {}),
}


@pytest.mark.parametrize("case", CASES)
def test_cases(case: str) -> None:
    evidence, expected = CASES[case]
    verdict = judge(evidence, kills=0, releases=["26.05.5"], let_run={"ns/free"})
    counts = {"runs": verdict.runs, "slurm_restarts": verdict.slurm_restarts}
    counts |= {kind: verdict.count(kind) for kind in MUST_BE_ZERO}
    assert {kind: count for kind, count in counts.items() if count} == expected


def clean(*, kills: int = 20, runs: int = 50, releases: tuple[str, ...] = ("26.05.5",), **found: str) -> Verdict:
    return Verdict(
        kills=kills,
        runs=runs,
        slurm_restarts=3,
        releases=releases,
        found={kind: (found[kind],) if kind in found else () for kind in MUST_BE_ZERO},
    )


def test_the_closing_line(capsys: pytest.CaptureFixture[str]) -> None:
    close(clean(releases=("24.11.5", "26.05.5")))
    assert capsys.readouterr().out == (
        "kills 20 runs 50 double 0 lost 0 false_end 0 stuck 0 orphans 0 held_left 0 slurm_restarts 3 "
        "releases 24.11.5,26.05.5\n"
    )


@pytest.mark.parametrize("kind", MUST_BE_ZERO)
def test_one_fault_fails_the_run(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AssertionError, match=f"^{kind}: ns/a$"):
        close(clean(**{kind: "ns/a"}))  # type: ignore[arg-type]  # none of them is a number
    assert f" {kind} 1 " in capsys.readouterr().out


FLOORS: dict[str, tuple[Verdict, Floor, tuple[str, ...]]] = {
    "at the floor": (clean(), Floor(), ()),
    "too few kills": (clean(kills=19), Floor(), ("only 19 kills of at least 20",)),
    "too few executions": (clean(runs=49), Floor(), ("only 49 executions of at least 50",)),
    "another floor": (clean(kills=0, runs=1), Floor(kills=0, executions=1), ()),
    "no release": (clean(releases=()), Floor(), ("no release of Slurm is named",)),
}


@pytest.mark.parametrize("case", FLOORS)
def test_a_run_below_its_floor_fails(case: str) -> None:
    verdict, floor, expected = FLOORS[case]
    assert failures(verdict, floor) == expected
