"""The operator as a process, under the very service account and rules that are shipped; never as administrator."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandboxlib import control_plane, ports
from sandboxlib.daemons import Daemon, SandboxError, start
from sandboxlib.paths import Paths, renew

NAMESPACE = "slurmjob-system"
ACCOUNT = "slurmjob-operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What differs where a test starts an operator of its own; as it is, the one that ships.

    `program` takes the place of `slurmjob-operator` in front of `run …` (it begins with the path of a program, and
    is run in the checkout), `env` comes on top of the environment, `kubeconfig` takes the place of the operator's own.
    """

    program: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    kubeconfig: Path | None = None


SHIPPED = Launch()


def daemon(paths: Paths, extra: Sequence[str] = (), launch: Launch = SHIPPED) -> Daemon:
    """How the operator is started; `extra` are more flags of `slurmjob-operator run`.

    However it was launched, it is one daemon: `daemon(paths)` stops, kills and pauses it.
    """
    port = ports.port(paths, "operator-liveness")
    program = launch.program or (str(paths.checkout / ".venv" / "bin" / "slurmjob-operator"),)
    flags = (
        *("run", "--allow-plain-http", "--namespace", NAMESPACE, "--log-format", "text"),
        *("--liveness-host", "127.0.0.1", "--liveness-port", str(port)),
    )
    config = launch.kubeconfig or kubeconfig(paths)
    return Daemon(
        name="operator",
        argv=(*program, *flags, *extra),
        log=paths.logs / "operator.log",
        pid_file=paths.run / "operator.pid",
        env={"KUBECONFIG": str(config), "HOME": str(paths.state), "USER": "operator", **launch.env},
        cwd=paths.checkout,
        ready=lambda: _ready(port),
    )


def url(paths: Paths) -> str:
    """Where the operator serves /healthz, /readyz and /metrics."""
    return f"http://127.0.0.1:{ports.port(paths, 'operator-liveness')}"


def install(paths: Paths) -> None:
    """CRDs and RBAC, as a user of the manifests would."""
    crds = sorted((paths.checkout / "crds").glob("*.yaml"))
    for crd in crds:
        control_plane.kubectl(paths, "apply", "--server-side", "-f", str(crd))
    control_plane.kubectl(
        paths,
        *("wait", "--for=condition=Established", "--timeout=30s"),
        *(f"customresourcedefinition/{crd.stem}.slurmjob.dev" for crd in crds),
    )
    control_plane.kubectl(paths, "apply", "-k", str(paths.checkout / "manifests" / "base"))


def grant(paths: Paths) -> None:
    """Install what the operator needs, and write a kubeconfig with a token of its service account."""
    install(paths)
    token = control_plane.kubectl(paths, "-n", NAMESPACE, "create", "token", ACCOUNT, "--duration=24h").strip()
    control_plane.write_kubeconfig(
        kubeconfig(paths),
        server=control_plane.server_url(paths),
        ca=control_plane.folder(paths) / "pki" / "ca.crt",
        user={"token": token},
    )


def kubeconfig_through(paths: Paths, *, server: str, ca: Path | None = None) -> Path:
    """Another kubeconfig with the rights of the operator's own (see `grant`), whose API server is a proxy.

    `server` is its address, `ca` signs its certificate (not needed for http). Each address has a file of its own.
    """
    config = json.loads(kubeconfig(paths).read_text())
    config["clusters"][0]["cluster"] = {"server": server} | ({"certificate-authority": str(ca)} if ca else {})
    name = "".join(letter if letter.isalnum() else "-" for letter in server)
    target = kubeconfig(paths).with_name(f"kubeconfig-{name}")
    renew(target, json.dumps(config, indent=1) + "\n", mode=0o600)
    return target


def start_operator(paths: Paths, extra: Sequence[str] = (), launch: Launch = SHIPPED) -> None:
    """Give it its rights, start it and wait until it is ready. One that is paused goes on as it was launched."""
    grant(paths)
    wanted = daemon(paths, extra, launch)
    if not Path(wanted.argv[0]).exists():
        raise SandboxError("the operator is not installed in .venv: run `make venv` first")
    start(wanted)


def connection(*, namespace: str, name: str, url: str, token: str, poll_seconds: int = 5) -> str:
    """Secret and SlurmConnection, for `kubectl apply -f -`. JSON is YAML."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"{name}-token", "namespace": namespace},
        "stringData": {"SLURM_JWT": token},
    }
    kind = {
        "apiVersion": "slurmjob.dev/v1alpha1",
        "kind": "SlurmConnection",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "servers": [{"url": url}],
            "auth": {"jwt": {"secretKeyRef": {"name": f"{name}-token", "key": "SLURM_JWT"}}},
            "pollPeriodSeconds": poll_seconds,
        },
    }
    return "\n---\n".join(json.dumps(item, indent=1) for item in (secret, kind)) + "\n"


def kubeconfig(paths: Paths) -> Path:
    """The operator's own: the rights that are shipped, nothing more."""
    return paths.state / "operator" / "kubeconfig"


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
