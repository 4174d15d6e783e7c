"""The kind SlurmConnection: where slurmrestd is, and which Secret of the same namespace holds the token."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, Self

from pydantic import ConfigDict, Field, create_model, model_validator

from slurmjob_operator.api import options
from slurmjob_operator.api.base import Key, Model, ObjectName, crd
from slurmjob_operator.api.names import DEFAULT_CA_KEY, DEFAULT_TOKEN_KEY
from slurmjob_operator.api.status import SlurmConnectionStatus
from slurmjob_operator.api.template import Environment
from slurmjob_operator.sbatch.settings import Setting


class Server(Model):
    """One slurmrestd."""

    url: Annotated[
        str,
        Field(
            min_length=8,
            max_length=1024,
            pattern=r"^https?://[^/?#@\s]+(/[A-Za-z0-9._~/-]*)?$",
            description=(
                "Address of slurmrestd, e.g. `https://slurm.example.org:6820`; behind a proxy perhaps with a path, as "
                "in `https://gate.example.org/slurm-api`. Plain `http://` is refused unless the operator runs with "
                "--allow-plain-http."
            ),
        ),
    ]


class SecretKeyRef(Model):
    """A key of a Secret of the same namespace. There is no `namespace` key, by design."""

    name: Annotated[ObjectName, Field(description="Name of the Secret.")]
    key: Annotated[Key, Field(description="Key in the Secret. Default: SLURM_JWT.")] = DEFAULT_TOKEN_KEY


class NameRef(Model):
    """An object of the same namespace."""

    name: Annotated[ObjectName, Field(description="Name of the Secret.")]


class CaKeyRef(Model):
    """A key of a Secret or ConfigMap of the same namespace."""

    name: Annotated[ObjectName, Field(description="Name of the object.")]
    key: Annotated[Key, Field(description="Key in it. Default: ca.crt.")] = DEFAULT_CA_KEY


ONE_OF_TWO: Final[dict[str, Any]] = {
    "x-kubernetes-validations": [
        {
            "rule": "has(self.secretKeyRef) != has(self.configMapKeyRef)",
            "message": "exactly one of `secretKeyRef` and `configMapKeyRef` must be given",
            "reason": "FieldValueInvalid",
        }
    ]
}


class CaSource(Model):
    """Where the certificates of authorities stand: PEM, one or several."""

    model_config = ConfigDict(json_schema_extra=ONE_OF_TWO)

    secret_key_ref: Annotated[CaKeyRef | None, Field(description="A Secret of the same namespace.")] = None
    config_map_key_ref: Annotated[CaKeyRef | None, Field(description="A ConfigMap of the same namespace.")] = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.secret_key_ref is None) == (self.config_map_key_ref is None):
            raise ValueError("exactly one of `secretKeyRef` and `configMapKeyRef` must be given")
        return self


class ClientCertificate(Model):
    """A certificate to show."""

    secret_ref: Annotated[
        NameRef, Field(description="A Secret with `tls.crt` and `tls.key`, as kubernetes.io/tls has them.")
    ]


class Tls(Model):
    """How the server is proved, and we to it. All of it is read again at each poll, so renewals need nothing else."""

    ca: Annotated[
        CaSource | None,
        Field(description="Authorities that the server's certificate must come from. Default: the well-known ones."),
    ] = None
    client_certificate: Annotated[
        ClientCertificate | None, Field(description="For servers that want to see one. Default: none is shown.")
    ] = None


class HeadersSource(Model):
    """Headers of each request, for a proxy before slurmrestd."""

    secret_ref: Annotated[
        NameRef,
        Field(
            description=(
                "A Secret of the type `slurmjob.dev/headers`, no other: its keys are names of headers, e.g. "
                "`Authorization`, its values theirs."
            )
        ),
    ]


class ConnectionLimits(Model):
    """This connection's part of what the operator asks of a server. It can be lowered here, not raised: the operator's
    own flags are the bound of all connections to a server together."""

    requests_per_second: Annotated[
        float | None,
        Field(ge=0.1, le=1000, description="Requests in a second, on average. Default: no limit of its own."),
    ] = None
    in_flight: Annotated[
        int | None,
        Field(
            ge=1,
            le=8,
            json_schema_extra={"format": "int32"},
            description="Requests under way at the same time. Default: no limit of its own.",
        ),
    ] = None


class Jwt(Model):
    """A Slurm JWT, as `scontrol token` prints it."""

    secret_key_ref: Annotated[
        SecretKeyRef,
        Field(
            description=(
                "The Secret with the token. Its user is the Slurm user that jobs run as. It is sent only if it "
                "is a Slurm JWT (it has `exp` and a user claim); tokens of root and slurm are refused."
            )
        ),
    ]
    user: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=256,
            description="The user that the token must be of: one of somebody else is not used. Default: any.",
        ),
    ] = None


class Auth(Model):
    """How the operator shows who it acts for."""

    jwt: Annotated[Jwt, Field(description="Authentication by a Slurm JWT.")]


class MarkerField(StrEnum):
    """Fields of a Slurm job that can carry the marker."""

    COMMENT = "Comment"
    EXTRA = "Extra"


DEFAULTED: Final = ("account", "partition", "qos", "time", "chdir")
"""Fields of `template` that a connection may give a default for: a closed list."""


class EnvironmentDefaults(Model):
    """The part of a connection's defaults that is no option of sbatch."""

    environment: Annotated[
        Environment,
        Field(
            description=(
                "Variables of every batch script, a list keyed by name; those of `template.environment` and `--export` "
                "win. In a value `%u` is the Slurm user and `%%` a `%`: HOME is `/home/%u` on many clusters, and no "
                "job over REST has one by itself."
            )
        ),
    ] = ()

    def settings(self) -> dict[str, Setting]:
        """The options that have a default, by long name."""
        return options.settings(self, DEFAULTED, place="jobDefaults")


