"""Where a job runs, and with whom it shares its nodes."""

from __future__ import annotations

from typing import Any, Final

from slurmjob_operator.sbatch.option import Argument, Body, NotSaid, Option, Rest
from slurmjob_operator.sbatch.rest import flag, made, number, plain, switch
from slurmjob_operator.sbatch.types.counts import SHORT_OR_NONE
from slurmjob_operator.sbatch.types.expressions import FEATURES
from slurmjob_operator.sbatch.types.flag import FLAG
from slurmjob_operator.sbatch.types.hosts import HOSTS
from slurmjob_operator.sbatch.types.layout import SHARING, SWITCHES
from slurmjob_operator.sbatch.value import NEWEST, R24_11

_SHARED = {"node": "none", "user": "user", "mcs": "mcs", "topo": "topo", "oversubscribe": "oversubscribe"}
"""Values of `--exclusive` as slurmrestd has them: which other jobs may be on the node."""


def _older_exclusive(value: Any) -> Body:
    """`true`, which the document names, is refused; `false` for oversubscribe would mean true."""
    if value == "oversubscribe":
        return {"oversubscribe": True}
    return {"exclusive": "exclusive" if value == "node" else value}


def _exclusive(value: Any) -> Body:
    return {"shared": [_SHARED[value]]}


def _unsaid_exclusive(value: Any, api_version: str) -> str | None:
    if value == "topo" and api_version < "v0.0.41":
        return f"topo needs v0.0.41 of slurmrestd's API, and this is {api_version}"
    return None


def _switches(value: Any) -> Body:
    count: Body = {"required_switches": {"set": True, "number": value.count}}
    return count if value.wait is None else {**count, "wait_for_switch": value.wait}


ROWS: Final = (
    Option(
        name="constraint",
        short="C",
        help="Features that the nodes must have, as an expression.",
        type=FEATURES,
        v38=plain("constraints"),
        v40=plain("constraints"),
    ),
    Option(
        name="prefer",
        help="Features that the nodes should have, as an expression.",
        type=FEATURES,
        inherited=True,
        v38=plain("prefer"),
        v40=plain("prefer"),
    ),
    Option(
        name="exclusive",
        help="Which other jobs stay away from the nodes: node (all), user (those of other users), mcs (those of other "
        "groups) or, from 24.11 on, topo.",
        argument=Argument.OPTIONAL,
        default="node",
        ours=frozenset({"node"}),
        type=SHARING,
        v38=made(_older_exclusive),
        v40=Rest(encode=_exclusive, unsaid=_unsaid_exclusive),
    ),
    Option(
        name="oversubscribe",
        short="s",
        argument=Argument.NONE,
        default="true",
        help="Whether other jobs may use the same CPUs, where the partition allows it.",
        type=FLAG,
        v38=switch("oversubscribe"),
        v40=made(lambda value: {"shared": ["oversubscribe"]} if value else {}),
    ),
    Option(
        name="contiguous",
        argument=Argument.NONE,
        default="true",
        help="Whether the nodes must be neighbours.",
        type=FLAG,
        v38=NotSaid(reason="Slurm 22.05 refuses it over REST; name the nodes with nodelist instead"),
        v40=switch("contiguous"),
    ),
    Option(
        name="use-min-nodes",
        argument=Argument.NONE,
        default="true",
        help="Of a range of nodes, whether Slurm tries the smallest number first.",
        type=FLAG,
        v38=Rest(encode=lambda value: {"minimum_nodes": True} if value else {}, observed=False),
        v40=flag("PREFER_MINIMUM_NODE_COUNT"),
    ),
    Option(
        name="spread-job",
        argument=Argument.NONE,
        default="true",
        help="Whether the job is spread over as many nodes as possible.",
        type=FLAG,
        v38=switch("spread_job"),
        v40=flag("SPREAD_JOB"),
    ),
    Option(
        name="nodelist",
        short="w",
        help="Nodes that the job must get, with others if it asks for more. The number of nodes is that of the list by "
        "default.",
        type=HOSTS,
        late=True,
        # not in 22.05's document
        v38=plain("nodelist"),
        v40=made(lambda value: {"required_nodes": [value]}),
    ),
    Option(
        name="exclude",
        short="x",
        help="Nodes that the job must not get.",
        type=HOSTS,
        late=True,
        inherited=True,
        # not in 22.05's document
        v38=plain("exclude_nodes"),
        v40=made(lambda value: {"excluded_nodes": [value]}),
    ),
    Option(
        name="nodefile",
        short="F",
        help="A file of node names.",
        refused="the file would be read on the machine where sbatch runs; name the nodes with nodelist instead",
    ),
    Option(
        name="switches",
        help="At most how many switches the nodes may be on, COUNT or COUNT@TIME; TIME (minutes, or as a time limit) "
        "is the longest wait for that.",
        type=SWITCHES,
        v38=NotSaid(reason="Slurm 22.05 refuses it over REST; name nodes of the same switch with nodelist instead"),
        v40=made(_switches),
    ),
    Option(
        name="segment",
        help="Number of nodes that must be close together, with a topology of blocks.",
        type=SHORT_OR_NONE,
        since=R24_11,
        v38=NotSaid(reason="Slurm 22.05 does not know it"),
        v40=number("segment_size", since="v0.0.41"),
    ),
    Option(
        name="consolidate-segments",
        argument=Argument.NONE,
        default="true",
        help="Whether the segments are packed into as few blocks as possible.",
        type=FLAG,
        since=NEWEST,
        v38=NotSaid(reason="Slurm 22.05 does not know it"),
        v40=flag("CONSOLIDATE_SEGMENTS", since="v0.0.44"),
    ),
    Option(
        name="spread-segments",
        argument=Argument.NONE,
        default="true",
        help="Whether each segment is in a block of its own.",
        type=FLAG,
        since=NEWEST,
        v38=NotSaid(reason="Slurm 22.05 does not know it"),
        v40=flag("SPREAD_SEGMENTS", since="v0.0.44"),
    ),
)
