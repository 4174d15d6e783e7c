"""Events for people: best effort, nothing depends on them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from slurmjob_operator.kube import errors as kube_errors
from slurmjob_operator.kube.port import KubeEvent, KubePort

logger = logging.getLogger(__name__)


async def post(
    kube: KubePort, event: KubeEvent, *, must_be_seen: bool = False, context: Mapping[str, Any] | None = None
) -> bool:
    """Post an event; whether its namespace is being terminated and takes none. What must be seen goes to our own
    then."""
    if must_be_seen:
        logger.warning("%s: %s", event.reason, event.message, extra=context)
    try:
        await kube.post_event(event)
    except kube_errors.Terminating:
        if must_be_seen and not event.at_home:
            await post(kube, replace(event, at_home=True), context=context)
        return True
    except kube_errors.KubeError as error:
        logger.warning("event %s was not posted: %s", event.reason, error, extra=context)
    return False
