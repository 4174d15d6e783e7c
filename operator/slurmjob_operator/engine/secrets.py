"""What a connection's own namespace holds for it: the token, certificates, headers for a proxy. Read, and checked
before any of it is used.

The writer of a connection names both an address and Secrets, so nothing of a Secret is sent that was not made for it:
a token must be a Slurm JWT, headers must stand in a Secret of the type `slurmjob.dev/headers`. Certificates of
authorities are never sent, and of a client's key nothing leaves this process.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeVar

from slurmjob_operator.api.conditions import Reason
from slurmjob_operator.api.connection import CaSource, Jwt, SlurmConnectionSpec
from slurmjob_operator.api.names import HEADERS_SECRET_TYPE
from slurmjob_operator.core.times import rfc3339
from slurmjob_operator.engine.ports import Outside
from slurmjob_operator.engine.problems import NotConnected
from slurmjob_operator.kube import errors as kube_errors
from slurmjob_operator.kube.port import Secret
from slurmjob_operator.slurm import tls
from slurmjob_operator.slurm.credentials import Credentials
from slurmjob_operator.slurm.tls import NO_IDENTITY, InvalidCertificate, TlsIdentity
from slurmjob_operator.slurm.token import InvalidToken, SlurmToken, parse_token

MOST_HEADERS: Final = 16
LONGEST_HEADER: Final = 8192

RESERVED: Final = frozenset(
    {
        *("accept", "connection", "content-encoding", "content-length", "content-type", "cookie", "expect", "host"),
        *("keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "user-agent"),
    }
)
OF_SLURM: Final = "x-slurm-"

V = TypeVar("V", str, bytes)

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_VALUE = re.compile(r"[ -~]*")


async def read(outside: Outside, spec: SlurmConnectionSpec, *, namespace: str) -> Credentials:
    """Raises `NotConnected` for whatever is missing or cannot be used."""
    reader = _Reader(outside, namespace)
    return Credentials(
        token=await reader.token(spec.auth.jwt),
        identity=await reader.identity(spec),
        headers=await reader.headers(spec),
    )


class _Reader:
    """Each Secret and ConfigMap once."""

    def __init__(self, outside: Outside, namespace: str) -> None:
        self._outside = outside
        self._namespace = namespace
        self._secrets: dict[str, Secret] = {}

    # --- The token ----------------------------------------------------------------------------------------

    async def token(self, auth: Jwt) -> SlurmToken:
        reference = auth.secret_key_ref
        value = _value((await self._secret(reference.name)).data, "Secret", reference.name, reference.key)
        try:
            token = parse_token(value)
        except InvalidToken as error:
            raise NotConnected(
                Reason.INVALID_TOKEN, f"Secret {reference.name}, key {reference.key}, is no Slurm token: {error}."
            ) from None
        if token.expires_at <= self._outside.now():
            raise NotConnected(
                Reason.TOKEN_EXPIRED,
                f"The token in Secret {reference.name} of user {token.user} expired at {rfc3339(token.expires_at)}.",
            )
        if auth.user is not None and token.user != auth.user:
            raise NotConnected(
                Reason.WRONG_USER,
                f"The token in Secret {reference.name} is of user {token.user}; spec.auth.jwt.user wants {auth.user}.",
            )
        return token

    # --- TLS ----------------------------------------------------------------------------------------------

    async def identity(self, spec: SlurmConnectionSpec) -> TlsIdentity:
        if spec.tls is None:
            return NO_IDENTITY
        ca = None if spec.tls.ca is None else await self._ca(spec.tls.ca)
        if ca is not None:
            _checked(TlsIdentity(ca=ca), "spec.tls.ca")
        reference = spec.tls.client_certificate
        if reference is None:
            return TlsIdentity(ca=ca)
        secret = (await self._secret(reference.secret_ref.name)).data
        pair = [_value(secret, "Secret", reference.secret_ref.name, key) for key in ("tls.crt", "tls.key")]
        certificate, key = (_text(value, "spec.tls.clientCertificate") for value in pair)
        return _checked(TlsIdentity(ca, certificate, key), "spec.tls.clientCertificate")

    async def _ca(self, source: CaSource) -> str:
        if source.config_map_key_ref is not None:
            reference = source.config_map_key_ref
            data = await self._config_map(reference.name)
            return _value(data, "ConfigMap", reference.name, reference.key)
        if source.secret_key_ref is not None:
            name, key = source.secret_key_ref.name, source.secret_key_ref.key
            return _text(_value((await self._secret(name)).data, "Secret", name, key), "spec.tls.ca")
        raise NotConnected(Reason.INVALID_CONNECTION, "spec.tls.ca: it names neither a Secret nor a ConfigMap.")

    # --- Headers ------------------------------------------------------------------------------------------

    async def headers(self, spec: SlurmConnectionSpec) -> tuple[tuple[str, str], ...]:
        if spec.headers_from is None:
            return ()
        name = spec.headers_from.secret_ref.name
        secret = await self._secret(name)
        if secret.type != HEADERS_SECRET_TYPE:
            raise NotConnected(
                Reason.INVALID_HEADERS,
                f"Secret {name} is of type {secret.type}; only one of type {HEADERS_SECRET_TYPE} is sent as headers.",
            )
        if len(secret.data) > MOST_HEADERS:
            raise NotConnected(Reason.INVALID_HEADERS, f"Secret {name} has more than {MOST_HEADERS} keys.")
        return tuple((key, _header(name, key, value)) for key, value in sorted(secret.data.items()))

    # --- Kubernetes ---------------------------------------------------------------------------------------

    async def _secret(self, name: str) -> Secret:
        if name not in self._secrets:
            try:
                self._secrets[name] = await self._outside.kube.read_secret(namespace=self._namespace, name=name)
            except kube_errors.KubeError as error:
                raise _unread(error, "Secret", name) from None
        return self._secrets[name]

    async def _config_map(self, name: str) -> Mapping[str, str]:
        try:
            return await self._outside.kube.read_config_map(namespace=self._namespace, name=name)
        except kube_errors.KubeError as error:
            raise _unread(error, "ConfigMap", name) from None


def _unread(error: kube_errors.KubeError, kind: str, name: str) -> NotConnected:
    if isinstance(error, kube_errors.NotFound | kube_errors.Forbidden):
        reason = Reason.SECRET_NOT_FOUND if kind == "Secret" else Reason.CONFIG_MAP_NOT_FOUND
        return NotConnected(reason, f"{kind} {name} is not there, or the operator may not read it.")
    return NotConnected(Reason.CLUSTER_UNREACHABLE, f"{kind} {name}: {error}")


def _value(data: Mapping[str, V], kind: str, name: str, key: str) -> V:
    if key not in data:
        reason = Reason.SECRET_NOT_FOUND if kind == "Secret" else Reason.CONFIG_MAP_NOT_FOUND
        raise NotConnected(reason, f"{kind} {name} has no key {key}.")
    return data[key]


def _text(value: bytes, field_name: str) -> str:
    try:
        return value.decode("ascii")
    except UnicodeDecodeError:
        raise NotConnected(Reason.INVALID_CERTIFICATE, f"{field_name}: it is not PEM.") from None


def _checked(identity: TlsIdentity, field_name: str) -> TlsIdentity:
    try:
        return tls.check(identity)
    except InvalidCertificate as error:
        raise NotConnected(Reason.INVALID_CERTIFICATE, f"{field_name}: {error}.") from None


def _header(secret: str, key: str, value: bytes) -> str:
    """The value of one header; a line break at its end, as editors leave it, does not count."""
    where = f"Secret {secret}, key {key}"
    lower = key.lower()
    if not _NAME.fullmatch(key) or lower in RESERVED or lower.startswith(OF_SLURM):
        raise NotConnected(Reason.INVALID_HEADERS, f"{where}: this is no name of a header that may be set here.")
    try:
        text = value.decode("ascii").rstrip("\r\n")
    except UnicodeDecodeError:
        text = "\n"
    if not _VALUE.fullmatch(text) or len(text) > LONGEST_HEADER:
        raise NotConnected(
            Reason.INVALID_HEADERS, f"{where}: its value must be at most {LONGEST_HEADER} printable ASCII characters."
        )
    return text
