"""Tokens that Slurm would take, and the daemons of a cluster as values; nothing is entered or started."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import jwt
import pytest

from sandboxlib import ports, slurm_cluster, slurm_config, slurm_daemons, slurm_rootfs, slurm_state
from sandboxlib.daemons import Daemon, SandboxError, State
from sandboxlib.paths import Paths
from sandboxlib.slurm_suites import SUITES
from slurmjob_operator.slurm.token import parse_token

SUITE = slurm_cluster.SUITES[0]
KEY = bytes(range(64))


@pytest.fixture
def made(paths: Paths) -> Paths:
    """A cluster whose files are there."""
    folder = slurm_cluster.folder(paths, SUITE)
    (folder / "etc-slurm").mkdir(parents=True)
    (folder / "etc-slurm" / "jwt_hs256.key").write_bytes(KEY)
    (folder / "hosts").touch()
    return paths


# --- Tokens -----------------------------------------------------------------------------------------------------


def test_a_token_verifies_against_the_clusters_key(made: Paths) -> None:
    before = int(time.time())
    text = slurm_cluster.token(made, SUITE, user="alice", lifespan=600)
    claims = jwt.decode(text, KEY, algorithms=["HS256"], options={"require": ["exp", "iat"]})
    assert set(claims) == {"exp", "iat", "sun"}
    assert claims["sun"] == "alice"
    assert claims["exp"] - claims["iat"] == 600
    assert before <= claims["iat"] <= time.time()
    assert jwt.get_unverified_header(text) == {"alg": "HS256", "typ": "JWT"}


def test_another_key_is_refused(made: Paths) -> None:
    text = slurm_cluster.token(made, SUITE, user="alice", lifespan=600)
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(text, KEY[::-1], algorithms=["HS256"])


def test_an_old_token_has_expired(made: Paths) -> None:
    text = slurm_cluster.token(made, SUITE, user="alice", lifespan=-10)
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(text, KEY, algorithms=["HS256"])


@pytest.mark.parametrize("length", range(6))
def test_it_is_signed_as_pyjwt_does(length: int) -> None:
    """Whatever the length, and so the padding that is left out."""
    claims: dict[str, object] = {"exp": 4_102_444_800, "sun": "x" * length}
    ours = slurm_cluster.sign(claims, KEY)
    assert "=" not in ours
    assert jwt.decode(ours, KEY, algorithms=["HS256"]) == claims


def test_the_operator_takes_it(made: Paths) -> None:
    text = slurm_cluster.token(made, SUITE, user="bob", lifespan=600)
    assert parse_token(text.encode()).user == "bob"


# --- Daemons ----------------------------------------------------------------------------------------------------


def test_there_are_none_before_the_first_up(paths: Paths) -> None:
    assert slurm_cluster.daemons(paths, SUITE) == ()
    assert slurm_cluster.status(paths, SUITE) == [f"{SUITE}: not set up"]


def test_they_are_in_start_order(made: Paths) -> None:
    names = [daemon.name.removeprefix(f"{SUITE}-") for daemon in slurm_cluster.daemons(made, SUITE)]
    nodes = [f"slurmd-{node}" for node in slurm_config.NODES]
    assert names == ["munged", "mariadbd", "slurmdbd", "slurmctld", *nodes, "slurmrestd"]


def test_each_has_a_log_and_a_pid_file_of_its_own(made: Paths) -> None:
    daemons = slurm_cluster.daemons(made, SUITE)
    assert {daemon.log for daemon in daemons} == {made.logs / f"{daemon.name}.log" for daemon in daemons}
    assert {daemon.pid_file for daemon in daemons} == {made.run / f"{daemon.name}.pid" for daemon in daemons}


def test_they_stay_in_the_foreground_as_the_right_user(made: Paths) -> None:
    found: dict[str, tuple[str, list[str]]] = {}
    for daemon in slurm_cluster.daemons(made, SUITE):
        _state, _root, user, *command = daemon.argv[daemon.argv.index("enter") + 1 :]
        found[daemon.name.removeprefix(f"{SUITE}-")] = (user, command)
    assert found["munged"] == ("munge", ["munged", "--foreground"])
    assert found["mariadbd"] == ("root", ["mariadbd", "--defaults-file=/etc/slurm/mariadb.cnf"])
    assert found["slurmdbd"] == ("slurm", ["slurmdbd", "-D"])
    assert found["slurmctld"] == ("slurm", ["slurmctld", "-D"])
    assert found["slurmrestd"][0] == "slurmrest"
    for node in slurm_config.NODES:
        assert found[f"slurmd-{node}"] == ("root", ["slurmd", "-D", "-N", node])


def test_slurmrestd_takes_tokens_on_loopback(made: Paths) -> None:
    restd = slurm_cluster.daemons(made, SUITE)[-1]
    port = ports.port(made, f"{SUITE}-slurmrestd")
    assert restd.argv[-2:] == ("slurmrestd", f"127.0.0.1:{port}")
    assert "SLURM_JWT" in restd.env
    assert slurm_cluster.rest_url(made, SUITE) == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("name", ["mariadbd", "slurmdbd", "slurmctld", "slurmd-n1", "slurmd-n8", "slurmrestd"])
def test_one_is_ready_when_its_own_port_answers(made: Paths, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The port that the configuration names, and no other."""
    settings = slurm_state.settings(made, SUITE)
    number = {
        "mariadbd": settings.mariadb_port,
        "slurmdbd": settings.slurmdbd_port,
        "slurmctld": settings.slurmctld_port,
        "slurmd-n1": settings.slurmd_ports[0],
        "slurmd-n8": settings.slurmd_ports[7],
        "slurmrestd": ports.port(made, f"{SUITE}-slurmrestd"),
    }[name]
    (daemon,) = [one for one in slurm_cluster.daemons(made, SUITE) if one.name == f"{SUITE}-{name}"]
    assert daemon.ready is not None
    monkeypatch.setattr(ports, "listens", lambda port: port == number)
    assert daemon.ready()
    monkeypatch.setattr(ports, "listens", lambda port: port != number)
    assert not daemon.ready()


