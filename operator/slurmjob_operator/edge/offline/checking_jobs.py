"""What the operator would refuse of a SlurmJob, on each Slurm that it may be sent to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from slurmjob_operator.api.connection import JobDefaults, MarkerField
from slurmjob_operator.api.template import JobTemplate
from slurmjob_operator.edge.offline.checking_fields import spec_errors
from slurmjob_operator.edge.offline.manifest_objects import CONNECTION, JOB, Manifest
from slurmjob_operator.edge.offline.problems import Level, Problem, value_text
from slurmjob_operator.edge.offline.targets import named
from slurmjob_operator.sbatch import job, script
from slurmjob_operator.sbatch.errors import InvalidScript, InvalidValue, NotOverRest, SbatchError
from slurmjob_operator.sbatch.settings import Setting, Settings
from slurmjob_operator.slurm.request import Target
from slurmjob_operator.slurm.template import (
    NO_DEFAULTS,
    InvalidTemplate,
    Wanted,
    build_request,
    components,
)

SOME_FOLDER: Final = "/"
"""Stands for the `jobDefaults.chdir` of a connection that is not at hand."""
MOST_LINES_TOLD: Final = 20
FOLDER_OF_CONNECTION: Final = (
    "given neither here nor by `#SBATCH --chdir`: the connection's `jobDefaults.chdir` must say it"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What a connection has to do with the jobs that go by it."""

    defaults: JobDefaults
    marks_extra: bool = False


Connections = Mapping[tuple[str | None, str], Connection]
"""Those at hand, by namespace and name."""


@dataclass(frozen=True, slots=True)
class _Finding:
    """Something wrong on one Slurm. `field` is without `spec.`: `template.mem`, `template.script, line 3: --mem`."""

    field: str
    value: str | None
    rule: str
    level: Level = Level.ERROR


def connections(manifests: Sequence[Manifest]) -> Connections:
    """Those among these objects; what is wrong in one counts as if it were not there."""
    found: dict[tuple[str | None, str], Connection] = {}
    for manifest in manifests:
        if manifest.kind == CONNECTION:
            marked = _spec(manifest).get("markerFields")
            found[manifest.namespace, manifest.name] = Connection(
                defaults=_defaults(manifest), marks_extra=isinstance(marked, list) and MarkerField.EXTRA in marked
            )
    return found


def _spec(manifest: Manifest) -> Mapping[str, Any]:
    spec = manifest.body.get("spec")
    return spec if isinstance(spec, dict) else {}


def _defaults(manifest: Manifest) -> JobDefaults:
    try:
        return JobDefaults.model_validate_json(json.dumps(_spec(manifest).get("jobDefaults", {})), strict=True)
    except ValidationError:
        return NO_DEFAULTS


def connection_of(manifest: Manifest, known: Connections) -> Connection | None:
    """That of a SlurmJob; None where it is not at hand."""
    reference = _spec(manifest).get("connectionRef")
    name = reference.get("name") if isinstance(reference, dict) else None
    return known.get((manifest.namespace, str(name)))


def problems(manifest: Manifest, *, targets: Sequence[Target], known: Connections) -> Iterator[Problem]:
    """All that is wrong with what a SlurmJob asks for. What holds of some of the targets only is a warning."""
    template = _template(manifest)
    if template is None:
        return
    connection = connection_of(manifest, known)
    defaults = None if connection is None else connection.defaults
    yield from _told(manifest, {one: _findings(template, one, defaults) for one in targets})


def defaults_problems(manifest: Manifest, *, targets: Sequence[Target]) -> Iterator[Problem]:
    """The same of the `jobDefaults` of a SlurmConnection."""
    defaults = _defaults(manifest)
    yield from _told(manifest, {one: _values(defaults.settings(), one) for one in targets})


def _told(manifest: Manifest, by_target: Mapping[Target, Iterator[_Finding]]) -> Iterator[Problem]:
    """Each finding once, with the targets that it holds of where it does not hold of all. As long as one of them takes
    the job, what others refuse is a warning."""
    found: dict[_Finding, list[Target]] = {}
    refusing = set[Target]()
    for target, findings in by_target.items():
        for finding in dict.fromkeys(findings):
            found.setdefault(finding, []).append(target)
            if finding.level is Level.ERROR:
                refusing.add(target)
    for finding, where in found.items():
        somewhere = named(where, tuple(by_target)) if len(where) < len(by_target) else ""
        level = finding.level if len(refusing) == len(by_target) else Level.WARNING
        yield _problem(manifest, finding, level, somewhere)


def _problem(manifest: Manifest, finding: _Finding, level: Level, somewhere: str) -> Problem:
    on = f"on {somewhere}: " if somewhere else ""
    path = tuple(finding.field.partition(",")[0].partition(":")[0].split("."))
    return manifest.problem_in(
        f"spec.{finding.field}", ("spec", *path), f"{on}{finding.rule}", value=finding.value, level=level
    )


