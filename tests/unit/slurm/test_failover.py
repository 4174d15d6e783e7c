"""Several servers: the first that can be trusted, and back when it has been well for a while. The clock is a fake."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from slurmjob_operator.slurm import failover
from slurmjob_operator.slurm.circuit import FAILURES
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.errors import CredentialsRejected, NotSupported, Unavailable
from slurmjob_operator.slurm.failover import SETTLED_SECONDS
from slurmjob_operator.slurm.http import SlurmrestdServer
from slurmjob_operator.slurm.shared import Shared
from tests.unit.slurm.answers import META, TOKEN, error

REFUSED = {"errors": [error(1007)]}


class Site:
    """Servers a and b; each answers, or fails in the way that is put into `down`."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.down: dict[str, Any] = {}
        self.asked: list[str] = []
        self.shared = {name: Shared(monotonic=lambda: self.now) for name in "ab"}

    async def answer(self, request: httpx.Request) -> httpx.Response:
        name = request.url.host
        self.asked.append(name)
        how = self.down.get(name)
        if how == "refuses connections":
            raise httpx.ConnectError("no")
        if how == "hangs":
            await asyncio.sleep(3600)
        if isinstance(how, int):
            return httpx.Response(how, html="<html>no</html>")
        if isinstance(how, dict):
            return httpx.Response(500, json=how)
        return httpx.Response(200, json={"meta": META, "jobs": [], "statistics": {"jobs_running": 0}})

    def client(self) -> SlurmrestdClient:
        servers = [
            SlurmrestdServer(
                f"https://{name}",
                allow_plain_http=False,
                shared=shared,
                transport=httpx.MockTransport(self.answer),
            )
            for name, shared in self.shared.items()
        ]
        return SlurmrestdClient(servers[0], TOKEN, others=servers[1:])

    async def where(self) -> str:
        """The server that a new port speaks to."""
        port = self.client()
        await port.info()
        return httpx.URL(port.url).host


@pytest.fixture
def site() -> Site:
    return Site()


async def test_the_first_one_while_it_is_well(site: Site) -> None:
    port = site.client()
    await port.info()
    assert (port.url, port.on_fallback) == ("https://a", False)
    assert set(site.asked) == {"a"}


@pytest.mark.parametrize("how", ["refuses connections", 502, 503, 504, {"errors": [error(1800)]}])
async def test_the_next_one_when_it_is_not(site: Site, how: Any) -> None:
    site.down["a"] = how
    port = site.client()
    await port.info()
    assert (port.url, port.on_fallback) == ("https://b", True)


@pytest.mark.looptime
async def test_one_that_hangs_is_not_waited_for_where_there_is_another(site: Site) -> None:
    site.down["a"] = "hangs"
    began = asyncio.get_running_loop().time()
    assert await site.where() == "b"
    assert asyncio.get_running_loop().time() - began <= failover.GLANCE_SECONDS + 5.0


async def test_something_that_is_no_slurmrestd(site: Site) -> None:
    site.down["a"] = 404
    assert await site.where() == "b"
    site.down["b"] = 404
    with pytest.raises(NotSupported):
        await site.where()


async def test_none_is_well(site: Site) -> None:
    site.down = {"a": 503, "b": "refuses connections"}
    with pytest.raises(Unavailable):
        await site.where()
    assert set(site.asked) == {"a", "b"}


async def test_a_refused_token_is_not_shown_to_the_next_one(site: Site) -> None:
    site.down["a"] = REFUSED
    with pytest.raises(CredentialsRejected):
        await site.where()
    assert set(site.asked) == {"a"}


async def test_what_one_connection_found_out_others_know(site: Site) -> None:
    site.down["a"] = 503
    await site.where()
    site.asked.clear()
    assert await site.where() == "b"
    assert "a" not in site.asked


async def test_back_to_the_first_one_when_it_has_been_well_for_a_while(site: Site) -> None:
    site.down["a"] = 503
    assert await site.where() == "b"
    del site.down["a"]
    assert await site.where() == "b", "nobody has asked it"
    site.now += SETTLED_SECONDS
    assert await site.where() == "b", "it has just answered for the first time"
    site.now += SETTLED_SECONDS - 1
    assert await site.where() == "b"
    site.now += 1
    assert await site.where() == "a"


async def test_one_that_comes_and_goes_is_left_alone(site: Site) -> None:
    for _ in range(4):
        site.down["a"] = 503
        assert await site.where() == "b"
        site.now += SETTLED_SECONDS
        del site.down["a"]
        assert await site.where() == "b"
        site.now += SETTLED_SECONDS / 2


async def test_no_herd(site: Site) -> None:
    """A hundred connections on the second server look at the first one no more often than its circuit lets them."""
    site.down["a"] = 503
    for _ in range(FAILURES):
        await site.where()
        site.now += SETTLED_SECONDS
    site.asked.clear()
    for _ in range(100):
        assert await site.where() == "b"
    assert site.asked.count("a") <= 2
