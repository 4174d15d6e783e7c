"""A proxy before the API server that counts, takes note and breaks things.

    with KubeProxy.of(operator_process.kubeconfig(paths)) as proxy:
        through(operator_process.kubeconfig(paths), target, url=proxy.url)   # the operator's KUBECONFIG
        proxy.arm(conflict(), verb="patch", resource="slurmjobs", subresource="status", nth=2)

Plain http towards the operator, https with its CA towards the API server. Authorization is passed on and never kept;
no body is kept but answers to lists of our own kinds, for `StaleList`.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlencode

import httpx
import yaml
from aiohttp import web

from slurmjob_operator.api.names import GROUP
from tests.faults.journal import Armed, Exchange, Wanted
from tests.faults.proxying import Answer, Proxy, Visit, arrival, cut, handed_on, put_headers
from tests.faults.vocabulary import CutBefore, CutWatch, Delay, ErrorEvent, Fault, Say, StaleList, needs_answer

LISTS_KEPT: Final = 50
VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
WRITES: Final = frozenset(VERBS.values())
SELECTING: Final = frozenset({"fieldSelector", "labelSelector", "limit", "continue"})
OF_A_NAMESPACE: Final = frozenset({"status", "finalize"})
"""What follows the name of a namespace and is no resource in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeRequest(Exchange):
    """`verb` is get, list, watch, create, update, patch or delete; `selection` is the part of the query
    that says which objects; `lines` are events of a watch passed on."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    selection: str = ""
    lines: int = 0

    @property
    def what(self) -> str:
        """E.g. `patch slurmjobs/status`."""
        return f"{self.verb} {self.resource}/{self.subresource}".rstrip("/ ")


class KubeProxy(Proxy[KubeRequest]):
    """See the module."""

    def __init__(self, target: str, *, verify: ssl.SSLContext | bool = True, port: int = 0) -> None:
        super().__init__(target, verify=verify, port=port)
        self._lists: dict[str, list[Answer]] = {}
        self._watches: set[Visit[KubeRequest]] = set()

    @classmethod
    def of(cls, kubeconfig: Path) -> Self:
        """Before the API server that a kubeconfig names."""
        cluster = _cluster(yaml.safe_load(kubeconfig.read_text()))
        return cls(cluster["server"], verify=ssl.create_default_context(cafile=cluster["certificate-authority"]))

    def arm(
        self,
        fault: Fault,
        *,
        verb: Wanted = None,
        resource: Wanted = None,
        subresource: Wanted = None,
        name: Wanted = None,
        nth: int = 1,
        times: int | None = 1,
    ) -> Armed:
        """Have it strike the nth matching request from now on, and as many as `times` says (None: all after it).

        No `subresource` means any; "" means the object itself. What needs a whole answer does not strike watches.
        """
        wanted = {"verb": verb, "resource": resource, "subresource": subresource, "name": name}
        return self._arm(fault, wanted, nth=nth, times=times)

    def count(
        self,
        *,
        verb: Wanted = None,
        resource: Wanted = None,
        subresource: Wanted = None,
        name: Wanted = None,
        where: Callable[[KubeRequest], bool] | None = None,
    ) -> int:
        """Requests since the last reset, however they ended."""
        return self._count({"verb": verb, "resource": resource, "subresource": subresource, "name": name}, where)

    def cut_watches(self) -> int:
        """Reset all watches that are open now; how many there were."""
        cut_now: list[Visit[KubeRequest]] = []

        def act() -> None:
            cut_now.extend(self._watches)
            for visit in cut_now:
                cut(visit)

        self._in_loop(act)
        return len(cut_now)

    # --- See `Proxy` --------------------------------------------------------------------------------------

    def describe(self, request: web.BaseRequest, body: bytes) -> KubeRequest:
        """See `Proxy`."""
        place = parse_path(request.path)
        watching = request.query.get("watch", "false").lower() in ("1", "true")
        reading = "watch" if watching else "get" if place.get("name") or not place.get("resource") else "list"
        selection = urlencode(sorted((k, v) for k, v in request.query.items() if k in SELECTING))
        verb = VERBS.get(request.method, reading)
        return KubeRequest(**arrival(request, body), verb=verb, selection=selection, **place)

    def applies(self, exchange: KubeRequest, fault: Fault) -> bool:
        """See `Proxy`."""
        if isinstance(fault, StaleList):
            return exchange.verb == "list" and len(self._lists.get(_list_of(exchange), ())) >= fault.age
        if exchange.verb == "watch":
            return not needs_answer(fault)
        return not isinstance(fault, CutWatch | ErrorEvent)

    def learn(self, visit: Visit[KubeRequest], answer: Answer) -> None:
        """Keep what was listed, to be told again later."""
        exchange = visit.exchange
        if exchange.verb == "list" and exchange.group == GROUP and answer.status == 200:
            kept = self._lists.setdefault(_list_of(exchange), [])
            kept.append(answer)
            del kept[:-LISTS_KEPT]

    async def serve(self, visit: Visit[KubeRequest], fault: Fault | None) -> web.StreamResponse:
        """See `Proxy`."""
        if isinstance(fault, StaleList):
            return self.hand_on(visit, self._lists[_list_of(visit.exchange)][-fault.age])
        if visit.exchange.verb != "watch" or isinstance(fault, CutBefore | Say):
            return await super().serve(visit, fault)
        if isinstance(fault, Delay):
            await self.sleep(fault.seconds)
        return await self._watch(visit, fault)

    # --- Watches ------------------------------------------------------------------------------------------

    async def _watch(self, visit: Visit[KubeRequest], fault: Fault | None) -> web.StreamResponse:
        """Pass a watch on line by line until one of the three ends it: the API server, the operator, the fault."""
        response = await self.send(visit)
        try:
            visit.note(far_status=response.status_code, status=response.status_code)
            stream = web.StreamResponse(status=response.status_code)
            put_headers(stream, handed_on(response))
            await stream.prepare(visit.request)
            self._watches.add(visit)
            ends = [asyncio.create_task(it) for it in (self._pump(visit, response, stream, fault), self._left(visit))]
            done, rest = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)
            for task in done:
                task.result()
        finally:
            self._watches.discard(visit)
            await response.aclose()
        return stream

    async def _left(self, visit: Visit[KubeRequest]) -> None:
        await self.until_left(visit)
        cut(visit)

    async def _pump(
        self, visit: Visit[KubeRequest], response: httpx.Response, stream: web.StreamResponse, fault: Fault | None
    ) -> None:
        with suppress(ConnectionError):
            if await _strike(visit, stream, fault):
                return
            async for line in _lines(response):
                await stream.write(line)
                exchange = visit.exchange
                visit.note(lines=exchange.lines + 1, bytes_out=exchange.bytes_out + len(line))
                if await _strike(visit, stream, fault):
                    return


async def _strike(visit: Visit[KubeRequest], stream: web.StreamResponse, fault: Fault | None) -> bool:
    """Whether the watch is over by now."""
    match fault:
        case CutWatch(lines) if visit.exchange.lines >= lines:
            cut(visit)
            return True
        case ErrorEvent(code, lines) if visit.exchange.lines >= lines:
            event = {"type": "ERROR", "object": status_body(code)}
            await stream.write(json.dumps(event).encode() + b"\n")
            return True
    return False


async def _lines(response: httpx.Response) -> AsyncIterator[bytes]:
    """Whole lines, their ends included."""
    rest = b""
    async for part in response.aiter_raw():
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            yield line + b"\n"
    if rest:
        yield rest


# --- Addresses ------------------------------------------------------------------------------------------------


def parse_path(path: str) -> dict[str, Any]:
    """Group, resource, subresource, namespace and name of an address, as the API server takes it apart; empty for one
    that is of no resource."""
    kind, *parts = path.strip("/").split("/")
    group = parts.pop(0) if kind == "apis" and parts else ""
    if kind not in ("api", "apis") or len(parts) < 2:
        return {}
    found, rest = dict[str, Any](group=group), parts[1:]
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in OF_A_NAMESPACE:
        found["namespace"], rest = rest[1], rest[2:]
    return found | dict(zip(("resource", "name", "subresource"), rest, strict=False))


def _list_of(exchange: KubeRequest) -> str:
    return f"{exchange.group}/{exchange.namespace}/{exchange.resource}?{exchange.selection}"


# --- Answers --------------------------------------------------------------------------------------------------

REASONS: Final = {
    409: "Conflict",
    410: "Expired",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
}


def status_body(code: int) -> dict[str, Any]:
    """A `Status` as the API server words it."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "made by the fault proxy",
        "reason": REASONS.get(code, "Unknown"),
        "code": code,
    }


