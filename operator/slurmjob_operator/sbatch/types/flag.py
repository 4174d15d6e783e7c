"""Options that are said or not said."""

from __future__ import annotations

from typing import Any, Final

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.value import Json, Release, ValueType

RULE: Final = 'must be "true" or "false"'


def _parse(text: str, release: Release) -> bool:
    """sbatch's flags have no value; the layers of settings write them as `true` and `false`."""
    del release
    if text not in {"true", "false"}:
        raise InvalidValue(text, RULE)
    return text == "true"


def _show(value: Any) -> str:
    return "true" if value else "false"


FLAG: Final = ValueType(
    name="flag",
    json=Json.BOOLEAN,
    rule=RULE,
    parse=_parse,
    show=_show,
    schema={},
    examples=("true", "false"),
    wrong=("", "yes", "1", "True"),
)
"""False is the same as not saying it, but for pairs such as requeue and no-requeue."""
