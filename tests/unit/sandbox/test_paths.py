"""State lies in the checkout, costly results in the user's cache; the environment can say otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sandboxlib.paths import CHECKOUT, Paths, default_paths, renew

NAMES = ("SANDBOX_STATE", "SANDBOX_CACHE", "SANDBOX_FIRST_PORT", "XDG_CACHE_HOME", "HOME")


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch, paths: Paths) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_the_checkout_is_the_one_of_this_file() -> None:
    assert Path(__file__).resolve().is_relative_to(CHECKOUT)
    assert (CHECKOUT / "sandbox" / "sandbox").is_file()


def test_the_usual_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    found = default_paths()
    assert found.checkout == CHECKOUT
    assert found.state == CHECKOUT / ".sandbox"
    assert found.cache == tmp_path / ".cache" / "slurm-kube-sandbox"


def test_the_users_cache_home_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_paths().cache == tmp_path / "xdg" / "slurm-kube-sandbox"


def test_the_sandboxs_own_variables_win(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("SANDBOX_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SANDBOX_CACHE", str(tmp_path / "cache"))
    assert (default_paths().state, default_paths().cache) == (tmp_path / "state", tmp_path / "cache")


def test_empty_variables_say_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in NAMES[:4]:
        monkeypatch.setenv(name, "")
    assert default_paths().state == CHECKOUT / ".sandbox"
    assert default_paths().cache == tmp_path / ".cache" / "slurm-kube-sandbox"


@pytest.mark.parametrize(("text", "number"), [("21000", 21000), ("20000", 20000), ("", 20000)])
def test_where_ports_begin(text: str, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_FIRST_PORT", text)
    assert default_paths().first_port == number


@pytest.mark.parametrize("text", ["19999", "29999", "80", "-20000", "20000.5", "many", "²"])
def test_ports_outside_of_our_range_are_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_FIRST_PORT", text)
    with pytest.raises(ValueError, match=r"^SANDBOX_FIRST_PORT=.*: it is a number from 20000 to 29998$"):
        default_paths()


def test_make_creates_all_and_can_be_repeated(paths: Paths) -> None:
    paths.make()
    kept = paths.run / "x.pid"
    kept.write_text("1 1\n")
    paths.make()
    assert all(folder.is_dir() for folder in (paths.state, paths.logs, paths.run, paths.cache))
    assert kept.exists()
    assert paths.logs.is_relative_to(paths.state)
    assert paths.run.is_relative_to(paths.state)


def test_a_place_that_cannot_be_made_is_named(paths: Paths, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(OSError, match="Not a directory") as error:
        replace(paths, cache=blocked / "cache").make()
    assert Path(str(error.value.filename)).is_relative_to(blocked)


def test_a_renewed_file_is_replaced_as_a_whole_and_only_if_it_differs(tmp_path: Path) -> None:
    file = tmp_path / "sub" / "conf"
    renew(file, "one\n", mode=0o600)
    first = file.stat()
    assert (file.read_text(), first.st_mode & 0o777) == ("one\n", 0o600)
    renew(file, "one\n")
    assert file.stat().st_ino == first.st_ino
    with file.open() as reader:
        renew(file, "two\n", mode=0o600)
        assert reader.read() == "one\n", "who has it open reads the old one to its end"
    assert file.read_text() == "two\n"
    assert [path.name for path in file.parent.iterdir()] == ["conf"]
