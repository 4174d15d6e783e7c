"""Root file systems made by debootstrap, once, into the cache. Nothing is installed into the host but debootstrap."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sandboxlib.daemons import SandboxError
from sandboxlib.made_once import made_once
from sandboxlib.paths import Paths
from sandboxlib.progress import run_logged, say, step
from sandboxlib.slurm_suites import PACKAGES, USERS, Suite
from sandboxlib.slurm_view import BOUND

RECIPE = "2"
"""Raised when the recipe below changes."""

APT_SOURCES = Path("/etc/apt")


def key(suite: Suite) -> str:
    """What a root file system depends on."""
    parts = [
        RECIPE,
        suite.name,
        suite.script,
        suite.time_zone,
        *PACKAGES,
        *(f"{name}:{uid}" for name, uid in USERS.items()),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def location(paths: Paths, suite: Suite) -> Path:
    """Where the root file system of a suite is, or will be."""
    return paths.cache / "rootfs" / f"{suite.name}-{key(suite)}"


def find(paths: Paths, suite: Suite) -> Path:
    """The root file system; makes it when nobody has."""
    folder = location(paths, suite)
    if folder.exists():
        return folder
    if os.geteuid() != 0:
        raise SandboxError("root is needed to make a root file system and to enter it: run this as root")
    return made_once(paths, folder, partial(_make, paths, suite), clear=_clear)


def _clear(unfinished: Path) -> None:
    unmount_below(unfinished)
    shutil.rmtree(unfinished, ignore_errors=True)


def _make(paths: Paths, suite: Suite, folder: Path) -> None:
    log = paths.logs / f"rootfs-{suite.name}.log"
    say(f"{suite.name}: making a root file system of Debian with Slurm (once; 1 to 3 minutes)")
    _need_debootstrap(folder.parent / "lock-debootstrap", log)
    with step(f"{suite.name}: debootstrap"):
        run_logged(
            [
                *("debootstrap", "--variant=minbase", suite.name, str(folder), mirror()),
                f"/usr/share/debootstrap/scripts/{suite.script}",
            ],
            log=log,
        )
    with step(f"{suite.name}: installing Slurm, munge, MariaDB and environment-modules"):
        _install(suite, folder, log)


def _need_debootstrap(lock_file: Path, log: Path) -> None:
    """Root file systems are made side by side, debootstrap is installed by the first that needs it."""
    with lock_file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if shutil.which("debootstrap"):
            return
        with step("installing debootstrap"):
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            run_logged(["apt-get", "update", "-q"], log=log, env=environment)
            run_logged(
                ["apt-get", "install", "-qy", "--no-install-recommends", "debootstrap"], log=log, env=environment
            )


def _install(suite: Suite, root: Path, log: Path) -> None:
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    valid = [] if suite.valid_until else ["-o", "Acquire::Check-Valid-Until=false"]
    with _mounted_proc(root):
        _inside(root, log, "apt-get", *valid, "update", "-q")
        _inside(root, log, "apt-get", *valid, "install", "-qy", "--no-install-recommends", *PACKAGES)
        for name, uid in USERS.items():
            _inside(root, log, "useradd", "--uid", str(uid), "--user-group", "--shell", "/bin/bash", name)
        _inside(root, log, "ln", "-sf", f"/usr/share/zoneinfo/{suite.time_zone}", "/etc/localtime")
        _inside(root, log, "apt-get", "clean")
    shutil.rmtree(root / "var/lib/apt/lists", ignore_errors=True)
    for folder in BOUND.values():
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "etc/hosts").touch()


def _inside(root: Path, log: Path, *argv: str) -> None:
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    environment |= {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    run_logged(["chroot", str(root), *argv], log=log, env=environment)


@contextmanager
def _mounted_proc(root: Path) -> Iterator[None]:
    subprocess.run(["mount", "-t", "proc", "proc", str(root / "proc")], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(root / "proc")], check=False)


def unmount_below(folder: Path) -> None:
    """Unmount what a killed run left mounted, the innermost first."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for mount in sorted((m for m in mounts if m.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=False)


def _listed(uri: str) -> str:
    """`mirror+file:PATH`, as Debian's cloud images have it, names a file with one address a line."""
    if not uri.startswith("mirror+file:"):
        return uri
    lines = Path("/" + uri.removeprefix("mirror+file:").lstrip("/")).read_text().split()
    return next(line for line in lines if line.startswith("http"))


def mirror(folder: Path = APT_SOURCES) -> str:
    """The archive that the host's own apt uses for Debian: deb822 files first, then one-line lists."""
    for path in sorted(folder.glob("sources.list.d/*.sources")):
        for stanza in re.split(r"\n\s*\n", path.read_text()):
            found = re.search(r"^URIs:\s*(\S+)", stanza, re.MULTILINE)
            off = re.search(r"^Enabled:\s*(no|false|0)\s*$", stanza, re.MULTILINE | re.IGNORECASE)
            if found and not off and "main" in stanza and "debian" in found[1] and "security" not in found[1]:
                return _listed(found[1])
    for path in [folder / "sources.list", *sorted(folder.glob("sources.list.d/*.list"))]:
        if not path.exists():
            continue
        for line in path.read_text().splitlines():
            listed = re.match(r"deb\s+(?:\[[^]]*\]\s+)?(\S*debian\S*)\s+\S+\s+.*main", line)
            if listed and "security" not in listed[1]:
                return listed[1]
    raise SandboxError(f"no archive of Debian is named in {folder}")
