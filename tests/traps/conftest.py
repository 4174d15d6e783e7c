"""All three clusters at once: most traps are those of one release."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sandboxlib import cli
from sandboxlib.paths import Paths, default_paths
from sandboxlib.slurm_suites import SUITES
from tests.traps.slurm import Slurm


@pytest.fixture(scope="session")
def clusters() -> Paths:
    """They stay up when the tests end."""
    assert cli.main(["up", *(word for suite in SUITES for word in ("--slurm", suite))]) == 0
    return default_paths()


@pytest.fixture
def slurm(clusters: Paths) -> Iterator[Callable[[str], Slurm]]:
    """Give a suite, get its Slurm; what a test leaves there is cancelled."""
    given: list[Slurm] = []

    def of(suite: str) -> Slurm:
        given.append(Slurm(paths=clusters, suite=suite))
        return given[-1]

    yield of
    for one in given:
        one.clean()
