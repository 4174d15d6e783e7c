"""Which sockets, cores and threads of a node."""

from __future__ import annotations

from typing import Any, Final

from slurmjob_operator.sbatch.option import Body, Handled, Option, Rest
from slurmjob_operator.sbatch.rest import made, plain
from slurmjob_operator.sbatch.types.counts import SHORT_COUNT, SPECIALIZED, SPECIALIZED_THREADS
from slurmjob_operator.sbatch.types.layout import DISTRIBUTION, HINT, PARTS

WITHOUT_CORES: Final = frozenset({"v0.0.39", "v0.0.41", "v0.0.42", "v0.0.43", "v0.0.44"})
"""API versions without a key for cores per socket; v0.0.40 had one, v0.0.45 has it again."""


OF_THREADS: Final = 2**15
"""The bit by which Slurm tells a number of threads from one of cores."""


def _specialized(value: int) -> Body:
    """slurmrestd takes the bit for too many cores; sbatch sends it."""
    return {"core_specification": value} if value < OF_THREADS else {"thread_specification": value - OF_THREADS}


def _no_cores(value: int, api_version: str) -> str | None:
    """slurmrestd of the newer family takes 0 for a mistake."""
    del api_version
    return None if value % OF_THREADS else "0 cannot be said over REST; leave it out, and the cluster's default holds"


def _deadly_distribution(value: Any, api_version: str) -> str | None:
    if api_version == "v0.0.41" and value.text.lower() in {"pack", "nopack"}:
        return "slurmrestd dies when v0.0.41 of its API is told pack or nopack alone; write block,pack instead"
    return None


ROWS: Final = (
    Option(
        name="sockets-per-node",
        help="Number of sockets that each node must have at least.",
        type=SHORT_COUNT,
        v38=plain("sockets_per_node"),
        v40=plain("sockets_per_node"),
    ),
    Option(
        name="cores-per-socket",
        help="Number of cores that each socket must have at least.",
        type=SHORT_COUNT,
        v38=plain("cores_per_socket"),
        v40=plain("cores_per_socket", absent=WITHOUT_CORES),
    ),
    Option(
        name="threads-per-core",
        help="Number of threads that each core must have at least, and of those that are used. A hint about threads "
        "has no effect beside it.",
        type=SHORT_COUNT,
        v38=plain("threads_per_core"),
        v40=plain("threads_per_core"),
    ),
    Option(
        name="extra-node-info",
        short="B",
        help='Sockets, cores and threads in one: SOCKETS[:CORES[:THREADS]], "*" for any number. Where no number of '
        "tasks is given it is their product.",
        type=PARTS,
        v38=Handled(where="the keys of sockets, cores and threads, and the number of tasks"),
        v40=Handled(where="the keys of sockets, cores and threads, and the number of tasks"),
    ),
    Option(
        name="hint",
        help="What the program is like: compute_bound, memory_bound, multithread or nomultithread. It chooses cores "
        "and threads, and has no effect beside options that do so.",
        type=HINT,
        late=True,
        v38=Handled(where="the keys of cores and threads; 22.05's own key for it has no effect"),
        v40=Handled(where="the keys of cores and threads"),
        inherited=True,
    ),
    Option(
        name="distribution",
        short="m",
        help="How tasks are spread over nodes, sockets and cores: block, cyclic, plane=SIZE or arbitrary, and what "
        "follows after colons and a comma.",
        type=DISTRIBUTION,
        v38=made(lambda value: {"distribution": value.text}, observed=False),
        v40=Rest(
            encode=lambda value: {"distribution": value.text},
            since="v0.0.41",
            unsaid=_deadly_distribution,
            observed=False,
        ),
    ),
    Option(
        name="core-spec",
        short="S",
        help="Number of cores on each node that the job leaves to the system. It has no effect where the cluster does "
        "not allow it.",
        type=SPECIALIZED,
        v38=plain("core_specification", observed=False),
        v40=Rest(encode=_specialized, unsaid=_no_cores, observed=False),
    ),
    Option(
        name="thread-spec",
        help="Number of threads on each node that the job leaves to the system. It has no effect where the cluster "
        "does not allow it.",
        type=SPECIALIZED_THREADS,
        v38=plain("thread_specification", observed=False),
        v40=plain("thread_specification", observed=False),
    ),
)
