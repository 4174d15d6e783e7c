"""etcd, kube-apiserver and kube-controller-manager on one loopback address.

Bind address, advertised address and the range of services are one: the Service `kubernetes` then *is* the
API server, and in-cluster configuration works without kube-proxy and DNS.
"""

from __future__ import annotations

import json
import shutil
import signal
import ssl
import subprocess
import urllib.request
from pathlib import Path

from sandboxlib import kube_binaries, ports
from sandboxlib.certificates import Leaf, make_ca, make_key_pair, make_leaf
from sandboxlib.daemons import Daemon, SandboxError, State, send, spawn, state_of, stop, wait_ready
from sandboxlib.paths import Paths, renew
from sandboxlib.progress import step

CONTROLLERS = (
    "namespace-controller",
    "garbage-collector-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "root-ca-certificate-publisher-controller",
    "clusterrole-aggregation-controller",
    "resourcequota-controller",
)
NAMES = ("etcd", "kube-apiserver", "kube-controller-manager")


def folder(paths: Paths) -> Path:
    """State of the control plane."""
    return paths.state / "kube"


def admin_kubeconfig(paths: Paths) -> Path:
    """The kubeconfig of the cluster's administrator: for people and tests, never for the operator."""
    return folder(paths) / "admin.kubeconfig"


def address(paths: Paths) -> str:
    """A loopback address of this sandbox's own, so that two checkouts stay apart."""
    high, low = divmod(ports.port(paths, "kube-apiserver") - ports.FIRST, 250)
    return f"127.{20 + high}.{low}.1"


def server_url(paths: Paths) -> str:
    """Where the API server listens."""
    return f"https://{address(paths)}:{ports.port(paths, 'kube-apiserver')}"


def daemons(paths: Paths) -> tuple[Daemon, ...]:
    """In start order; empty before the first `up`."""
    if not (folder(paths) / "bin").exists():
        return ()
    return (_etcd(paths), _apiserver(paths), _controller_manager(paths))


def up(paths: Paths) -> None:
    """Bring the control plane up and wait until it answers."""
    binaries = kube_binaries.find(paths)
    state = folder(paths)
    state.mkdir(parents=True, exist_ok=True)
    link = state / "bin"
    link.unlink(missing_ok=True)
    link.symlink_to(binaries)
    _certificates(paths)
    _write_admin_kubeconfig(paths)
    with step("starting etcd, kube-apiserver and kube-controller-manager"):
        for daemon in daemons(paths):
            spawn(daemon)
        for daemon in daemons(paths):
            wait_ready(daemon)
        _wait_default_account(paths)


def down(paths: Paths) -> None:
    """Stop it, one after the other: kube-apiserver takes 15 s to end when etcd has gone before it, or is paused."""
    for daemon in daemons(paths):
        send(daemon, signal.SIGCONT)
    for daemon in reversed(daemons(paths)):
        stop([daemon])


def status(paths: Paths) -> list[str]:
    """What a person wants to know."""
    all_daemons = daemons(paths)
    if not all_daemons:
        return ["kube: not set up"]
    lines = [f"{daemon.name}: {state_of(daemon)}" for daemon in all_daemons]
    if all(state_of(daemon) is State.UP for daemon in all_daemons):
        server = json.loads(kubectl(paths, "version", "-o", "json"))["serverVersion"]["gitVersion"]
        lines.append(f"kube: Kubernetes {server} at {server_url(paths)}")
    return lines


def kubectl(paths: Paths, *arguments: str, stdin: str | None = None) -> str:
    """Run kubectl as administrator; its standard output. Raises `SandboxError` with what it said."""
    argv = [str(folder(paths) / "bin" / "kubectl"), "--kubeconfig", str(admin_kubeconfig(paths)), *arguments]
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SandboxError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def purge(paths: Paths) -> None:
    """Forget all objects."""
    shutil.rmtree(folder(paths), ignore_errors=True)


def _certificates(paths: Paths) -> None:
    pki, log = folder(paths) / "pki", paths.logs / "openssl.log"
    make_ca(pki, log)
    make_key_pair(pki, "service-account", log)
    names = (f"IP:{address(paths)}", "DNS:kubernetes.default.svc", "DNS:kubernetes.default", "DNS:localhost")
    make_leaf(pki, Leaf(name="apiserver", common_name="kube-apiserver", alt_names=names), log)
    make_leaf(pki, Leaf(name="admin", common_name="sandbox-admin", organisation="system:masters"), log)
    make_leaf(pki, Leaf(name="controller-manager", common_name="system:kube-controller-manager"), log)
    _kubeconfig(paths, user="controller-manager", target=folder(paths) / "controller-manager.kubeconfig")


