"""What a connection refers to: read, checked, and refused with a sentence that names the object and the rule."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from slurmjob_operator.api.conditions import Reason
from slurmjob_operator.api.connection import SlurmConnectionSpec
from slurmjob_operator.api.names import HEADERS_SECRET_TYPE
from slurmjob_operator.engine import secrets
from slurmjob_operator.engine.ports import Outside
from slurmjob_operator.engine.problems import NotConnected
from slurmjob_operator.slurm.credentials import Credentials
from slurmjob_operator.slurm.tls import NO_IDENTITY, TlsIdentity
from tests.fakes.kube import InMemoryKube
from tests.unit.slurm import certificates

NOW = 1_800_000_000.0
TOKEN = jwt.encode({"iat": int(NOW), "exp": int(NOW) + 3600, "sun": "alice"}, "k" * 64).encode()
WANT_CERTIFICATE = {"clientCertificate": {"secretRef": {"name": "mine"}}}
WANT_HEADERS = {"headersFrom": {"secretRef": {"name": "gate"}}}
SECRET_WORD = "do-not-show-this"


class Namespace:
    """The objects of one namespace."""

    def __init__(self) -> None:
        self.kube = InMemoryKube(now=lambda: NOW)
        self.kube.secrets["ns", "token"] = {"SLURM_JWT": TOKEN}

    def headers(self, **values: bytes) -> None:
        self.kube.secrets["ns", "gate"] = {name.replace("_", "-"): value for name, value in values.items()}
        self.kube.secret_types["ns", "gate"] = HEADERS_SECRET_TYPE

    async def read(self, **spec: Any) -> Credentials:
        outside = Outside(
            kube=self.kube,
            slurm=None,  # type: ignore[arg-type]  # nothing is sent
            installation="x",
            now=lambda: NOW,
            monotonic=lambda: NOW,
        )
        auth = {"jwt": {"secretKeyRef": {"name": "token"}, **spec.pop("jwt", {})}}
        model = SlurmConnectionSpec.model_validate({"servers": [{"url": "https://slurm"}], "auth": auth, **spec})
        return await secrets.read(outside, model, namespace="ns")

    async def problem(self, **spec: Any) -> NotConnected:
        with pytest.raises(NotConnected) as caught:
            await self.read(**spec)
        assert SECRET_WORD not in repr(caught.value)
        return caught.value


@pytest.fixture
def namespace() -> Namespace:
    return Namespace()


async def test_a_token_and_nothing_else(namespace: Namespace) -> None:
    found = await namespace.read()
    assert (found.token.user, found.identity, found.headers) == ("alice", NO_IDENTITY, ())


async def test_equal_when_nothing_was_renewed(namespace: Namespace) -> None:
    namespace.headers(X_Key=b"1")
    before = await namespace.read(**WANT_HEADERS)
    assert await namespace.read(**WANT_HEADERS) == before
    namespace.headers(X_Key=b"2")
    assert await namespace.read(**WANT_HEADERS) != before


@pytest.mark.parametrize(("user", "good"), [("alice", True), ("bob", False), (None, True)])
async def test_the_user_that_is_wanted(namespace: Namespace, user: str | None, good: bool) -> None:
    if good:
        assert (await namespace.read(jwt={"user": user})).token.user == "alice"
        return
    problem = await namespace.problem(jwt={"user": user})
    assert problem.reason is Reason.WRONG_USER
    assert problem.message == "The token in Secret token is of user alice; spec.auth.jwt.user wants bob."


# --- TLS ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["configMapKeyRef", "secretKeyRef"])
@pytest.mark.parametrize("key", [None, "bundle.pem"])
async def test_authorities(namespace: Namespace, kind: str, key: str | None) -> None:
    pem = certificates.ca("one")
    namespace.kube.config_maps["ns", "authorities"] = {key or "ca.crt": pem}
    namespace.kube.secrets["ns", "authorities"] = {key or "ca.crt": pem.encode()}
    reference = {"name": "authorities"} | ({} if key is None else {"key": key})
    assert (await namespace.read(tls={"ca": {kind: reference}})).identity == TlsIdentity(ca=pem)


async def test_a_client_certificate(namespace: Namespace) -> None:
    certificate, key = certificates.pair("one", "client")
    namespace.kube.secrets["ns", "mine"] = {"tls.crt": certificate.encode(), "tls.key": key.encode()}
    found = await namespace.read(tls=WANT_CERTIFICATE)
    assert found.identity == TlsIdentity(certificate=certificate, key=key)
    assert key not in repr(found)


@pytest.mark.parametrize(
    ("tls", "reason", "words"),
    [
        ({"ca": {"configMapKeyRef": {"name": "none"}}}, Reason.CONFIG_MAP_NOT_FOUND, "ConfigMap none is not there"),
        ({"ca": {"configMapKeyRef": {"name": "x", "key": "y"}}}, Reason.CONFIG_MAP_NOT_FOUND, "has no key y"),
        (
            {"ca": {"configMapKeyRef": {"name": "x"}}},
            Reason.INVALID_CERTIFICATE,
            "spec.tls.ca: it holds no certificates",
        ),
        ({"ca": {"secretKeyRef": {"name": "none"}}}, Reason.SECRET_NOT_FOUND, "Secret none is not there"),
        ({"ca": {"secretKeyRef": {"name": "token"}}}, Reason.SECRET_NOT_FOUND, "Secret token has no key ca.crt"),
        ({"ca": {"secretKeyRef": {"name": "bytes"}}}, Reason.INVALID_CERTIFICATE, "spec.tls.ca: it is not PEM"),
        (WANT_CERTIFICATE, Reason.SECRET_NOT_FOUND, "Secret mine has no key tls.key"),
    ],
)
async def test_certificates_that_cannot_be_used(
    namespace: Namespace, tls: dict[str, Any], reason: Reason, words: str
) -> None:
    namespace.kube.config_maps["ns", "x"] = {"ca.crt": SECRET_WORD}
    namespace.kube.secrets["ns", "bytes"] = {"ca.crt": b"\xff\xfe"}
    namespace.kube.secrets["ns", "mine"] = {"tls.crt": SECRET_WORD.encode()}
    problem = await namespace.problem(tls=tls)
    assert problem.reason is reason
    assert words in problem.message


async def test_a_key_that_belongs_to_another_certificate(namespace: Namespace) -> None:
    certificate, _ = certificates.pair("one", "client")
    _, key = certificates.pair("two", "client")
    namespace.kube.secrets["ns", "mine"] = {"tls.crt": certificate.encode(), "tls.key": key.encode()}
    problem = await namespace.problem(tls=WANT_CERTIFICATE)
    assert problem.message == "spec.tls.clientCertificate: its key does not belong to its certificate."


# --- Headers --------------------------------------------------------------------------------------------------


async def test_headers(namespace: Namespace) -> None:
    namespace.headers(Authorization=b"Basic eDp5\n", X_Api_Key=b"7")
    assert (await namespace.read(**WANT_HEADERS)).headers == (("Authorization", "Basic eDp5"), ("X-Api-Key", "7"))


@pytest.mark.parametrize("kind", ["Opaque", "kubernetes.io/service-account-token", "kubernetes.io/tls"])
async def test_no_other_secret_is_sent_as_headers(namespace: Namespace, kind: str) -> None:
    """Whoever writes a connection names an address too: other people's Secrets are not his to send there."""
    namespace.headers(Authorization=SECRET_WORD.encode())
    namespace.kube.secret_types["ns", "gate"] = kind
    problem = await namespace.problem(**WANT_HEADERS)
    assert problem.reason is Reason.INVALID_HEADERS
    assert HEADERS_SECRET_TYPE in problem.message


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "Connection",
        "Cookie",
        "X-SLURM-USER-NAME",
        "x-slurm-user-token",
        "a b",
        "ü",
        "",
    ],
)
async def test_headers_that_are_not_a_proxys(namespace: Namespace, name: str) -> None:
    namespace.headers(**{name: SECRET_WORD.encode()})
    problem = await namespace.problem(**WANT_HEADERS)
    assert problem.reason is Reason.INVALID_HEADERS
    assert "no name of a header" in problem.message


@pytest.mark.parametrize("value", [b"a\r\nX-SLURM-USER-NAME: root", b"a\x00", "ü".encode(), b"a\tb", b"x" * 8193])
async def test_values_that_are_more_than_a_header(namespace: Namespace, value: bytes) -> None:
    namespace.headers(X_Key=value)
    problem = await namespace.problem(**WANT_HEADERS)
    assert problem.reason is Reason.INVALID_HEADERS
    assert "printable ASCII" in problem.message


async def test_too_many_headers(namespace: Namespace) -> None:
    namespace.headers(**{f"X_{number}": b"1" for number in range(17)})
    assert (await namespace.problem(**WANT_HEADERS)).reason is Reason.INVALID_HEADERS
