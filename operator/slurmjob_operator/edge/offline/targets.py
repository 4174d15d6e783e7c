"""The Slurms that the offline commands know: releases, and the API versions that each of them serves."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Final

from slurmjob_operator.sbatch.value import NEWEST, OLDEST, R24_11, Release
from slurmjob_operator.slurm.dialects import DIALECTS, DOCUMENT_ONLY
from slurmjob_operator.slurm.request import Target

SERVED: Final[tuple[tuple[Release, tuple[str, ...]], ...]] = (
    (NEWEST, ("v0.0.45", "v0.0.44", "v0.0.43", "v0.0.42")),
    (R24_11, ("v0.0.42", "v0.0.41", "v0.0.40")),
    (OLDEST, ("v0.0.38",)),
)
"""By release, the newest first; measured on their slurmrestd."""

TARGETS: Final = tuple(
    Target(release=release, api_version=version) for release, versions in SERVED for version in versions
)
RELEASES: Final = tuple(release for release, _ in SERVED)

_RELEASE: Final = re.compile(r"([0-9]{2})\.(0?[1-9]|1[0-2])(?:\.[0-9]+)?")


def targets(*, release: Release | None, api_version: str | None) -> tuple[Target, ...]:
    """Those that are meant: all that are known where nothing is said, at least one in any case."""
    found = tuple(
        target for target in TARGETS if release in (None, target.release) and api_version in (None, target.api_version)
    )
    if found:
        return found
    return (Target(release=release or NEWEST, api_version=api_version or _version_of(release or NEWEST)),)


def target(*, release: Release | None, api_version: str | None) -> Target:
    """The one that is meant: of the releases that serve a version that whose newest version it is."""
    found = targets(release=release, api_version=api_version)
    newest = {served: versions[0] for served, versions in SERVED}
    return next((one for one in found if newest.get(one.release) == one.api_version), found[0])


def named(some: Sequence[Target], among: Sequence[Target]) -> str:
    """Some of the targets, for messages: `Slurm 22.05, Slurm 26.05 (v0.0.42)`, versions where not all are meant."""
    releases = dict.fromkeys(one.release for one in some)
    return ", ".join(f"Slurm {release}{_versions(release, some, among)}" for release in releases)


def _versions(release: Release, some: Sequence[Target], among: Sequence[Target]) -> str:
    versions, all_versions = ([one.api_version for one in these if one.release == release] for these in (some, among))
    return "" if len(versions) == len(all_versions) else f" ({', '.join(versions)})"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--api-version`, `--slurm-release`."""
    parser.add_argument(
        "--api-version",
        choices=list(DIALECTS),
        metavar="V",
        help=f"version of slurmrestd's API, one of {', '.join(DIALECTS)}",
    )
    parser.add_argument(
        "--slurm-release",
        type=release_argument,
        metavar="R",
        help=f"release of Slurm, e.g. {', '.join(str(release) for release in RELEASES)}",
    )


def release_argument(text: str) -> Release:
    """`24.11` or `24.11.5`, for argparse."""
    match = _RELEASE.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r}: must be a release of Slurm, such as {NEWEST}")
    return Release(int(match[1]), int(match[2]))


def _version_of(release: Release) -> str:
    """The newest version of the newest known release that is not newer, else the oldest that there is."""
    older = [versions[0] for served, versions in SERVED if served <= release]
    return older[0] if older else min(version for version in DIALECTS if version not in DOCUMENT_ONLY)
