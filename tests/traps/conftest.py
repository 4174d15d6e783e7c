"""The clusters that traps are shown on: most traps are those of one release, so each test names its suite.

With SANDBOX_SUITE only the tests of that suite run; those that need no daemon run beside the newest one's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from sandboxlib import cli
from sandboxlib.paths import Paths, default_paths
from tests.traps.slurm import Slurm

HERE = Path(__file__).parent
NEWEST = "forky"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    lane = os.environ.get("SANDBOX_SUITE")
    others = [item for item in items if lane and HERE in item.path.parents and _suite(item) != lane]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


def _suite(item: pytest.Item) -> object:
    return item.callspec.params.get("suite", NEWEST) if hasattr(item, "callspec") else NEWEST


@cache
def up(suite: str) -> Paths:
    """It stays up when the tests end."""
    assert cli.main(["up", "--slurm", suite]) == 0
    return default_paths()


@pytest.fixture
def slurm() -> Iterator[Callable[[str], Slurm]]:
    """Give a suite, get its Slurm; what a test leaves there is cancelled."""
    given: list[Slurm] = []

    def of(suite: str) -> Slurm:
        given.append(Slurm(paths=up(suite), suite=suite))
        return given[-1]

    yield of
    for one in given:
        one.clean()


@pytest.fixture(scope="module")
def accounted(suite: str) -> Iterator[tuple[Slurm, int]]:
    """A Slurm whose slurmdbd has heard of a held job with a comment, and the job's id."""
    there = Slurm(paths=up(suite), suite=suite)
    job_id = int(there.submit({"comment": "[marker]"}).json()["job_id"])
    there.until(lambda: there.accounted("submit_time"))
    yield there, job_id
    there.clean()
