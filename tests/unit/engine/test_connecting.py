"""From a SlurmConnection to a port that works, or to a reason and a sentence; and both in its status."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import jwt
import pytest

from slurmjob_operator.api.conditions import ConditionType, Reason
from slurmjob_operator.api.connection import SlurmConnectionSpec
from slurmjob_operator.api.status import SlurmConnectionStatus
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core.records import ClusterInfo
from slurmjob_operator.core.times import rfc3339
from slurmjob_operator.engine import connecting
from slurmjob_operator.engine.connecting import Connected, NotConnected
from slurmjob_operator.engine.ports import Outside
from slurmjob_operator.engine.views import status_body
from slurmjob_operator.kube import errors as kube_errors
from slurmjob_operator.slurm import errors as slurm_errors
from slurmjob_operator.slurm.credentials import Credentials
from slurmjob_operator.slurm.http import check_url
from slurmjob_operator.slurm.port import SlurmPort
from slurmjob_operator.slurm.token import parse_token
from tests.fakes.kube import InMemoryKube
from tests.fakes.slurm import InMemorySlurm

NOW = 1_800_000_000.0
URL = "https://slurm.example.org:6820"
CREDENTIALS, READY = ConditionType.CREDENTIALS_VALID, ConditionType.READY
RECONCILING, STALLED = ConditionType.RECONCILING, ConditionType.STALLED


def token(**claims: Any) -> bytes:
    return jwt.encode({"iat": int(NOW), "exp": int(NOW) + 3600, "sun": "alice", **claims}, "k" * 64).encode()


@dataclass
class World:
    """One namespace with a Secret, and a Slurm that opens ports as the operator's own servers do."""

    kube: InMemoryKube = field(default_factory=InMemoryKube)
    slurm: InMemorySlurm = field(default_factory=lambda: InMemorySlurm(now=lambda: NOW))
    accepted: bool = True
    now: float = NOW
    opened: list[tuple[str, str]] = field(default_factory=list)

    async def open(self, spec: SlurmConnectionSpec, credentials: Credentials, *, name: str) -> SlurmPort:
        url = check_url(spec.servers[0].url, allow_plain_http=False)
        self.opened.append((url, credentials.token.reveal()))
        self.credentials = credentials
        return self.slurm.port(credentials.token.user, accepted=self.accepted)

    async def close(self) -> None:
        return

    async def connect(self, body: dict[str, Any] | None = None, *, known: Credentials | None = None) -> Connected:
        outside = Outside(
            kube=self.kube, slurm=self, installation="x", now=lambda: self.now, monotonic=lambda: self.now
        )
        return await connecting.connect(outside, connection() if body is None else body, known=known)

    async def problem(self, body: dict[str, Any] | None = None, *, known: Credentials | None = None) -> NotConnected:
        with pytest.raises(NotConnected) as caught:
            await self.connect(body, known=known)
        assert caught.value.message == str(caught.value)
        return caught.value


@pytest.fixture
def world() -> World:
    world = World()
    world.kube.secrets["ns", "token"] = {"SLURM_JWT": token()}
    return world


def connection(**spec: Any) -> dict[str, Any]:
    secret = {"jwt": {"secretKeyRef": {"name": "token"}}}
    return {
        "metadata": {"namespace": "ns", "name": "campus", "generation": 1},
        "spec": {"servers": [{"url": URL}], "auth": secret, **spec},
    }


# --- connect --------------------------------------------------------------------------------------------------


async def test_connected(world: World) -> None:
    connected = await world.connect()
    assert connected.token.user == "alice"
    assert connected.info.cluster_name == "memory"
    assert connected.spec.poll_period_seconds == 10
    assert connected.port.user == "alice"
    assert world.opened == [(URL, token().decode())]
    assert world.slurm.calls == {"info": 1}, "a port that was never asked proves nothing"


