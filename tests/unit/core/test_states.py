"""Which states end a job, which only look like an end, and how each end reads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from slurmjob_operator.api.conditions import Reason
from slurmjob_operator.core.records import JobRecord, Source
from slurmjob_operator.core.states import TERMINAL, end_of, has_terminal_base, is_over, script_exit

RECORD = JobRecord(source=Source.CONTROLLER, job_id=7, user="alice", name="n", states=frozenset())


@pytest.mark.parametrize("base", sorted(TERMINAL))
def test_a_terminal_base_state_alone_is_an_end(base: str) -> None:
    assert is_over(frozenset({base}))


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "SUSPENDED", "WHATEVER_COMES", ""])
def test_no_other_state_is(state: str) -> None:
    states = frozenset({state} - {""})
    assert not is_over(states)
    assert not has_terminal_base(states)


@pytest.mark.parametrize(
    "flag",
    [
        "COMPLETING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "STAGE_OUT", "RESIZING", "REVOKED",
        "SIGNALING", "CONFIGURING", "STOPPED", "A_FLAG_OF_TOMORROW",
    ],
)  # fmt: skip
@pytest.mark.parametrize("base", ["COMPLETED", "CANCELLED", "NODE_FAIL", "FAILED"])
def test_flags_that_keep_it_open(base: str, flag: str) -> None:
    states = frozenset({base, flag})
    assert not is_over(states)
    assert has_terminal_base(states)


@pytest.mark.parametrize("flag", ["LAUNCH_FAILED", "RECONFIG_FAIL", "UPDATE_DB", "POWER_UP_NODE", "EXPEDITING"])
def test_flags_that_do_no_harm(flag: str) -> None:
    assert is_over(frozenset({"FAILED", flag}))


@pytest.mark.parametrize(
    ("record", "succeeded", "reason", "message"),
    [
        ({"states": "COMPLETED", "exit_code": 0}, True, Reason.COMPLETED, "Slurm job 7 completed."),
        ({"states": "FAILED", "exit_code": 3}, False, Reason.NON_ZERO_EXIT_CODE, "Slurm job 7 ended with exit code 3."),
        ({"states": "FAILED"}, False, Reason.NON_ZERO_EXIT_CODE, "Slurm job 7 ended with an unknown exit code."),
        ({"states": "FAILED", "signal": 9, "exit_code": 0}, False, Reason.SIGNALED, "was ended by signal 9 (SIGKILL)."),
        ({"states": "FAILED", "signal": 64}, False, Reason.SIGNALED, "was ended by signal 64"),
        ({"states": "FAILED", "signal": 61}, False, Reason.SIGNALED, "was ended by signal 61."),
        ({"states": "FAILED", "exit_code": 0}, False, Reason.NON_ZERO_EXIT_CODE, "ended with an unknown exit code."),
        ({"states": "NODE_FAIL", "failed_node": "n7"}, False, Reason.NODE_FAILURE, "Slurm job 7 lost node n7."),
        ({"states": "FAILED", "signal": 53}, False, Reason.LAUNCH_FAILED, "could not be started on its node"),
        ({"states": "FAILED", "reason": "JobLaunchFailure"}, False, Reason.LAUNCH_FAILED, "look at `chdir`"),
        ({"states": "FAILED", "reason": "JobLaunchFailure", "signal": 53}, False, Reason.LAUNCH_FAILED, "could not be"),
        ({"states": "FAILED", "reason": "JobLaunchFailure", "signal": 9}, False, Reason.SIGNALED, "9 (SIGKILL)"),
        ({"states": "TIMEOUT", "time_limit_seconds": 300, "exit_code": 0}, False, Reason.TIME_LIMIT_EXCEEDED,
         "Slurm job 7 reached its time limit of 5 min."),
        ({"states": "TIMEOUT"}, False, Reason.TIME_LIMIT_EXCEEDED, "Slurm job 7 reached its time limit."),
        ({"states": "CANCELLED", "exit_code": 0}, False, Reason.CANCELLED, "Slurm job 7 was cancelled."),
        ({"states": "FAILED+LAUNCH_FAILED", "exit_code": 1}, False, Reason.LAUNCH_FAILED, "could not be started"),
        ({"states": "OUT_OF_MEMORY"}, False, Reason.OUT_OF_MEMORY, "used more memory than it had asked for"),
        ({"states": "NODE_FAIL"}, False, Reason.NODE_FAILURE, "lost a node"),
        ({"states": "BOOT_FAIL"}, False, Reason.BOOT_FAILURE, "failed to boot"),
        ({"states": "PREEMPTED"}, False, Reason.PREEMPTED, "preempted"),
        ({"states": "DEADLINE"}, False, Reason.DEADLINE_EXCEEDED, "deadline"),
    ],
)  # fmt: skip
def test_trap_q2_the_state_decides_and_the_words_explain(
    record: dict[str, object], succeeded: bool, reason: Reason, message: str
) -> None:
    changes = {**record, "states": frozenset(str(record["states"]).split("+"))}
    end = end_of(replace(RECORD, **changes))  # type: ignore[arg-type]  # values of several types
    assert (end.succeeded, end.reason) == (succeeded, reason)
    assert message in end.message


@pytest.mark.parametrize(
    ("states", "code", "signal", "script"),
    [
        ("COMPLETED", 0, None, (0, None)),
        ("FAILED", 3, None, (3, None)),
        ("FAILED", None, 9, (None, 9)),
        ("FAILED", 0, 9, (None, 9)),
        ("FAILED", None, 53, (None, None)),
        ("FAILED+LAUNCH_FAILED", 1, 53, (1, None)),
        ("TIMEOUT", None, 15, (None, 15)),
        ("TIMEOUT", 0, None, (None, None)),
        ("TIMEOUT", 9, None, (9, None)),
        ("CANCELLED", 0, None, (None, None)),
        ("CANCELLED", None, 53, (None, 53)),
        ("PREEMPTED", None, 15, (None, 15)),
        ("OUT_OF_MEMORY", None, 125, (None, None)),
        ("OUT_OF_MEMORY", None, 9, (None, 9)),
        ("NODE_FAIL", None, 1, (None, None)),
        ("BOOT_FAIL", None, 1, (None, None)),
        ("DEADLINE", None, 1, (None, None)),
        ("DEADLINE", None, 15, (None, 15)),
    ],
)
def test_exit_code_and_signal_are_those_of_the_script(
    states: str, code: int | None, signal: int | None, script: tuple[int | None, int | None]
) -> None:
    record = replace(RECORD, states=frozenset(states.split("+")), exit_code=code, signal=signal)
    assert script_exit(record) == script


def test_every_terminal_state_has_words() -> None:
    for base in TERMINAL:
        assert end_of(replace(RECORD, states=frozenset({base}))).message.endswith(".")
