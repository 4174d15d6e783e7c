"""Fields of manifests that are options of sbatch's table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from pydantic import Field

from slurmjob_operator.api.base import Model, crd
from slurmjob_operator.sbatch.option import Option
from slurmjob_operator.sbatch.options import FIELDS
from slurmjob_operator.sbatch.settings import Setting
from slurmjob_operator.sbatch.value import Json, ValueType

_PYTHON: Final[dict[Json, Any]] = {
    Json.BOOLEAN: bool | None,
    Json.INTEGER: int | None,
    Json.STRING: str | None,
    Json.INT_OR_STRING: int | str | None,
}


def definitions(names: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Attributes and pydantic's definitions of these fields, for `create_model`."""
    for name in names:
        option = FIELDS[name]
        if option.type is not None:
            yield attribute(option), (_PYTHON[option.type.json], _field(option, option.type))


_BOUNDS: Final = {
    "minLength": "min_length",
    "maxLength": "max_length",
    "pattern": "pattern",
    "minimum": "ge",
    "maximum": "le",
}
"""pydantic's names of bounds."""


def _field(option: Option, value: ValueType) -> Any:
    description = f"{option.help} (`--{option.name}`)"
    if value.json is Json.INT_OR_STRING:
        schema = {**crd(int_or_string=True), "maxLength": 64, **value.schema}
        return Field(default=None, description=description, json_schema_extra=schema)
    bounds: dict[str, Any] = {name: value.schema[key] for key, name in _BOUNDS.items() if key in value.schema}
    rest = {key: what for key, what in value.schema.items() if key not in _BOUNDS}
    if value.json is Json.INTEGER:
        rest = {"format": "int32", **rest}
    return Field(default=None, strict=True, description=description, json_schema_extra=rest, **bounds)


def attribute(option: Option) -> str:
    """The attribute of a field: its option's long name."""
    return option.name.replace("-", "_")


def settings(model: Model, names: Sequence[str], *, place: str) -> dict[str, Setting]:
    """The options that are set, by long name, as texts of sbatch's own syntax."""
    given = {name: getattr(model, attribute(FIELDS[name])) for name in names}
    return {
        FIELDS[name].name: Setting(text=_text(value), where=f"{place}.{name}")
        for name, value in given.items()
        if value is not None
    }


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
