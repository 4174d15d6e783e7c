"""The control plane as values: its address, its flags, its kubeconfigs; and what kubectl's failures look like."""

from __future__ import annotations

import ipaddress
import os
import stat
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from sandboxlib import control_plane, ports
from sandboxlib.daemons import Daemon, SandboxError, State
from sandboxlib.paths import Paths
from tests.unit.sandbox.conftest import Program


@pytest.fixture
def made(paths: Paths, program: Program) -> Paths:
    """A control plane whose programs are there; kubectl writes what it was asked."""
    folder = control_plane.folder(paths)
    script = 'case $* in *broken*) echo "no such thing" >&2; exit 1 ;; esac; printf "%s|" "$@"; cat'
    program(folder / "bin" / "kubectl", script)
    return paths


def _flags(daemon: Daemon) -> dict[str, str]:
    return {key: value for key, _, value in (word.removeprefix("--").partition("=") for word in daemon.argv[1:])}


def _all(paths: Paths) -> dict[str, dict[str, str]]:
    return {daemon.name: _flags(daemon) for daemon in control_plane.daemons(paths)}


# --- Address ----------------------------------------------------------------------------------------------------


def test_the_address_is_loopback_and_stays(paths: Paths) -> None:
    host = control_plane.address(paths)
    assert ipaddress.ip_address(host).is_loopback
    assert control_plane.address(paths) == host
    assert host != "127.0.0.1"


@pytest.mark.parametrize("port", [ports.FIRST, ports.FIRST + 199, ports.FIRST + 200, ports.LAST])
def test_each_port_makes_an_address(paths: Paths, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "port", lambda _paths, _name: port)
    assert ipaddress.ip_address(control_plane.address(paths)).is_loopback


def test_the_url_is_that_of_the_api_server(paths: Paths) -> None:
    url = urlsplit(control_plane.server_url(paths))
    assert url.scheme == "https"
    assert url.hostname == control_plane.address(paths)
    assert url.port == ports.port(paths, "kube-apiserver")


# --- Daemons ----------------------------------------------------------------------------------------------------


def test_there_are_none_before_the_first_up(paths: Paths) -> None:
    assert control_plane.daemons(paths) == ()
    control_plane.down(paths)


def test_they_are_in_start_order(made: Paths) -> None:
    daemons = control_plane.daemons(made)
    assert tuple(daemon.name for daemon in daemons) == control_plane.NAMES
    for daemon in daemons:
        assert daemon.argv[0] == str(control_plane.folder(made) / "bin" / daemon.name)
        assert daemon.log == made.logs / f"{daemon.name}.log"
        assert daemon.pid_file == made.run / f"{daemon.name}.pid"


