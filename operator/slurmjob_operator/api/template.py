"""`spec.template`: what Slurm runs, named after sbatch's long options in camelCase, with sbatch's values."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from slurmjob_operator.api.base import Model, crd

Word = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$")]
Path = Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[^\x00-\x1f\x7f]*$")]
Count = Annotated[int, Field(ge=1, le=1_000_000, json_schema_extra={"format": "int32"})]

INT_OR_STRING: dict[str, Any] = {**crd(int_or_string=True), "maxLength": 64}
"""A number or sbatch's text for one; compared and parsed as text."""

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


class JobTemplate(Model):
    """What Slurm runs. Fields are sbatch's long options in camelCase and take sbatch's own values.

    The template is frozen from the moment that a job id has been recorded.
    """

    model_config = ConfigDict(json_schema_extra=crd(validations=RULES))

    script: Annotated[
        str,
        Field(
            min_length=3,
            max_length=65536,
            pattern=r"^#!",
            description=(
                "The batch script; its first line must start with `#!`, lines end in LF. At most 65,536 "
                "characters. `#SBATCH` lines are not read yet and refused: use the fields of `template`."
            ),
        ),
    ]
    chdir: Annotated[
        str,
        Field(
            min_length=1,
            max_length=4096,
            pattern=r"^/[^\x00-\x1f\x7f]*$",
            description=(
                "Working directory of the batch script (`--chdir`): an absolute path on the cluster's nodes. "
                "Required: over REST there is no directory that one submits from."
            ),
        ),
    ]
    job_name: Annotated[
        Word | None,
        Field(description="Name of the job in Slurm (`--job-name`). Default: the SlurmJob's name."),
    ] = None
    account: Annotated[
        Word | None,
        Field(description="Account to charge (`--account`). Default: the user's default account."),
    ] = None
    partition: Annotated[
        Word | None,
        Field(description="Partition, or several separated by commas (`--partition`). Default: the cluster's default."),
    ] = None
    qos: Annotated[
        Word | None, Field(description="Quality of service (`--qos`). Default: the association's default.")
    ] = None
    nodes: Annotated[
        int | str | None,
        Field(
            json_schema_extra=INT_OR_STRING,
            description='Number of nodes, `2`, or a range, `"2-4"` (`--nodes`). Default: as many as the tasks need.',
        ),
    ] = None
    ntasks: Annotated[Count | None, Field(description="Number of tasks (`--ntasks`). Default: one per node.")] = None
    ntasks_per_node: Annotated[
        Count | None, Field(description="Tasks per node (`--ntasks-per-node`). Default: Slurm's.")
    ] = None
    cpus_per_task: Annotated[Count | None, Field(description="CPUs per task (`--cpus-per-task`). Default: 1.")] = None
    mem: Annotated[
        int | str | None,
        Field(
            json_schema_extra=INT_OR_STRING,
            description=(
                "Memory per node (`--mem`): a whole number of MiB, or one with K, M, G or T, e.g. `180G`; `0` "
                "is all of the node. Not together with `memPerCpu`. Default: the partition's."
            ),
        ),
    ] = None
    mem_per_cpu: Annotated[
        int | str | None,
        Field(
            json_schema_extra=INT_OR_STRING,
            description="Memory per CPU (`--mem-per-cpu`), written as `mem`. Not together with `mem`.",
        ),
    ] = None
    time: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=64,
            description=(
                'Time limit (`--time`): minutes `"90"`, `"MM:SS"`, `"HH:MM:SS"`, `"D-HH"`, `"D-HH:MM"`, '
                '`"D-HH:MM:SS"`, or `"UNLIMITED"`; `"0"` is no limit too. A string. Default: the partition\'s.'
            ),
        ),
    ] = None
    gres: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=1024,
            description="Generic resources per node (`--gres`), e.g. `gpu:a100:2,nvme`. Default: none.",
        ),
    ] = None
    gpus: Annotated[
        int | str | None,
        Field(
            json_schema_extra=INT_OR_STRING,
            description='GPUs for the whole job (`--gpus`): `4` or `"a100:4"`. Default: none.',
        ),
    ] = None
    gpus_per_node: Annotated[
        int | str | None,
        Field(
            json_schema_extra=INT_OR_STRING,
            description='GPUs per node (`--gpus-per-node`): `2` or `"a100:2"`. Default: none.',
        ),
    ] = None
    dependency: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=1024,
            pattern=r"^[A-Za-z0-9_:+*,?]+$",
            description=(
                "Slurm jobs that this one waits for (`--dependency`), by their ids: `afterok:123`, "
                "`afterany:1:2,after:3+10`, `afterok:4?afternotok:5`, `singleton`. Default: none."
            ),
        ),
    ] = None
    deadline: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=64,
            description=(
                "Remove the job from the queue if it cannot end before this time (`--deadline`): `now+2hours`, with "
                "seconds, minutes, hours, days or weeks, counted from the submission. Default: none."
            ),
        ),
    ] = None
    requeue: Annotated[
        bool | None,
        Field(
            description=(
                "Whether Slurm may start the job again by itself after a node failure or preemption (`--requeue`, "
                "`--no-requeue`); such a restart is counted, and is the same attempt. Default: the cluster's."
            )
        ),
    ] = None
    hold: Annotated[
        bool | None,
        Field(
            description=(
                "Leave the job held in Slurm until somebody releases it there (`--hold`). Default: false, it is "
                "released as soon as its id is recorded."
            )
        ),
    ] = None
    constraint: Annotated[
        Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[^\x00-\x1f\x7f]*$")] | None,
        Field(description="Node features (`--constraint`), e.g. `icelake&fast`. Default: none."),
    ] = None
    output: Annotated[
        Path | None,
        Field(
            description=(
                "File for standard output (`--output`), with sbatch's patterns such as `%j`; relative to "
                "`chdir`. Default: `slurm-%j.out`."
            )
        ),
    ] = None
    error: Annotated[
        Path | None,
        Field(description="File for standard error (`--error`), as `output`. Default: where `output` goes."),
    ] = None
    comment: Annotated[
        str | None,
        Field(
            max_length=1024,
            pattern=r"^[^\x00-\x1f\x7f]*$",
            description=(
                "Comment of the job in Slurm (`--comment`). It follows the operator's own marker, and both "
                "together have 1,024 bytes. Default: none."
            ),
        ),
    ] = None
    environment: Annotated[
        tuple[EnvironmentVariable, ...],
        Field(
            max_length=512,
            json_schema_extra=crd(list_type="map", list_map_keys=["name"]),
            description=(
                "Environment of the batch script, a list keyed by name. Nothing else is in it but what slurmd "
                "adds, and PATH=/usr/local/bin:/usr/bin:/bin where it names none."
            ),
        ),
    ] = ()
