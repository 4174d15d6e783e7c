"""How a command gets into a cluster's root file system. The script is run by sh; mount and chroot are played."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sandboxlib import slurm_config, slurm_view
from sandboxlib.slurm_view import BOUND
from tests.unit.sandbox.conftest import Program

ODD = "with space"
"""A folder's name that an unquoted word would break at."""


@pytest.fixture
def played(tmp_path: Path, program: Program) -> Path:
    """mount and chroot write down their arguments, one line a call, fields separated by a bar."""
    for name in ("mount", "chroot"):
        log = tmp_path / "asked"
        program(tmp_path / "bin" / name, f"{{ printf {name}; printf '|%s' \"$@\"; echo; }} >> {log}")
    return tmp_path


def _enter(folder: Path, *command: str, user: str = "root") -> tuple[int, list[list[str]]]:
    argv = slurm_view.argv(state=folder / ODD / "state", root=folder / ODD / "root", user=user, command=command)
    done = subprocess.run(argv[argv.index("/bin/sh") :], env={"PATH": str(folder / "bin")}, check=False)
    return done.returncode, [line.split("|") for line in (folder / "asked").read_text().splitlines()]


def test_mounts_are_private_and_go_with_the_process(tmp_path: Path) -> None:
    argv = slurm_view.argv(state=tmp_path / "state", root=tmp_path / "root", user="root", command=["squeue"])
    assert argv[: argv.index("/bin/sh")] == ["unshare", "--mount", "--propagation", "private"]
    assert "--fork" not in argv


def test_the_tree_is_bound_first_and_the_sandboxs_folders_over_it(played: Path) -> None:
    code, asked = _enter(played, "true")
    assert code == 0
    state, root = f"{played}/{ODD}/state", f"{played}/{ODD}/root"
    mounts = [line[1:] for line in asked if line[0] == "mount"]
    assert mounts[0] == ["--bind", root, f"{state}/root"]
    bound = {(source, target) for _kind, source, target in mounts[1 : 1 + len(BOUND)]}
    assert bound == {(f"{state}/{name}", f"{state}/root/{place}") for name, place in BOUND.items()}
    assert mounts[1 + len(BOUND) :] == [
        ["--bind", f"{state}/hosts", f"{state}/root/etc/hosts"],
        ["--rbind", "/proc", f"{state}/root/proc"],
        ["--rbind", "/sys", f"{state}/root/sys"],
        ["--rbind", "/dev", f"{state}/root/dev"],
    ]


def test_nothing_is_bound_over_the_cached_tree(played: Path) -> None:
    _code, asked = _enter(played, "true")
    assert all(not line[3].startswith(f"{played}/{ODD}/root") for line in asked if line[0] == "mount")


def test_the_command_is_kept_word_by_word(played: Path) -> None:
    _code, asked = _enter(played, "sh", "-c", "echo $HOME; exit 3", "a b", "", "--user")
    assert asked[-1] == ["chroot", f"{played}/{ODD}/state/root", "sh", "-c", "echo $HOME; exit 3", "a b", "", "--user"]


def test_root_stays_root(played: Path) -> None:
    _code, asked = _enter(played, "squeue", user="root")
    assert asked[-1][2:] == ["squeue"]


def test_another_user_gives_up_roots_rights(played: Path) -> None:
    _code, asked = _enter(played, "squeue", "-u", "alice", user="alice")
    assert asked[-1][2:] == ["setpriv", "--reuid=alice", "--regid=alice", "--init-groups", "squeue", "-u", "alice"]


def test_a_mount_that_fails_ends_it(played: Path, program: Program) -> None:
    """Else the command would run in a tree that is not its own, or in the cached one."""
    program(played / "bin" / "mount", f'case "$*" in */proc) exit 32 ;; esac; echo mount >> {played / "asked"}')
    code, asked = _enter(played, "squeue")
    assert code != 0
    assert {line[0] for line in asked} == {"mount"}


def test_it_becomes_the_command_and_keeps_its_exit_code(played: Path, program: Program) -> None:
    program(played / "bin" / "chroot", f"echo $$ > {played / 'pid'}; exit 7")
    (played / "asked").touch()
    argv = slurm_view.argv(state=played / "state", root=played / "root", user="root", command=["x"])
    process = subprocess.Popen(argv[argv.index("/bin/sh") :], env={"PATH": str(played / "bin")})
    assert process.wait(5) == 7
    assert int((played / "pid").read_text()) == process.pid, "nothing forks on the way"


def test_no_two_folders_have_one_place() -> None:
    assert len(set(BOUND.values())) == len(BOUND)
    assert all(not place.startswith("/") for place in BOUND.values())
    assert not [one for one in BOUND.values() for two in BOUND.values() if one.startswith(f"{two}/")], (
        "none hides another"
    )


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("etc-slurm/jwt_hs256.key", slurm_config.JWT_KEY),
        ("etc-munge/munge.key", "/etc/munge/munge.key"),
        ("run/munge/munge.socket.2", "/run/munge/munge.socket.2"),
        ("home/alice", "/home/alice"),
        ("lib-slurm/ctld", f"{slurm_config.STATE}/ctld"),
        ("lib-mysql/mysql", "/var/lib/mysql/mysql"),
        ("lib-munge", "/var/lib/munge"),
        ("log/slurm", slurm_config.LOGS),
        ("spool/slurm", slurm_config.SPOOL),
        ("tmp/x", "/tmp/x"),  # noqa: S108 - a place inside
    ],
)
def test_a_file_of_the_sandbox_is_where_the_daemons_look(name: str, inside: str) -> None:
    folder, slash, rest = name.partition("/")
    assert f"/{BOUND[folder]}{slash}{rest}" == inside
