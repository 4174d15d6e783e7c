"""How many nodes, tasks and CPUs."""

from __future__ import annotations

from typing import Final

from slurmjob_operator.sbatch.option import Argument, NotSaid, Option
from slurmjob_operator.sbatch.rest import made, plain, switch
from slurmjob_operator.sbatch.types.counts import COUNT, SHORT_COUNT
from slurmjob_operator.sbatch.types.flag import FLAG
from slurmjob_operator.sbatch.types.nodes import NODES

# 22.05's document has a list of two numbers, which slurmrestd takes and ignores
_NODES = made(lambda value: {"nodes": str(value)})

ROWS: Final = (
    Option(
        name="nodes",
        short="N",
        help='Number of nodes, a range ("2-4"), or from 24.11 on a list of numbers ("1,3-5") or one with a step '
        '("2-16:2", without 16). With fewer tasks than nodes, the nodes are lowered to the tasks.',
        type=NODES,
        v38=_NODES,
        v40=_NODES,
    ),
    Option(
        name="ntasks",
        short="n",
        help="Number of tasks that the job starts at the most. Slurm's default is one task a node.",
        type=COUNT,
        v38=plain("tasks"),
        v40=plain("tasks"),
    ),
    Option(
        name="ntasks-per-node",
        aliases=("tasks-per-node",),
        help="Number of tasks on each node; with a number of tasks as well, the most on a node.",
        type=SHORT_COUNT,
        v38=plain("tasks_per_node"),
        v40=plain("tasks_per_node"),
    ),
    Option(
        name="ntasks-per-socket",
        help="The most tasks on each socket.",
        type=SHORT_COUNT,
        v38=plain("tasks_per_socket"),
        v40=plain("tasks_per_socket"),
    ),
    Option(
        name="ntasks-per-core",
        help="The most tasks on each core. A hint about threads has no effect beside it.",
        type=SHORT_COUNT,
        v38=plain("tasks_per_core"),
        v40=plain("tasks_per_core"),
    ),
    Option(
        name="cpus-per-task",
        short="c",
        help="Number of CPUs of each task. Slurm's default is 1.",
        type=SHORT_COUNT,
        v38=plain("cpus_per_task"),
        v40=plain("cpus_per_task"),
    ),
    Option(
        name="mincpus",
        help="Number of CPUs that each node must have at least.",
        type=SHORT_COUNT,
        v38=plain("minimum_cpus_per_node"),
        v40=plain("minimum_cpus_per_node"),
    ),
    Option(
        name="overcommit",
        short="O",
        argument=Argument.NONE,
        default="true",
        help="Give the job one CPU a node, whatever its number of tasks.",
        type=FLAG,
        v38=NotSaid(reason="Slurm 22.05 refuses it over REST; ask for as many tasks as CPUs are wanted instead"),
        v40=switch("overcommit"),
    ),
)
