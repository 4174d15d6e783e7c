"""What is left of jobs after a cluster has ended: cgroups without processes."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest

from sandboxlib import slurm_daemons


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A controller as Slurm uses it; in a real one a cgroup with processes cannot be removed, here one with files."""
    monkeypatch.setattr(slurm_daemons, "CGROUPS", tmp_path / "cgroup")
    (tmp_path / "cgroup" / "pids").mkdir(parents=True)
    controller = tmp_path / "cgroup" / "memory"
    for job in ("job_1/step_batch/user", "job_2/step_batch"):
        (controller / "slurm_n1/uid_2001" / job).mkdir(parents=True)
    (controller / "slurm_n2/uid_2001").mkdir(parents=True)
    (controller / "slurm_n1/uid_2001/job_2/step_batch/tasks").touch()
    (controller / "other").mkdir()
    return controller


def test_empty_cgroups_are_removed_and_only_slurms(memory: Path) -> None:
    slurm_daemons.remove_cgroups()
    left = sorted(str(path.relative_to(memory)) for path in memory.rglob("*") if path.is_dir())
    busy = "slurm_n1/uid_2001/job_2/step_batch"
    assert left == ["other", "slurm_n1", "slurm_n1/uid_2001", "slurm_n1/uid_2001/job_2", busy]


def test_a_step_of_another_cluster_that_is_starting_is_waited_for(memory: Path) -> None:
    """slurmstepd holds this lock while it makes one folder in the other."""
    step = os.open(memory, os.O_RDONLY)
    fcntl.flock(step, fcntl.LOCK_EX)
    remover = threading.Thread(target=slurm_daemons.remove_cgroups)
    remover.start()
    remover.join(0.3)
    assert remover.is_alive()
    assert (memory / "slurm_n2/uid_2001").exists()
    os.close(step)
    remover.join(5)
    assert not remover.is_alive()
    assert not (memory / "slurm_n2").exists()


def test_a_machine_without_cgroups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slurm_daemons, "CGROUPS", tmp_path / "none")
    slurm_daemons.remove_cgroups()
