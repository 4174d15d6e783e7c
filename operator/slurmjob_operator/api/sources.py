"""Where a template's texts stand when they are not in it: in ConfigMaps of its own namespace.

Never in Secrets: script and environment of a job can be read in Slurm.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from slurmjob_operator.api.base import Key, Model, ObjectName


class ConfigMapKeyRef(Model):
    """A key of a ConfigMap of the same namespace. There is no `namespace` key, by design."""

    name: Annotated[ObjectName, Field(description="Name of the ConfigMap.")]
    key: Annotated[Key, Field(description="Key in its `data`.")]


class OptionalConfigMapKeyRef(ConfigMapKeyRef):
    """A key of a ConfigMap of the same namespace, that need not be there."""

    optional: Annotated[
        bool | None,
        Field(description="Leave the variable out where there is no such ConfigMap or key. Default: false."),
    ] = None


class ScriptSource(Model):
    """Where a batch script stands."""

    config_map_key_ref: Annotated[ConfigMapKeyRef, Field(description="A ConfigMap of the same namespace.")]


class EnvironmentSource(Model):
    """Where the value of a variable stands."""

    config_map_key_ref: Annotated[OptionalConfigMapKeyRef, Field(description="A ConfigMap of the same namespace.")]
