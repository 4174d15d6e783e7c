"""From settings to the options' part of a body of job/submit: parse, let them act on each other, say them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from slurmjob_operator.sbatch import interactions, rest
from slurmjob_operator.sbatch.errors import ConflictingOptions, InvalidValue, NotOverRest, SbatchError
from slurmjob_operator.sbatch.option import Body, NotSaid, Rest, Saying
from slurmjob_operator.sbatch.options import TABLE
from slurmjob_operator.sbatch.settings import Setting, Settings
from slurmjob_operator.sbatch.value import Release

OLDER_FAMILY: Final = frozenset({"v0.0.36", "v0.0.37", "v0.0.38"})


class InvalidOption(SbatchError):
    """An option that is not sent. The text names where it was given, the value and the rule; the cause is what is
    wrong with it: `InvalidValue`, `ConflictingOptions` or `NotOverRest`."""


def parsed(settings: Settings, *, release: Release) -> dict[str, Any]:
    """The options' values as sbatch of this release would send them.

    Raises `InvalidOption`.
    """
    values = {name: value_of(name, setting, release=release) for name, setting in settings.items()}
    try:
        return interactions.applied(values, release=release)
    except ConflictingOptions as error:
        raise _blaming(settings, error.option, error.rule) from error


def body(settings: Settings, values: Mapping[str, Any], *, api_version: str) -> dict[str, Any]:
    """Keys of `job` in the body of job/submit, of parsed values; `settings` say where they were given.

    Raises `InvalidOption` for an option that this API version cannot say.
    """
    try:
        return encoded(values, api_version=api_version)
    except NotOverRest as error:
        raise _blaming(settings, error.option, error.reason) from error


def encoded(values: Mapping[str, Any], *, api_version: str) -> dict[str, Any]:
    """Keys of `job` in the body of job/submit. Raises `NotOverRest`."""
    return rest.merged(body_of(name, value, api_version=api_version) for name, value in values.items())


def without_effect(settings: Settings) -> tuple[str, ...]:
    """A sentence for each option that is read and has no effect here."""
    given = ((setting, TABLE[name].means_nothing) for name, setting in settings.items())
    return tuple(f"{setting.where}: {sentence}" for setting, sentence in given if sentence is not None)


def body_of(name: str, value: Any, *, api_version: str) -> Body:
    """What one option's value, or one derived entry, becomes. Raises `NotOverRest`, but for a flag that is false."""
    entry = TABLE[name] if name in TABLE else interactions.DERIVED[name]
    how = entry.v38 if api_version in OLDER_FAMILY else entry.v40
    reason = _reason_against(how, value, api_version)
    if reason is not None and value is not False:
        raise NotOverRest(name, reason)
    return how.encode(value) if isinstance(how, Rest) and reason is None else {}


def _reason_against(how: Saying | None, value: Any, api_version: str) -> str | None:
    if isinstance(how, NotSaid):
        return how.reason
    return how.reason_against(value, api_version) if isinstance(how, Rest) else None


def value_of(name: str, setting: Setting, *, release: Release) -> Any:
    """One option's value, for itself. Raises `InvalidOption`."""
    option = TABLE[name]
    if option.refused:
        raise InvalidOption(f"{setting.where}: {option.refused}") from NotOverRest(option.name, option.refused)
    if not option.known_in(release):
        reason = f"Slurm {release} has no such option"
        raise InvalidOption(f"{setting.where}: {reason}") from NotOverRest(option.name, reason)
    if option.type is None:
        return None
    try:
        return option.type.parse(setting.text, release)
    except InvalidValue as error:
        raise InvalidOption(f"{setting.where}: {error}") from error


def _blaming(settings: Settings, option: str, rule: str) -> InvalidOption:
    givers = (option, *interactions.GIVERS.get(option, ()))
    where = next((settings[giver].where for giver in givers if giver in settings), f"--{option}")
    return InvalidOption(f"{where}: {rule}")
