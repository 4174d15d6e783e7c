"""`slurmjob-operator manifest`: the SlurmJob for an sbatch script, ready for git."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from slurmjob_operator.api.base import DNS_LABEL, DNS_SUBDOMAIN
from slurmjob_operator.api.names import API_VERSION
from slurmjob_operator.edge.offline import (
    checking_fields,
    checking_jobs,
    command_line,
    manifest_files,
    manifest_objects,
)
from slurmjob_operator.edge.offline import targets as slurms
from slurmjob_operator.edge.offline.command_line import CommandLine, InvalidCommandLine
from slurmjob_operator.edge.offline.manifest_fields import NoField, fields
from slurmjob_operator.edge.offline.manifest_files import UnusableInput
from slurmjob_operator.edge.offline.manifest_objects import JOB, Manifest
from slurmjob_operator.edge.offline.object_names import object_name
from slurmjob_operator.edge.offline.problems import Level, Problem
from slurmjob_operator.edge.offline.yaml_writing import written
from slurmjob_operator.sbatch import arguments, input_environment, printing, script
from slurmjob_operator.sbatch.errors import InvalidScript, SbatchError
from slurmjob_operator.sbatch.job import value_of
from slurmjob_operator.sbatch.options import TABLE
from slurmjob_operator.sbatch.settings import Setting, Settings, together
from slurmjob_operator.sbatch.value import NEWEST, Release

GOOD: Final = 0
BAD: Final = 1
UNUSABLE: Final = 2
"""Exit codes."""

CONNECTION: Final = "default"
WRAPPED: Final = "#!/bin/sh\n# This script was created by sbatch --wrap.\n\n{}\n"
"""What sbatch itself makes of `--wrap` (measured on 22.05, 24.11 and 26.05)."""

WRAP: Final = "wrap"
IGNORE_FOREIGN: Final = "ignore-pbs"
NAME_OF_STDIN: Final = "sbatch"

HELP: Final = f"""\
usage: slurmjob-operator manifest [sbatch options] [SCRIPT] [sbatch options]

Print the SlurmJob for an sbatch script. Options of sbatch are taken as sbatch takes them, in front of the script and
behind it, and win over the script's #SBATCH lines. Without a SCRIPT, or with -, the script is read from standard input;
--wrap=COMMAND makes one.

  --name N                  name of the object (default: that of the job, or of the file, made to fit)
  --namespace N             its namespace (default: none is written)
  --connection C            name of the SlurmConnection (default: {CONNECTION})
  --fields                  all options as fields of `template`, the script without #SBATCH lines
  --directives              all options as #SBATCH lines of the script
                            (default: the script as it is, options of the command line as fields)
  --slurm-release R         read all of it as sbatch of this release does (default: {NEWEST})
  --use-sbatch-environment  take the variables SBATCH_* of the environment for options, as sbatch does
  --help                    show this

Exit code: 0 all is well; 1 sbatch or the operator would refuse it; 2 the script or the command line cannot be read.
"""


class Refused(Exception):
    """A job that sbatch or the operator would refuse. The text says why, in one or more lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """A script, the options of each of its components, and those that come from outside of it."""

    script: str
    components: tuple[Settings, ...]
    outside: Settings
    release: Release

    @property
    def whole(self) -> tuple[Settings, ...]:
        """The options that count: the command line's hold for all components."""
        return tuple(together(component, self.outside) for component in self.components)

    @property
    def foreign_counts(self) -> bool:
        """Whether `#PBS` and `#BSUB` lines are read."""
        return IGNORE_FOREIGN not in self.whole[0]


