"""The kind SlurmConnection: where slurmrestd is, and which Secret of the same namespace holds the token."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field, create_model

from slurmjob_operator.api import options
from slurmjob_operator.api.base import Model, ObjectName, crd
from slurmjob_operator.api.names import DEFAULT_TOKEN_KEY
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
            pattern=r"^https?://[^/?#@\s]+/?$",
            description=(
                "Address of slurmrestd, e.g. `https://slurm.example.org:6820`: scheme, host and port, nothing "
                "else. Plain `http://` is refused unless the operator runs with --allow-plain-http."
            ),
        ),
    ]


class SecretKeyRef(Model):
    """A key of a Secret of the same namespace. There is no `namespace` key, by design."""

    name: Annotated[ObjectName, Field(description="Name of the Secret.")]
    key: Annotated[
        str,
        Field(
            min_length=1,
            max_length=253,
            pattern=r"^[-._a-zA-Z0-9]+$",
            description="Key in the Secret. Default: SLURM_JWT.",
        ),
    ] = DEFAULT_TOKEN_KEY


class JwtAuth(Model):
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


class Auth(Model):
    """How the operator shows who it acts for."""

    jwt: Annotated[JwtAuth, Field(description="Authentication by a Slurm JWT.")]


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
                "win."
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
            max_length=1,
            json_schema_extra=crd(list_type="map", list_map_keys=["url"]),
            description="The slurmrestd to talk to: exactly one.",
        ),
    ]
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
    {"name": "API", "type": "string", "jsonPath": ".status.apiVersion", "priority": 1},
    {"name": "Token Expires", "type": "string", "jsonPath": ".status.tokenExpirationTime", "priority": 1},
    {
        "name": "Reason",
        "type": "string",
        "jsonPath": '.status.conditions[?(@.type=="Ready")].reason',
        "priority": 1,
    },
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]
