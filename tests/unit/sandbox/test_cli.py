"""The command line: each command in its help, one clear message and exit code 1 when something is wrong."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jwt
import pytest
import yaml

from sandboxlib import cli, control_plane, operator_process, slurm_cluster, slurm_upgrade
from sandboxlib.daemons import Daemon, SandboxError
from sandboxlib.paths import CHECKOUT, Paths
from tests.unit.sandbox.conftest import Program

SUITE = slurm_cluster.SUITES[0]
KEY = bytes(range(64))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have been brought up or taken down."""
    asked: list[str] = []
    monkeypatch.setattr(control_plane, "up", lambda _paths: asked.append("up kube"))
    monkeypatch.setattr(control_plane, "down", lambda _paths: asked.append("down kube"))
    monkeypatch.setattr(slurm_cluster, "up", lambda _paths, suite: asked.append(f"up {suite}"))
    monkeypatch.setattr(slurm_cluster, "down", lambda _paths, suite: asked.append(f"down {suite}"))
    return asked


@pytest.fixture
def key(paths: Paths) -> bytes:
    """The key of a cluster that was set up."""
    folder = slurm_cluster.folder(paths, SUITE) / "etc-slurm"
    folder.mkdir(parents=True)
    (folder / "jwt_hs256.key").write_bytes(KEY)
    return KEY


@pytest.fixture
def etcd(paths: Paths, program: Program, monkeypatch: pytest.MonkeyPatch) -> Daemon:
    """A daemon that does nothing, under a name that the command line knows."""
    program(control_plane.folder(paths) / "bin" / "etcd", "exec sleep 30")
    monkeypatch.setattr(control_plane, "_ready", lambda _paths, _name: True)
    return control_plane.daemons(paths)[0]


def _pid(daemon: Daemon) -> str:
    return daemon.pid_file.read_text()


# --- Help and errors --------------------------------------------------------------------------------------------