async def test_another_key_of_the_secret(world: World) -> None:
    world.kube.secrets["ns", "token"] = {"other": b"SLURM_JWT=" + token(sun="bob") + b"\n"}
    connected = await world.connect(
        connection(auth={"jwt": {"secretKeyRef": {"name": "token", "key": "other"}}}, pollPeriodSeconds=60)
    )
    assert connected.token.user == "bob"
    assert connected.spec.poll_period_seconds == 60


@pytest.mark.parametrize(
    ("spec", "where"),
    [
        ({"servers": []}, "spec.servers: "),
        ({"servers": [{"url": "slurm"}]}, "spec.servers.0.url: "),
        ({"auth": {}}, "spec.auth.jwt: "),
        ({"pollPeriodSeconds": 1}, "spec.pollPeriodSeconds: "),
        ({"apiVersion": "v0.0.37"}, "spec.apiVersion: "),
    ],
)
async def test_a_spec_that_the_schema_would_refuse(world: World, spec: dict[str, Any], where: str) -> None:
    """An older CRD may have let it in."""
    problem = await world.problem(connection(**spec))
    assert problem.reason is Reason.INVALID_CONNECTION
    assert problem.message.startswith(where)


async def test_no_spec_at_all(world: World) -> None:
    assert (await world.problem({"metadata": {"namespace": "ns"}})).reason is Reason.INVALID_CONNECTION


@pytest.mark.parametrize("url", ["http://slurm.example.org:6820"])
async def test_an_address_that_is_not_spoken_to(world: World, url: str) -> None:
    problem = await world.problem(connection(servers=[{"url": url}]))
    assert problem.reason is Reason.INVALID_SERVER_URL
    assert problem.message.startswith("spec.servers[0].url: ")
    assert not world.slurm.calls


@pytest.mark.parametrize(
    ("secret", "reason", "words"),
    [
        (None, Reason.SECRET_NOT_FOUND, "Secret token is not there"),
        ({}, Reason.SECRET_NOT_FOUND, "Secret token has no key SLURM_JWT."),
        ({"other": token()}, Reason.SECRET_NOT_FOUND, "has no key SLURM_JWT."),
        ({"SLURM_JWT": b"hunter2"}, Reason.INVALID_TOKEN, "is no Slurm token"),
        ({"SLURM_JWT": token(**{"kubernetes.io": {}})}, Reason.INVALID_TOKEN, "Kubernetes service account"),
        ({"SLURM_JWT": token(sun="root")}, Reason.INVALID_TOKEN, "privileged user root"),
        ({"SLURM_JWT": token(exp=int(NOW))}, Reason.TOKEN_EXPIRED, f"of user alice expired at {rfc3339(NOW)}."),
    ],
)
async def test_secrets(world: World, secret: dict[str, bytes] | None, reason: Reason, words: str) -> None:
    world.kube.secrets.clear()
    if secret is not None:
        world.kube.secrets["ns", "token"] = secret
    problem = await world.problem()
    assert problem.reason is reason
    assert words in problem.message
    assert not world.opened, "what is no Slurm token is never sent"
    for value in (secret or {}).values():
        assert value.decode() not in problem.message


async def test_a_secret_of_another_namespace_is_not_looked_at(world: World) -> None:
    world.kube.secrets["other", "token"] = world.kube.secrets.pop(("ns", "token"))
    assert (await world.problem()).reason is Reason.SECRET_NOT_FOUND


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (kube_errors.NotFound("gone"), Reason.SECRET_NOT_FOUND),
        (kube_errors.Forbidden("RBAC"), Reason.SECRET_NOT_FOUND),
        (kube_errors.Unavailable("away"), Reason.CLUSTER_UNREACHABLE),
    ],
)
async def test_the_api_server_fails(
    world: World, monkeypatch: pytest.MonkeyPatch, error: kube_errors.KubeError, reason: Reason
) -> None:
    async def read_secret(**_keywords: str) -> dict[str, bytes]:
        raise error

    monkeypatch.setattr(world.kube, "read_secret", read_secret)
    assert (await world.problem()).reason is reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (slurm_errors.CredentialsRejected("Authentication failure"), Reason.AUTHENTICATION_FAILED),
        (slurm_errors.NotSupported("no API version in common"), Reason.UNSUPPORTED_SERVER),
        (slurm_errors.Unavailable("no answer"), Reason.CLUSTER_UNREACHABLE),
        (slurm_errors.RateLimited("slow down"), Reason.CLUSTER_UNREACHABLE),
        (slurm_errors.Refused("odd"), Reason.CLUSTER_UNREACHABLE),
    ],
)
async def test_slurm_fails(world: World, error: slurm_errors.SlurmError, reason: Reason) -> None:
    world.slurm.faults["info"] = [error]
    problem = await world.problem()
    assert problem.reason is reason
    assert error.message in problem.message
    assert token().decode() not in problem.message


