"""What `--export` and `--get-user-env` give to the script over REST, where there is no shell that one submits from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from slurmjob_operator.sbatch.types.modes import EXPORT
from slurmjob_operator.sbatch.value import R24_11, Release

LOGIN: Final = "SLURM_GET_USER_ENV"
"""With this slurmd asks a login shell of the user for its variables; those of the job win."""

STEPS: Final = "SLURM_EXPORT_ENV"
"""With this srun hands on the same variables to the steps."""


def given(values: Mapping[str, Any], *, release: Release) -> dict[str, str]:
    """The variables that sbatch would put into the job's environment because of these options.

    Of the words of `--export` those with a value count; `ALL`, `NONE`, `NIL` and bare names have nothing to be taken
    from. Anything but `ALL` alone also asks for the login environment, as sbatch has it.
    """
    words: Sequence[str] | None = values.get("export")
    pairs = (word.partition("=") for word in words or ())
    variables = {name: value for name, equals, value in pairs if equals and name}
    if words is not None and _upper(words) != ("ALL",):
        variables[STEPS] = EXPORT.show(words)
    if values.get("get-user-env") or _asks_for_login(words, release):
        variables[LOGIN] = "1"
    return variables


def _asks_for_login(words: Sequence[str] | None, release: Release) -> bool:
    """NIL does not, from 24.11 on."""
    if words is None or _upper(words) == ("ALL",):
        return False
    return release < R24_11 or _upper(words) != ("NIL",)


def _upper(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(word.upper() for word in words)
