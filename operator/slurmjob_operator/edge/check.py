"""`slurmjob-operator check`: manifests validated offline, for pre-commit and CI."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from slurmjob_operator.edge.offline import (
    checking_fields,
    checking_jobs,
    manifest_files,
    manifest_objects,
    sourcing,
    targets,
)
from slurmjob_operator.edge.offline.kubectl_yaml import UnreadableYaml
from slurmjob_operator.edge.offline.manifest_files import UnusableInput
from slurmjob_operator.edge.offline.manifest_objects import JOB, Manifest
from slurmjob_operator.edge.offline.problems import Level, Problem
from slurmjob_operator.slurm.request import Target

GOOD: Final = 0
BAD: Final = 1
UNUSABLE: Final = 2
"""Exit codes."""

DESCRIPTION: Final = (
    "Validate SlurmJobs and SlurmConnections without a cluster: YAML as kubectl reads it, the fields as the API server "
    "does, options and #SBATCH lines as the operator does. Objects of other kinds are skipped."
)
EPILOG: Final = (
    "Exit code: 0 all is well, warnings aside; 1 something is wrong; 2 some input could not be read as manifests. "
    "Without --api-version and --slurm-release, what some Slurm takes and another refuses is a warning."
)


@dataclass(slots=True)
class Report:
    """What became of the input."""

    ours: list[Manifest] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    skipped: list[Manifest] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)

    def read(self, text: str, *, file: str) -> None:
        """Sort what a text holds: objects of ours that can be looked at, others, and what is wrong already."""
        try:
            for found in manifest_objects.manifests(text, file=file):
                self._sort(found)
        except UnreadableYaml as error:
            self.unusable.append(f"{file}:{error.line}: {error.rule}")

    def _sort(self, found: Manifest | Problem) -> None:
        if isinstance(found, Problem):
            self.problems.append(found)
            return
        wrong = list(manifest_objects.identity(found))
        self.problems += wrong
        if not wrong:
            (self.ours if found.ours else self.skipped).append(found)

    def count(self, level: Level) -> int:
        """Findings of a level."""
        return sum(problem.level is level for problem in self.problems)

    @property
    def exit_code(self) -> int:
        """For the shell."""
        if self.unusable:
            return UNUSABLE
        return BAD if self.count(Level.ERROR) else GOOD


def parser() -> argparse.ArgumentParser:
    """The flags of this command."""
    command = argparse.ArgumentParser(
        prog="slurmjob-operator check", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False
    )
    command.add_argument("files", nargs="+", metavar="FILE", help="a file, a folder, or - for standard input")
    command.add_argument("--output", choices=["text", "json"], default="text", help="text (default) or json")
    targets.add_arguments(command)
    return command


def main(words: Sequence[str]) -> int:
    """Check what the words name; the exit code."""
    flags = parser().parse_args(words)
    wanted = targets.targets(release=flags.slurm_release, api_version=flags.api_version)
    report = check(flags.files, wanted)
    if flags.output == "json":
        json.dump(as_json(report), sys.stdout, indent=2, ensure_ascii=False)
        print()
    else:
        print("\n".join(as_text(report)))
    return report.exit_code


def check(names: Sequence[str], wanted: Sequence[Target]) -> Report:
    """Everything that is wrong with the objects in these files."""
    report = Report()
    for file in _files(names, report):
        try:
            report.read(manifest_files.text(file), file=file)
        except UnusableInput as error:
            report.unusable.append(str(error))
    return _checked(report, wanted)


def check_text(text: str, wanted: Sequence[Target], *, file: str = manifest_files.STDIN) -> Report:
    """The same of a text."""
    report = Report()
    report.read(text, file=file)
    return _checked(report, wanted)


def _files(names: Sequence[str], report: Report) -> Iterator[str]:
    for name in names:
        try:
            yield from manifest_files.found([name])
        except UnusableInput as error:
            report.unusable.append(str(error))


def _checked(report: Report, wanted: Sequence[Target]) -> Report:
    known = checking_jobs.connections(report.ours)
    config_maps = sourcing.config_maps(report.skipped)
    used = sourcing.used(report.ours)
    report.skipped = [one for one in report.skipped if (one.kind, one.namespace, one.name) not in used]
    for manifest in report.ours:
        found = list(checking_fields.problems(manifest))
        if manifest.kind == JOB:
            whole, told = sourcing.filled(manifest, config_maps)
            found = list(dict.fromkeys([*found, *told, *checking_fields.problems(whole)]))
            found += checking_jobs.problems(whole, targets=wanted, known=known)
        else:
            found += checking_jobs.defaults_problems(manifest, targets=wanted)
        report.problems += sorted(found, key=lambda problem: problem.line)
    return report


def as_text(report: Report) -> Iterator[str]:
    """A line for each finding, and one that counts."""
    yield from report.unusable
    yield from (str(problem) for problem in report.problems)
    for manifest in report.skipped:
        yield f"{manifest.file}:{manifest.document.first_line}: skipped: {_called(manifest)} is none of ours"
    errors, warnings = report.count(Level.ERROR) + len(report.unusable), report.count(Level.WARNING)
    yield f"{_many(len(report.ours), 'object')} checked: {_many(errors, 'error')}, {_many(warnings, 'warning')}"


def as_json(report: Report) -> dict[str, Any]:
    """The same for machines."""
    return {
        "checked": len(report.ours),
        "errors": report.count(Level.ERROR),
        "warnings": report.count(Level.WARNING),
        "problems": [problem.as_json() for problem in report.problems],
        "skipped": [
            {"file": one.file, "document": one.document.index, "kind": one.kind, "name": one.name}
            for one in report.skipped
        ],
        "unusable": report.unusable,
    }


def _called(manifest: Manifest) -> str:
    return f"{manifest.kind}/{manifest.name}" if manifest.name else manifest.kind


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