def test_the_help_names_all_commands() -> None:
    text = cli.parser().format_help()
    listed = {line.split()[0] for line in text.splitlines() if line.startswith("    ") and line.strip()}
    assert set(cli.COMMANDS) <= listed


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_each_command_has_a_help_of_its_own(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([command, "--help"])
    assert end.value.code == 0
    assert f"usage: sandbox {command}" in capsys.readouterr().out


@pytest.mark.parametrize("line", [line for line in cli.EXAMPLES.splitlines() if "sandbox/sandbox " in line])
def test_the_examples_of_the_help_are_commands(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = line.partition("sandbox/sandbox ")[2].split(" |")[0].replace(')"', "").split()
    monkeypatch.setitem(cli.COMMANDS, words[0], lambda _paths, _flags: 0)
    assert cli.main(words) == 0


@pytest.mark.parametrize("argv", [[], ["nonsense"], ["up", "--slurm", "nonsense"], ["exec"], ["token", SUITE]])
def test_a_wrong_command_line_is_refused(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(argv)
    assert end.value.code == 2
    assert "sandbox" in capsys.readouterr().err


@pytest.mark.parametrize("verb", cli.ONE_DAEMON)
def test_an_unknown_daemon_is_a_clear_message(verb: str, etcd: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([verb, "ectd"]) == 1
    said = capsys.readouterr().err
    assert said == f"sandbox: no daemon ectd; there are: {', '.join(control_plane.NAMES)}\n"


def test_there_are_no_daemons_yet(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["stop", "etcd"]) == 1
    assert capsys.readouterr().err == "sandbox: no daemon etcd; there are: none yet\n"


def test_exec_needs_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in (["exec", SUITE], ["exec", SUITE, "--"]):
        assert cli.main(argv) == 1
        assert capsys.readouterr().err == "sandbox: exec needs a command: sandbox exec forky -- squeue\n"


def test_a_missing_file_is_named(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["token", SUITE, "--user", "alice"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("sandbox: No such file or directory: ")
    assert str(paths.state) in said
    assert said.count("\n") == 1


def test_state_that_cannot_be_made_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SANDBOX_STATE", str(tmp_path / "file" / "state"))
    assert cli.main(["status"]) == 1
    assert f"sandbox: Not a directory: {tmp_path / 'file'}" in capsys.readouterr().err


def test_a_first_port_that_is_none_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SANDBOX_FIRST_PORT", "80")
    assert cli.main(["status"]) == 1
    assert capsys.readouterr().err.startswith("sandbox: SANDBOX_FIRST_PORT=80: ")


def test_the_script_itself_passes_the_exit_code_on(paths: Paths) -> None:
    argv = [sys.executable, "-B", str(CHECKOUT / "sandbox" / "sandbox"), "stop", "etcd"]
    environment = {"SANDBOX_STATE": str(paths.state), "SANDBOX_CACHE": str(paths.cache)}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "sandbox: no daemon etcd; there are: none yet\n"


# --- Up and down ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        ([], ["up kube", *(f"up {suite}" for suite in slurm_cluster.SUITES)]),
        (["--kube"], ["up kube"]),
        (["--slurm", SUITE], [f"up {SUITE}"]),
        (["--slurm", SUITE, "--kube"], ["up kube", f"up {SUITE}"]),
    ],
)
def test_up_brings_up_what_is_named(calls: list[str], flags: list[str], wanted: list[str]) -> None:
    assert cli.main(["up", *flags]) == 0
    assert sorted(calls) == sorted(wanted)


def test_all_of_it_comes_up_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each waits until all have begun."""
    everybody = threading.Barrier(1 + len(slurm_cluster.SUITES), timeout=5)
    monkeypatch.setattr(control_plane, "up", lambda _paths: everybody.wait())
    monkeypatch.setattr(slurm_cluster, "up", lambda _paths, _suite: everybody.wait())
    assert cli.main(["up"]) == 0


def test_a_failure_is_told_when_the_rest_is_up(
    calls: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_paths: Paths) -> None:
        raise SandboxError("etcd ended at once")

    monkeypatch.setattr(control_plane, "up", fail)
    assert cli.main(["up"]) == 1
    assert capsys.readouterr().err == "sandbox: etcd ended at once\n"
    assert sorted(calls) == sorted(f"up {suite}" for suite in slurm_cluster.SUITES)


def test_down_takes_all_down_and_keeps_the_state(calls: list[str], paths: Paths) -> None:
    assert cli.main(["down"]) == 0
    assert sorted(calls) == sorted(["down kube", *(f"down {suite}" for suite in slurm_cluster.SUITES)])
    assert paths.run.exists()


def test_an_upgrade_names_both_suites(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[tuple[str, str]] = []

    def upgrade(_paths: Paths, suite: str, *, to: str) -> float:
        asked.append((suite, to))
        return 2.0

    monkeypatch.setattr(slurm_upgrade, "upgrade", upgrade)
    assert cli.main(["upgrade", "trixie", "--to", "forky"]) == 0
    assert asked == [("trixie", "forky")]
    assert capsys.readouterr().err == "upgraded after 2.0 s\n"
    with pytest.raises(SystemExit):
        cli.main(["upgrade", "trixie"])


@pytest.mark.usefixtures("calls")
def test_purge_forgets_the_state_but_not_the_cache(paths: Paths) -> None:
    paths.make()
    (paths.cache / "kept").touch()
    assert cli.main(["down", "--purge"]) == 0
    assert not paths.state.exists()
    assert (paths.cache / "kept").exists()


# --- Daemons ----------------------------------------------------------------------------------------------------


def test_start_stop_and_kill_are_for_one_daemon(etcd: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["start", "etcd"]) == 0
    first = _pid(etcd)
    assert cli.main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {"etcd: up", "kube-apiserver: down", "operator: down", f"{SUITE}: not set up"} <= set(lines)
    assert re.fullmatch(r"memory of all daemons: \d+ MB \(PSS\)", lines[-1])
    assert cli.main(["stop", "etcd"]) == 0
    assert cli.main(["start", "etcd"]) == 0
    assert _pid(etcd) != first
    assert cli.main(["kill", "etcd"]) == 0
    assert not etcd.pid_file.exists()
    cli.main(["status"])
    assert "etcd: down" in capsys.readouterr().out


def test_pause_and_resume_are_for_one_daemon(etcd: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["start", "etcd"]) == 0
    first = _pid(etcd)
    for verb, said in (("pause", "paused"), ("resume", "up"), ("pause", "paused"), ("start", "up")):
        assert cli.main([verb, "etcd"]) == 0
        assert cli.main(["status"]) == 0
        assert f"etcd: {said}" in capsys.readouterr().out.splitlines()
    assert _pid(etcd) == first


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_what_does_not_run_is_neither_paused_nor_resumed(
    verb: str, etcd: Daemon, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([verb, etcd.name]) == 1
    assert capsys.readouterr().err == "sandbox: etcd does not run\n"
    assert cli.main(["operator", verb]) == 1
    assert capsys.readouterr().err == "sandbox: operator does not run\n"


def test_logs_shows_the_last_lines(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    paths.make()
    (paths.logs / "etcd.log").write_text("".join(f"line {number}\n" for number in range(100)))
    assert cli.main(["logs", "etcd", "-n", "2"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["  | line 98", "  | line 99"]
    assert cli.main(["logs", "etcd"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 41


def test_the_operator_gets_its_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Sequence[str]] = []
    monkeypatch.setattr(operator_process, "start_operator", lambda _paths, flags: asked.append(flags))
    assert cli.main(["operator", "start"]) == 0
    assert cli.main(["operator", "start", "--", "--log-level", "debug"]) == 0
    assert cli.main(["start", "operator"]) == 0
    assert [list(flags) for flags in asked] == [[], ["--log-level", "debug"], []]


def _run_operator(paths: Paths, program: Program, processes: list[subprocess.Popen[bytes]]) -> None:
    """A process that the command line takes for the operator."""
    running = operator_process.daemon(paths)
    sleeper = program(paths.checkout / "operator", "exec sleep 30")
    subprocess.Popen([sleeper], start_new_session=True)
    ticks = Path(f"/proc/{processes[0].pid}/stat").read_text().rpartition(")")[2].split()[19]
    running.pid_file.parent.mkdir(parents=True, exist_ok=True)
    running.pid_file.write_text(f"{processes[0].pid} {ticks}\n")


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("argv", [["operator", "stop"], ["operator", "kill"], ["stop", "operator"]])
def test_the_operator_is_ended(
    argv: list[str], paused: bool, paths: Paths, program: Program, processes: list[subprocess.Popen[bytes]]
) -> None:
    _run_operator(paths, program, processes)
    if paused:
        assert cli.main(["operator", "pause"]) == 0
    assert cli.main(argv) == 0
    assert processes[0].wait(3) == (-15 if "stop" in argv else -9)


@pytest.mark.parametrize("argv", [["operator"], []])
def test_the_operator_is_paused_and_resumed(
    argv: list[str],
    paths: Paths,
    program: Program,
    processes: list[subprocess.Popen[bytes]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    _run_operator(paths, program, processes)
    for verb, said in (("pause", "paused"), ("resume", "up")):
        assert cli.main([*argv, verb, *([] if argv else ["operator"])]) == 0
        assert cli.main(["status"]) == 0
        assert f"operator: {said}" in capsys.readouterr().out.splitlines()


# --- What is printed for people and pipes ---------------------------------------------------------------------------


def test_env_is_for_eval(paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a folder has a blank and a quote in its name."""
    monkeypatch.setenv("SANDBOX_STATE", str(tmp_path / "it's here"))
    argv = [sys.executable, "-B", str(CHECKOUT / "sandbox" / "sandbox"), "env"]
    printed = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    variable = f"SLURMRESTD_{SUITE.upper()}"
    script = f'eval "$1"; echo "$KUBECONFIG"; echo "$PATH"; echo "$OPERATOR_URL"; echo "${variable}"'
    shell = ["sh", "-c", script, "sh", printed]
    lines = subprocess.run(shell, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True).stdout
    kubeconfig, path, operator, url = lines.splitlines()
    assert kubeconfig == f"{tmp_path}/it's here/kube/admin.kubeconfig"
    assert path == f"{tmp_path}/it's here/kube/bin:/usr/bin:/bin"
    assert url.startswith("http://127.0.0.1:")
    assert operator.startswith("http://127.0.0.1:")
    assert operator != url


@pytest.mark.parametrize(
    ("argv", "user", "command"),
    [
        ([SUITE, "--", "squeue", "-u", "alice"], "root", ["squeue", "-u", "alice"]),
        (["--user", "alice", SUITE, "--", "id"], "alice", ["id"]),
        ([SUITE, "--user", "alice", "--", "id", "--user"], "alice", ["id", "--user"]),
        ([SUITE, "--", "sh", "-c", "exit", "--", "x"], "root", ["sh", "-c", "exit", "--", "x"]),
    ],
)
def test_exec_passes_command_and_exit_code(
    argv: list[str], user: str, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def enter(_paths: Paths, suite: str, command: Sequence[str], user: str) -> list[str]:
        asked.append((suite, user, list(command)))
        return ["sh", "-c", "exit 7"]

    monkeypatch.setattr(slurm_cluster, "exec_argv", enter)
    assert cli.main(["exec", *argv]) == 7
    assert asked == [(SUITE, user, command)]


def test_a_token_is_printed_alone(key: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["token", SUITE, "--user", "alice", "--lifespan", "60"]) == 0
    out, err = capsys.readouterr()
    claims = jwt.decode(out.strip(), key, algorithms=["HS256"])
    assert (claims["sun"], claims["exp"] - claims["iat"], err) == ("alice", 60, "")


def test_a_connection_is_printed_for_kubectl(paths: Paths, key: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["connection", SUITE, "--user", "bob", "--namespace", "team", "--name", "hpc"]) == 0
    secret, connection = yaml.safe_load_all(capsys.readouterr().out)
    assert jwt.decode(secret["stringData"]["SLURM_JWT"], key, algorithms=["HS256"])["sun"] == "bob"
    assert connection["metadata"] == {"name": "hpc", "namespace": "team"}
    assert connection["spec"]["servers"] == [{"url": slurm_cluster.rest_url(paths, SUITE)}]
