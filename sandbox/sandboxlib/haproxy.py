"""haproxy as a program: the host's own, or out of the packages of the host's own archive, unpacked into the cache.

Nothing is installed: apt fetches haproxy and what of its libraries this machine lacks, and the linker is told where
they are. They are the host's own release's, so they fit its other libraries.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sandboxlib.daemons import SandboxError
from sandboxlib.made_once import made_once
from sandboxlib.paths import Paths
from sandboxlib.progress import run_logged, step

PACKAGE = "haproxy"
OS_RELEASE = Path("/etc/os-release")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Where it is, and what its environment must hold."""

    path: Path
    env: Mapping[str, str] = field(default_factory=dict)


def find(paths: Paths) -> Program:
    """Fetches it when nobody has. Raises `SandboxError`."""
    search = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"])
    installed = shutil.which(PACKAGE, path=search)
    if installed:
        return Program(path=Path(installed))
    folder = paths.cache / PACKAGE / key(OS_RELEASE.read_text(), machine=platform.machine())
    return _unpacked(made_once(paths, folder, partial(_fetch, log=paths.logs / f"{PACKAGE}.log")))


def key(os_release: str, *, machine: str) -> str:
    """What the packages depend on: the host's release, and its kind of machine."""
    pairs = (line.partition("=") for line in os_release.splitlines())
    values = {name: value.strip("\"'") for name, _, value in pairs}
    return f"{values.get('ID', 'linux')}-{values.get('VERSION_ID', 'unstable')}-{machine}"


def _unpacked(folder: Path) -> Program:
    libraries = sorted({str(path.parent) for path in folder.glob("**/lib/**/*.so*")})
    return Program(path=folder / "usr/sbin" / PACKAGE, env={"LD_LIBRARY_PATH": os.pathsep.join(libraries)})


def _fetch(folder: Path, *, log: Path) -> None:
    packages = folder / "packages"
    (packages / "partial").mkdir(parents=True)
    options = ("-o", f"Dir::Cache::archives={packages}", "-o", "DPkg::Lock::Timeout=120")
    download = ["apt-get", *options, "install", "-qy", "--download-only", "--no-install-recommends", PACKAGE]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with step(f"fetching {PACKAGE}"):
        try:
            run_logged(download, log=log, env=environment)
        except SandboxError:  # its lists are missing or old
            run_logged(["apt-get", "update", "-q"], log=log, env=environment)
            run_logged(download, log=log, env=environment)
        for package in sorted(packages.glob("*.deb")):
            run_logged(["dpkg-deb", "--extract", str(package), str(folder)], log=log)
    shutil.rmtree(packages)
