"""Events for people: best effort, nothing depends on them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from slurmjob_operator.kube import errors as kube_errors
from slurmjob_operator.kube.port import KubeEvent, KubePort

logger = logging.getLogger(__name__)


async def post(kube: KubePort, event: KubeEvent, *, context: Mapping[str, Any] | None = None) -> None:
    """Post an event; a namespace that is being terminated takes none, which is nothing to complain about."""
    try:
        await kube.post_event(event)
    except kube_errors.Terminating:
        logger.debug("event %s: its namespace is being terminated", event.reason, extra=context)
    except kube_errors.KubeError as error:
        logger.warning("event %s was not posted: %s", event.reason, error, extra=context)
