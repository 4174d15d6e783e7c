"""From a SlurmConnection to a port that works, or to the reason why there is none."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from slurmjob_operator.api.conditions import ConditionType, Reason
from slurmjob_operator.api.connection import MarkerField, SlurmConnectionSpec
from slurmjob_operator.api.status import Condition, SlurmConnectionStatus
from slurmjob_operator.core import conditions as edit
from slurmjob_operator.core.cluster import forgotten
from slurmjob_operator.core.connections import is_another_cluster, near_its_end
from slurmjob_operator.core.records import ClusterInfo
from slurmjob_operator.core.times import rfc3339
from slurmjob_operator.engine import secrets
from slurmjob_operator.engine.counting import CountingPort
from slurmjob_operator.engine.ports import Outside
from slurmjob_operator.engine.problems import CREDENTIAL_REASONS, PERMANENT_REASONS, NotConnected
from slurmjob_operator.slurm import errors as slurm_errors
from slurmjob_operator.slurm.credentials import Credentials
from slurmjob_operator.slurm.discovery import UNKNOWN
from slurmjob_operator.slurm.http import InvalidServerUrl
from slurmjob_operator.slurm.port import SlurmPort
from slurmjob_operator.slurm.request import Target
from slurmjob_operator.slurm.token import SlurmToken

RETRY_SECONDS = 10.0
EXPIRY_MARGIN_SECONDS = 30
"""A token is read anew so long before it expires."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A port that has answered, and what it said."""

    port: SlurmPort
    credentials: Credentials
    info: ClusterInfo
    spec: SlurmConnectionSpec

    @property
    def token(self) -> SlurmToken:
        """Of the credentials."""
        return self.credentials.token

    @property
    def way(self) -> Hashable:
        """What jobs may wait for another one of: server, credentials, release."""
        return self.port.url, self.credentials, self.info

    @property
    def target(self) -> Target:
        """What requests are made for."""
        return Target.of(release=self.info.release, api_version=self.info.api_version)


async def connect(outside: Outside, body: Mapping[str, Any], *, known: Credentials | None = None) -> Connected:
    """Read what the connection refers to, find the API version, prove the credentials. Raises `NotConnected`.

    `known` are credentials read earlier, that serve until the token expires when the Secret is gone: for those who must
    still cancel jobs while their namespace is being deleted.
    """
    spec = _spec(body)
    if spec.suspend:
        raise NotConnected(Reason.SUSPENDED, "spec.suspend: Slurm is not asked for anything until it is false again.")
    try:
        found = await secrets.read(outside, spec, namespace=body["metadata"]["namespace"])
    except NotConnected as problem:
        gone = problem.reason in (Reason.SECRET_NOT_FOUND, Reason.CONFIG_MAP_NOT_FOUND)
        if known is None or not gone or known.token.expires_at <= outside.now():
            raise
        try:
            return await _open(outside, spec, known, body)
        except NotConnected as failure:
            failure.secret_gone = True
            raise
    return await _open(outside, spec, found, body)


async def renewed(outside: Outside, connected: Connected, body: Mapping[str, Any]) -> bool:
    """Whether the connection's namespace holds other credentials now, or none that can be used."""
    try:
        found = await secrets.read(outside, connected.spec, namespace=body["metadata"]["namespace"])
    except NotConnected as problem:
        return problem.reason is not Reason.CLUSTER_UNREACHABLE
    return found != connected.credentials


async def _open(outside: Outside, spec: SlurmConnectionSpec, found: Credentials, body: Mapping[str, Any]) -> Connected:
    name = "/".join((body["metadata"]["namespace"], body["metadata"]["name"]))
    try:
        bare = await outside.slurm.open(spec, found, name=name)
        port = CountingPort(bare, metrics=outside.metrics, monotonic=outside.monotonic)
        info = await port.info()
    except InvalidServerUrl as error:
        raise NotConnected(Reason.INVALID_SERVER_URL, f"spec.servers[{error.number}].url: {error}.") from None
    except slurm_errors.SlurmError as error:
        raise _problem(error, spec, found) from None
    if MarkerField.EXTRA in spec.marker_fields and not info.knows_extra:
        raise NotConnected(
            Reason.UNSUPPORTED_SERVER,
            f"spec.markerFields: Extra: jobs of Slurm {info.release} have no field `extra`; leave it out.",
        )
    if not info.named:
        info = replace(info, cluster_name=_name_known_before(body, found.token))
    _check_cluster(spec, body, info)
    return Connected(port=port, credentials=found, info=info, spec=spec)


