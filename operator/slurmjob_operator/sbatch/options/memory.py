"""How much memory and local disk."""

from __future__ import annotations

from typing import Any, Final

from slurmjob_operator.sbatch.option import Body, NotSaid, Option
from slurmjob_operator.sbatch.rest import made, number, plain
from slurmjob_operator.sbatch.types.binding import MEMORY_BINDING
from slurmjob_operator.sbatch.types.sizes import DISK, MEMORY_UPDATE, SIZE
from slurmjob_operator.sbatch.value import NEWEST


def _binding(value: Any) -> Body:
    words = {"memory_binding_type": list(value.words)} if value.words else {}
    return {**words, "memory_binding": value.places} if value.places else words


ROWS: Final = (
    Option(
        name="mem",
        help="Memory of each node: a whole number of MiB, or one with K, M, G or T, such as 180G; 0 is all of the "
        "node. Not beside the two other kinds of memory. Default: the partition's.",
        type=SIZE,
        inherited=True,
        v38=plain("memory_per_node"),
        v40=number("memory_per_node"),
    ),
    Option(
        name="mem-per-cpu",
        help="Memory of each CPU, written as that of a node. Default: the partition's.",
        type=SIZE,
        v38=plain("memory_per_cpu"),
        v40=number("memory_per_cpu"),
    ),
    Option(
        name="mem-per-gpu",
        help="Memory of each GPU, written as that of a node; the job must ask for GPUs. Default: the partition's.",
        type=SIZE,
        v38=plain("memory_per_gpu"),
        v40=made(lambda value: {"memory_per_tres": f"gres/gpu:{value}"}),
    ),
    Option(
        name="mem-bind",
        help="How tasks are bound to memory: none, local, rank, map_mem:LIST or mask_mem:LIST; with commas also "
        "prefer, verbose or quiet.",
        type=MEMORY_BINDING,
        v38=made(lambda value: {"memory_binding": value.text}, observed=False),
        v40=made(_binding, observed=False),
    ),
    Option(
        name="mem-update",
        help="Let Slurm lower the job's memory to what it used and MARGIN percent more, DELAY minutes after its start: "
        "MARGIN@DELAY.",
        type=MEMORY_UPDATE,
        since=NEWEST,
        v38=NotSaid(reason="Slurm 22.05 does not know it"),
        v40=made(
            lambda value: {"memory_update_margin": value.margin, "memory_update_delay": value.delay}, since="v0.0.45"
        ),
    ),
    Option(
        name="tmp",
        help="Local disk that each node must have at least, in MiB or with K, M, G or T.",
        type=DISK,
        v38=plain("temporary_disk_per_node"),
        v40=plain("temporary_disk_per_node"),
    ),
)
