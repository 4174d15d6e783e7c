"""The operator's process as a value, and the manifests of a connection, parsed as kubectl would."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from sandboxlib import control_plane, operator_process, ports
from sandboxlib.daemons import Daemon, SandboxError
from sandboxlib.operator_process import Launch
from sandboxlib.paths import CHECKOUT, Paths
from slurmjob_operator.api.connection import SlurmConnection
from slurmjob_operator.edge import cli

URL, TOKEN = "http://127.0.0.1:20017", "aaa.bbb.ccc"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What kubectl was asked; it answers with a token."""
    commands: list[tuple[str, ...]] = []

    def kubectl(_paths: Paths, *arguments: str, stdin: str | None = None) -> str:
        commands.append(arguments)
        return f"{TOKEN}\n"

    monkeypatch.setattr(control_plane, "kubectl", kubectl)
    return commands


def _manifests(**options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    text = operator_process.connection(namespace="team", name="campus", url=URL, token=TOKEN, **options)
    secret, connection = yaml.safe_load_all(text)
    return secret, connection


# --- The connection ---------------------------------------------------------------------------------------------


def test_a_connection_is_a_secret_and_a_slurmconnection() -> None:
    secret, connection = _manifests()
    assert (secret["apiVersion"], secret["kind"]) == ("v1", "Secret")
    assert connection["kind"] == "SlurmConnection"
    assert secret["metadata"]["namespace"] == connection["metadata"]["namespace"] == "team"
    assert connection["metadata"]["name"] == "campus"


def test_it_names_the_secrets_own_key() -> None:
    secret, connection = _manifests()
    wanted = connection["spec"]["auth"]["jwt"]["secretKeyRef"]
    assert wanted["name"] == secret["metadata"]["name"]
    assert secret["stringData"] == {wanted["key"]: TOKEN}


def test_the_operator_reads_it() -> None:
    _secret, connection = _manifests(poll_seconds=7)
    spec = SlurmConnection.model_validate(connection).spec
    assert [server.url for server in spec.servers] == [URL]
    assert spec.poll_period_seconds == 7
    assert SlurmConnection.model_validate(_manifests()[1]).spec.poll_period_seconds >= 5


def test_its_kind_and_version_are_those_of_the_shipped_crd() -> None:
    _secret, connection = _manifests()
    crd = yaml.safe_load((CHECKOUT / "crds" / "slurmconnections.yaml").read_text())["spec"]
    versions = [f"{crd['group']}/{version['name']}" for version in crd["versions"] if version["served"]]
    assert connection["apiVersion"] in versions
    assert connection["kind"] == crd["names"]["kind"]


def test_an_odd_token_stays_what_it_is() -> None:
    odd = "a\"b: {c}\n---\nd: 'e' ☃"
    text = operator_process.connection(namespace="team", name="campus", url=URL, token=odd)
    secret, _connection = yaml.safe_load_all(text)
    assert secret["stringData"]["SLURM_JWT"] == odd


# --- The process ------------------------------------------------------------------------------------------------


def test_its_flags_are_those_of_the_operator(paths: Paths) -> None:
    daemon = operator_process.daemon(paths, ["--log-level", "debug"])
    flags = cli.parser().parse_args(daemon.argv[1:])
    assert daemon.argv[0] == str(paths.checkout / ".venv" / "bin" / "slurmjob-operator")
    assert flags.command == "run"
    assert flags.namespace == operator_process.NAMESPACE
    assert flags.liveness_host == "127.0.0.1"
    assert flags.liveness_port == ports.port(paths, "operator-liveness")
    assert flags.allow_plain_http
    assert flags.log_level == "debug"


def test_its_address_is_where_it_listens(paths: Paths) -> None:
    flags = cli.parser().parse_args(operator_process.daemon(paths).argv[1:])
    assert operator_process.url(paths) == f"http://{flags.liveness_host}:{flags.liveness_port}"


def test_a_test_starts_an_operator_of_its_own(paths: Paths, tmp_path: Path) -> None:
    python, config = str(paths.checkout / ".venv/bin/python"), tmp_path / "through-a-proxy"
    launch = Launch(
        program=(python, "-m", "tests.a_build"), env={"KILL_AT": "submit", "USER": "else"}, kubeconfig=config
    )
    shipped, own = operator_process.daemon(paths, ["--x"]), operator_process.daemon(paths, ["--x"], launch)
    assert own.argv == (python, "-m", "tests.a_build", *shipped.argv[1:])
    assert own.env == {**shipped.env, "KILL_AT": "submit", "USER": "else", "KUBECONFIG": str(config)}
    assert own.cwd == paths.checkout, "where `-m tests.…` is found"
    assert (own.name, own.pid_file, own.log) == (shipped.name, shipped.pid_file, shipped.log), "it is one daemon"


@pytest.mark.parametrize("ca", [None, Path("/proxy/ca.crt")])
@pytest.mark.usefixtures("asked")
def test_a_kubeconfig_through_a_proxy_has_the_rights_of_the_operators_own(paths: Paths, ca: Path | None) -> None:
    operator_process.grant(paths)
    before = operator_process.kubeconfig(paths).read_text()
    target = operator_process.kubeconfig_through(paths, server="http://127.0.0.1:1", ca=ca)
    config, own = yaml.safe_load(target.read_text()), yaml.safe_load(before)
    signed = {} if ca is None else {"certificate-authority": str(ca)}
    assert config["clusters"][0]["cluster"] == {"server": "http://127.0.0.1:1", **signed}
    assert config["users"] == own["users"]
    assert target.stat().st_mode & 0o777 == 0o600
    assert operator_process.kubeconfig(paths).read_text() == before
    assert operator_process.kubeconfig_through(paths, server="http://127.0.0.1:2") != target


def test_it_never_sees_the_administrators_kubeconfig(paths: Paths) -> None:
    daemon = operator_process.daemon(paths)
    assert daemon.env["KUBECONFIG"] == str(operator_process.kubeconfig(paths))
    assert operator_process.kubeconfig(paths) != control_plane.admin_kubeconfig(paths)
    assert str(control_plane.admin_kubeconfig(paths)) not in [*daemon.argv, *daemon.env.values()]
    assert daemon.env["HOME"] == str(paths.state), "nor a kubeconfig of the user's"


def test_it_gets_a_token_of_its_service_account(paths: Paths, asked: list[tuple[str, ...]]) -> None:
    operator_process.grant(paths)
    token = asked[-1]
    assert token[:5] == ("-n", operator_process.NAMESPACE, "create", "token", operator_process.ACCOUNT)
    config = yaml.safe_load(operator_process.kubeconfig(paths).read_text())
    assert config["users"][0]["user"] == {"token": TOKEN}
    assert config["clusters"][0]["cluster"] == {
        "server": control_plane.server_url(paths),
        "certificate-authority": str(control_plane.folder(paths) / "pki" / "ca.crt"),
    }


def test_the_account_is_the_one_that_is_shipped() -> None:
    files = sorted((CHECKOUT / "manifests" / "base").glob("*.yaml"))
    objects = [item for file in files for item in yaml.safe_load_all(file.read_text())]
    accounts = [item["metadata"] for item in objects if item["kind"] == "ServiceAccount"]
    wanted = {"name": operator_process.ACCOUNT, "namespace": operator_process.NAMESPACE}
    assert [{key: account[key] for key in wanted} for account in accounts] == [wanted]


def test_crds_come_before_the_rules_and_are_waited_for(paths: Paths, asked: list[tuple[str, ...]]) -> None:
    crds = paths.checkout / "crds"
    crds.mkdir(parents=True)
    for name in ("slurmjobs", "slurmconnections"):
        (crds / f"{name}.yaml").touch()
    operator_process.install(paths)
    *applied, waited, rules = asked
    assert [command[-1] for command in applied] == [str(crds / "slurmconnections.yaml"), str(crds / "slurmjobs.yaml")]
    assert all(command[0] == "apply" for command in applied)
    assert waited[0] == "wait"
    names = ("slurmconnections", "slurmjobs")
    assert waited[-2:] == tuple(f"customresourcedefinition/{name}.slurmjob.dev" for name in names)
    assert rules == ("apply", "-k", str(paths.checkout / "manifests" / "base"))


@pytest.mark.usefixtures("asked")
def test_one_that_is_not_installed_is_a_clear_error(paths: Paths) -> None:
    with pytest.raises(SandboxError, match=r"the operator is not installed in \.venv: run `make venv` first"):
        operator_process.start_operator(paths)


@pytest.mark.usefixtures("asked")
def test_it_is_started_with_the_flags_that_were_given(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Daemon] = []
    monkeypatch.setattr(operator_process, "start", started.append)
    program = Path(operator_process.daemon(paths).argv[0])
    program.parent.mkdir(parents=True)
    program.touch()
    operator_process.start_operator(paths, ["--log-level", "debug"])
    operator_process.start_operator(paths, launch=Launch(env={"KILL_AT": "submit"}))
    assert started[0].argv[-2:] == ("--log-level", "debug")
    assert [daemon.env.get("KILL_AT") for daemon in started] == [None, "submit"]


@pytest.mark.parametrize(("status", "ready"), [(200, True), (503, False)])
def test_it_is_ready_when_it_says_so(paths: Paths, status: int, ready: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        monkeypatch.setattr(ports, "port", lambda _paths, _name: server.server_address[1])
        thread = Thread(target=server.handle_request)
        thread.start()
        daemon = operator_process.daemon(paths)
        assert daemon.ready is not None
        assert daemon.ready() is ready
        thread.join(5)
    assert seen == ["/readyz"]
    assert not daemon.ready(), "nobody listens any more"