# --- A token that outlives its Secret -------------------------------------------------------------------------

KNOWN = Credentials(token=parse_token(token(sun="carol")))


async def test_a_known_token_serves_when_the_secret_is_gone(world: World) -> None:
    world.kube.secrets.clear()
    assert (await world.connect(known=KNOWN)).credentials is KNOWN


async def test_the_secret_goes_before_a_known_token(world: World) -> None:
    assert (await world.connect(known=KNOWN)).token.user == "alice"


@pytest.mark.parametrize(
    ("secret", "later", "reason"),
    [
        (None, 3600, Reason.SECRET_NOT_FOUND),
        ({"SLURM_JWT": b"hunter2"}, 0, Reason.INVALID_TOKEN),
        ({"SLURM_JWT": token(exp=int(NOW) - 1)}, 0, Reason.TOKEN_EXPIRED),
    ],
)
async def test_a_known_token_does_not_serve(
    world: World, secret: dict[str, bytes] | None, later: float, reason: Reason
) -> None:
    """When it has expired itself, or somebody has put another one in its place."""
    world.kube.secrets.clear()
    if secret is not None:
        world.kube.secrets["ns", "token"] = secret
    world.now += later
    assert (await world.problem(known=KNOWN)).reason is reason


# --- The status -----------------------------------------------------------------------------------------------


def said(status: SlurmConnectionStatus) -> dict[str, tuple[str, str]]:
    return {condition.type: (condition.status, condition.reason) for condition in status.conditions}


async def test_ready(world: World) -> None:
    connected = await world.connect()
    before = connecting.not_ready(
        SlurmConnectionStatus(), NotConnected(Reason.INVALID_TOKEN, "bad"), generation=1, now=NOW - 60
    )
    status = connecting.ready(before, connected, generation=2, now=NOW)
    assert said(status) == {READY: ("True", Reason.CONNECTED), CREDENTIALS: ("True", Reason.TOKEN_ACCEPTED)}
    assert (status.cluster_name, status.user) == ("memory", "alice")
    assert (status.slurm_version, status.api_version) == ("26.05.0", "v0.0.45")
    assert status.token_expiration_time == rfc3339(NOW + 3600)
    assert status.observed_generation == 2
    assert {condition.observed_generation for condition in status.conditions} == {2}
    assert connecting.ready(status, connected, generation=2, now=NOW + 60) == status, "nothing to write again"


CREDENTIAL = [Reason.SECRET_NOT_FOUND, Reason.INVALID_TOKEN, Reason.TOKEN_EXPIRED, Reason.AUTHENTICATION_FAILED]
PERMANENT = [*CREDENTIAL, Reason.INVALID_SERVER_URL, Reason.INVALID_CONNECTION, Reason.UNSUPPORTED_SERVER]