def main(words: Sequence[str], *, environ: Mapping[str, str] = os.environ) -> int:
    """Print what the words ask for; the exit code."""
    if "--help" in words or words == ["-h"]:
        print(HELP, end="")
        return GOOD
    try:
        release = _release(words)
        line = command_line.read(words, release=release)
        job = _job(line, release=release, environ=environ)
        body = manifest(job, line)
    except (UnusableInput, InvalidCommandLine) as error:
        return _said(str(error), UNUSABLE)
    except (Refused, NoField, SbatchError) as error:
        return _said(str(error), BAD)
    _warn(_notices(line, job))
    try:
        _warn(_checked(body, line))
    except Refused as error:
        return _said(str(error), BAD)
    print(written(body), end="")
    return GOOD


def _said(text: str, code: int) -> int:
    print(text, file=sys.stderr)
    return code


def _warn(notices: Iterator[str]) -> None:
    for notice in notices:
        print(f"warning: {notice}", file=sys.stderr)


def _release(words: Sequence[str]) -> Release:
    text = command_line.release_named(words)
    try:
        return NEWEST if text is None else slurms.release_argument(text)
    except argparse.ArgumentTypeError as error:
        raise InvalidCommandLine(f"--{command_line.RELEASE}: {error}") from None


# --- Reading ----------------------------------------------------------------------------------------------


def _job(line: CommandLine, *, release: Release, environ: Mapping[str, str]) -> _Job:
    given = script.settings(script.Component(tuple(line.given)), release=release)
    variables = input_environment.settings(environ, release=release) if "use-sbatch-environment" in line.ours else {}
    _check_each(line, variables, release=release)
    outside = together(variables, given)
    wrapped = outside.pop(WRAP, None)
    text = _text(line, wrapped)
    try:
        read = script.read(text, release=release, ignore_foreign=IGNORE_FOREIGN in outside)
    except SbatchError as error:
        raise Refused(f"{line.script or 'standard input'}: {error}") from None
    components = tuple(script.settings(component, release=release) for component in read.components)
    if wrapped is not None and any(components):
        raise Refused(f"{wrapped.where}: sbatch reads no `#SBATCH` lines in it; begin it with a command, such as `:`")
    return _Job(script=text, components=components, outside=outside, release=release)


def _check_each(line: CommandLine, variables: Settings, *, release: Release) -> None:
    """sbatch takes no value that is wrong, not even one that a later one replaces. Raises `SbatchError`, `Refused`."""
    for name, setting in variables.items():
        value_of(name, setting, release=release)
    for one in line.given:
        try:
            arguments.checked(one, release)
        except InvalidScript as error:
            raise Refused(error.rule) from None


def _text(line: CommandLine, wrapped: Setting | None) -> str:
    if wrapped is None:
        return manifest_files.text(line.script or manifest_files.STDIN)
    if line.script is not None:
        raise InvalidCommandLine(f"{line.script!r}: --wrap makes the script; there is none beside it")
    return WRAPPED.format(wrapped.text)


# --- Writing ----------------------------------------------------------------------------------------------


def manifest(job: _Job, line: CommandLine) -> dict[str, Any]:
    """The object. Raises `Refused`, `NoField` and `SbatchError`."""
    metadata = {"name": _name(job, line)}
    if "namespace" in line.ours:
        metadata["namespace"] = _checked_name("namespace", line.ours["namespace"], DNS_LABEL)
    connection = _checked_name("connection", line.ours.get("connection", CONNECTION), DNS_SUBDOMAIN)
    arguments = {"args": list(line.arguments)} if line.arguments else {}
    return {
        "apiVersion": API_VERSION,
        "kind": JOB,
        "metadata": metadata,
        "spec": {"connectionRef": {"name": connection}, "template": {**_template(job, line), **arguments}},
    }


def _template(job: _Job, line: CommandLine) -> dict[str, Any]:
    if "fields" in line.ours and "directives" in line.ours:
        raise InvalidCommandLine("--fields: not beside --directives")
    if "fields" in line.ours:
        return _as_fields(job)
    if "directives" in line.ours:
        return _as_directives(job)
    return {**fields(_with_effect(job.outside), release=job.release), "script": job.script}


