"""Who may go over to which release, in which order daemons end and begin, and who owns the files afterwards."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from sandboxlib import slurm_cluster, slurm_daemons, slurm_rootfs, slurm_state, slurm_upgrade
from sandboxlib.daemons import SandboxError
from sandboxlib.paths import Paths
from sandboxlib.slurm_suites import SUITES

IDS = {"trixie": {"munge": 101, "slurm": 64030, "mysql": 100}, "forky": {"munge": 101, "slurm": 64030, "mysql": 996}}


@pytest.fixture
def made(paths: Paths) -> Paths:
    """A cluster of trixie that was set up, and all root file systems."""
    for name, suite in SUITES.items():
        etc = slurm_rootfs.location(paths, suite) / "etc"
        etc.mkdir(parents=True)
        ids = IDS.get(name, IDS["trixie"])
        (etc / "passwd").write_text("".join(f"{user}:x:{number}:{number}::/:/bin/sh\n" for user, number in ids.items()))
    folder = slurm_cluster.folder(paths, "trixie")
    folder.mkdir(parents=True)
    (folder / "hosts").touch()
    return paths


@pytest.fixture
def story(made: Paths, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done, in order; of a daemon also the root file system that it is started in."""
    told: list[str] = []

    def began(daemon: Any) -> None:
        roots = [name for name in SUITES if str(slurm_rootfs.location(made, SUITES[name])) in daemon.argv]
        told.append(f"start {daemon.name} of {'+'.join(roots)}")

    monkeypatch.setattr(slurm_upgrade, "stop", lambda some: told.extend(f"stop {daemon.name}" for daemon in some))
    monkeypatch.setattr(slurm_upgrade, "start", began)
    monkeypatch.setattr(slurm_daemons, "start", lambda some: [began(daemon) for daemon in some[2:]])
    monkeypatch.setattr(slurm_daemons, "wait_idle", lambda *_arguments: told.append("idle"))
    monkeypatch.setattr(slurm_daemons, "logged", lambda *arguments: told.append(arguments[3][0]))
    monkeypatch.setattr(slurm_state, "make_folders", lambda *_arguments: told.append("folders"))
    monkeypatch.setattr(slurm_state, "write_configuration", lambda *_arguments: told.append("configuration"))
    monkeypatch.setattr(slurm_upgrade, "give", lambda _folder, changed: told.append(f"give {changed}"))
    return told


# --- Which releases ---------------------------------------------------------------------------------------------


def test_the_newest_takes_over_what_trixie_has() -> None:
    slurm_upgrade.check(SUITES["trixie"], SUITES["forky"])


@pytest.mark.parametrize("name", SUITES)
def test_one_that_was_cut_short_can_be_repeated(name: str) -> None:
    slurm_upgrade.check(SUITES[name], SUITES[name])


@pytest.mark.parametrize(
    ("old", "new"), [("bookworm", "trixie"), ("bookworm", "forky"), ("forky", "trixie"), ("trixie", "bookworm")]
)
def test_too_old_a_state_or_a_newer_one_is_refused(made: Paths, story: list[str], old: str, new: str) -> None:
    words = rf"^Slurm {SUITES[new].release} takes over the state of [0-9., ]+, not of {SUITES[old].release}$"
    with pytest.raises(SandboxError, match=words):
        slurm_upgrade.upgrade(made, old, to=new)
    assert story == []


def test_a_cluster_that_is_not_there_is_not_upgraded(paths: Paths) -> None:
    with pytest.raises(SandboxError, match=r"^trixie is not set up$"):
        slurm_upgrade.upgrade(paths, "trixie", to="forky")


# --- The order --------------------------------------------------------------------------------------------------