@pytest.mark.parametrize("reason", [*PERMANENT, Reason.CLUSTER_UNREACHABLE])
async def test_not_ready(world: World, reason: Reason) -> None:
    new = SlurmConnectionStatus()
    problem = NotConnected(reason, "why")
    for before in (new, connecting.ready(new, await world.connect(), generation=1, now=NOW - 60)):
        status = connecting.not_ready(before, problem, generation=2, now=NOW)
        kind = STALLED if reason in PERMANENT else RECONCILING
        ready = edit.find(status.conditions, READY)
        assert ready is not None
        assert (ready.status, ready.reason, ready.message) == ("False", reason, "why")
        assert said(status)[kind] == ("True", reason)
        assert len(said(status)) == 3, "moving or stuck, never both"
        if reason in CREDENTIAL:
            assert said(status)[CREDENTIALS] == ("False", reason)
        elif before is new:
            assert said(status)[CREDENTIALS] == ("Unknown", Reason.NOT_CHECKED)
        else:
            assert said(status)[CREDENTIALS] == ("True", Reason.TOKEN_ACCEPTED), "an outage says nothing of a token"
        assert replace(status, conditions=(), observed_generation=0) == replace(
            before, conditions=(), observed_generation=0
        ), "what was known of the cluster stays"
        assert connecting.not_ready(status, problem, generation=2, now=NOW + 10) == status


def test_a_refused_token_is_not_checked_any_more_once_slurm_is_away() -> None:
    status = SlurmConnectionStatus()
    for reason in (Reason.AUTHENTICATION_FAILED, Reason.CLUSTER_UNREACHABLE):
        status = connecting.not_ready(status, NotConnected(reason, "why"), generation=1, now=NOW)
    assert said(status)[CREDENTIALS] == ("Unknown", Reason.NOT_CHECKED)
    assert STALLED not in said(status)


class Nameless(World):
    """A Slurm whose slurmdbd has to name the cluster, and is away."""

    async def open(self, spec: SlurmConnectionSpec, credentials: Credentials, *, name: str) -> SlurmPort:
        port = await super().open(spec, credentials, name=name)
        found = port.info

        async def info() -> ClusterInfo:
            return replace(await found(), cluster_name="unknown", named=False)

        port.info = info  # type: ignore[method-assign]  # of this one port
        return port


@pytest.mark.parametrize(
    ("status", "name"),
    [
        ({"clusterNameGeneration": 1, "user": "alice", "clusterName": "campus"}, "campus"),
        ({"clusterNameGeneration": 0, "user": "alice", "clusterName": "campus"}, None),
        ({"clusterNameGeneration": 1, "user": "bob", "clusterName": "campus"}, None),
        ({"clusterNameGeneration": 1, "user": "alice"}, None),
        (None, None),
    ],
)
async def test_a_name_that_cannot_be_asked_for_is_the_one_known_of_this_very_spec(
    status: dict[str, Any] | None, name: str | None
) -> None:
    world = Nameless()
    world.kube.secrets["ns", "token"] = {"SLURM_JWT": token()}
    body = connection()
    body["metadata"]["generation"] = 1
    body["status"] = status
    if name is not None:
        assert (await world.connect(body)).info.cluster_name == name
    else:
        assert (await world.problem(body)).message == "slurmdbd has to name the cluster, and does not answer."


async def test_the_name_that_another_spec_led_to_is_never_taken_for_this_ones() -> None:
    """The first try after an edit fails and is told; the second one must not believe what is left in status."""
    world = Nameless()
    world.kube.secrets["ns", "token"] = {"SLURM_JWT": token()}
    body = connection()
    body["metadata"]["generation"] = 2
    known = SlurmConnectionStatus(observed_generation=1, user="alice", cluster_name="campus", cluster_name_generation=1)
    body["status"] = status_body(known)
    problem = await world.problem(body)
    told = connecting.not_ready(known, problem, generation=2, now=NOW)
    assert (told.observed_generation, told.cluster_name) == (2, "campus")
    body["status"] = status_body(told)
    assert (await world.problem(body)).reason is Reason.CLUSTER_UNREACHABLE
    body["metadata"]["generation"] = 1
    assert (await world.connect(body)).info.cluster_name == "campus", "the same object, had it not been edited"
