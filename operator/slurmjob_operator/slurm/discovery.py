"""What a slurmrestd is: the newest API version both sides know, Slurm's release, the cluster's name, and whether there
is a slurmdbd behind it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from slurmjob_operator.core.records import ClusterInfo
from slurmjob_operator.slurm.calling import Caller, cluster_of, release_of, rows
from slurmjob_operator.slurm.dialects import DIALECTS, DOCUMENT_ONLY, FOUND_BY_ITSELF, hostlist, reading
from slurmjob_operator.slurm.errors import AccountingUnavailable, NotSupported, SlurmError, Unavailable

AUTO: Final = "Auto"
UNKNOWN: Final = "unknown"
NO_SUCH_PARSER: Final = 1011
"""What openapi/slurmctld says of a version, by its first sources (23.11; not run)."""
DOCUMENT_SECONDS: Final = 600.0
MOST_VERSIONS: Final = 16
_VERSIONED: Final = re.compile(r"/slurm/(v0\.0\.[0-9]{1,4})/")
MOST_CLUSTERS: Final = 64
MOST_NODES: Final = 256
"""Compared: enough to tell one cluster from another, whatever a server says that it has."""
WITHOUT_HOLD: Final = ("23.02",)
"""Releases whose v0.0.39 has no key `hold`: what is submitted there runs at once (by its sources; not run)."""


async def discover(caller: Caller, *, wanted: str) -> ClusterInfo:
    """Find out, and set the caller's dialect. Raises `NotSupported` where no version of ours is served.

    `diag` is readable by ordinary users and needs a good token; `ping` does not (TRAP J3).
    """
    for version in FOUND_BY_ITSELF if wanted == AUTO else (wanted,):
        trial = caller.speaking(DIALECTS[version])
        try:
            body = await trial.read("diag")
        except NotSupported:
            continue
        except Unavailable as error:
            if error.code == NO_SUCH_PARSER:
                continue
            raise
        if release_of(body) is None and not reading.mapping(body.get("statistics")):
            raise Unavailable("somebody answers with success, but not as Slurm does")
        caller.dialect = trial.dialect
        accounting = await _has_accounting(caller)
        return await _info(caller, body, accounting=accounting)
    known = f"{FOUND_BY_ITSELF[-1]} to {FOUND_BY_ITSELF[0]}" if wanted == AUTO else wanted
    served = await _served(caller)
    told = f"; it serves {', '.join(served)}" if served else ""
    raise NotSupported(f"this slurmrestd serves none of the API versions asked for ({known}){told}")


async def _served(caller: Caller) -> tuple[str, ...]:
    """The API versions that slurmrestd's own document names, newest first; none where it does not say. The answer to a
    version that is not served does not tell (measured on 22.05, 24.11 and 26.05), and the document has up to 1.8 MB and
    takes slurmrestd 0.3 s, so it is asked for seldom."""
    shared = caller.server.shared
    if (known := shared.known_versions(seconds=DOCUMENT_SECONDS)) is not None:
        return known
    found: set[str] = set()
    with suppress(SlurmError):
        reply = await caller.server.request(
            "GET", "/openapi/v3", token=caller.token, timeout_seconds=caller.timeout_seconds, changes=False
        )
        paths = reading.mapping((reply.body or {}).get("paths"))
        found = {match[1] for path in paths if (match := _VERSIONED.match(path))}
    versions = tuple(sorted(found, key=lambda version: int(version.rpartition(".")[2]), reverse=True)[:MOST_VERSIONS])
    shared.know_versions(versions)
    return versions


async def _has_accounting(caller: Caller) -> bool:
    """Where Slurm has no slurmdbd, slurmrestd serves no path below /slurmdb: 404 without JSON (measured on 26.05).
    One that does not answer now answers with an error, so it is there."""
    reply = await caller.ask_slurmdbd_anything("job/1")
    return not (reply.status == 404 and reply.body is None)


async def _info(caller: Caller, diag: Mapping[str, Any], *, accounting: bool) -> ClusterInfo:
    dialect = caller.known()
    release = release_of(diag) or UNKNOWN
    if dialect.version in DOCUMENT_ONLY and release.startswith(WITHOUT_HOLD):
        raise NotSupported(f"{dialect.version} of Slurm {release} cannot submit a job held; Auto finds one that can")
    name = cluster_of(diag)
    named = True
    if name is None and not dialect.names_cluster and accounting:
        try:
            name = await _cluster_by_nodes(caller)
        except AccountingUnavailable:
            named = False
    return ClusterInfo(
        cluster_name=name or UNKNOWN,
        release=release,
        api_version=dialect.version,
        accounting=accounting,
        accounting_lags=dialect.slurmdbd_lags,
        knows_extra=dialect.knows_extra,
        named=named,
    )


async def _cluster_by_nodes(caller: Caller) -> str | None:
    """The name in slurmdbd. Of several clusters there it is the one that has this slurmctld's nodes; None: cannot be
    told."""
    clusters = rows(await caller.ask_slurmdbd("clusters"), "clusters")
    if len(clusters) > 1:
        nodes = {reading.said(row.get("name")) for row in rows(await caller.read("nodes"), "nodes")}
        clusters = [row for row in clusters[:MOST_CLUSTERS] if _holds(row.get("nodes"), sorted(nodes)[:MOST_NODES])]
    return reading.text(clusters[0].get("name")) if len(clusters) == 1 else None


def _holds(listed: Any, names: Iterable[str]) -> bool:
    holds = hostlist.matcher(listed if isinstance(listed, str) else "")
    return all(holds(name) for name in names)
