"""Root file systems: what their name depends on, which archive is asked, and what is said when one cannot be made.

Nothing is installed or mounted here: the commands are remembered instead.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandboxlib import slurm_rootfs
from sandboxlib.daemons import SandboxError
from sandboxlib.paths import Paths
from sandboxlib.slurm_suites import PACKAGES, SUITES, USERS
from sandboxlib.slurm_view import BOUND

SUITE = next(iter(SUITES.values()))


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.fixture
def not_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """What would have been run; debootstrap is there and makes a small tree."""
    asked: list[list[str]] = []

    def run(argv: Sequence[str], **_options: Any) -> Any:
        asked.append(list(argv))
        if argv[0] == "debootstrap":
            (Path(argv[3]) / "usr/sbin").mkdir(parents=True)
        return subprocess.CompletedProcess(argv, 0)

    archives = tmp_path / "apt"
    archives.mkdir()
    (archives / "sources.list").write_text("deb http://archive.example/debian stable main\n")
    mirror = slurm_rootfs.mirror
    monkeypatch.setattr(slurm_rootfs, "mirror", lambda: mirror(archives))
    monkeypatch.setattr(slurm_rootfs, "run_logged", run)
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/sbin/{name}")
    return asked


# --- The name -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RECIPE", "another recipe"),
        ("PACKAGES", (*PACKAGES, "hello")),
        ("PACKAGES", PACKAGES[:-1]),
        ("USERS", {**USERS, "dave": 2004}),
        ("USERS", {**USERS, "alice": 3001}),
    ],
)
def test_another_recipe_is_another_root(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    before = slurm_rootfs.location(paths, SUITE)
    assert slurm_rootfs.location(paths, SUITE) == before
    monkeypatch.setattr(slurm_rootfs, name, value)
    assert slurm_rootfs.location(paths, SUITE) != before


def test_each_suite_has_its_own(paths: Paths) -> None:
    places = {slurm_rootfs.location(paths, suite) for suite in SUITES.values()}
    assert len(places) == len(SUITES)
    assert all(place.parent == paths.cache / "rootfs" for place in places)
    assert slurm_rootfs.key(replace(SUITE, script="other")) != slurm_rootfs.key(SUITE)
    assert slurm_rootfs.location(paths, SUITE).name.startswith(f"{SUITE.name}-")


# --- Finding one ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("not_root", "read_only_cache")
def test_one_that_is_there_is_taken_by_anybody(paths: Paths) -> None:
    os.makedirs(slurm_rootfs.location(paths, SUITE))  # noqa: PTH103 - Path is refused here
    assert slurm_rootfs.find(paths, SUITE) == slurm_rootfs.location(paths, SUITE)


@pytest.mark.usefixtures("not_root")
def test_only_root_can_make_one(paths: Paths, commands: list[list[str]]) -> None:
    with pytest.raises(SandboxError, match=r"root is needed .*: run this as root"):
        slurm_rootfs.find(paths, SUITE)
    assert commands == []
    assert not paths.cache.exists()


@pytest.mark.usefixtures("root", "read_only_cache")
def test_a_cache_that_cannot_be_written_is_named(paths: Paths, commands: list[list[str]]) -> None:
    with pytest.raises(SandboxError, match=f"the cache {paths.cache} cannot be written: Read-only file system"):
        slurm_rootfs.find(paths, SUITE)
    assert commands == []


@pytest.mark.usefixtures("root")
def test_it_is_made_once(paths: Paths, commands: list[list[str]]) -> None:
    folder = slurm_rootfs.find(paths, SUITE)
    debootstrap = commands[0]
    assert debootstrap[:3] == ["debootstrap", "--variant=minbase", SUITE.name]
    assert debootstrap[4] == "http://archive.example/debian"
    assert debootstrap[5].endswith(f"/scripts/{SUITE.script}")
    assert Path(debootstrap[3]) != folder, "it is made under another name"
    assert not Path(debootstrap[3]).exists()
    assert all((folder / place).is_dir() for place in BOUND.values()), "there is a place for each bound folder"
    assert (folder / "etc/hosts").is_file()
    count = len(commands)
    assert slurm_rootfs.find(paths, SUITE) == folder
    assert len(commands) == count


@pytest.mark.usefixtures("root")
def test_packages_and_users_are_in_it_and_no_daemon_starts(paths: Paths, commands: list[list[str]]) -> None:
    folder = slurm_rootfs.find(paths, SUITE)
    inside = [argv[2:] for argv in commands if argv[0] == "chroot"]
    install = next(argv for argv in inside if "install" in argv)
    assert set(PACKAGES) <= set(install)
    update = next(argv for argv in inside if "update" in argv)
    assert inside.index(update) < inside.index(install)
    assert (update[1:3] == ["-o", "Acquire::Check-Valid-Until=false"]) == (not SUITE.valid_until)
    assert ("Acquire::Check-Valid-Until=false" in install) == (not SUITE.valid_until)
    users = {argv[-1]: argv[argv.index("--uid") + 1] for argv in inside if argv[0] == "useradd"}
    assert users == {name: str(uid) for name, uid in USERS.items()}
    policy = folder / "usr/sbin/policy-rc.d"
    assert os.access(policy, os.X_OK)
    assert "exit 101" in policy.read_text()


@pytest.mark.usefixtures("root")
def test_a_failure_leaves_nothing_under_the_final_name(
    paths: Paths, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = vars(slurm_rootfs)["run_logged"]

    def fail(argv: Sequence[str], **options: Any) -> None:
        run(argv, **options)
        if "useradd" in argv:
            raise SandboxError("useradd failed")

    monkeypatch.setattr(slurm_rootfs, "run_logged", fail)
    with pytest.raises(SandboxError, match="useradd failed"):
        slurm_rootfs.find(paths, SUITE)
    assert not slurm_rootfs.location(paths, SUITE).exists()
    proc = [argv for argv in commands if argv[0] in ("mount", "umount")]
    assert [argv[0] for argv in proc] == ["mount", "umount"], "what was mounted is unmounted"
    assert proc[0][-1] == proc[1][-1]
    monkeypatch.setattr(slurm_rootfs, "run_logged", run)
    assert slurm_rootfs.find(paths, SUITE).exists()


@pytest.mark.usefixtures("root")
def test_debootstrap_is_installed_where_it_is_missing(
    paths: Paths, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    slurm_rootfs.find(paths, SUITE)
    assert [argv[:2] for argv in commands[:2]] == [["apt-get", "update"], ["apt-get", "install"]]
    assert commands[1][-1] == "debootstrap"
    assert commands[2][0] == "debootstrap"


@pytest.mark.usefixtures("root", "commands")
def test_they_are_made_side_by_side_and_debootstrap_is_installed_once(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """debootstrap of each waits for that of the others."""
    everybody = threading.Barrier(len(SUITES), timeout=5)
    asked: list[list[str]] = []

    def run(argv: Sequence[str], **_options: Any) -> None:
        asked.append(list(argv))
        if argv[0] == "debootstrap":
            (Path(argv[3]) / "usr/sbin").mkdir(parents=True)
            everybody.wait()
        if argv[:2] == ["apt-get", "update"]:
            time.sleep(0.1)  # long enough for the others to look whether debootstrap is there

    def which(name: str) -> str | None:
        return f"/usr/sbin/{name}" if any("install" in argv for argv in asked) else None

    monkeypatch.setattr(slurm_rootfs, "run_logged", run)
    monkeypatch.setattr("shutil.which", which)
    with ThreadPoolExecutor(len(SUITES)) as pool:
        found = list(pool.map(lambda suite: slurm_rootfs.find(paths, suite), SUITES.values()))
    assert all(folder.exists() for folder in found)
    assert [argv[:2] for argv in asked if argv[0] == "apt-get"] == [["apt-get", "update"], ["apt-get", "install"]]


@pytest.mark.usefixtures("root")
def test_two_that_need_the_same_one_make_it_once(paths: Paths, commands: list[list[str]]) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _number: slurm_rootfs.find(paths, SUITE), range(4)))
    assert found == {slurm_rootfs.location(paths, SUITE)}
    assert len([argv for argv in commands if argv[0] == "debootstrap"]) == 1


# --- The archive ------------------------------------------------------------------------------------------------


DEB822 = """\
# of the installer
Types: deb
URIs: http://security.example/debian-security
Suites: stable-security
Components: main

