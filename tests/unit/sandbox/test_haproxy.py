"""Where haproxy comes from. apt is played by a small program that writes a package, dpkg-deb by one that unpacks it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sandboxlib import haproxy
from sandboxlib.daemons import SandboxError
from sandboxlib.paths import Paths
from tests.unit.sandbox.conftest import Program

APT = """\
echo "$@" >> {asked}
case "$*" in
  *install*)
    {fail}
    for word; do case $word in Dir::Cache::archives=*) touch "${{word#*=}}/haproxy.deb" ;; esac; done ;;
esac"""
DPKG = """\
mkdir -p "$3/usr/sbin" "$3/usr/lib/some-linux"
touch "$3/usr/lib/some-linux/liblua.so.0"
printf '#!/bin/sh\\n' > "$3/usr/sbin/haproxy"; chmod +x "$3/usr/sbin/haproxy\""""


@pytest.fixture
def asked(tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What apt was told, line by line; the host has no haproxy."""
    found = tmp_path / "asked"
    program(tmp_path / "bin" / "apt-get", APT.format(asked=found, fail=""))
    program(tmp_path / "bin" / "dpkg-deb", DPKG)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(shutil, "which", lambda _name, path: None)
    return found


def test_fetched_once_and_unpacked_into_the_cache(paths: Paths, asked: Path) -> None:
    found = haproxy.find(paths)
    assert found.path.is_file()
    assert found.path.is_relative_to(paths.cache)
    assert found.env == {"LD_LIBRARY_PATH": str(found.path.parents[1] / "lib/some-linux")}
    assert haproxy.find(paths) == found
    (line,) = asked.read_text().splitlines()
    assert "--download-only" in line.split()
    assert not list(paths.cache.glob("**/*.deb"))


def test_lists_are_updated_only_where_they_do_not_do(
    paths: Paths, asked: Path, tmp_path: Path, program: Program
) -> None:
    program(tmp_path / "bin" / "apt-get", APT.format(asked=asked, fail=f"grep -q ^update {asked} || exit 100"))
    assert haproxy.find(paths).path.is_file()
    assert ["update" in line.split() for line in asked.read_text().splitlines()] == [False, True, False]


def test_what_fails_leaves_nothing_behind(paths: Paths, asked: Path, tmp_path: Path, program: Program) -> None:
    program(tmp_path / "bin" / "apt-get", APT.format(asked=asked, fail="exit 100"))
    with pytest.raises(SandboxError, match="apt-get failed"):
        haproxy.find(paths)
    program(tmp_path / "bin" / "apt-get", APT.format(asked=asked, fail=""))
    assert haproxy.find(paths).path.is_file()


def test_the_hosts_own_wins(paths: Paths, asked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name, path: "/usr/sbin/haproxy")
    assert haproxy.find(paths) == haproxy.Program(path=Path("/usr/sbin/haproxy"))
    assert not asked.exists()


def test_a_cache_that_cannot_be_written(paths: Paths, asked: Path, read_only_cache: None) -> None:
    with pytest.raises(SandboxError, match="cannot be written"):
        haproxy.find(paths)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('ID=debian\nVERSION_ID="12"\n', "debian-12-x86_64"),
        ('NAME="Ubuntu"\nID=ubuntu\nVERSION_ID="24.04"\n', "ubuntu-24.04-x86_64"),
        ("ID=debian\n", "debian-unstable-x86_64"),
    ],
)
def test_a_host_of_another_release_fetches_its_own(text: str, expected: str) -> None:
    assert haproxy.key(text, machine="x86_64") == expected
