"""Kopf's handlers: they hand bodies to the engine, do no I/O, and never fail because Slurm is down.

`on.event` alone: no annotations, no finalizers, no retries of Kopf's own; nothing in them is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import kopf

from slurmjob_operator.api.names import GROUP, VERSION
from slurmjob_operator.edge.login import login
from slurmjob_operator.engine.engine import Engine

Body = Mapping[str, Any]


def registry(engine: Engine) -> kopf.OperatorRegistry:
    """A registry of our handlers, bound to one engine."""
    handlers = kopf.OperatorRegistry()
    kopf.on.startup(registry=handlers)(_configure)
    kopf.on.cleanup(registry=handlers)(_closer(engine))
    kopf.on.login(registry=handlers)(login)
    kopf.on.event(GROUP, VERSION, "slurmjobs", registry=handlers)(_feed(engine.observe_job, engine.forget_job))
    kopf.on.event(GROUP, VERSION, "slurmconnections", registry=handlers)(
        _feed(engine.observe_connection, engine.forget_connection)
    )
    return handlers


def _feed(observe: Callable[[Body], None], forget: Callable[[Body], None]) -> Callable[..., Any]:
    async def handle(event: Mapping[str, Any], **_kwargs: object) -> None:
        body = event["object"]
        if event["type"] == "DELETED":
            forget(body)
        else:
            observe(body)

    return handle


def _closer(engine: Engine) -> Callable[..., Any]:
    async def close(**_kwargs: object) -> None:
        """Kopf waits 5 s for every task that was born while it ran, so the engine's own ends before that."""
        await engine.close()

    return close


async def _configure(settings: kopf.OperatorSettings, **_kwargs: object) -> None:
    settings.scanning.disabled = True  # needs no right to watch CRDs and namespaces
    settings.posting.enabled = False  # events are ours
    settings.persistence.finalizer = f"{GROUP}/unused-by-kopf"  # Kopf strips its own; ours must be another name
    settings.peering.standalone = True
    settings.watching.server_timeout = 300
    settings.watching.connect_timeout = 30
    settings.networking.request_timeout = 30
    settings.networking.error_backoffs = [1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 55, 55, 55, 55, 55]
    settings.queueing.idle_timeout = 2.0
    settings.queueing.worker_limit = None  # a limit starves or deadlocks; our own I/O is bounded by ourselves
