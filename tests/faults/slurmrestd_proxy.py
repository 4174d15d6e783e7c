"""A proxy before slurmrestd that counts, takes note and breaks things.

    with SlurmrestdProxy(slurm_cluster.rest_url(paths, SUITE)) as proxy:
        tenant.connect(url=proxy.url)
        lost = proxy.arm(DropAnswer(), method="POST", endpoint="job/submit")
        ...
        lost.wait()
        assert proxy.count(method="POST", endpoint="job/submit") == 1

Tokens are headers, which are passed on and never kept. Nor are bodies: they hold scripts.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from tests.faults.journal import Armed, Exchange, Wanted
from tests.faults.proxying import Answer, Proxy, Visit, arrival
from tests.faults.vocabulary import Common, Say

SUBMIT: Final = "job/submit"
JOB: Final = "job/{id}"
STATES: Final = "jobs/state"
DIAG: Final = "diag"
PING: Final = "ping"
NODES: Final = "nodes"
PARTITIONS: Final = "partitions"
DB_JOB: Final = "slurmdb/job/{id}"
DB_JOBS: Final = "slurmdb/jobs"

WORDS: Final = frozenset({"submit", "allocate"})
"""What follows `job/` and is no id."""

SINGULAR: Final = frozenset({"job", "node", "partition", "reservation"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SlurmRequest(Exchange):
    """`endpoint` is the address without version and ids, e.g. `job/{id}`, `slurmdb/jobs`; `job_ids` are those of
    address, query, and answers to a submission, as Slurm wrote them."""

    endpoint: str
    version: str
    job_ids: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        """E.g. `POST job/submit`."""
        return f"{self.method} {self.endpoint}"


class SlurmrestdProxy(Proxy[SlurmRequest]):
    """See the module."""

    def arm(
        self,
        fault: Common,
        *,
        method: Wanted = None,
        endpoint: Wanted = None,
        nth: int = 1,
        times: int | None = 1,
    ) -> Armed:
        """Have it strike the nth matching request from now on, and as many as `times` says (None: all after it)."""
        return self._arm(fault, {"method": method, "endpoint": endpoint}, nth=nth, times=times)

    def count(
        self,
        *,
        method: Wanted = None,
        endpoint: Wanted = None,
        where: Callable[[SlurmRequest], bool] | None = None,
    ) -> int:
        """Requests since the last reset, however they ended."""
        return self._count({"method": method, "endpoint": endpoint}, where)

    def describe(self, request: web.BaseRequest, body: bytes) -> SlurmRequest:
        """See `Proxy`."""
        version, endpoint, ids = parse_path(request.path)
        asked = request.query.getall("job_id", [])
        return SlurmRequest(
            **arrival(request, body), endpoint=endpoint, version=version, job_ids=(*ids, *(str(i) for i in asked))
        )

    def learn(self, visit: Visit[SlurmRequest], answer: Answer) -> None:
        """A submission that took effect tells its job id."""
        if visit.exchange.endpoint == SUBMIT:
            visit.note(job_ids=(*visit.exchange.job_ids, *_submitted(answer.body)))


def parse_path(path: str) -> tuple[str, str, tuple[str, ...]]:
    """Version, endpoint and ids of an address: `/slurmdb/v0.0.45/job/7` is `v0.0.45`, `slurmdb/job/{id}`, `7`."""
    plugin, _, rest = path.strip("/").partition("/")
    if plugin not in ("slurm", "slurmdb") or not rest:
        return "", path.strip("/"), ()
    version, *parts = rest.split("/")
    ids: tuple[str, ...] = ()
    if len(parts) >= 2 and parts[0] in SINGULAR and parts[1] not in WORDS:
        ids = (parts[1],) if parts[0] == "job" else ()
        parts[1] = "{id}"
    prefix = ["slurmdb"] if plugin == "slurmdb" else []
    return version, "/".join([*prefix, *parts]), ids


def _submitted(body: bytes) -> tuple[str, ...]:
    try:
        found = json.loads(body)["job_id"]
    except (ValueError, KeyError, TypeError):
        return ()
    return (str(found),) if found else ()


def error_before(status: int = 503, body: bytes = b"") -> Say:
    """An error of somebody in between: slurmrestd hears nothing."""
    return Say(status, body, content_type="text/plain")


def error_after(status: int = 502, body: bytes = b"") -> Say:
    """An error although slurmrestd has done what it was asked for."""
    return Say(status, body, after=True, content_type="text/plain")


def empty_200(*, after: bool = False, body: bytes = b'{"jobs": [], "errors": [], "warnings": []}') -> Say:
    """A good answer that holds nothing."""
    return Say(200, body, after=after)