def _problem(error: slurm_errors.SlurmError, spec: SlurmConnectionSpec, found: Credentials) -> NotConnected:
    if isinstance(error, slurm_errors.CredentialsRejected):
        return NotConnected(
            Reason.AUTHENTICATION_FAILED, f"Slurm does not accept the token of user {found.token.user}: {error}"
        )
    if isinstance(error, slurm_errors.NotSupported):
        return NotConnected(Reason.UNSUPPORTED_SERVER, f"{error}.")
    urls = ", ".join(server.url for server in spec.servers)
    if isinstance(error, slurm_errors.UntrustedServer):
        return NotConnected(Reason.UNTRUSTED_SERVER, f"{urls}: {error}")
    wait = error.retry_after_seconds if isinstance(error, slurm_errors.Unavailable) else None
    return NotConnected(Reason.CLUSTER_UNREACHABLE, f"{urls}: {error}", retry_after_seconds=wait)


def _check_cluster(spec: SlurmConnectionSpec, body: Mapping[str, Any], info: ClusterInfo) -> None:
    """Another cluster under a known address has other jobs under our jobs' ids: a person has to say that it is meant,
    by naming it or by another edit of the connection."""
    name, status = info.cluster_name, body.get("status") or {}
    if spec.cluster_name is not None and name != spec.cluster_name:
        raise NotConnected(
            Reason.CLUSTER_CHANGED, f"spec.clusterName: the cluster there is {name}, not {spec.cluster_name}."
        )
    known = status.get("clusterName")
    edited = status.get("clusterNameGeneration") != body["metadata"]["generation"]
    if is_another_cluster(_named(name), known=_named(known), edited=edited):
        raise NotConnected(
            Reason.CLUSTER_CHANGED,
            f"Cluster {name} answers where {known} did, and nothing is asked of it. If it is meant, set "
            f"spec.clusterName to {name}.",
        )


def _named(name: str | None) -> str | None:
    return None if name in (None, "", UNKNOWN) else name


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


def ready(status: SlurmConnectionStatus, connected: Connected, *, generation: int, now: float) -> SlurmConnectionStatus:
    """The connection works."""
    info = connected.info
    message = f"Slurm {info.release} of cluster {info.cluster_name} answers as user {connected.token.user}."
    conditions = edit.drop(status.conditions, ConditionType.RECONCILING, ConditionType.STALLED)
    conditions = edit.put(conditions, ConditionType.READY, True, reason=Reason.CONNECTED, message=message, now=now)
    conditions = edit.put(conditions, ConditionType.CREDENTIALS_VALID, True, reason=Reason.TOKEN_ACCEPTED, now=now)
    conditions = _expiring(conditions, connected.token, now=now)
    same = (status.cluster_name, status.user) == (info.cluster_name, connected.token.user)
    return replace(
        status if same else forgotten(status),
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


def _expiring(conditions: tuple[Condition, ...], token: SlurmToken, *, now: float) -> tuple[Condition, ...]:
    """A warning a week and a day before the token ends."""
    warning = near_its_end(token.expires_at, lifespan_seconds=token.lifespan_seconds, now=now)
    if warning is not None:
        reason, words = warning
        message = f"The token of user {token.user} expires at {rfc3339(token.expires_at)}, {words}."
        return edit.put(conditions, ConditionType.CREDENTIALS_EXPIRING, True, reason=reason, message=message, now=now)
    return edit.drop(conditions, ConditionType.CREDENTIALS_EXPIRING)


def not_ready(
    status: SlurmConnectionStatus, problem: NotConnected, *, generation: int, now: float
) -> SlurmConnectionStatus:
    """The connection does not work; what was known of the cluster stays."""
    reason, message = problem.reason, problem.message
    moving, stuck = ConditionType.RECONCILING, ConditionType.STALLED
    kind = None if reason is Reason.SUSPENDED else stuck if reason in PERMANENT_REASONS else moving
    conditions = edit.drop(status.conditions, *{moving, stuck} - {kind})
    conditions = edit.put(conditions, ConditionType.READY, False, reason=reason, message=message, now=now)
    bad_credentials = reason in CREDENTIAL_REASONS
    if bad_credentials:
        conditions = edit.drop(conditions, ConditionType.CREDENTIALS_EXPIRING)
    known = edit.find(conditions, ConditionType.CREDENTIALS_VALID)
    if bad_credentials:
        conditions = edit.put(
            conditions, ConditionType.CREDENTIALS_VALID, False, reason=reason, message=message, now=now
        )
    elif known is None or known.status != "True":
        conditions = edit.put(conditions, ConditionType.CREDENTIALS_VALID, None, reason=Reason.NOT_CHECKED, now=now)
    if kind is not None:
        conditions = edit.put(conditions, kind, True, reason=reason, message=message, now=now)
    return replace(status, observed_generation=generation, conditions=edit.observed(conditions, generation))
