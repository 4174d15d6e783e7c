"""`spec.template`: what Slurm runs.

Its fields are the options of sbatch's table, named by their long names in camelCase, with sbatch's values; beside them
stand the script and its environment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Self

from pydantic import ConfigDict, Field, create_model, model_validator

from slurmjob_operator.api import options
from slurmjob_operator.api.base import Model, crd
from slurmjob_operator.api.sources import EnvironmentSource, ScriptSource
from slurmjob_operator.api.status import MOST_COMPONENTS
from slurmjob_operator.sbatch.options import FIELDS
from slurmjob_operator.sbatch.settings import Setting

RULES: list[dict[str, str]] = [
    {
        "rule": "!has(self.mem) || !has(self.memPerCpu)",
        "message": "`mem` and `memPerCpu` exclude each other, as for sbatch",
        "reason": "FieldValueInvalid",
    },
    {
        "rule": "!has(self.comment) || !self.comment.contains('[slurmjob.dev/')",
        "message": "`comment` must not hold `[slurmjob.dev/`, the operator's own marker",
        "reason": "FieldValueInvalid",
    },
    {
        "rule": "has(self.script) != has(self.scriptFrom)",
        "message": "exactly one of `script` and `scriptFrom` must be given",
        "reason": "FieldValueInvalid",
    },
]
"""What the API server itself refuses, beyond types and bounds. All of it is checked again before submission."""


class EnvironmentVariable(Model):
    """One variable of the batch script's environment."""

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=256,
            pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
            description="Name of the variable: letters, digits and underscores, not starting with a digit.",
        ),
    ]
    value: Annotated[
        str,
        Field(
            max_length=32768,
            pattern=r"^[^\x00]*$",
            description="Value, sent as it is: nothing is expanded. Default: empty.",
        ),
    ] = ""


class SourcedVariable(EnvironmentVariable):
    """One variable of a job's environment, that may stand in a ConfigMap."""

    model_config = ConfigDict(
        json_schema_extra=crd(
            validations=[
                {
                    "rule": "!has(self.value) || !has(self.valueFrom)",
                    "message": "at most one of `value` and `valueFrom` may be given",
                    "reason": "FieldValueInvalid",
                }
            ]
        )
    )

    value_from: Annotated[
        EnvironmentSource | None, Field(description="Where the value stands, in the place of `value`.")
    ] = None

    @model_validator(mode="after")
    def _at_most_one(self) -> Self:
        if self.value_from is not None and "value" in self.model_fields_set:
            raise ValueError("at most one of `value` and `valueFrom` may be given")
        return self


Argument = Annotated[str, Field(max_length=4096, pattern=r"^[^\x00]*$")]

KEYED_BY_NAME: Final = crd(list_type="map", list_map_keys=["name"])
MOST_VARIABLES: Final = 512

Environment = Annotated[
    tuple[EnvironmentVariable, ...], Field(max_length=MOST_VARIABLES, json_schema_extra=KEYED_BY_NAME)
]


OF_COMPONENTS: Final = tuple(name for name in FIELDS if name != "array")
"""Fields of one component of a heterogeneous job, which is no array."""


class Options(Model):
    """Options of one component."""

    def settings(self, place: str) -> dict[str, Setting]:
        """Those that are set, by long name, as texts of sbatch's own syntax."""
        return options.settings(self, OF_COMPONENTS, place=place)


if TYPE_CHECKING:

    class ComponentOptions(Options):
        """One component of a heterogeneous job: options that it has for itself."""

else:
    ComponentOptions = create_model(
        "ComponentOptions",
        __base__=Options,
        __doc__="One component of a heterogeneous job: options that it has for itself.",
        __module__=__name__,
        **dict(options.definitions(OF_COMPONENTS)),
    )


class Batch(Model):
    """What a batch job has beside sbatch's options."""

    model_config = ConfigDict(json_schema_extra=crd(validations=RULES))

    script: Annotated[
        str | None,
        Field(
            min_length=3,
            max_length=65536,
            pattern=r"^#!",
            description=(
                "The batch script; its first line must start with `#!`, lines end in LF. At most 65,536 characters. "
                "`#SBATCH` lines count as for sbatch; the fields of `template` win over them."
            ),
        ),
    ] = None
    script_from: Annotated[
        ScriptSource | None,
        Field(
            description=(
                "Where the batch script stands, in the place of `script`. It is read before the first submission; a "
                "later attempt runs only if it is the same still."
            )
        ),
    ] = None
    args: Annotated[
        tuple[Argument, ...],
        Field(
            max_length=256,
            json_schema_extra=crd(list_type="atomic"),
            description=(
                "Arguments of the batch script, as sbatch takes them behind it. Nothing in them is expanded. Slurm "
                "22.05 takes none over REST: there they are set in the script's second line, if a shell runs it."
            ),
        ),
    ] = ()
    environment: Annotated[
        tuple[SourcedVariable, ...],
        Field(
            max_length=MOST_VARIABLES,
            json_schema_extra=KEYED_BY_NAME,
            description=(
                "Environment of the batch script, a list keyed by name. Nothing else is in it but what slurmd adds, "
                "and PATH=/usr/local/bin:/usr/bin:/bin where it names none, and SLURMJOB_NAME, SLURMJOB_NAMESPACE, "
                "SLURMJOB_UID and SLURMJOB_ATTEMPT. Slurm shows it to whoever may see the job: no secrets."
            ),
        ),
    ] = ()

    components: Annotated[
        tuple[ComponentOptions, ...],
        Field(
            min_length=2,
            max_length=MOST_COMPONENTS,
            json_schema_extra=crd(list_type="atomic"),
            description=(
                "Components of a heterogeneous job, each with options that win over those of `template`. Where the "
                "script has components too (`#SBATCH hetjob`), there must be as many; else its `#SBATCH` lines hold "
                "for all. Default: what the script has."
            ),
        ),
    ] = ()

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.script is None) == (self.script_from is None):
            raise ValueError("exactly one of `script` and `scriptFrom` must be given")
        return self

    def settings(self) -> dict[str, Setting]:
        """The options that are set, by long name, as texts of sbatch's own syntax."""
        return options.settings(self, tuple(FIELDS), place="template")


DESCRIPTION: Final = """What Slurm runs. Fields are sbatch's long options in camelCase and take sbatch's own values.

The template is frozen from the moment that a job id has been recorded.
"""

if TYPE_CHECKING:

    class JobTemplate(Batch):
        """What Slurm runs."""

else:
    JobTemplate = create_model(
        "JobTemplate",
        __base__=Batch,
        __doc__=DESCRIPTION,
        __module__=__name__,
        **dict(options.definitions(tuple(FIELDS))),
    )
