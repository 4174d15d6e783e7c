"""What there is instead of a partition, account or QOS that Slurm refused a job for, in one sentence before its own.

Best effort: one request at most, and where that finds nothing out the refusal stays as it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from slurmjob_operator.api.cluster import PartitionOfCluster
from slurmjob_operator.slurm import cluster
from slurmjob_operator.slurm.calling import Caller, rows
from slurmjob_operator.slurm.dialects import reading
from slurmjob_operator.slurm.discovery import UNKNOWN
from slurmjob_operator.slurm.errors import SlurmError
from slurmjob_operator.slurm.request import JobRequest

NO_SUCH_PARTITION: Final = 2000
NO_DEFAULT_PARTITION: Final = 2001
PARTITION_OF_OTHERS: Final = 2003
OF_PARTITION: Final = frozenset({NO_SUCH_PARTITION, NO_DEFAULT_PARTITION, PARTITION_OF_OTHERS})
OF_ACCOUNT: Final = frozenset({2045, 2167})
OF_QOS: Final = frozenset({2066})

MOST_NAMES: Final = 20
LONGEST_NAME: Final = 64
SECONDS: Final = 5.0
"""So long a refusal waits for what it could say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """What lets a user charge an account; `partition`: there alone. `default`: the account of jobs that name none."""

    account: str
    partition: str | None = None
    qos: frozenset[str] = frozenset()
    default_qos: str | None = None
    default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Slurm's number for it, whose job it was, where (None: Slurm does not say), and what the job asked for."""

    code: int
    user: str
    cluster: str | None = None
    partition: str | None = None
    account: str | None = None
    qos: str | None = None

    @property
    def where(self) -> str:
        """The cluster's name, if it has one."""
        return self.cluster or "this cluster"


async def named(
    error: SlurmError, request: JobRequest, *, caller: Caller, cluster_name: str, accounting: bool
) -> SlurmError:
    """The same error, that names alternatives too if any are known."""
    if error.code is None:
        return error
    asked = {option: reading.text(request.options.get(option)) for option in ("partition", "account", "qos")}
    refusal = Refusal(
        code=error.code,
        user=caller.token.user,
        cluster=None if cluster_name == UNKNOWN else cluster_name,
        **asked,
    )
    try:
        async with asyncio.timeout(SECONDS):
            words = await _words(refusal, caller, accounting=accounting)
    except (SlurmError, TimeoutError):
        return error
    if words is None:
        return error
    return type(error)(f"{words}. Slurm says: {error.message}", code=error.code, status=error.status)


async def _words(refusal: Refusal, caller: Caller, *, accounting: bool) -> str | None:
    if refusal.code in OF_PARTITION:
        at_hand = caller.server.shared.looks.at_hand(caller.viewer)
        known = None if at_hand is None else at_hand.partitions
        there = await cluster.partitions_of(caller) if known is None else known
        return of_partition(refusal, there or ())
    if accounting and refusal.code in OF_ACCOUNT | OF_QOS:
        answer = await caller.ask_slurmdbd("associations", query=[("user", refusal.user)])
        found = associations(rows(answer, "associations"), refusal)
        return of_account(refusal, found) if refusal.code in OF_ACCOUNT else of_qos(refusal, found)
    return None


def associations(found: Iterable[Mapping[str, Any]], refusal: Refusal) -> list[Association]:
    """Those of this user on this cluster: slurmdbd may serve several clusters, and does not always keep to a filter."""
    return [
        _association(raw)
        for raw in found
        if raw.get("user") == refusal.user
        and raw.get("account")
        and (refusal.cluster is None or raw.get("cluster") == refusal.cluster)
    ]


def _association(raw: Mapping[str, Any]) -> Association:
    qos = raw.get("qos")
    return Association(
        account=str(raw["account"]),
        partition=reading.text(raw.get("partition")),
        qos=frozenset(str(name) for name in qos if name) if isinstance(qos, list) else frozenset(),
        default_qos=reading.text(reading.mapping(raw.get("default")).get("qos")),
        default=raw.get("is_default") in (True, 1),
    )


def of_partition(refusal: Refusal, there: Sequence[PartitionOfCluster]) -> str | None:
    """None: nothing can be said."""
    asked = refusal.partition.split(",") if refusal.partition else []
    others = [f"{one.name} (default)" if one.default else one.name for one in there if one.name not in asked]
    if not others:
        return None
    missing = [name for name in asked if name not in {one.name for one in there}]
    if refusal.code == NO_DEFAULT_PARTITION or not asked:
        return f"no partition was named, and {refusal.where} has no default; {_listed(others)}"
    if refusal.code == NO_SUCH_PARTITION and missing:
        return f"{_quoted('partition', missing)} on {refusal.where}; {_listed(others)}"
    return f'partition "{_short(refusal.partition)}" of {refusal.where} does not take this job; {_listed(others)}'


def _quoted(what: str, names: Sequence[str]) -> str:
    shown = ", ".join(f'"{_short(name)}"' for name in names[:MOST_NAMES])
    return f"{what} {shown} does not exist" if len(names) == 1 else f"{what}s {shown} do not exist"


def of_account(refusal: Refusal, found: Sequence[Association]) -> str | None:
    """None: nothing can be said; it may be the account's limit, or a partition's."""
    if not found:
        return f"user {refusal.user} may charge no account on {refusal.where}"
    if any(one.account == refusal.account and one.partition is None for one in found):
        return None
    bare = {one.account: one.default for one in sorted(found, key=lambda one: one.default)}
    names = [f"{name} (default)" if bare[name] else name for name in sorted(bare)]
    if refusal.account is None:
        return f"the default account of user {refusal.user} does not take this job; {_listed(names)}"
    if refusal.account in bare:
        partitions = sorted({str(one.partition) for one in found if one.account == refusal.account})
        return (
            f'user {refusal.user} may charge account "{_short(refusal.account)}" on {refusal.where} only in some '
            f"partitions; {_listed(partitions)}"
        )
    return (
        f'user {refusal.user} may not charge account "{_short(refusal.account)}" on {refusal.where}; {_listed(names)}'
    )


def of_qos(refusal: Refusal, found: Sequence[Association]) -> str | None:
    """Of the account that the job charges. None: nothing can be said; it may be the partition that refuses it."""
    of = [one for one in found if (one.default if refusal.account is None else one.account == refusal.account)]
    there = frozenset[str]().union(*(one.qos for one in of))
    if not there or refusal.qos in there:
        return None
    defaults = {one.default_qos for one in of}
    names = [f"{name} (default)" if defaults == {name} else name for name in sorted(there)]
    which = "the default QOS" if refusal.qos is None else f'QOS "{_short(refusal.qos)}"'
    whose = f"user {refusal.user} with account {_short(of[0].account)} on {refusal.where}"
    return f"{which} may not be used by {whose}; {_listed(names)}"


def _listed(names: Sequence[str]) -> str:
    shown, more = names[:MOST_NAMES], len(names) - MOST_NAMES
    text = ", ".join(_short(name) for name in shown)
    verb = "is" if len(names) == 1 else "are"
    return f"there {verb} {text} and {more} more" if more > 0 else f"there {verb} {text}"


def _short(text: str | None) -> str:
    text = text or ""
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"
