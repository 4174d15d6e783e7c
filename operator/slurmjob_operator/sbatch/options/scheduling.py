"""When the job runs, how long, in which queue, and after what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from slurmjob_operator.sbatch.option import Argument, Body, Handled, Option
from slurmjob_operator.sbatch.rest import made, plain
from slurmjob_operator.sbatch.types.arrays import ARRAY
from slurmjob_operator.sbatch.types.dependencies import DEPENDENCY
from slurmjob_operator.sbatch.types.flag import FLAG
from slurmjob_operator.sbatch.types.moments import MOMENT
from slurmjob_operator.sbatch.types.numbers import DEFAULT_NICE, NICE, PRIORITY
from slurmjob_operator.sbatch.types.times import DELAY, TIME_LIMIT, Delay, TimeLimit
from slurmjob_operator.sbatch.types.words import PARTITIONS, TEXT, YES_OR_NO

ENDLESS: Final = 2**32 - 1
"""Slurm's INFINITE."""

HOLD: Final = Handled(where="every job is submitted held, and this one is not released")
PRIORITY_LATER: Final = Handled(where="it is set together with the release, for a held job has the priority 0")


def _limit_v38(key: str) -> Callable[[TimeLimit], Body]:
    return lambda limit: {key: limit.minutes or 0}


def _limit_v40(key: str) -> Callable[[TimeLimit], Body]:
    """No limit is `infinite`: the number 0 would be a limit of 0 minutes."""
    return lambda limit: {key: {"set": True, "infinite": limit.minutes is None, "number": limit.minutes or 0}}


def _delay_v38(delay: Delay) -> Body:
    """As sbatch reads it: a bare number is minutes."""
    return {"delay_boot": "UNLIMITED" if delay.seconds is None else f"{delay.seconds // 60}:{delay.seconds % 60}"}


def _delay_v40(delay: Delay) -> Body:
    """Seconds, as a bare number: for an object nothing is submitted, and the answer is 200."""
    return {"delay_boot": ENDLESS if delay.seconds is None else delay.seconds}


def _array_v38(indexes: str) -> Body:
    return {"array": indexes} if indexes else {}


def _invalid_dependency_v40(kill: bool) -> Body:
    return {"flags": ["KILL_INVALID_DEPENDENCY" if kill else "NO_KILL_INVALID_DEPENDENCY"]}


ROWS: Final = (
    Option(
        name="array",
        short="a",
        type=ARRAY,
        late=True,
        help='Indexes of an array of jobs, e.g. "0-99%10": a hundred, ten at once.',
        v38=made(_array_v38),
        v40=plain("array"),
        inherited=True,
    ),
    Option(
        name="begin",
        short="b",
        type=MOMENT,
        help='The earliest start, e.g. "now+2hours", "tomorrow", "2027-01-31T10:00", on the clock of slurmrestd.',
        v38=plain("begin_time"),
        v40=plain("begin_time"),
        inherited=True,
    ),
    Option(
        name="cluster-constraint",
        type=TEXT,
        help="Features that a cluster of a federation must have.",
        v38=plain("cluster_constraint"),
        v40=plain("cluster_constraint"),
        inherited=True,
    ),
    Option(
        name="deadline",
        type=MOMENT,
        help="Slurm removes the job when it cannot end before this any more. Written as for `begin`.",
        v38=plain("deadline"),
        v40=plain("deadline"),
        inherited=True,
    ),
    Option(
        name="delay-boot",
        type=DELAY,
        help="How long to wait for nodes that have the features already, before others are booted anew; minutes, or "
        "written as a time limit. Default: the cluster's own.",
        v38=made(_delay_v38),
        v40=made(_delay_v40),
        inherited=True,
    ),
    Option(
        name="dependency",
        short="d",
        type=DEPENDENCY,
        late=True,
        help='Jobs of Slurm that this one waits for, by their ids, e.g. "afterok:123:124"; or "singleton".',
        v38=plain("dependency"),
        v40=plain("dependency"),
        inherited=True,
    ),
    Option(
        name="hold",
        short="H",
        argument=Argument.NONE,
        type=FLAG,
        default="true",
        help="Whether the job stays held until somebody releases it in Slurm.",
        v38=HOLD,
        v40=HOLD,
        inherited=True,
    ),
    Option(
        name="kill-on-invalid-dep",
        type=YES_OR_NO,
        help="Whether the job is ended (yes) or waits for ever (no) when what it depends on can no longer happen. "
        "Default: the cluster's own.",
        v38=plain("kill_on_invalid_dependency"),
        v40=made(_invalid_dependency_v40),
        inherited=True,
    ),
    Option(
        name="nice",
        argument=Argument.OPTIONAL,
        type=NICE,
        default=str(DEFAULT_NICE),
        help="By how much the priority is lowered, 100 for the bare option; less than 0 needs an operator's rights.",
        v38=plain("nice"),
        v40=plain("nice"),
        inherited=True,
    ),
    Option(
        name="partition",
        short="p",
        type=PARTITIONS,
        late=True,
        help="Partition, or several with commas, of which the first free one is taken. Default: the cluster's own.",
        v38=plain("partition"),
        v40=plain("partition"),
    ),
    Option(
        name="priority",
        type=PRIORITY,
        help='Priority as a number, or "TOP"; needs the rights for it. Default: what the cluster works out.',
        v38=PRIORITY_LATER,
        v40=PRIORITY_LATER,
        inherited=True,
    ),
    Option(
        name="reservation",
        type=TEXT,
        help="Reservation to run in, or several with commas.",
        v38=plain("reservation"),
        v40=plain("reservation"),
        inherited=True,
    ),
    Option(
        name="time",
        short="t",
        type=TIME_LIMIT,
        help='Time limit, e.g. "90" (minutes), "1:30:00", "1-12" (a day and a half); seconds round up to minutes. '
        "0 and UNLIMITED mean none at all. Default: that of the partition.",
        v38=made(_limit_v38("time_limit")),
        v40=made(_limit_v40("time_limit")),
        inherited=True,
    ),
    Option(
        name="time-min",
        type=TIME_LIMIT,
        help="How far Slurm may shorten the time limit to start the job earlier. Written as the time limit.",
        v38=made(_limit_v38("time_minimum")),
        v40=made(_limit_v40("time_minimum")),
        inherited=True,
    ),
)