Types: deb
URIs: http://archive.example/debian
Suites: stable stable-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


def _apt(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    "files",
    [
        {"sources.list.d/debian.sources": DEB822},
        {"sources.list.d/debian.sources": DEB822.replace("\n\n", "\n \t\n")},
        {
            "sources.list.d/debian.sources": DEB822,
            "sources.list": "deb http://other.example/debian stable main\n",
        },
        {
            "sources.list.d/a.sources": "Types: deb\nURIs: https://packages.example/x\nSuites: x\nComponents: main\n",
            "sources.list.d/debian.sources": DEB822,
        },
        {
            "sources.list": "# deb http://old.example/debian stable main\n\n"
            "deb http://security.example/debian-security stable-security main\n"
            "deb-src http://source.example/debian stable main\n"
            "deb http://archive.example/debian stable main non-free\n"
        },
        {"sources.list": "deb [arch=amd64 signed-by=/usr/share/k.gpg] http://archive.example/debian  stable   main\n"},
        {"sources.list": "", "sources.list.d/x.list": "deb http://archive.example/debian stable contrib main"},
        {"sources.list.d/y.list": "deb https://packages.example/x x main\ndeb http://archive.example/debian x main\n"},
        {
            "sources.list": "deb http://archive.example/debian stable main\n",
            "sources.list.d/x.list": "deb http://other.example/debian stable main\n",
        },
    ],
)
def test_the_archive_of_the_hosts_own_apt(tmp_path: Path, files: dict[str, str]) -> None:
    assert slurm_rootfs.mirror(_apt(tmp_path / "apt", files)) == "http://archive.example/debian"


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"sources.list": "# nothing\n"},
        {"sources.list": "deb http://archive.example/ubuntu noble main\n"},
        {"sources.list": "deb http://security.example/debian-security stable-security main\n"},
        {"sources.list.d/x.sources": DEB822.partition("\n\n")[0]},
        {"sources.list.d/x.sources.disabled": DEB822, "sources.list.d/x.list.save": "deb http://a/debian x main\n"},
        {"sources.list": "deb http://archive.example/debian stable contrib\n"},
    ],
)
def test_no_archive_is_a_clear_error(tmp_path: Path, files: dict[str, str]) -> None:
    folder = _apt(tmp_path / "apt", files)
    with pytest.raises(SandboxError, match=f"no archive of Debian is named in {folder}"):
        slurm_rootfs.mirror(folder)


@pytest.mark.usefixtures("root", "commands")
def test_no_archive_leaves_nothing_in_the_cache(paths: Paths, tmp_path: Path) -> None:
    (tmp_path / "apt" / "sources.list").unlink()
    with pytest.raises(SandboxError, match="no archive of Debian"):
        slurm_rootfs.find(paths, SUITE)
    assert [path for path in (paths.cache / "rootfs").iterdir() if path.is_dir()] == []


def test_only_what_is_below_is_unmounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "root"
    mounts = [f"{folder}/proc", f"{folder}/proc/sys", f"{folder}-other/proc", "/proc", str(tmp_path)]
    asked: list[str] = []
    text = "".join(f"36 35 98:0 / {place} rw,noatime - ext4 /dev/root rw\n" for place in mounts)
    read = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda self: text if self.name == "mountinfo" else read(self))
    monkeypatch.setattr(subprocess, "run", lambda argv, **_options: asked.append(argv[-1]))
    slurm_rootfs.unmount_below(folder)
    assert asked == [f"{folder}/proc/sys", f"{folder}/proc"], "the innermost first"
