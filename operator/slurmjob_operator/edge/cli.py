"""The command line: `slurmjob-operator run`."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import socket
import sys
import time
from collections.abc import Callable, Sequence

import kopf

from slurmjob_operator import __version__
from slurmjob_operator.core.marker import INSTALLATION_PATTERN
from slurmjob_operator.edge import handlers, logs
from slurmjob_operator.edge.installation import installation_id
from slurmjob_operator.edge.probes import Probes
from slurmjob_operator.engine.engine import Engine
from slurmjob_operator.engine.ports import Outside
from slurmjob_operator.engine.servers import Servers
from slurmjob_operator.kube.client import KubeClient
from slurmjob_operator.kube.errors import KubeError


def parser() -> argparse.ArgumentParser:
    """All flags."""
    top = argparse.ArgumentParser(prog="slurmjob-operator", description="Run Slurm jobs from Kubernetes.")
    top.add_argument("--version", action="version", version=f"slurmjob-operator {__version__}")
    commands = top.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="watch SlurmJobs and SlurmConnections, and act")
    run.add_argument("--namespace", default="slurmjob-system", help="the operator's own namespace")
    run.add_argument(
        "--installation",
        type=_installation,
        default=None,
        help="id of this installation in the marker of Slurm jobs (default: the uid of its namespace, and its name)",
    )
    run.add_argument(
        "--allow-plain-http", action="store_true", help="allow connections to slurmrestd by http:// (tokens in clear)"
    )
    run.add_argument("--liveness-host", default="0.0.0.0", help="address of /healthz, /readyz and /metrics")  # noqa: S104 - a pod's probe comes from outside
    run.add_argument(
        "--liveness-port", type=int, default=8080, help="port of /healthz, /readyz and /metrics (default 8080)"
    )
    run.add_argument("--log-format", choices=["text", "json"], default="json")
    run.add_argument("--log-level", choices=["debug", "info", "warning", "error"], default="info")
    return top


def _installation(text: str) -> str:
    if not re.fullmatch(INSTALLATION_PATTERN, text):
        raise argparse.ArgumentTypeError(f"must match {INSTALLATION_PATTERN}")
    return text


def main(arguments: Sequence[str] | None = None, *, prepare: Callable[[Outside], Outside] = lambda it: it) -> None:
    """Entry point. `prepare` may replace parts of what the engine has around it."""
    flags = parser().parse_args(arguments)
    logs.configure(form=flags.log_format, level=flags.log_level)
    os.environ.setdefault("USER", "slurmjob-operator")  # Kopf asks getpass, which fails for a uid without a name
    try:
        asyncio.run(_run(flags, prepare))
    except KeyboardInterrupt:
        sys.exit(130)


async def _run(flags: argparse.Namespace, prepare: Callable[[Outside], Outside]) -> None:
    async with KubeClient(instance=socket.gethostname(), home=flags.namespace) as kube:
        try:
            installation = flags.installation or await installation_id(kube, namespace=flags.namespace)
        except KubeError as error:
            sys.exit(f"the uid of namespace {flags.namespace} is not known ({error}): see --namespace, --installation")
        outside = Outside(
            kube=kube,
            slurm=Servers(allow_plain_http=flags.allow_plain_http),
            installation=installation,
            now=time.time,
            monotonic=time.monotonic,
        )
        engine = Engine(prepare(outside))
        probes = Probes(engine, host=flags.liveness_host, port=flags.liveness_port)
        await probes.start()
        try:
            await _watch(engine, probes)
        finally:
            await engine.close()
            await probes.stop()


async def _watch(engine: Engine, probes: Probes) -> None:
    ready = asyncio.Event()

    async def say_ready() -> None:
        await ready.wait()
        probes.ready = True

    waiting = asyncio.create_task(say_ready())
    try:
        await kopf.operator(registry=handlers.registry(engine), ready_flag=ready, clusterwide=True, standalone=True)
    finally:
        waiting.cancel()


if __name__ == "__main__":
    main()
