"""GPUs and other generic resources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from slurmjob_operator.sbatch.option import Body, Handled, NotSaid, Option, Rest
from slurmjob_operator.sbatch.rest import made, plain
from slurmjob_operator.sbatch.types.binding import GPU_BINDING, GPU_SPEED, TRES_BINDING
from slurmjob_operator.sbatch.types.counts import SHORT_COUNT
from slurmjob_operator.sbatch.types.tres import GPUS, GRES, GRES_FLAGS, NO_GRES, TRES_PER_TASK
from slurmjob_operator.sbatch.value import R24_11

_NOT_IN_22_05 = NotSaid(reason="Slurm 22.05 does not know it")

_FLAGS = {
    "disable-binding": "GRES_BINDING_DISABLED",
    "enforce-binding": "GRES_BINDING_ENFORCED",
    "multiple-tasks-per-sharing": "GRES_MULTIPLE_TASKS_PER_SHARING",
}
"""Words of `--gres-flags` as slurmrestd has them."""


def _gpus(key: str) -> Callable[[Any], Body]:
    """`a100:2,v100:1` as `gres/gpu:a100:2,gres/gpu:v100:1`; an empty text is nothing."""
    return lambda value: {key: ",".join(f"gres/gpu:{entry}" for entry in value.split(","))} if value else {}


def _older_gpus(key: str) -> Callable[[Any], Body]:
    return lambda value: {key: value} if value else {}


def _gres(value: Any) -> Body:
    """`gpu:2,widget` as `gres/gpu:2,gres/widget`."""
    if value == NO_GRES:
        return {}
    return {"tres_per_node": ",".join(f"gres/{entry.removeprefix('gres/')}" for entry in value.split(","))}


def _older_flags(value: Any) -> Body:
    return {"gres_flags": value[0]}


def _flags(value: Any) -> Body:
    return {"flags": [_FLAGS[word] for word in value]}


def _unsaid_flag(value: Any, api_version: str) -> str | None:
    if "one-task-per-sharing" in value:
        return "one-task-per-sharing cannot be said over REST; it is the cluster's own setting where it is allowed"
    if "multiple-tasks-per-sharing" in value and api_version != "v0.0.40":
        return f"{api_version} of slurmrestd's API has no word for multiple-tasks-per-sharing, v0.0.40 has"
    return None


ROWS: Final = (
    Option(
        name="gpus",
        short="G",
        help="GPUs of the job as a whole, as COUNT or TYPE:COUNT.",
        type=GPUS,
        late=True,
        v38=made(_older_gpus("gpus")),
        v40=made(_gpus("tres_per_job")),
    ),
    Option(
        name="gpus-per-node",
        help="GPUs of each node, as COUNT or TYPE:COUNT. With GPUs of the job as well, the number of nodes follows.",
        type=GPUS,
        late=True,
        v38=made(_older_gpus("gpus_per_node")),
        v40=made(_gpus("tres_per_node")),
    ),
    Option(
        name="gpus-per-socket",
        help="GPUs of each socket, as COUNT or TYPE:COUNT. The sockets of each node must be given as well.",
        type=GPUS,
        late=True,
        v38=made(_older_gpus("gpus_per_socket")),
        v40=made(_gpus("tres_per_socket")),
    ),
    Option(
        name="gpus-per-task",
        help="GPUs of each task, as COUNT or TYPE:COUNT. The number of tasks or of GPUs of the job must be given as "
        "well.",
        type=GPUS,
        late=True,
        v38=made(_older_gpus("gpus_per_task")),
        v40=Handled(where="the key of resources of each task, and that of their binding"),
    ),
    Option(
        name="cpus-per-gpu",
        help="CPUs of each GPU. The job must ask for GPUs, and not for CPUs of each task.",
        type=SHORT_COUNT,
        v38=plain("cpus_per_gpu"),
        v40=made(lambda value: {"cpus_per_tres": f"gres/gpu:{value}"}),
    ),
    Option(
        name="ntasks-per-gpu",
        help="Tasks of each GPU: the number of tasks follows from that of GPUs, or the other way round.",
        type=SHORT_COUNT,
        # not in 22.05's document
        v38=plain("ntasks_per_gpu"),
        v40=plain("ntasks_per_tres"),
    ),
    Option(
        name="ntasks-per-tres",
        help="The same as tasks of each GPU.",
        type=SHORT_COUNT,
        # not in 22.05's document
        v38=plain("ntasks_per_tres"),
        v40=plain("ntasks_per_tres"),
    ),
    Option(
        name="gpu-bind",
        help="How tasks are bound to GPUs: closest, none, single:N, per_task:N, map_gpu:LIST or mask_gpu:LIST, after "
        '"verbose," if wanted.',
        type=GPU_BINDING,
        v38=plain("gpu_binding"),
        v40=made(lambda value: {"tres_bind": f"gres/gpu:{value}"}),
    ),
    Option(
        name="gpu-freq",
        help="Frequency of GPUs and of their memory: low, medium, high, highm1 or MHz, with commas also memory=VALUE "
        "and verbose.",
        type=GPU_SPEED,
        v38=plain("gpu_frequency"),
        v40=made(lambda value: {"tres_freq": f"gpu:{value}"}),
    ),
    Option(
        name="gres",
        help="Generic resources of each node, as NAME, NAME:COUNT or NAME:TYPE:COUNT, separated by commas.",
        type=GRES,
        late=True,
        v38=plain("gres"),
        v40=made(_gres),
    ),
    Option(
        name="gres-flags",
        help="Whether tasks must get CPUs close to their resources (enforce-binding) or need not (disable-binding).",
        type=GRES_FLAGS,
        v38=made(_older_flags),
        v40=Rest(encode=_flags, unsaid=_unsaid_flag),
    ),
    Option(
        name="tres-per-task",
        help='CPUs and generic resources of each task, such as "cpu=4,gres/gpu=1".',
        type=TRES_PER_TASK,
        late=True,
        since=R24_11,
        v38=_NOT_IN_22_05,
        v40=plain("tres_per_task"),
    ),
    Option(
        name="tres-bind",
        help='How tasks are bound to generic resources: gres/NAME:BINDING, several joined with "+". The option for '
        "GPUs takes its place where it comes later.",
        type=TRES_BINDING,
        late=True,
        since=R24_11,
        v38=_NOT_IN_22_05,
        v40=plain("tres_bind"),
    ),
)