if TYPE_CHECKING:

    class JobDefaults(EnvironmentDefaults):
        """What jobs of a connection have where they do not say it themselves."""

else:
    JobDefaults = create_model(
        "JobDefaults",
        __base__=EnvironmentDefaults,
        __doc__="What jobs of a connection have where neither a field of their template nor a `#SBATCH` line says it.",
        __module__=__name__,
        **dict(options.definitions(DEFAULTED)),
    )


class SlurmConnectionSpec(Model):
    """How to reach one Slurm cluster as one Slurm user."""

    servers: Annotated[
        tuple[Server, ...],
        Field(
            min_length=1,
            max_length=8,
            json_schema_extra=crd(list_type="map", list_map_keys=["url"]),
            description=(
                "The slurmrestd to talk to, all of one cluster. The first is used while it is well, then the next; a "
                "server that was away is used again once it has been well for half a minute."
            ),
        ),
    ]
    cluster_name: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=40,
            pattern=r"^\S+$",
            description=(
                "The cluster's name (ClusterName) that the servers must tell. Default: the first that they tell; when "
                "it is another one later, nothing is asked of it until it is named here."
            ),
        ),
    ] = None
    tls: Annotated[
        Tls | None, Field(description="TLS. Default: well-known authorities, no certificate of our own.")
    ] = None
    headers_from: Annotated[HeadersSource | None, Field(description="Headers for a proxy before slurmrestd.")] = None
    limits: Annotated[ConnectionLimits | None, Field(description="What this connection asks at most.")] = None
    suspend: Annotated[
        bool,
        Field(
            description=(
                "Ask nothing of Slurm, as during maintenance: jobs run on in Slurm, what was last known of them stays "
                "in their status, and nothing is submitted or cancelled. Default: false."
            )
        ),
    ] = False
    auth: Annotated[Auth, Field(description="Credentials.")]
    api_version: Annotated[
        str,
        Field(
            max_length=7,
            pattern=r"^(Auto|v0\.0\.(3[89]|4[0-5]))$",
            description=(
                "Version of slurmrestd's API: Auto takes the newest that both sides know; one of v0.0.38 to "
                "v0.0.45 is taken as it is. Default: Auto."
            ),
        ),
    ] = "Auto"
    poll_period_seconds: Annotated[
        int,
        Field(
            ge=5,
            le=3600,
            json_schema_extra={"format": "int32"},
            description="Seconds between two looks at the states of all live jobs. At least 5. Default: 10.",
        ),
    ] = 10
    request_timeout_seconds: Annotated[
        int,
        Field(
            ge=5,
            le=300,
            json_schema_extra={"format": "int32"},
            description=(
                "Seconds that one request may take. slurmrestd itself waits up to 20 s for an slurmctld that "
                "does not answer. Default: 30."
            ),
        ),
    ] = 30

    marker_fields: Annotated[
        tuple[MarkerField, ...],
        Field(
            min_length=1,
            max_length=2,
            json_schema_extra={
                **crd(list_type="set"),
                "x-kubernetes-validations": [
                    {
                        "rule": "self.exists(field, field == 'Comment')",
                        "message": "`markerFields` must hold Comment",
                        "reason": "FieldValueInvalid",
                    }
                ],
            },
            description=(
                "Fields of a Slurm job that carry the operator's marker, by which it knows its jobs: Comment, always, "
                "before the user's own text; and Extra, where a site rewrites comments. Default: [Comment]."
            ),
        ),
    ] = (MarkerField.COMMENT,)
    job_defaults: Annotated[
        JobDefaults | None,
        Field(
            description=(
                "Defaults of all jobs of this connection: `template` and `#SBATCH` lines win over them. In `chdir`, "
                "`%u` is the Slurm user."
            )
        ),
    ] = None
    deletion_deadline_seconds: Annotated[
        int,
        Field(
            ge=60,
            le=2_592_000,
            json_schema_extra={"format": "int32"},
            description=(
                "How long a SlurmJob that is deleted waits for its Slurm job to be cancelled while Slurm is away or "
                "refuses. After that it is let go, and the Slurm job named in an event. In a namespace whose Secret "
                "or connection is gone already it is at most 600. Default: 86400, a day."
            ),
        ),
    ] = 86400