def refusal(code: int, *, after: bool = False, headers: tuple[tuple[str, str], ...] = ()) -> Say:
    """An error of the API server, before or after the effect."""
    return Say(code, json.dumps(status_body(code)).encode(), after=after, headers=headers)


def conflict(*, after: bool = False) -> Say:
    """Somebody else wrote. `after`: the write has taken effect all the same."""
    return refusal(409, after=after)


def expired() -> Say:
    """410: a watch or a page of a list is asked for that is too old."""
    return refusal(410)


def too_many(*, retry_after_seconds: int = 1) -> Say:
    """429, as priority and fairness say it."""
    return refusal(429, headers=(("Retry-After", str(retry_after_seconds)),))


# --- The operator's kubeconfig --------------------------------------------------------------------------------


def through(source: Path, target: Path, *, url: str) -> Path:
    """Write a copy of a kubeconfig that names the proxy as its server. Raises `ValueError` where the user has a client
    certificate, which could not be passed on. Returns `target`."""
    config: dict[str, Any] = yaml.safe_load(source.read_text())
    for user in config["users"]:
        if not {"token", "tokenFile"} & user["user"].keys():
            raise ValueError(f"user {user['name']} has no token, which alone passes through a proxy")
    cluster = _cluster(config)
    cluster.pop("certificate-authority", None)
    cluster.pop("certificate-authority-data", None)
    cluster["server"] = url
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch(mode=0o600)
    target.write_text(json.dumps(config, indent=1) + "\n")
    return target


def _cluster(config: dict[str, Any]) -> dict[str, Any]:
    """Of the context that is current."""
    context = next(item["context"] for item in config["contexts"] if item["name"] == config["current-context"])
    cluster: dict[str, Any] = next(c["cluster"] for c in config["clusters"] if c["name"] == context["cluster"])
    return cluster
