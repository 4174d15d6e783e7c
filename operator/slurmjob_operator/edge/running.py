"""`slurmjob-operator run`: the engine, its probes, and Kopf's watches around it."""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
import time
from collections.abc import Callable

import kopf

from slurmjob_operator.edge import handlers
from slurmjob_operator.edge.installation import installation_id
from slurmjob_operator.edge.probes import Probes
from slurmjob_operator.engine.engine import Engine
from slurmjob_operator.engine.ports import Outside
from slurmjob_operator.engine.servers import Servers
from slurmjob_operator.kube.client import KubeClient
from slurmjob_operator.kube.errors import KubeError


async def run(flags: argparse.Namespace, prepare: Callable[[Outside], Outside]) -> None:
    """Watch and act until stopped. `prepare` may replace parts of what the engine has around it."""
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
