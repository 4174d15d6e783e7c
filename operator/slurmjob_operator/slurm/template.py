"""From a template to a request: every value checked, nothing sent unchecked.

slurmrestd ignores keys it does not know and takes -1 tasks (TRAPS S2, S5), and never reads `#SBATCH` lines; what it
would take and the node would choke on (DOS line ends, NUL) is refused here, as sbatch does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from slurmjob_operator.api.connection import JobDefaults
from slurmjob_operator.api.status import MOST_COMPONENTS
from slurmjob_operator.api.template import JobTemplate
from slurmjob_operator.core.marker import PREFIX
from slurmjob_operator.sbatch import environment, job, output_environment, script
from slurmjob_operator.sbatch.errors import InvalidScript, SbatchError, shown
from slurmjob_operator.sbatch.options.files import joined
from slurmjob_operator.sbatch.settings import Settings, together
from slurmjob_operator.sbatch.types.arrays import ArraySpec, spec_of
from slurmjob_operator.sbatch.types.files import absolute
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, R24_11
from slurmjob_operator.slurm import script_arguments
from slurmjob_operator.slurm.request import JobRequest, Target

DEFAULT_PATH: Final = "/usr/local/bin:/usr/bin:/bin"
NO_DEFAULTS: Final = JobDefaults()
NO_VARIABLES: Final[Mapping[str, str]] = MappingProxyType({})
OWN_VARIABLES: Final = "SLURMJOB_"
MOST_ENVIRONMENT_BYTES: Final = 2_000_000
"""Linux gives arguments and environment of a program a quarter of its stack, 2 MiB (man execve)."""

NO_FOLDER: Final = (
    "must be given, here, by `#SBATCH --chdir` or by the connection's `jobDefaults`: over REST there is no folder that "
    "one submits from"
)
_PLACES: Final = re.compile("%[u%]")
RELEASES: Final = (NEWEST, R24_11, OLDEST)
"""Those whose sbatch differs in how a script is read."""


class InvalidTemplate(ValueError):
    """A template that is not sent. The text names the field or line, the value and the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a template and the `#SBATCH` lines of its script ask for. `notices` are sentences about options that are
    read and have no effect here."""

    settings: Settings
    notices: tuple[str, ...] = ()

    def text(self, option: str) -> str | None:
        """An option's text; None where it is not given."""
        setting = self.settings.get(option)
        return None if setting is None else setting.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What the operator itself has to know of a job: its name in Slurm, whether it is to stay held, the priority that
    is set at the release, and the tasks of an array."""

    slurm_name: str
    hold: bool
    priority: int | None
    array: ArraySpec | None = None


def components(template: JobTemplate, *, target: Target, defaults: JobDefaults = NO_DEFAULTS) -> tuple[Wanted, ...]:
    """Fields of the template over `#SBATCH` lines over the connection's defaults, for each component of the job: like
    the command line of sbatch, fields hold for all of them.

    Raises `InvalidTemplate` for a script that sbatch would not read; the cause is its `InvalidScript`. And for what no
    Slurm runs.
    """
    parts = _components(template, target=target, defaults=defaults)
    array = next((part.settings["array"] for part in parts if "array" in part.settings), None)
    if len(parts) > 1 and array is not None and array.text:
        raise InvalidTemplate(f"{array.where}: a heterogeneous job (`#SBATCH hetjob`) is no array: Slurm runs none")
    if len(parts) > MOST_COMPONENTS:
        raise InvalidTemplate(f"template.script: has {len(parts)} components; Slurm takes at most {MOST_COMPONENTS}")
    return parts


def _components(template: JobTemplate, *, target: Target, defaults: JobDefaults) -> tuple[Wanted, ...]:
    try:
        read = script.read(_script(template), release=target.release)
        found = [script.settings(component, release=target.release) for component in read.components]
    except InvalidScript as error:
        raise InvalidTemplate(f"template.{error}") from error
    own = [one.settings(f"template.components[{number}]") for number, one in enumerate(template.components)]
    if own and len(found) == 1:
        found *= len(own)
    if own and len(found) != len(own):
        raise InvalidTemplate(
            f"template.components: has {len(own)} items, and the script has {len(found)} components: there must be as "
            "many, or the script must have no `#SBATCH hetjob`"
        )
    given = zip(found, own or [{}] * len(found), strict=True)
    return tuple(
        _wanted(directives, read.warnings, template=template, defaults=defaults, own=options)
        for directives, options in given
    )


def _script(template: JobTemplate) -> str:
    """The text, which has to have been put into its place."""
    if template.script is None:
        raise InvalidTemplate("template.scriptFrom: the ConfigMap has not been read")
    return template.script


def _wanted(
    directives: Settings, warnings: tuple[str, ...], *, template: JobTemplate, defaults: JobDefaults, own: Settings
) -> Wanted:
    placed = {name: replace(setting, where=f"template.{setting.where}") for name, setting in directives.items()}
    settings = together(defaults.settings(), placed, template.settings(), own)
    return Wanted(settings=settings, notices=(*warnings, *job.without_effect(settings)))


def build_request(
    template: JobTemplate,
    asked: Wanted,
    *,
    name: str,
    target: Target,
    user: str = "",
    defaults: JobDefaults = NO_DEFAULTS,
    own: Mapping[str, str] = NO_VARIABLES,
    array: str | None = None,
    component: int | None = None,
) -> JobRequest:
    """The request for what a template asks for; `name` is the job's name in Slurm, `user` is who it runs as, `own` are
    variables that the operator sets, `array` the tasks that are left of an array; None: all of them. `component` is the
    number of one of several components.

    Raises `InvalidTemplate` for the first thing that is wrong.
    """
    _check_what_is_ours(template, asked.settings)
    asked = _of_tasks(asked, array)
    try:
        values = job.parsed(asked.settings, release=target.release)
        job.body(asked.settings, values, api_version=target.api_version)
        exported = environment.given(values, release=target.release)
    except SbatchError as error:
        raise InvalidTemplate(str(error)) from error
    chdir = _chdir(asked.settings, defaults, user=user)
    text, arguments = _script(template), template.args
    if arguments and not target.takes_arguments:
        text, arguments = _with_arguments(text, arguments), ()
    request = JobRequest(
        script=text,
        arguments=arguments,
        name=name,
        chdir=chdir,
        environment={
            **_of_the_user(user),
            **output_environment.variables(
                asked.settings, values, release=target.release, chdir=chdir, component=component
            ),
            **_environment(template, defaults, exported, user=user),
            **own,
        },
        options=joined(values, chdir=chdir),
    )
    _check_size(request.environment)
    return request


def _check_size(variables: Mapping[str, str]) -> None:
    """With more the node starts no program, and the job fails (measured on 22.05, 24.11 and 26.05)."""
    size = sum(len(name.encode()) + len(value.encode()) + 2 for name, value in variables.items())
    if size > MOST_ENVIRONMENT_BYTES:
        raise InvalidTemplate(
            f"template.environment: has {size} bytes, with what the connection and the operator add; must have at most "
            f"{MOST_ENVIRONMENT_BYTES}: Linux starts no program with more. Put it into a file on the cluster"
        )


def _of_tasks(asked: Wanted, array: str | None) -> Wanted:
    """Once it is known that the whole array can be had."""
    setting = asked.settings.get("array")
    if setting is None:
        return asked
    try:
        spec_of(setting.text)
    except SbatchError as error:
        raise InvalidTemplate(f"{setting.where}: {error}") from error
    if array is None:
        return asked
    return replace(asked, settings={**asked.settings, "array": replace(setting, text=array)})


def _with_arguments(text: str, arguments: Sequence[str]) -> str:
    try:
        return script_arguments.set_in(text, arguments)
    except script_arguments.NoShell as error:
        raise InvalidTemplate(str(error)) from None


def _check_what_is_ours(template: JobTemplate, settings: Settings) -> None:
    for option in ("comment", "extra"):
        setting = settings.get(option)
        if setting is not None and PREFIX in setting.text:
            raise InvalidTemplate(f"{setting.where}: must not hold {PREFIX!r}, the operator's own marker")
    names = [variable.name for variable in template.environment]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidTemplate(f"template.environment: {twice!r}: must be named only once")
    ours = next((name for name in names if name.startswith(OWN_VARIABLES)), None)
    if ours is not None:
        raise InvalidTemplate(f"template.environment: {ours!r}: variables of {OWN_VARIABLES}… are the operator's own")


def _chdir(settings: Settings, defaults: JobDefaults, *, user: str) -> str:
    """Made absolute as sbatch does, by the folder that stands in for the one that one submits from."""
    base = defaults.settings().get("chdir")
    folder = None if base is None else base.text.replace("%u", user)
    setting = settings.get("chdir")
    if setting is None:
        raise InvalidTemplate(f"template.chdir: {NO_FOLDER}")
    path = folder if setting == base and folder is not None else setting.text
    if not path.startswith("/") and (folder is None or not folder.startswith("/")):
        raise InvalidTemplate(
            f"{setting.where}: {shown(setting.text)}: must be an absolute path where the connection has no default"
        )
    return absolute(path, folder=folder or "")


def outline(raw: Mapping[str, Any], *, name: str) -> Outline:
    """What is known of a template before it is known where it goes, whatever else is wrong with it."""
    parts = _settings(raw)
    settings = parts[0]
    texts = {option: setting.text for option, setting in settings.items()}
    holds = (part.get("hold") for part in parts)
    return Outline(
        slurm_name=texts.get("job-name") or name,
        hold=any(hold is not None and hold.text == "true" for hold in holds),
        priority=_priority(settings),
        array=array_of(texts.get("array", "")),
    )


def array_of(text: str) -> ArraySpec | None:
    """The tasks; None where it is no array. One that cannot be read makes the template invalid."""
    try:
        return spec_of(text)
    except SbatchError:
        return None


def _priority(settings: Settings) -> int | None:
    """One that cannot be read makes the template invalid. 0 is none: an update to it would hold the job again, where an
    ordinary user's `sbatch --priority=0` does nothing (measured)."""
    setting = settings.get("priority")
    try:
        value = None if setting is None else job.value_of("priority", setting, release=NEWEST)
    except SbatchError:
        return None
    return value if isinstance(value, int) and value > 0 else None


def _settings(raw: Mapping[str, Any]) -> list[Settings]:
    """Of each component, as the newest release reads them that can; none where no release can."""
    try:
        template = JobTemplate.model_validate(raw)
    except ValidationError:
        return [{}]
    for release in RELEASES:
        with suppress(InvalidTemplate):
            return [part.settings for part in components(template, target=Target(release=release))]
    return [{}]


def _of_the_user(user: str) -> dict[str, str]:
    """As a login has them. Where the home is, only the cluster knows."""
    return {"USER": user, "LOGNAME": user} if user else {}


def _for_user(text: str, user: str) -> str:
    """A text of the connection's defaults: `%u` is the user, `%%` a `%`."""
    return _PLACES.sub(lambda found: user if found[0] == "%u" else "%", text)


def _environment(
    template: JobTemplate, defaults: JobDefaults, exported: Mapping[str, str], *, user: str
) -> dict[str, str]:
    """A field wins over `--export`, and that over the connection's defaults. A login shell has a PATH of its own."""
    return {
        **({} if environment.LOGIN in exported else {"PATH": DEFAULT_PATH}),
        **{variable.name: _for_user(variable.value, user) for variable in defaults.environment},
        **exported,
        **{variable.name: variable.value for variable in template.environment},
    }
