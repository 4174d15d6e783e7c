"""The proxy before a slurmrestd as text: what it is told, in which order. What it does is seen in tests/contract."""

from __future__ import annotations

import os
import signal
import ssl
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from sandboxlib import front, haproxy
from sandboxlib.daemons import SandboxError, running_pid, start, stop
from sandboxlib.front import Front
from sandboxlib.paths import Paths
from tests.unit.sandbox.conftest import Program

BARE = Front(name="campus", port=25001, server_port=25002)
FULL = replace(
    BARE,
    prefix="/slurm-api",
    header=("X-Gateway", "s3cret"),
    client_certificate=True,
    longest_url=8192,
    largest_body=1000,
    server_seconds=1.5,
    pages=(503,),
)


@pytest.fixture(autouse=True)
def own_haproxy(tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts the reloads that it is asked for."""
    script = f'trap "echo reload >> {tmp_path}/reloads" USR2; while :; do sleep 0.05; done'
    found = haproxy.Program(path=program(tmp_path / "bin" / "haproxy", script), env={"LD_LIBRARY_PATH": "/lib"})
    monkeypatch.setattr(haproxy, "find", lambda _paths: found)


def _lines(made: Front) -> list[str]:
    return [line.strip() for line in front.configuration(made, files=Path("/files")).splitlines()]


def test_a_bare_one_asks_nothing() -> None:
    lines = _lines(BARE)
    assert "bind 127.0.0.1:25001 ssl crt /files/server.pem" in lines
    assert "server slurmrestd 127.0.0.1:25002" in lines
    assert not [line for line in lines if "return status" in line or "replace-path" in line]
    assert BARE.url == "https://127.0.0.1:25001"


def test_what_is_asked_and_in_which_order() -> None:
    lines = _lines(FULL)
    assert [line.split()[3] for line in lines if "return status" in line] == ["401", "414", "413", "503", "404"]
    assert [line for line in lines if line.endswith("verify required")] == [
        "bind 127.0.0.1:25001 ssl crt /files/server.pem ca-file /files/ca.crt verify required"
    ]
    assert "timeout server 1500ms" in lines
    assert r"http-request replace-path /slurm-api(/.*) \1" in lines
    assert FULL.url == "https://127.0.0.1:25001/slurm-api"


def test_no_request_is_sent_twice_and_no_token_is_logged() -> None:
    lines = _lines(FULL)
    assert "retries 0" in lines
    (log,) = [line for line in lines if line.startswith("log-format")]
    assert "hdr" not in log


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a b"},
        {"name": "../x"},
        {"prefix": "/a b"},
        {"prefix": "a"},
        {"header": ("X", 'v"')},
        {"header": ("X", "v\n")},
    ],
)
def test_nothing_gets_into_the_configuration_by_a_value(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="letters, digits"):
        replace(BARE, **wrong)  # type: ignore[arg-type]  # values of several types


def test_the_daemon_and_its_files(paths: Paths) -> None:
    made, files = front.daemon(paths, FULL), front.folder(paths, FULL)
    assert made.argv[-2:] == ("-f", str(files / "haproxy.cfg"))
    assert made.env == {"LD_LIBRARY_PATH": "/lib"}
    for name in ("haproxy.cfg", "server.pem"):
        assert stat.S_IMODE((files / name).stat().st_mode) == 0o600, f"{name} holds a secret"
    before = {path.name: path.read_bytes() for path in files.iterdir()}
    front.daemon(paths, FULL)
    assert {path.name: path.read_bytes() for path in files.iterdir()} == before, "certificates stay the same"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files / "server.pem")


def test_a_renewed_certificate_is_another_one_of_the_same_ca(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, files = replace(front.daemon(paths, BARE), ready=None), front.folder(paths, BARE)
    old, authority = (files / "server.crt").read_text(), (files / "ca.crt").read_text()
    reloads = tmp_path / "reloads"
    monkeypatch.setattr(front, "shown", lambda _front: (files / "server.crt").read_text() if reloads.exists() else old)
    start(made)
    try:
        pid = running_pid(made.pid_file)
        front.renew_certificate(paths, BARE)
        assert running_pid(made.pid_file) == pid
    finally:
        stop([made])
    assert (files / "server.crt").read_text() != old
    assert (files / "server.pem").read_text().startswith((files / "server.crt").read_text())
    assert (files / "ca.crt").read_text() == authority


def test_one_that_goes_on_with_its_old_certificate_is_told_of(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    made = replace(front.daemon(paths, BARE), ready=None)
    with pytest.raises(SandboxError, match="does not run"):
        front.renew_certificate(paths, BARE)
    monkeypatch.setattr(front, "RELOAD_SECONDS", 0.1)
    start(made)
    try:
        with pytest.raises(SandboxError, match="old certificate"):
            front.renew_certificate(paths, BARE)
    finally:
        stop([made])


def test_only_the_master_is_asked_to_reload(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its workers would end at that signal."""
    made, files = replace(front.daemon(paths, BARE), ready=None), front.folder(paths, BARE)
    monkeypatch.setattr(front, "shown", lambda _front: (files / "server.crt").read_text())
    start(made)
    try:
        sent: list[tuple[int, int]] = []
        with monkeypatch.context() as patch:
            patch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
            front.renew_certificate(paths, BARE)
        assert sent == [(running_pid(made.pid_file), signal.SIGUSR2)]
    finally:
        stop([made])


def test_requests_in_the_log(paths: Paths) -> None:
    made = front.daemon(paths, BARE)
    made.log.parent.mkdir(parents=True, exist_ok=True)
    made.log.write_text("[NOTICE] x\n127.0.0.1:1 [date] front/1: SSL handshake failure\n200 -- GET /a tokens=1\n")
    assert front.requests(made) == ["200 -- GET /a tokens=1"]
