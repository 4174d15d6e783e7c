"""What Slurm's job states mean: which end a job, which only look like an end, and which end is a success.

A state is a base state with flags (man squeue, JOB STATE CODES). An attempt is over when its base state is a
terminal one and every flag beside it is known to do no harm: a flag that we do not know may mean that Slurm
runs the job again.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass

from slurmjob_operator.api.conditions import Reason
from slurmjob_operator.core.records import JobRecord

TERMINAL = frozenset(
    {
        "BOOT_FAIL",
        "CANCELLED",
        "COMPLETED",
        "DEADLINE",
        "FAILED",
        "NODE_FAIL",
        "OUT_OF_MEMORY",
        "PREEMPTED",
        "TIMEOUT",
    }
)
NOT_TRIED_AGAIN = frozenset({"CANCELLED", "DEADLINE"})
"""Somebody wanted it to end, or it is too late: another run would fight that."""

HARMLESS_FLAGS = frozenset({"EXPEDITING", "LAUNCH_FAILED", "POWER_UP_NODE", "RECONFIG_FAIL", "UPDATE_DB"})


CLEANING_UP = frozenset({"COMPLETING", "STAGE_OUT"})
"""Flags of a job whose end is certain, and that may last as long as a node is dead."""


def has_terminal_base(states: frozenset[str]) -> bool:
    """Whether the base state is terminal, whatever its flags say."""
    return bool(states & TERMINAL)


WORST_FIRST = (
    "FAILED",
    "OUT_OF_MEMORY",
    "TIMEOUT",
    "NODE_FAIL",
    "BOOT_FAIL",
    "PREEMPTED",
    "DEADLINE",
    "CANCELLED",
    "COMPLETED",
)
"""States of ended tasks. Those that are not tried again come last: the others decide whether there is a retry."""

OVER, CLEANED_UP, PENDING, STARTED = range(4)
"""How lively a job is."""


def liveliness(states: frozenset[str]) -> int:
    """The greater, the livelier."""
    if has_terminal_base(states):
        return CLEANED_UP if states & CLEANING_UP else OVER
    return PENDING if "PENDING" in states and not states & CLEANING_UP else STARTED


def runs_no_more(states: frozenset[str]) -> bool:
    """Whether nothing of the job will run again, though nodes may still be cleaned up: enough to let it go."""
    return has_terminal_base(states) and states - TERMINAL <= HARMLESS_FLAGS | CLEANING_UP


def is_over(states: frozenset[str]) -> bool:
    """Whether the attempt is over: COMPLETING, requeue and unknown flags keep it open."""
    return has_terminal_base(states) and states - TERMINAL <= HARMLESS_FLAGS


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a job ended, in one word for programs and one sentence for people."""

    succeeded: bool
    reason: Reason
    message: str


_ENDS: dict[str, tuple[Reason, str]] = {
    "BOOT_FAIL": (Reason.BOOT_FAILURE, "was given a node that failed to boot"),
    "CANCELLED": (Reason.CANCELLED, "was cancelled"),
    "DEADLINE": (Reason.DEADLINE_EXCEEDED, "did not end before its deadline"),
    "NODE_FAIL": (Reason.NODE_FAILURE, "lost a node"),
    "OUT_OF_MEMORY": (Reason.OUT_OF_MEMORY, "used more memory than it had asked for"),
    "PREEMPTED": (Reason.PREEMPTED, "was preempted by another job"),
    "TIMEOUT": (Reason.TIME_LIMIT_EXCEEDED, "reached its time limit"),
}

LAUNCH_FAILURE_SIGNAL = 53
"""What slurmctld reports when slurmd could not start the script: bad working directory or output file
(measured on 22.05, 24.11 and 26.05)."""

MARKS_OF_SLURM: dict[str, int] = {"BOOT_FAIL": 1, "DEADLINE": 1, "NODE_FAIL": 1, "OUT_OF_MEMORY": 125}
"""Signals that no process got: Slurm itself writes them beside these states (measured on 26.05)."""


def script_exit(record: JobRecord) -> tuple[int | None, int | None]:
    """Exit code and signal of the batch script of a record that is over; None: it has none, or nobody knows.

    Beside any state but COMPLETED an exit code of 0 says nothing: slurmctld gives it to a job that was cancelled before
    it started, slurmdbd to one that reached its time limit.
    """
    code = record.exit_code if record.exit_code or "COMPLETED" in record.states else None
    marks = {number for state, number in MARKS_OF_SLURM.items() if state in record.states}
    if _launch_failed(record):
        marks.add(LAUNCH_FAILURE_SIGNAL)
    return code, record.signal if record.signal and record.signal not in marks else None


def end_of(record: JobRecord) -> End:
    """How the job of a record that is over ended. The state alone decides success (TRAP Q2)."""
    base = next(iter(sorted(record.states & TERMINAL)))
    if base == "COMPLETED":
        return End(succeeded=True, reason=Reason.COMPLETED, message=f"Slurm job {record.job_id} completed.")
    if base == "FAILED":
        return _failure(record)
    reason, words = _ENDS[base]
    if base == "TIMEOUT" and record.time_limit_seconds:
        words += f" of {record.time_limit_seconds // 60} min"
    if base == "NODE_FAIL" and record.failed_node:
        words = f"lost node {record.failed_node}"
    return End(succeeded=False, reason=reason, message=f"Slurm job {record.job_id} {words}.")


def _failure(record: JobRecord) -> End:
    job = f"Slurm job {record.job_id}"
    if _launch_failed(record):
        return End(
            succeeded=False,
            reason=Reason.LAUNCH_FAILED,
            message=(
                f"{job} could not be started on its node: look at `chdir`, `output` and `error`, and whether "
                "the user may write there."
            ),
        )
    if record.signal:
        name = _signal_name(record.signal)
        return End(succeeded=False, reason=Reason.SIGNALED, message=f"{job} was ended by signal {name}.")
    code = f"exit code {record.exit_code}" if record.exit_code else "an unknown exit code"
    return End(succeeded=False, reason=Reason.NON_ZERO_EXIT_CODE, message=f"{job} ended with {code}.")


def _launch_failed(record: JobRecord) -> bool:
    """22.05 gives this reason also to a script that some signal ended."""
    said = "LAUNCH_FAILED" in record.states or (record.reason == "JobLaunchFailure" and not record.signal)
    return "FAILED" in record.states and (said or record.signal == LAUNCH_FAILURE_SIGNAL)


def _signal_name(number: int) -> str:
    """As `15 (SIGTERM)`; a number without a name alone."""
    try:
        return f"{number} ({signal.Signals(number).name})"
    except ValueError:
        return str(number)