def _template(manifest: Manifest) -> JobTemplate | None:
    """The template, without those fields that have been found wrong; None where too little is left of it."""
    spec = _spec(manifest)
    raw = spec.get("template")
    if not isinstance(raw, dict):
        return None
    places = [error["loc"] for error in spec_errors(JOB, spec)]
    wrong = {place[1] for place in places if len(place) > 1 and place[0] == "template"}
    good = {field: value for field, value in raw.items() if field not in wrong}
    try:
        return JobTemplate.model_validate_json(json.dumps(good), strict=True)
    except ValidationError:
        return None


# --- One Slurm --------------------------------------------------------------------------------------------


def _findings(template: JobTemplate, target: Target, defaults: JobDefaults | None) -> Iterator[_Finding]:
    supposed = defaults or JobDefaults(chdir=SOME_FOLDER)
    try:
        parts = components(template, target=target, defaults=supposed)
    except InvalidTemplate as error:
        yield from _script_findings(template.script or "", error, target=target)
        yield from _values(template.settings(), target)
        return
    for asked in parts:
        own = {name: setting for name, setting in asked.settings.items() if not _is_default(setting)}
        found = [*_values(own, target), *_unsaid(asked.settings, target)]
        yield from found
        yield from (_whole_sentence(notice, Level.WARNING) for notice in asked.notices)
        if not found:
            yield from _refused(template, asked, target=target, defaults=supposed)
        if defaults is None and _is_default(asked.settings["chdir"]):
            yield _Finding(field="template.chdir", value=None, rule=FOLDER_OF_CONNECTION, level=Level.WARNING)


def _script_findings(text: str, error: InvalidTemplate, *, target: Target) -> Iterator[_Finding]:
    """What is wrong with a script: sbatch tells the first thing only, so each line that is wrong is taken out."""
    cause = error.__cause__
    if not isinstance(cause, InvalidScript):
        yield _whole_sentence(str(error))
        return
    told, lines = cause, text.split("\n")
    for _ in range(MOST_LINES_TOLD):
        yield _script_finding(told, target)
        if told.line is None:
            return
        lines[told.line - 1] = "#" if told.line > 1 else "#!"
        try:
            script.read("\n".join(lines), release=target.release)
        except InvalidScript as another:
            told = another
        else:
            return


def _script_finding(error: InvalidScript, target: Target) -> _Finding:
    """The release is named elsewhere, and only where it matters."""
    line = "" if error.line is None else f", line {error.line}"
    value = None if error.value is None else value_text(error.value)
    return _Finding(
        field=f"template.script{line}",
        value=value,
        rule=error.rule.replace(f" of sbatch {target.release}", " of sbatch"),
    )


def _values(settings: Settings, target: Target) -> Iterator[_Finding]:
    """Each value for itself."""
    for name, setting in settings.items():
        try:
            job.value_of(name, setting, release=target.release)
        except job.InvalidOption as error:
            cause = error.__cause__
            if isinstance(cause, InvalidValue):
                yield _of(setting, cause.rule, value=value_text(cause.value))
            else:
                yield _of(setting, cause.reason if isinstance(cause, NotOverRest) else str(error))


def _unsaid(settings: Settings, target: Target) -> Iterator[_Finding]:
    """Values together, then each as this API version says it."""
    try:
        values = job.parsed(settings, release=target.release)
    except SbatchError as error:
        if not isinstance(error.__cause__, InvalidValue | NotOverRest):
            yield _whole_sentence(str(error))
        return
    for name, value in values.items():
        try:
            job.body_of(name, value, api_version=target.api_version)
        except NotOverRest as error:
            setting = settings.get(name)
            yield _whole_sentence(str(error)) if setting is None else _of(setting, error.reason)


def _refused(template: JobTemplate, asked: Wanted, *, target: Target, defaults: JobDefaults) -> Iterator[_Finding]:
    """The rest of what building the request would refuse."""
    try:
        build_request(template, asked, name="job", target=target, defaults=defaults)
    except InvalidTemplate as error:
        yield _whole_sentence(str(error))


def _is_default(setting: Setting) -> bool:
    """Whether it is the connection's, whose own check tells what is wrong with it."""
    return setting.where.startswith("jobDefaults.")


def _of(setting: Setting, rule: str, *, value: str | None = None) -> _Finding:
    return _Finding(field=setting.where, value=value, rule=rule)


def _whole_sentence(text: str, level: Level = Level.ERROR) -> _Finding:
    """`template.script, line 3: --mem: RULE` or `template.mem: RULE`, taken apart."""
    field, _, rule = text.partition(": ")
    if rule.startswith(("--", "#")):
        option, _, rule = rule.partition(": ")
        field = f"{field}: {option}"
    if field.startswith("script"):
        field = f"template.{field}"
    return _Finding(field=field, value=None, rule=rule or text, level=level)