def test_munge_is_ready_when_its_socket_is_there(made: Paths) -> None:
    munged = slurm_cluster.daemons(made, SUITE)[0]
    assert munged.ready is not None
    assert not munged.ready()
    socket = slurm_cluster.folder(made, SUITE) / "run/munge/munge.socket.2"
    socket.parent.mkdir(parents=True)
    socket.touch()
    assert munged.ready()


def test_no_two_ports_are_the_same(made: Paths) -> None:
    settings = slurm_state.settings(made, SUITE)
    numbers = [settings.slurmctld_port, settings.slurmdbd_port, settings.mariadb_port, *settings.slurmd_ports]
    assert len({*numbers, ports.port(made, f"{SUITE}-slurmrestd")}) == len(numbers) + 1
    assert len(settings.slurmd_ports) == len(slurm_config.NODES)
    assert settings.cluster == SUITE


def test_no_two_clusters_of_a_machine_have_jobs_of_the_same_id(made: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """At least as many ids for each as slurmctld keeps jobs, up to the highest id that Slurm knows."""
    between = 2 + len(slurm_config.NODES)  # the daemons that follow slurmctld have ports as well
    taken = [ports.port(made, f"{SUITE}-slurmctld"), ports.LAST - between, ports.LAST]
    first = []
    for number in taken:
        monkeypatch.setattr(ports, "port", lambda _paths, _name, number=number: number)
        first.append(slurm_state.settings(made, SUITE).first_job_id)
    assert first[0] >= 1
    assert first[2] - first[1] > 30_000
    assert first[2] < 67_043_328


def test_clusters_that_come_up_at_once_have_room_for_their_jobs(paths: Paths) -> None:
    """Whoever chooses a port in between."""
    first = []
    for suite in slurm_cluster.SUITES:
        ports.port(paths, f"before-{suite}")
        slurm_state.choose_ports(paths, suite)
        first.append(slurm_state.settings(paths, suite).first_job_id)
    assert all(later - earlier > 30_000 for earlier, later in pairwise(first))
    assert all(slurm_state.settings(paths, suite).slurmd_ports for suite in slurm_cluster.SUITES)


# --- Commands inside --------------------------------------------------------------------------------------------


def test_a_command_runs_in_the_suites_own_root(paths: Paths) -> None:
    argv = slurm_cluster.exec_argv(paths, SUITE, ["squeue", "-h"], "alice")
    root = slurm_rootfs.location(paths, SUITES[SUITE])
    assert argv[0] == "unshare"
    assert argv[-5:] == [str(slurm_cluster.folder(paths, SUITE)), str(root), "alice", "squeue", "-h"]
    assert slurm_cluster.home(paths, SUITE, "alice") == slurm_cluster.folder(paths, SUITE) / "home" / "alice"


def test_only_root_can_bring_it_up(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SandboxError, match=r"root is needed .*: run this as root"):
        slurm_cluster.up(paths, SUITE)
    assert not paths.state.exists()


@pytest.mark.parametrize(
    ("states", "bad"),
    [
        ("n1 drained\nn2 idle\n", "n1"),
        ("n1 idle*\nn2 down*\n", "n1, n2"),
        ("n1 unknown\nn2 mixed\nn2 mixed\n", "n1"),
        ("n2 allocated*\n", "n2"),
    ],
)
def test_nodes_that_do_not_answer_are_named(
    paths: Paths, states: str, bad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slurm_daemons, "inside", lambda *_arguments: states)
    with pytest.raises(SandboxError, match=rf"nodes of {SUITE} that are not ready: {bad}$"):
        slurm_daemons.wait_idle(paths, SUITE, seconds=-1)


def test_it_waits_until_all_nodes_answer(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: Iterator[str] = iter(["", "n1 idle*\nn2 idle\n", "n1 idle\nn2 mixed\nn3 allocated\n", "never asked"])
    monkeypatch.setattr(slurm_daemons, "inside", lambda *_arguments: next(answers))
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    slurm_daemons.wait_idle(paths, SUITE)
    assert next(answers) == "never asked"


def test_what_a_test_took_away_is_brought_back(made: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """All daemons are started, or go on, and a node that is down is resumed as an administrator would."""
    started: list[Daemon] = []
    asked: list[Sequence[str]] = []
    answers: Iterator[str] = iter(["n1 idle\nn2 down*\nn3 draining\n", "n1 idle\nn2 idle\nn3 mixed\n"])

    def inside(_paths: Paths, _suite: str, argv: Sequence[str]) -> str:
        asked.append(argv)
        return next(answers) if argv[0] == "sinfo" else ""

    monkeypatch.setattr(slurm_daemons, "spawn", started.append)
    monkeypatch.setattr(slurm_daemons, "wait_ready", lambda _daemon: None)
    monkeypatch.setattr(slurm_daemons, "inside", inside)
    slurm_cluster.bring_back(made, SUITE)
    assert [daemon.name for daemon in started] == [daemon.name for daemon in slurm_cluster.daemons(made, SUITE)]
    assert [argv for argv in asked if argv[0] != "sinfo"] == [["scontrol", "update", "nodename=n2,n3", "state=resume"]]


# --- Status -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("banner", ["slurm-wlm 26.05.1\n", "slurm 26.05.1\n"])
def test_status_says_which_release_runs(made: Paths, banner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SUITES, SUITE, replace(SUITES[SUITE], release="26.05"))
    states = {f"{SUITE}-slurmd-n2": State.DOWN, f"{SUITE}-slurmrestd": State.PAUSED}
    monkeypatch.setattr(slurm_cluster, "state_of", lambda daemon: states.get(daemon.name, State.UP))
    monkeypatch.setattr(slurm_daemons, "inside", lambda *_arguments: banner)
    lines = slurm_cluster.status(made, SUITE)
    assert f"{SUITE}-slurmctld: up" in lines
    assert f"{SUITE}-slurmd-n2: down" in lines
    assert f"{SUITE}-slurmrestd: paused" in lines
    assert f"{SUITE}: Slurm 26.05.1, slurmrestd at {slurm_cluster.rest_url(made, SUITE)}" in lines
    assert not [line for line in lines if "another release" in line]
    monkeypatch.setattr(slurm_daemons, "inside", lambda *_arguments: "slurm-wlm 27.11.0")
    assert [line for line in slurm_cluster.status(made, SUITE) if "another release than the expected 26.05" in line]


def test_another_release_is_reported_and_nothing_else(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the clusters that were set up; 26.05 is no 26.05x."""
    said = {"bookworm": "slurm-wlm 22.05.8", "trixie": "slurm-wlm 25.05.1", "forky": "slurm-wlm 26.051.1"}
    monkeypatch.setattr(slurm_daemons, "inside", lambda _paths, suite, _argv: said[suite])
    assert slurm_cluster.releases(paths) == {}
    assert slurm_cluster.unexpected(paths) == []
    for suite in ("bookworm", "trixie"):
        slurm_cluster.folder(paths, suite).mkdir(parents=True)
        (slurm_cluster.folder(paths, suite) / "hosts").touch()
    words = "is another release than the expected"
    tested = "everything is run against it as it is"
    assert slurm_cluster.releases(paths) == {"bookworm": "22.05.8", "trixie": "25.05.1"}
    assert slurm_cluster.unexpected(paths) == [f"trixie: Slurm 25.05.1 {words} 24.11; {tested}"]
    slurm_cluster.folder(paths, "forky").mkdir()
    (slurm_cluster.folder(paths, "forky") / "hosts").touch()
    assert slurm_cluster.unexpected(paths)[1:] == [f"forky: Slurm 26.051.1 {words} 26.05; {tested}"]


def test_a_cluster_of_an_upgraded_release_is_no_surprise(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slurm_daemons, "inside", lambda *_arguments: "slurm-wlm 26.05.5")
    folder = slurm_cluster.folder(paths, "trixie")
    folder.mkdir(parents=True)
    (folder / "hosts").touch()
    assert slurm_cluster.unexpected(paths)
    slurm_state.set_row(paths, "trixie", "forky")
    assert slurm_cluster.unexpected(paths) == []


@pytest.mark.parametrize(("there", "words"), [(True, "true, by cgroup v1"), (False, "not enforced")])
def test_status_says_whether_memory_is_limited(
    made: Paths, tmp_path: Path, there: bool, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slurm_state, "MEMORY_CONTROLLER", tmp_path)
    if there:
        (tmp_path / "memory.limit_in_bytes").touch()
    lines = slurm_cluster.status(made, SUITE)
    assert lines[-1].startswith(f"{SUITE}: memory limits {words}")
    assert f"{SUITE}-slurmrestd: down" in lines
    assert slurm_state.settings(made, SUITE).cgroup is there
