"""What connections to one slurmrestd share, and for how long."""

from __future__ import annotations

import gc

import pytest

from slurmjob_operator.api.connection import SlurmConnectionSpec
from slurmjob_operator.engine.servers import KEPT_SECONDS, Servers
from slurmjob_operator.slurm.credentials import Credentials
from slurmjob_operator.slurm.port import SlurmPort
from slurmjob_operator.slurm.shared import Shared
from tests.unit.slurm.answers import TOKEN

ADDRESSES = {"one.example": "10.0.0.1", "alias.example": "10.0.0.1", "two.example": "10.0.0.2"}


class World:
    """Servers, and seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 100.0
        self.servers = Servers(allow_plain_http=False, resolve=self._resolve, monotonic=lambda: self.now)

    async def _resolve(self, host: str, port: int) -> str:
        assert port == 443
        return ADDRESSES[host]

    async def shared(self, host: str) -> Shared:
        return await self.servers.shared(host, 443)

    async def connect(self, host: str) -> SlurmPort:
        spec = {"servers": [{"url": f"https://{host}"}], "auth": {"jwt": {"secretKeyRef": {"name": "token"}}}}
        found = SlurmConnectionSpec.model_validate(spec)
        return await self.servers.open(found, Credentials(token=TOKEN), name="a/b")

    async def refused(self, host: str) -> bool:
        return (await self.shared(host)).has_refused(TOKEN, seconds=1e9)

    async def pass_by(self, *, seconds: float) -> None:
        """Others are asked for after so long."""
        self.now += seconds
        await self.shared("two.example")
        gc.collect()


@pytest.fixture
def world() -> World:
    return World()


async def test_two_names_of_one_server_are_one(world: World) -> None:
    (await world.shared("one.example")).refuse(TOKEN)
    assert await world.refused("alias.example")
    assert not await world.refused("two.example")


async def test_it_is_kept_for_a_while_without_a_connection(world: World) -> None:
    (await world.shared("one.example")).refuse(TOKEN)
    await world.pass_by(seconds=KEPT_SECONDS - 1)
    assert await world.refused("one.example")


async def test_it_is_let_go_when_nobody_has_named_it_for_long(world: World) -> None:
    (await world.shared("one.example")).refuse(TOKEN)
    await world.pass_by(seconds=KEPT_SECONDS)
    assert not await world.refused("one.example")


async def test_it_is_kept_as_long_as_a_connection_has_it(world: World) -> None:
    port = await world.connect("one.example")
    (await world.shared("alias.example")).refuse(TOKEN)
    await world.pass_by(seconds=3 * KEPT_SECONDS)
    assert await world.refused("one.example")
    assert port.url == "https://one.example"
