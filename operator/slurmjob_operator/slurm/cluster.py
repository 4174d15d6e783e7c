"""One look at the cluster: slurmctld's counters, the controllers, partitions and nodes; never the list of jobs.

All of it is asked for each time: what `update_time` saves cannot be had. On 22.05 and 24.11 `nodes` with it answers 500
whenever a node has changed and no partition has, and where nothing changed 304 (measured on 22.05.8 and 24.11.5; on
26.05.5 it works).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from slurmjob_operator.api.cluster import PartitionOfCluster, QueueOfCluster
from slurmjob_operator.core import cluster
from slurmjob_operator.core.cluster import ClusterFacts, NodeRow
from slurmjob_operator.slurm.calling import Caller, rows
from slurmjob_operator.slurm.dialects import reading
from slurmjob_operator.slurm.errors import Unavailable

NOT_SHOWN: Final = frozenset({None, -1, 2002})
"""How slurmctld refuses nodes and partitions to a user that may not see them (`PrivateData`): 2002, on 22.05 a number
of no meaning, for partitions none at all, also on 26.05 (measured)."""

LONGEST_NAME: Final = 256
AT_ONCE: Final = 250
"""Nodes that are read without a pause: about 5 ms."""

_NOT_IN_PARENTHESES = re.compile(r",(?![^()]*\))")
_COUNT = re.compile(r"([0-9]{1,12})([KMG]?)", re.IGNORECASE)
_GPUS_OF_TRES = re.compile(r"(?:^|,)gres/gpu=([0-9]{1,12})(?:,|$)")
_FACTORS: Final = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}


async def look(caller: Caller) -> ClusterFacts:
    """One round. Raises `Unavailable`, `CredentialsRejected`, `NotSupported`."""
    diag = await caller.read("diag")
    pings = await caller.read("ping")
    partitions = await partitions_of(caller)
    nodes = await _if_shown(caller, "nodes")
    return cluster.facts(
        controllers=_controllers(rows(pings, "pings")),
        nodes=None if nodes is None else await _node_rows(nodes),
        partitions=partitions,
        queue=_queue(reading.mapping(diag.get("statistics"))),
    )


async def _node_rows(nodes: Sequence[Mapping[str, Any]]) -> list[NodeRow]:
    """Thousands of nodes take a tenth of a second: others have their turns meanwhile."""
    found = []
    for number, raw in enumerate(nodes):
        if number % AT_ONCE == AT_ONCE - 1:
            await asyncio.sleep(0)
        if reading.text(raw.get("name")):
            found.append(node_row(raw))
    return found


async def partitions_of(caller: Caller) -> list[PartitionOfCluster] | None:
    """What slurmctld says of partitions; None where it does not show them to this user."""
    found = await _if_shown(caller, "partitions")
    if found is None:
        return None
    told = {one.name: one for one in map(partition, found) if one.name}
    return list(told.values())


async def _if_shown(caller: Caller, what: str) -> list[Mapping[str, Any]] | None:
    try:
        return rows(await caller.read(what), what)
    except Unavailable as error:
        if error.status in (422, 500) and error.code in NOT_SHOWN:
            return None
        raise


def _controllers(pings: Sequence[Mapping[str, Any]]) -> dict[str, bool]:
    """v0.0.45 says `responding`, older ones UP in `pinged` or `ping`."""
    found = {}
    for row in pings:
        host = reading.text(row.get("hostname"))
        if host is not None:
            up = row.get("responding")
            found[host[:LONGEST_NAME]] = up if isinstance(up, bool) else "UP" in (row.get("pinged"), row.get("ping"))
    return found


def _queue(statistics: Mapping[str, Any]) -> QueueOfCluster | None:
    """slurmctld counts every half minute; right after its start it has not."""
    pending, running = (reading.number(statistics.get(key)) for key in ("jobs_pending", "jobs_running"))
    if pending is None or running is None or reading.number(statistics.get("job_states_ts")) == 0:
        return None
    return QueueOfCluster(pending=pending, running=running)


def node_row(raw: Mapping[str, Any]) -> NodeRow:
    """A node of either family."""
    cpus = reading.number(raw.get("effective_cpus")) or reading.number(raw.get("cpus")) or 0
    idle = reading.number(raw.get("alloc_idle_cpus", raw.get("idle_cpus")))
    if idle is None:
        idle = cpus - (reading.number(raw.get("alloc_cpus")) or 0)
    gpus = gpus_in(raw.get("gres"))
    reason = " ".join((reading.text(raw.get("reason")) or "").split())
    names = raw.get("partitions")
    return NodeRow(
        name=str(raw.get("name"))[:LONGEST_NAME],
        states=reading.words(raw.get("state")) | reading.words(raw.get("state_flags")),
        reason=reason or None,
        partitions=frozenset(str(name) for name in names) if isinstance(names, list) else frozenset(),
        cpus=cpus,
        idle_cpus=min(max(idle, 0), cpus),
        gpus=gpus,
        idle_gpus=max(gpus - gpus_in(raw.get("gres_used")), 0),
    )


def gpus_in(gres: Any) -> int:
    """How many GPUs a GRES text names, of all types: `gpu:a100:4(S:0-1),gpu:2,shard:8` names 6."""
    total = 0
    for item in _NOT_IN_PARENTHESES.split(reading.text(gres) or ""):
        name, *rest = item.partition("(")[0].strip().split(":")
        if name == "gpu":
            count = _COUNT.fullmatch(rest[-1]) if rest else None
            total += int(count[1]) * _FACTORS[count[2].upper()] if count else 1
    return total


def partition(raw: Mapping[str, Any]) -> PartitionOfCluster:
    """A partition of either family, without what only its nodes can tell."""
    nodes, cpus, limits = (reading.mapping(raw.get(key)) for key in ("nodes", "cpus", "maximums"))
    tres = reading.mapping(raw.get("tres")).get("configured", raw.get("tres"))
    gpus = _GPUS_OF_TRES.search(reading.text(tres) or "")
    states = reading.words(reading.mapping(raw.get("partition")).get("state", raw.get("state")))
    minutes = reading.number(limits.get("time", raw.get("max_time_limit")))
    return PartitionOfCluster(
        name=str(raw.get("name") or "")[:LONGEST_NAME],
        default="DEFAULT" in reading.words(raw["flags"]) if "flags" in raw else None,
        state="+".join(sorted(states)) or None,
        time_limit_seconds=None if minutes is None or minutes < 0 else minutes * 60,
        nodes=reading.number(nodes.get("total", raw.get("total_nodes"))),
        cpus=reading.number(cpus.get("total", raw.get("total_cpus"))),
        gpus=int(gpus[1]) if gpus else None,
    )
