"""From a SlurmConnection to a port that works, or to the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from slurmjob_operator.api.conditions import ConditionType, Reason
from slurmjob_operator.api.connection import MarkerField, SlurmConnectionSpec
from slurmjob_operator.api.status import SlurmConnectionStatus
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core.records import ClusterInfo
from slurmjob_operator.core.times import rfc3339
from slurmjob_operator.engine.counting import CountingPort
from slurmjob_operator.engine.ports import Outside
from slurmjob_operator.kube import errors as kube_errors
from slurmjob_operator.slurm import errors as slurm_errors
from slurmjob_operator.slurm.http import InvalidServerUrl
from slurmjob_operator.slurm.port import SlurmPort
from slurmjob_operator.slurm.request import Target
from slurmjob_operator.slurm.token import InvalidToken, SlurmToken, parse_token

RETRY_SECONDS = 10.0
EXPIRY_MARGIN_SECONDS = 30
"""A token is read anew so long before it expires."""

CREDENTIAL_REASONS = frozenset(
    {Reason.SECRET_NOT_FOUND, Reason.INVALID_TOKEN, Reason.TOKEN_EXPIRED, Reason.AUTHENTICATION_FAILED}
)
PERMANENT_REASONS = CREDENTIAL_REASONS | {
    Reason.INVALID_SERVER_URL,
    Reason.INVALID_CONNECTION,
    Reason.UNSUPPORTED_SERVER,
}
"""Nothing but a person will mend these; kstatus is told so by `Stalled`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A port that has answered, and what it said."""

    port: SlurmPort
    token: SlurmToken
    info: ClusterInfo
    spec: SlurmConnectionSpec

    @property
    def target(self) -> Target:
        """What requests are made for."""
        return Target.of(release=self.info.release, api_version=self.info.api_version)


class NotConnected(Exception):
    """There is no usable port now. The message is for people and holds nothing secret. `secret_gone`: it was tried with
    a token that had been read earlier."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.secret_gone = False


async def connect(outside: Outside, body: Mapping[str, Any], *, known: SlurmToken | None = None) -> Connected:
    """Read the Secret, check the token, find the API version, prove the credentials. Raises `NotConnected`.

    `known` is a token read earlier, that serves until it expires when the Secret is gone: for those who must
    still cancel jobs while their namespace is being deleted.
    """
    spec = _spec(body)
    try:
        token = await _token(outside, spec, namespace=body["metadata"]["namespace"])
    except NotConnected as problem:
        if known is None or problem.reason is not Reason.SECRET_NOT_FOUND or known.expires_at <= outside.now():
            raise
        try:
            return await _open(outside, spec, known, body)
        except NotConnected as failure:
            failure.secret_gone = True
            raise
    return await _open(outside, spec, token, body)


async def _open(outside: Outside, spec: SlurmConnectionSpec, token: SlurmToken, body: Mapping[str, Any]) -> Connected:
    try:
        bare = outside.slurm.open(spec, token)
        port = CountingPort(bare, metrics=outside.metrics, monotonic=outside.monotonic)
        info = await port.info()
    except InvalidServerUrl as error:
        raise NotConnected(Reason.INVALID_SERVER_URL, f"spec.servers[0].url: {error}.") from None
    except slurm_errors.CredentialsRejected as error:
        raise NotConnected(
            Reason.AUTHENTICATION_FAILED, f"Slurm does not accept the token of user {token.user}: {error}"
        ) from None
    except slurm_errors.NotSupported as error:
        raise NotConnected(Reason.UNSUPPORTED_SERVER, f"{error}.") from None
    except slurm_errors.SlurmError as error:
        raise NotConnected(Reason.CLUSTER_UNREACHABLE, f"{spec.servers[0].url}: {error}") from None
    if MarkerField.EXTRA in spec.marker_fields and not info.knows_extra:
        raise NotConnected(
            Reason.UNSUPPORTED_SERVER,
            f"spec.markerFields: Extra: jobs of Slurm {info.release} have no field `extra`; leave it out.",
        )
    if not info.named:
        info = replace(info, cluster_name=_name_known_before(body, token))
    return Connected(port=port, token=token, info=info, spec=spec)


