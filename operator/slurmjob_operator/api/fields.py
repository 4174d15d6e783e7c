"""Kinds of fields in a status: bounded texts, times, and integers of a width."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from slurmjob_operator.api.base import MODEL_CONFIG

STATUS_CONFIG = ConfigDict(**{**MODEL_CONFIG, "frozen": False})
"""For dataclasses, that freeze themselves."""

Text = Annotated[str, Field(max_length=1024)]
Path = Annotated[str, Field(max_length=8192)]
IndexText = Annotated[str, Field(max_length=131_072)]
"""Indexes of tasks of an array; sbatch's own texts of them are as long at most."""

Time = Annotated[str, Field(max_length=32, json_schema_extra={"format": "date-time"})]
Int32 = Annotated[int, Field(ge=-(2**31), le=2**31 - 1, json_schema_extra={"format": "int32"})]
Int64 = Annotated[int, Field(json_schema_extra={"format": "int64"})]
Flag = Annotated[int, Field(ge=0, le=1, json_schema_extra={"format": "int32"})]