def test_down_stops_one_after_the_other_from_the_last(made: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[list[str]] = []
    monkeypatch.setattr(control_plane, "stop", lambda daemons: stopped.append([daemon.name for daemon in daemons]))
    control_plane.down(made)
    assert stopped == [[name] for name in reversed(control_plane.NAMES)]


def test_down_lets_paused_ones_go_on_first(made: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """kube-apiserver would else wait for an etcd that does not answer."""
    asked: list[str] = []
    monkeypatch.setattr(control_plane, "send", lambda daemon, number: asked.append(f"{number.name} {daemon.name}"))
    monkeypatch.setattr(control_plane, "stop", lambda daemons: asked.extend(f"stop {one.name}" for one in daemons))
    control_plane.down(made)
    names = control_plane.NAMES
    assert asked == [*(f"SIGCONT {name}" for name in names), *(f"stop {name}" for name in reversed(names))]


def test_status_asks_nobody_while_one_is_paused(made: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    def paused(daemon: Daemon) -> State:
        return State.PAUSED if daemon.name == "etcd" else State.UP

    def hang(*_arguments: str) -> str:
        raise AssertionError("it would wait for an answer")

    monkeypatch.setattr(control_plane, "state_of", paused)
    monkeypatch.setattr(control_plane, "kubectl", hang)
    assert control_plane.status(made) == ["etcd: paused", "kube-apiserver: up", "kube-controller-manager: up"]


def test_the_service_kubernetes_is_the_api_server(made: Paths) -> None:
    """The first address of the range of services is where it listens and what it advertises."""
    flags = _all(made)["kube-apiserver"]
    services = ipaddress.ip_network(flags["service-cluster-ip-range"])
    assert flags["bind-address"] == flags["advertise-address"] == str(services[1]) == control_plane.address(made)
    assert control_plane.server_url(made).endswith(f":{flags['secure-port']}")


def test_all_listen_on_loopback_and_on_ports_of_their_own(made: Paths) -> None:
    flags = _all(made)
    etcd, manager = flags["etcd"], flags["kube-controller-manager"]
    urls = [urlsplit(etcd[name]) for name in ("listen-client-urls", "listen-peer-urls")]
    assert [url.hostname for url in urls] == ["127.0.0.1"] * 2
    assert manager["bind-address"] == "127.0.0.1"
    numbers = [*(url.port for url in urls), int(flags["kube-apiserver"]["secure-port"]), int(manager["secure-port"])]
    assert len(set(numbers)) == 4


def test_the_api_server_uses_our_etcd(made: Paths) -> None:
    flags = _all(made)
    assert flags["kube-apiserver"]["etcd-servers"] == flags["etcd"]["listen-client-urls"]
    assert flags["etcd"]["advertise-client-urls"] == flags["etcd"]["listen-client-urls"]
    assert flags["etcd"]["initial-cluster"] == f"default={flags['etcd']['initial-advertise-peer-urls']}"


def test_access_is_by_rules_only(made: Paths) -> None:
    flags = _all(made)
    assert "RBAC" in flags["kube-apiserver"]["authorization-mode"].split(",")
    assert "AlwaysAllow" not in flags["kube-apiserver"]["authorization-mode"]
    assert "anonymous-auth" not in flags["kube-apiserver"]
    wanted = {"garbage-collector-controller", "namespace-controller", "serviceaccount-token-controller"}
    assert wanted <= set(flags["kube-controller-manager"]["controllers"].split(","))
    assert "use-service-account-credentials" in flags["kube-controller-manager"]


def test_service_account_tokens_are_checked_by_the_key_that_signs_them(made: Paths) -> None:
    flags = _all(made)
    signing = flags["kube-apiserver"]["service-account-signing-key-file"]
    assert signing == flags["kube-controller-manager"]["service-account-private-key-file"]
    assert flags["kube-apiserver"]["service-account-key-file"] == signing.removesuffix(".key") + ".pub"


def test_state_is_below_the_sandboxs_folder(made: Paths) -> None:
    for flags in _all(made).values():
        files = [value for value in flags.values() if value.startswith("/")]
        assert files
        assert all(Path(value).is_relative_to(made.state) for value in files)


# --- Certificates and kubeconfigs -------------------------------------------------------------------------------


def test_every_file_that_the_daemons_name_is_made(made: Paths) -> None:
    control_plane._certificates(made)
    flags = _all(made)
    named = {
        key: value for part in flags.values() for key, value in part.items() if key.endswith(("-file", "kubeconfig"))
    }
    assert len(named) >= 7
    assert all(Path(value).is_file() for value in named.values())
    check = ["openssl", "x509", "-in", flags["kube-apiserver"]["tls-cert-file"], "-noout", "-checkip"]
    done = subprocess.run([*check, control_plane.address(made)], capture_output=True, text=True, check=True)
    assert "does match" in done.stdout
    assert not control_plane._readyz(made), "nobody listens there"


def test_the_administrators_kubeconfig(paths: Paths) -> None:
    control_plane._write_admin_kubeconfig(paths)
    config = yaml.safe_load(control_plane.admin_kubeconfig(paths).read_text())
    (cluster,), (user,), (context,) = config["clusters"], config["users"], config["contexts"]
    pki = control_plane.folder(paths) / "pki"
    assert cluster["cluster"] == {
        "server": control_plane.server_url(paths),
        "certificate-authority": str(pki / "ca.crt"),
    }
    assert user["user"] == {"client-certificate": str(pki / "admin.crt"), "client-key": str(pki / "admin.key")}
    assert context["context"] == {"cluster": cluster["name"], "user": user["name"]}
    assert (config["current-context"], config["kind"], config["apiVersion"]) == (context["name"], "Config", "v1")


def test_a_kubeconfig_is_for_its_owner_only(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "kubeconfig"
    before = os.umask(0)
    try:
        for token in ("first", "second"):
            control_plane.write_kubeconfig(target, server="https://x", ca=tmp_path / "ca", user={"token": token})
    finally:
        os.umask(before)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert yaml.safe_load(target.read_text())["users"][0]["user"] == {"token": "second"}


# --- kubectl ----------------------------------------------------------------------------------------------------


def test_kubectl_speaks_as_administrator(made: Paths) -> None:
    said = control_plane.kubectl(made, "get", "pods", "-n", "a b", stdin="the manifest\n")
    assert said == f"--kubeconfig|{control_plane.admin_kubeconfig(made)}|get|pods|-n|a b|the manifest\n"


def test_its_failure_says_what_was_asked_and_what_it_said(made: Paths) -> None:
    with pytest.raises(SandboxError, match=r"^kubectl get broken: no such thing$"):
        control_plane.kubectl(made, "get", "broken", stdin="")


def test_purge_forgets_all(made: Paths) -> None:
    control_plane.purge(made)
    control_plane.purge(made)
    assert not control_plane.folder(made).exists()
    assert made.state.exists()
