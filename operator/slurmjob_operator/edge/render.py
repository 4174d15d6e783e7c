"""`slurmjob-operator render`: the body of job/submit, as the operator would send it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from slurmjob_operator.api.connection import JobDefaults
from slurmjob_operator.api.slurmjob import SlurmJobSpec
from slurmjob_operator.core.marker import Marker
from slurmjob_operator.edge.offline import (
    checking_fields,
    checking_jobs,
    manifest_files,
    manifest_objects,
    sourcing,
    targets,
)
from slurmjob_operator.edge.offline.checking_jobs import Connection
from slurmjob_operator.edge.offline.kubectl_yaml import UnreadableYaml
from slurmjob_operator.edge.offline.manifest_files import UnusableInput
from slurmjob_operator.edge.offline.manifest_objects import JOB, Manifest
from slurmjob_operator.edge.offline.object_names import object_name
from slurmjob_operator.edge.offline.problems import Level, Problem
from slurmjob_operator.edge.offline.sourcing import ConfigMaps
from slurmjob_operator.engine.templates import own_variables
from slurmjob_operator.engine.views import template_hash
from slurmjob_operator.slurm.dialects import DIALECTS
from slurmjob_operator.slurm.request import Target
from slurmjob_operator.slurm.template import InvalidTemplate, Wanted, build_request, components

GOOD: Final = 0
BAD: Final = 1
UNUSABLE: Final = 2
"""Exit codes."""

NAMESPACE: Final = "NAMESPACE"
INSTALLATION: Final = "INSTALLATION"
UID: Final = "UID"
USER: Final = "USER"
FOLDER: Final = "/CHDIR"
"""What stands for what only a cluster knows."""

DESCRIPTION: Final = (
    "Print the body of slurmrestd's job/submit for a SlurmJob or an sbatch script, as the operator would send it. "
    f"What only a cluster knows has a name in its place: {INSTALLATION}, {NAMESPACE}, {UID}; {FOLDER} for the "
    f"connection's jobDefaults.chdir and {USER} for the %u in it. A file with several SlurmJobs gives a JSON text for "
    "each."
)


class NotRendered(Exception):
    """A job that the operator would not send. The text says why."""


def parser() -> argparse.ArgumentParser:
    """The flags of this command."""
    command = argparse.ArgumentParser(prog="slurmjob-operator render", description=DESCRIPTION, allow_abbrev=False)
    command.add_argument("file", metavar="FILE", help="a manifest or an sbatch script, or - for standard input")
    targets.add_arguments(command)
    command.add_argument("--chdir", metavar="DIR", help="what to take for the connection's jobDefaults.chdir")
    return command


def main(words: Sequence[str]) -> int:
    """Render what the words name; the exit code."""
    flags = parser().parse_args(words)
    target = targets.target(release=flags.slurm_release, api_version=flags.api_version)
    try:
        bodies = [body(job, connection, target=target, folder=flags.chdir) for job, connection in _jobs(flags.file)]
    except (UnusableInput, UnreadableYaml) as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    except NotRendered as error:
        print(error, file=sys.stderr)
        return BAD
    for one in bodies:
        print(json.dumps(one, indent=2, ensure_ascii=False))
    return GOOD


# --- What there is to render ------------------------------------------------------------------------------


def _jobs(file: str) -> list[tuple[Manifest, Connection | None]]:
    """Each with its connection, where that is at hand."""
    text = manifest_files.text(file)
    if text.startswith("#!"):
        return [(_of_script(text, file), None)]
    found = list(_readable(text, file))
    known = checking_jobs.connections([one for one in found if one.ours])
    config_maps = sourcing.config_maps(found)
    jobs = [one for one in found if one.ours and one.kind == JOB]
    if not jobs:
        raise UnusableInput(f"{file}: holds no {JOB}, and is no script that begins with `#!`")
    return [(_whole(job, config_maps), checking_jobs.connection_of(job, known)) for job in jobs]


def _whole(job: Manifest, config_maps: ConfigMaps) -> Manifest:
    """With the texts of its ConfigMaps, all of which have to be at hand."""
    whole, told = sourcing.filled(job, config_maps)
    if told:
        raise NotRendered("\n".join(f"{_called(job)}: {one.field}: {one.rule}" for one in told))
    return whole


def _readable(text: str, file: str) -> Iterator[Manifest]:
    for one in manifest_objects.manifests(text, file=file):
        if isinstance(one, Problem):
            print(f"warning: {one}", file=sys.stderr)
        else:
            yield one


def _of_script(text: str, file: str) -> Manifest:
    """A script as the SlurmJob that `manifest` makes of it."""
    name = object_name("sbatch" if file == manifest_files.STDIN else Path(file).stem)
    body = {"metadata": {"name": name}, "spec": {"connectionRef": {"name": "any"}, "template": {"script": text}}}
    document = manifest_objects.single(body)
    return Manifest(file=file, document=document, path=(), body=body, kind=JOB, name=name, namespace=None)


# --- One job ----------------------------------------------------------------------------------------------


def body(manifest: Manifest, connection: Connection | None, *, target: Target, folder: str | None) -> dict[str, Any]:
    """The body of job/submit for one SlurmJob; `jobs` in the place of `job` for one of several components. `folder`
    stands for the one that the connection gives, where that is not known.

    Raises `NotRendered`.
    """
    spec = _spec(manifest)
    known = connection or Connection(defaults=JobDefaults(chdir=folder or FOLDER))
    if known.defaults.settings().get("chdir") is None:
        given = known.defaults.model_dump(exclude_none=True)
        known = replace(known, defaults=JobDefaults.model_validate({**given, "chdir": folder or FOLDER}))
    try:
        parts = components(spec.template, target=target, defaults=known.defaults)
        sent = [_encoded(manifest, spec, asked, target=target, connection=known) for asked in parts]
    except InvalidTemplate as error:
        raise NotRendered(f"{_called(manifest)}: {error}") from None
    for notice in dict.fromkeys(notice for asked in parts for notice in asked.notices):
        print(f"warning: {_called(manifest)}: {notice}", file=sys.stderr)
    if len(sent) == 1:
        return sent[0]
    return {"script": sent[0]["script"], "jobs": [one["job"] for one in sent]}


def _spec(manifest: Manifest) -> SlurmJobSpec:
    wrong = [str(one) for one in checking_fields.problems(manifest) if one.level is Level.ERROR]
    if wrong:
        raise NotRendered("\n".join(wrong))
    try:
        return SlurmJobSpec.model_validate_json(json.dumps(manifest.body["spec"]), strict=True)
    except ValidationError as error:
        raise NotRendered(f"{_called(manifest)}: {error}") from None


def _encoded(
    manifest: Manifest, spec: SlurmJobSpec, asked: Wanted, *, target: Target, connection: Connection
) -> dict[str, Any]:
    name = asked.text("job-name") or manifest.name
    namespace = manifest.namespace or NAMESPACE
    own = own_variables(name=manifest.name, namespace=namespace, uid=UID, attempt=1)
    request = build_request(
        spec.template, asked, name=name, target=target, user=USER, defaults=connection.defaults, own=own
    )
    marker = Marker(
        installation=INSTALLATION,
        namespace=namespace,
        name=manifest.name,
        uid=UID,
        attempt=1,
        template_hash=template_hash(manifest.body["spec"]["template"]),
    )
    extra = asked.text("extra")
    return DIALECTS[target.api_version].encode(
        request,
        comment=marker.comment(asked.text("comment") or ""),
        extra=marker.comment("") if extra is None and connection.marks_extra else extra,
        version=target.api_version,
    )


def _called(manifest: Manifest) -> str:
    return f"{manifest.file}: {JOB}/{manifest.name}"