def _write_admin_kubeconfig(paths: Paths) -> None:
    _kubeconfig(paths, user="admin", target=admin_kubeconfig(paths))


def _kubeconfig(paths: Paths, *, user: str, target: Path) -> None:
    pki = folder(paths) / "pki"
    write_kubeconfig(
        target,
        server=server_url(paths),
        ca=pki / "ca.crt",
        user={"client-certificate": str(pki / f"{user}.crt"), "client-key": str(pki / f"{user}.key")},
    )


def write_kubeconfig(target: Path, *, server: str, ca: Path, user: dict[str, str]) -> None:
    """A kubeconfig with one context; JSON is YAML."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "sandbox", "cluster": {"server": server, "certificate-authority": str(ca)}}],
        "users": [{"name": "sandbox", "user": user}],
        "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": "sandbox"}}],
        "current-context": "sandbox",
    }
    renew(target, json.dumps(config, indent=1) + "\n", mode=0o600)


def _daemon(paths: Paths, name: str, *flags: str) -> Daemon:
    return Daemon(
        name=name,
        argv=(str(folder(paths) / "bin" / name), *flags),
        log=paths.logs / f"{name}.log",
        pid_file=paths.run / f"{name}.pid",
        ready=lambda: _ready(paths, name),
    )


def _etcd(paths: Paths) -> Daemon:
    client = f"http://127.0.0.1:{ports.port(paths, 'etcd')}"
    peer = f"http://127.0.0.1:{ports.port(paths, 'etcd-peer')}"
    return _daemon(
        paths,
        "etcd",
        f"--data-dir={folder(paths) / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    )


def _apiserver(paths: Paths) -> Daemon:
    pki, host = folder(paths) / "pki", address(paths)
    return _daemon(
        paths,
        "kube-apiserver",
        f"--etcd-servers=http://127.0.0.1:{ports.port(paths, 'etcd')}",
        f"--bind-address={host}",
        f"--advertise-address={host}",
        f"--secure-port={ports.port(paths, 'kube-apiserver')}",
        f"--service-cluster-ip-range={host.rpartition('.')[0]}.0/24",
        "--endpoint-reconciler-type=none",
        "--authorization-mode=Node,RBAC",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--tls-cert-file={pki / 'apiserver.crt'}",
        f"--tls-private-key-file={pki / 'apiserver.key'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki / 'service-account.pub'}",
        f"--service-account-signing-key-file={pki / 'service-account.key'}",
        f"--cert-dir={folder(paths) / 'apiserver-run'}",
        "--v=1",
    )


def _controller_manager(paths: Paths) -> Daemon:
    pki = folder(paths) / "pki"
    return _daemon(
        paths,
        "kube-controller-manager",
        f"--kubeconfig={folder(paths) / 'controller-manager.kubeconfig'}",
        "--bind-address=127.0.0.1",
        f"--secure-port={ports.port(paths, 'kube-controller-manager')}",
        "--use-service-account-credentials",
        f"--service-account-private-key-file={pki / 'service-account.key'}",
        f"--root-ca-file={pki / 'ca.crt'}",
        "--leader-elect=false",
        f"--controllers={','.join(CONTROLLERS)}",
        f"--cert-dir={folder(paths) / 'controller-manager-run'}",
    )


def _ready(paths: Paths, name: str) -> bool:
    if name == "etcd":
        return ports.listens(ports.port(paths, "etcd"))
    if name == "kube-controller-manager":
        return ports.listens(ports.port(paths, name))
    return _readyz(paths)


def _readyz(paths: Paths) -> bool:
    pki = folder(paths) / "pki"
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.load_cert_chain(str(pki / "admin.crt"), str(pki / "admin.key"))
    try:
        with urllib.request.urlopen(f"{server_url(paths)}/readyz", context=context, timeout=2) as answer:  # noqa: S310 - our own https address
            return bool(answer.status == 200)
    except OSError:
        return False


def _wait_default_account(paths: Paths) -> None:
    """The controllers work when the first service account is there."""
    kubectl(paths, "wait", "--for=create", "serviceaccount/default", "-n", "default", "--timeout=60s")
