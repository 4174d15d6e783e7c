"""From options to fields of `template`: sbatch's texts as the values that a manifest has for them."""

from __future__ import annotations

import re
from typing import Any, Final

from slurmjob_operator.sbatch import job
from slurmjob_operator.sbatch.options import TABLE
from slurmjob_operator.sbatch.settings import Setting, Settings
from slurmjob_operator.sbatch.value import Json, Release, ValueType

_WHOLE_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,8}")
_BOOLEANS: Final = {"true": True, "false": False}


class NoField(ValueError):
    """An option, or a value of it, that no field can say. The text names it."""


def fields(settings: Settings, *, release: Release) -> dict[str, Any]:
    """Values by field, in the order of the table.

    Raises `NoField`, and `job.InvalidOption` for a value that sbatch would refuse.
    """
    found: dict[str, Any] = {}
    for name, option in TABLE.items():
        setting = settings.get(name)
        if setting is None:
            continue
        parsed = job.value_of(name, setting, release=release)
        if option.field is None or option.type is None:
            raise NoField(f"{setting.where}: `template` has no field for it; put it into the script as `#SBATCH` line")
        found[option.field] = _value(option.type, parsed, setting)
    return found


def _value(value_type: ValueType, parsed: Any, setting: Setting) -> Any:
    shown = value_type.show(parsed)
    if value_type.json is Json.STRING:
        return setting.text
    if value_type.json is Json.INT_OR_STRING:
        return int(setting.text) if _WHOLE_NUMBER.fullmatch(setting.text) else setting.text
    value: Any = _BOOLEANS.get(shown) if value_type.json is Json.BOOLEAN else _integer(shown)
    if value is None:
        raise NoField(f"{setting.where}: {setting.text!r} cannot be said by a field; say it by a `#SBATCH` line")
    return value


def _integer(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None