def _as_fields(job: _Job) -> dict[str, Any]:
    if len(job.components) > 1:
        raise Refused("--fields: the components of a heterogeneous job differ, and fields hold for all of them")
    options = {name: setting for name, setting in _with_effect(job.whole[0]).items() if name != IGNORE_FOREIGN}
    bare = printing.with_directives(job.script, [], foreign_counts=job.foreign_counts)
    return {**fields(options, release=job.release), "script": bare}


def _as_directives(job: _Job) -> dict[str, Any]:
    lines = printing.directives([_with_effect(component) for component in job.whole], release=job.release)
    text = printing.with_directives(job.script, lines, foreign_counts=job.foreign_counts)
    read = script.read(text, release=job.release)
    again = [script.settings(component, release=job.release) for component in read.components]
    for wanted, found in zip(job.whole, again, strict=True):
        for name, setting in _with_effect(wanted).items():
            if name != IGNORE_FOREIGN and (name not in found or found[name].text != setting.text):
                raise Refused(
                    f"{setting.where}: {setting.text!r} cannot be said by a `#SBATCH` line; leave out --directives"
                )
    return {"script": text}


def _with_effect(settings: Settings) -> dict[str, Setting]:
    return {name: setting for name, setting in settings.items() if TABLE[name].means_nothing is None}


def _name(job: _Job, line: CommandLine) -> str:
    if "name" in line.ours:
        return _checked_name("name", line.ours["name"], DNS_SUBDOMAIN)
    setting = job.whole[0].get("job-name")
    if setting is not None:
        return object_name(setting.text)
    if line.script is None or line.script == manifest_files.STDIN:
        return WRAP if job.script.startswith(WRAPPED.partition("{")[0]) else NAME_OF_STDIN
    return object_name(Path(line.script).stem)


def _checked_name(option: str, name: str, pattern: str) -> str:
    if len(name) > 253 or not re.fullmatch(pattern.strip("^$"), name):
        raise InvalidCommandLine(
            f"--{option}: {name!r}: must be lower case letters, digits, `-` and `.`, as DNS has them"
        )
    return name


# --- What to tell -----------------------------------------------------------------------------------------


def _notices(line: CommandLine, job: _Job) -> Iterator[str]:
    for component in job.whole:
        for name, setting in component.items():
            sentence = TABLE[name].means_nothing
            if sentence is not None:
                yield f"{setting.where}: {sentence}"
    if "connection" not in line.ours:
        yield f"spec.connectionRef.name is {CONNECTION!r}: name the SlurmConnection with --connection"
    if any("chdir" not in component for component in job.whole):
        yield (
            "no --chdir: the job works in the folder that `jobDefaults.chdir` of its connection says, and is refused "
            "where that says none"
        )


def _checked(body: Mapping[str, Any], line: CommandLine) -> Iterator[str]:
    """What `check` warns of. Raises `Refused` for what it calls an error."""
    metadata = body["metadata"]
    object_ = Manifest(
        file=line.script or "standard input",
        document=manifest_objects.single(body),
        path=(),
        body=body,
        kind=JOB,
        name=metadata["name"],
        namespace=metadata.get("namespace"),
    )
    release = slurms.release_argument(line.ours[command_line.RELEASE]) if command_line.RELEASE in line.ours else None
    targets = slurms.targets(release=release, api_version=None)
    found = list(checking_fields.problems(object_))
    found += checking_jobs.problems(object_, targets=targets, known={})
    errors = [_sentence(problem) for problem in found if problem.level is Level.ERROR]
    if errors:
        raise Refused("\n".join(errors))
    return (_sentence(problem) for problem in found if problem.rule != checking_jobs.FOLDER_OF_CONNECTION)


def _sentence(problem: Problem) -> str:
    return ": ".join(part for part in (problem.field.removeprefix("spec."), problem.value, problem.rule) if part)