def _name_known_before(body: Mapping[str, Any], token: SlurmToken) -> str:
    """The cluster's name, that slurmdbd has to tell and cannot now: the one that status has of this very spec and user.
    A guess would look like another cluster later."""
    status = body.get("status") or {}
    same = status.get("clusterNameGeneration") == body["metadata"]["generation"] and status.get("user") == token.user
    if not same or not status.get("clusterName"):
        raise NotConnected(Reason.CLUSTER_UNREACHABLE, "slurmdbd has to name the cluster, and does not answer.")
    return str(status["clusterName"])


def _spec(body: Mapping[str, Any]) -> SlurmConnectionSpec:
    try:
        return SlurmConnectionSpec.model_validate(body.get("spec") or {})
    except ValidationError as error:
        first: Any = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(["spec", *(str(part) for part in first["loc"])])
        raise NotConnected(Reason.INVALID_CONNECTION, f"{where}: {first['msg']}") from None


async def _token(outside: Outside, spec: SlurmConnectionSpec, *, namespace: str) -> SlurmToken:
    reference = spec.auth.jwt.secret_key_ref
    try:
        secret = await outside.kube.read_secret(namespace=namespace, name=reference.name)
    except (kube_errors.NotFound, kube_errors.Forbidden):
        raise NotConnected(
            Reason.SECRET_NOT_FOUND, f"Secret {reference.name} is not there, or the operator may not read it."
        ) from None
    except kube_errors.KubeError as error:
        raise NotConnected(Reason.CLUSTER_UNREACHABLE, f"Secret {reference.name}: {error}") from None
    value = secret.get(reference.key)
    if value is None:
        raise NotConnected(Reason.SECRET_NOT_FOUND, f"Secret {reference.name} has no key {reference.key}.")
    try:
        token = parse_token(value)
    except InvalidToken as error:
        raise NotConnected(
            Reason.INVALID_TOKEN, f"Secret {reference.name}, key {reference.key}, is no Slurm token: {error}."
        ) from None
    if token.expires_at <= outside.now():
        raise NotConnected(
            Reason.TOKEN_EXPIRED,
            f"The token in Secret {reference.name} of user {token.user} expired at {rfc3339(token.expires_at)}.",
        )
    return token


def ready(status: SlurmConnectionStatus, connected: Connected, *, generation: int, now: float) -> SlurmConnectionStatus:
    """The connection works."""
    info = connected.info
    message = f"Slurm {info.release} of cluster {info.cluster_name} answers as user {connected.token.user}."
    conditions = edit.drop(status.conditions, ConditionType.RECONCILING, ConditionType.STALLED)
    conditions = edit.put(conditions, ConditionType.READY, True, reason=Reason.CONNECTED, message=message, now=now)
    conditions = edit.put(conditions, ConditionType.CREDENTIALS_VALID, True, reason=Reason.TOKEN_ACCEPTED, now=now)
    same = (status.cluster_name, status.user) == (info.cluster_name, connected.token.user)
    return replace(
        status,
        last_sweep_time=status.last_sweep_time if same else None,
        observed_generation=generation,
        slurm_version=info.release,
        api_version=info.api_version,
        cluster_name=info.cluster_name,
        cluster_name_generation=generation,
        user=connected.token.user,
        token_expiration_time=rfc3339(connected.token.expires_at),
        conditions=edit.observed(conditions, generation),
    )


def not_ready(
    status: SlurmConnectionStatus, problem: NotConnected, *, generation: int, now: float
) -> SlurmConnectionStatus:
    """The connection does not work; what was known of the cluster stays."""
    reason, message = problem.reason, problem.message
    moving, stuck = ConditionType.RECONCILING, ConditionType.STALLED
    kind, other = (stuck, moving) if reason in PERMANENT_REASONS else (moving, stuck)
    conditions = edit.drop(status.conditions, other)
    conditions = edit.put(conditions, ConditionType.READY, False, reason=reason, message=message, now=now)
    bad_credentials = reason in CREDENTIAL_REASONS
    known = edit.find(conditions, ConditionType.CREDENTIALS_VALID)
    if bad_credentials:
        conditions = edit.put(
            conditions, ConditionType.CREDENTIALS_VALID, False, reason=reason, message=message, now=now
        )
    elif known is None or known.status != "True":
        conditions = edit.put(conditions, ConditionType.CREDENTIALS_VALID, None, reason=Reason.NOT_CHECKED, now=now)
    conditions = edit.put(conditions, kind, True, reason=reason, message=message, now=now)
    return replace(status, observed_generation=generation, conditions=edit.observed(conditions, generation))