class SlurmConnection(Model):
    """A Slurm cluster and the user that SlurmJobs of this namespace run as there."""

    spec: SlurmConnectionSpec
    status: SlurmConnectionStatus = SlurmConnectionStatus()


COLUMNS: list[dict[str, Any]] = [
    {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
    {"name": "Cluster", "type": "string", "jsonPath": ".status.clusterName"},
    {"name": "User", "type": "string", "jsonPath": ".status.user"},
    {"name": "Slurm", "type": "string", "jsonPath": ".status.slurmVersion"},
    {"name": "Nodes", "type": "integer", "jsonPath": ".status.nodes.total"},
    {"name": "Idle CPUs", "type": "integer", "jsonPath": ".status.nodes.idleCpus"},
    {"name": "Jobs", "type": "integer", "jsonPath": ".status.jobs.live"},
    {"name": "API", "type": "string", "jsonPath": ".status.apiVersion", "priority": 1},
    {"name": "Idle GPUs", "type": "integer", "jsonPath": ".status.nodes.idleGpus", "priority": 1},
    {"name": "Problem Nodes", "type": "integer", "jsonPath": ".status.nodes.problemCount", "priority": 1},
    {"name": "Pending", "type": "integer", "jsonPath": ".status.queue.pending", "priority": 1},
    {"name": "Running", "type": "integer", "jsonPath": ".status.queue.running", "priority": 1},
    {"name": "Last Contact", "type": "date", "jsonPath": ".status.lastContactTime", "priority": 1},
    {"name": "Token Expires", "type": "string", "jsonPath": ".status.tokenExpirationTime", "priority": 1},
    {
        "name": "Reason",
        "type": "string",
        "jsonPath": '.status.conditions[?(@.type=="Ready")].reason',
        "priority": 1,
    },
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]