def test_all_of_the_old_end_before_the_new_begin(made: Paths, story: list[str]) -> None:
    """slurmrestd goes first and comes last; the database is ready before slurmdbd, slurmdbd before slurmctld."""
    slurm_upgrade.upgrade(made, "trixie", to="forky")
    stopped = [line.removeprefix("stop trixie-") for line in story if line.startswith("stop")]
    started = [line.removeprefix("start trixie-") for line in story if line.startswith("start")]
    nodes = [f"slurmd-n{number}" for number in range(1, 9)]
    assert stopped == ["slurmrestd", "slurmdbd", "slurmctld", *nodes, "mariadbd", "munged"]
    order = ["munged", "mariadbd", "slurmdbd", "slurmctld", *nodes, "slurmrestd"]
    assert started == [f"{name} of forky" for name in order]
    assert story[: len(stopped)] == [f"stop trixie-{name}" for name in stopped]
    assert story[len(stopped)] == "give ({100: 996}, {100: 996})"
    assert story.index("configuration") < story.index("start trixie-munged of forky")
    where = story.index("mariadb-upgrade")
    assert story[where - 1 : where + 2] == [
        "start trixie-mariadbd of forky",
        "mariadb-upgrade",
        "start trixie-slurmdbd of forky",
    ]
    assert story[-1] == "idle"


@pytest.mark.usefixtures("story")
def test_the_cluster_remembers_what_it_runs_on_until_its_state_is_gone(made: Paths) -> None:
    assert slurm_state.row(made, "trixie").name == "trixie"
    url = slurm_cluster.rest_url(made, "trixie")
    slurm_upgrade.upgrade(made, "trixie", to="forky")
    assert slurm_state.row(made, "trixie").name == "forky"
    assert slurm_state.row(made, "forky").name == "forky"
    assert slurm_cluster.rest_url(made, "trixie") == url
    root = str(slurm_rootfs.location(made, SUITES["forky"]))
    assert root in slurm_cluster.exec_argv(made, "trixie", ["squeue"])
    assert "trixie: upgraded, it runs on the root file system of forky" in slurm_cluster.status(made, "trixie")
    slurm_cluster.purge(made, "trixie")
    assert slurm_state.row(made, "trixie").name == "trixie"


# --- Owners -----------------------------------------------------------------------------------------------------


def test_only_ids_that_differ_change() -> None:
    old = {"slurm": (64030, 64030), "munge": (101, 102), "mysql": (100, 101), "root": (0, 0)}
    new = {"slurm": (64030, 64030), "munge": (101, 101), "mysql": (996, 996), "root": (1, 1)}
    assert slurm_upgrade.changed_ids(old, new) == ({100: 996}, {102: 101, 101: 996})


def test_files_go_to_the_new_ids_of_their_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One's old id is the other's new one; links are not followed; homes are left alone."""
    owners = {"lib-mysql": 100, "lib-mysql/a.ibd": 100, "etc-munge": 101, "etc-munge/munge.key": 101}
    others = {"lib-mysql/link": 100, "lib-slurm": 64030, "home": 100, "home/alice": 100, "tmp": 100, "root": 100}
    for name in (*owners, *others):
        if name in ("lib-mysql/link",):
            (tmp_path / name).symlink_to(tmp_path / "home")
        elif "." in name:
            (tmp_path / name).touch()
        else:
            (tmp_path / name).mkdir(exist_ok=True)
    numbers = {str(tmp_path / name): number for name, number in (owners | others).items()}
    asked: dict[str, tuple[int, int]] = {}
    look = Path.lstat

    def played(path: Path) -> Any:
        found = list(look(path))
        found[4] = found[5] = numbers[str(path)]
        return os.stat_result(found)

    def chown(path: Path, uid: int, gid: int, *, follow_symlinks: bool) -> None:
        assert not follow_symlinks
        assert str(path) not in asked
        asked[str(path)] = (uid, gid)

    monkeypatch.setattr(Path, "lstat", played)
    monkeypatch.setattr(os, "chown", chown)
    slurm_upgrade.give(tmp_path, ({100: 101, 101: 996}, {100: 101}))
    new = {"lib-mysql": (101, 101), "lib-mysql/a.ibd": (101, 101), "lib-mysql/link": (101, 101)}
    new |= {"etc-munge": (996, 101), "etc-munge/munge.key": (996, 101)}
    assert asked == {str(tmp_path / name): ids for name, ids in new.items()}
