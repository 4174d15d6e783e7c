"""What sbatch puts into a batch script's environment, as the real one did; each line measured on the releases named."""

from __future__ import annotations

import pytest

from slurmjob_operator.sbatch import job, output_environment, script
from slurmjob_operator.sbatch.output_environment import LAUNCHERS
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, R24_11, Release

TRES = (R24_11, NEWEST)
EVERY = (OLDEST, *TRES)


def told(words: str, release: Release) -> set[str]:
    """What these options add."""
    read = script.read(f"#!/bin/sh\n#SBATCH {words}\n" if words else "#!/bin/sh\n", release=release)
    settings = script.settings(read.components[0], release=release)
    values = job.parsed(settings, release=release)
    found = output_environment.variables(settings, values, release=release, chdir="/x")
    return {f"{name}={value}" for name, value in found.items()}


def always(release: Release) -> set[str]:
    launchers = {f"{name}={value}" for name, value in LAUNCHERS.items()} if release >= R24_11 else set()
    return {"SLURM_SUBMIT_DIR=/x", "SLURM_PRIO_PROCESS=0"} | launchers


@pytest.mark.parametrize(
    ("words", "releases", "added"),
    [
        ("", EVERY, ""),
        ("--mem=100 --nice=5 --exclusive --time=5 --requeue --account=research", EVERY, ""),
        ("-c 02", TRES, "CPUS_PER_TASK=2 TRES_PER_TASK=cpu=2"),
        ("-c 02", (OLDEST,), "CPUS_PER_TASK=2"),
        ("--gpus=tesla:1", EVERY, "GPUS=tesla:1"),
        ("--gpus-per-node=gpu:1", EVERY, "GPUS_PER_NODE=gpu:1"),
        ("--gpus-per-socket=1 --sockets-per-node=1", EVERY, "GPUS_PER_SOCKET=1"),
        ("--cpus-per-gpu=2 --gpus-per-node=1", EVERY, "CPUS_PER_GPU=2 GPUS_PER_NODE=1"),
        ("--mem-per-gpu=1G --gpus=1", EVERY, "MEM_PER_GPU=1024 GPUS=1"),
        ("--gpus-per-task=1 --gpus=2", TRES, "GPUS=2 TRES_PER_TASK=gres/gpu=1 TRES_BIND=gres/gpu:per_task:1"),
        ("--gpus-per-task=1 --gpus=2", (OLDEST,), "GPUS=2 GPUS_PER_TASK=1"),
        (
            "--gpus-per-task=tesla:1 -n2 -c2",
            TRES,
            "CPUS_PER_TASK=2 TRES_PER_TASK=cpu=2,gres/gpu:tesla=1 TRES_BIND=gres/gpu:per_task:1",
        ),
        (
            "--tres-per-task=cpu:2,gres/gpu:1 -n1",
            TRES,
            "CPUS_PER_TASK=2 TRES_PER_TASK=cpu:2,gres/gpu:1 TRES_BIND=gres/gpu:per_task:1",
        ),
        ("--gpu-bind=verbose,closest --gpus=1", TRES, "GPUS=1 TRES_BIND=gres/gpu:verbose,closest"),
        ("--gpu-bind=verbose,closest --gpus=1", (OLDEST,), "GPUS=1 GPU_BIND=verbose,closest"),
        ("--gpu-freq=low,verbose --gpus=1", EVERY, "GPUS=1 GPU_FREQ=low,verbose"),
        ("--ntasks-per-node=2", EVERY, "NTASKS_PER_NODE=2"),
        ("--ntasks-per-core=1", EVERY, "NTASKS_PER_CORE=1"),
        ("--ntasks-per-socket=2 --sockets-per-node=1", EVERY, "NTASKS_PER_SOCKET=2"),
        ("--ntasks-per-gpu=1 --gpus=1", EVERY, "NTASKS_PER_GPU=1 GPUS=1"),
        ("--distribution=Cyclic:Block", EVERY, "DISTRIBUTION=cyclic:block"),
        ("-m block,Pack", EVERY, "DISTRIBUTION=block,pack"),
        ("--hint=compute_bound", EVERY, "HINT=compute_bound THREADS_PER_CORE=1"),
        ("--hint=memory_bound", EVERY, "HINT=memory_bound THREADS_PER_CORE=1"),
        ("--hint=nomultithread", EVERY, "HINT=nomultithread THREADS_PER_CORE=1"),
        ("--hint=multithread", EVERY, "HINT=multithread NTASKS_PER_CORE=65535"),
        ("--threads-per-core=1", EVERY, "THREADS_PER_CORE=1"),
        ("--threads-per-core=1 --hint=nomultithread", EVERY, "THREADS_PER_CORE=1"),
        ("-B 1:2:1", EVERY, "THREADS_PER_CORE=1"),
        ("--mem-bind=local", EVERY, "MEM_BIND=local MEM_BIND_VERBOSE=quiet"),
        ("--mem-bind=verbose,local", EVERY, "MEM_BIND=verbose,local MEM_BIND_VERBOSE=verbose"),
    ],
)
def test_as_sbatch_does(words: str, releases: tuple[Release, ...], added: str) -> None:
    for release in releases:
        assert told(words, release) == always(release) | {f"SLURM_{one}" for one in added.split()}, release


def test_of_one_of_several_components() -> None:
    """Each variable of an option has the component's number, and there is none without (measured on all releases)."""
    settings = script.settings(
        script.read("#!/bin/sh\n#SBATCH -n2 -c4\n", release=NEWEST).components[0], release=NEWEST
    )
    values = job.parsed(settings, release=NEWEST)
    found = output_environment.variables(settings, values, release=NEWEST, chdir="/x", component=1)
    told = {name: value for name, value in found.items() if "GROUP" in name}
    assert {name for name in told if name.endswith("_HET_GROUP_1")} == {
        "SLURM_CPUS_PER_TASK_HET_GROUP_1",
        "SLURM_NPROCS_HET_GROUP_1",
        "SLURM_NTASKS_HET_GROUP_1",
        "SLURM_TRES_PER_TASK_HET_GROUP_1",
    }
    assert all(told[name.replace("HET", "PACK")] == value for name, value in told.items())
    assert "SLURM_CPUS_PER_TASK" not in found
    assert found["SLURM_SUBMIT_DIR"] == "/x"
