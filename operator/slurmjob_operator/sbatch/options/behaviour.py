"""What becomes of the job when something happens to it, what is measured of it, and what it inherits."""

from __future__ import annotations

from typing import Any, Final

from slurmjob_operator.sbatch.option import Argument, Body, Handled, NotSaid, Option, Rest
from slurmjob_operator.sbatch.rest import made, plain
from slurmjob_operator.sbatch.types.flag import FLAG
from slurmjob_operator.sbatch.types.modes import (
    EXPEDITE,
    EXPORT,
    FREQUENCY,
    LOGIN,
    PROFILE,
    REQUEUE,
    RESOURCE_LIMITS,
)
from slurmjob_operator.sbatch.types.numbers import ONE_OR_ZERO, ZERO_OR_ONE
from slurmjob_operator.sbatch.types.words import TEXT, UNLESS_OFF
from slurmjob_operator.sbatch.value import NEWEST, R24_11

YES_AND_NO: Final = frozenset({"true", "false"})
EXPORTED: Final = Handled(where="it goes into the request's `environment`; there is none that one submits from")
LOGIN_ENVIRONMENT: Final = Handled(where="SLURM_GET_USER_ENV=1 in the request's `environment` says it to slurmd")
PBS: Final = Handled(where="the script is read so")


def _requeue_v38(value: bool | str) -> Body:
    """`requeue: false` is ignored; `no_requeue` is not in the document."""
    return {"requeue": True} if value else {"no_requeue": True}


def _requeue_v40(value: bool | str) -> Body:
    return {"requeue": True, "flags": ["EXPEDITED_REQUEUE"]} if value == EXPEDITE else {"requeue": value}


def _expedite_unsaid(value: bool | str, api_version: str) -> str | None:
    if value != EXPEDITE or api_version >= "v0.0.44":
        return None
    return f"`{EXPEDITE}` needs v0.0.44 of slurmrestd's API, and this is {api_version}"


def _profile_v40(words: tuple[str, ...]) -> Body:
    return {"profile": [word.upper() for word in words] or ["NONE"]}


def _no_kill_v38(value: bool) -> Body:
    """The word that sbatch's own reader knows: `true` is refused, and `no` is the opposite."""
    return {"no_kill": "set"} if value else {}


def _no_kill_v40(value: bool) -> Body:
    return {"kill_on_node_fail": False} if value else {}


def _wait_v40(value: Any) -> Body:
    return {"wait_all_nodes": value == 1}


ROWS: Final = (
    Option(
        name="acctg-freq",
        type=FREQUENCY,
        help='How often accounting and profiling look at the job, in seconds, e.g. "30" or "task=30,energy=0". '
        "Default: the cluster's own, which is also the largest that it takes for tasks.",
        v38=plain("account_gather_frequency", observed=False),
        v40=plain("account_gather_frequency", observed=False),
        inherited=True,
    ),
    Option(
        name="batch",
        type=TEXT,
        help="Features of the node that the script itself runs on, out of those that all nodes must have.",
        v38=NotSaid(
            reason="its key damages the memory of slurmrestd 22.05, which then dies; ask for features of all nodes, or "
            "use a cluster with Slurm 24.11 or newer"
        ),
        v40=plain("batch_features"),
        inherited=True,
    ),
    Option(
        name="export",
        type=EXPORT,
        help='Variables for the script, e.g. "A=1,B=2". Names without a value give nothing here, for there is no shell '
        "that one submits from. Anything but ALL also gives the variables of the user's login shell on the node.",
        v38=EXPORTED,
        v40=EXPORTED,
        inherited=True,
    ),
    Option(
        name="get-user-env",
        argument=Argument.OPTIONAL,
        changed=(NEWEST, Argument.NONE),
        type=LOGIN,
        default="true",
        ours=YES_AND_NO,
        help="Whether the script finds the variables of the Slurm user's login shell on the node. Default: it has only "
        "those of `environment`.",
        v38=LOGIN_ENVIRONMENT,
        v40=LOGIN_ENVIRONMENT,
        inherited=True,
    ),
    Option(
        name="ignore-pbs",
        argument=Argument.NONE,
        type=FLAG,
        default="true",
        help="Whether `#PBS` and `#BSUB` lines of the script are comments.",
        v38=PBS,
        v40=PBS,
        inherited=True,
    ),
    Option(
        name="no-kill",
        short="k",
        argument=Argument.OPTIONAL,
        type=UNLESS_OFF,
        default="true",
        ours=YES_AND_NO,
        help="Whether the job goes on when one of its nodes fails.",
        v38=made(_no_kill_v38, observed=False),
        v40=made(_no_kill_v40, observed=False),
        inherited=True,
    ),
    Option(
        name="no-requeue",
        argument=Argument.NONE,
        default="false",
        sets="requeue",
        help="The opposite of `requeue`.",
        inherited=True,
    ),
    Option(
        name="oom-kill-step",
        argument=Argument.OPTIONAL,
        type=ONE_OR_ZERO,
        default="1",
        help="Whether all of a step ends when one of its tasks runs out of memory (1) or that task alone (0). Default: "
        "the cluster's own.",
        since=R24_11,
        v40=plain("oom_kill_step", since="v0.0.42"),
        inherited=True,
    ),
    Option(
        name="profile",
        type=PROFILE,
        help="What is profiled while the job runs: energy, lustre, network, task with commas, or all, or none.",
        v38=made(lambda words: {"profile": ",".join(words) or "none"}),
        v40=made(_profile_v40),
        inherited=True,
    ),
    Option(
        name="propagate",
        argument=Argument.OPTIONAL,
        type=RESOURCE_LIMITS,
        late=True,
        default="ALL",
        help="Resource limits of the shell that one submits from, to be handed on. Over REST there is none, and the "
        "job has those of the node, as with NONE.",
        means_nothing="there is no shell here whose limits could be handed on; the job has those of the node",
        inherited=True,
    ),
    Option(
        name="requeue",
        argument=Argument.NONE,
        changed=(NEWEST, Argument.OPTIONAL),
        type=REQUEUE,
        default="true",
        ours=YES_AND_NO,
        help="Whether Slurm may start the job again by itself, after a node's failure or preemption. Default: the "
        "cluster's own.",
        v38=made(_requeue_v38),
        v40=Rest(encode=_requeue_v40, unsaid=_expedite_unsaid),
        inherited=True,
    ),
    Option(
        name="wait-all-nodes",
        type=ZERO_OR_ONE,
        help="Whether the script starts only when all nodes are ready (1) or with the first (0). Default: the "
        "cluster's own.",
        v38=plain("wait_all_nodes", observed=False),
        v40=made(_wait_v40, observed=False),
        inherited=True,
    ),
)
