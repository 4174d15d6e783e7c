"""The stage of a fault run, and its closing line where people see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sandboxlib.paths import Paths
from tests.faults import verdict as verdicts
from tests.faults.stage import Stage
from tests.faults.verdict import Floor, Verdict

Close = Callable[[Verdict, Floor], None]


@pytest.fixture
def stage(sandbox: Paths) -> Iterator[Stage]:
    """An operator of the test's own, not started yet."""
    with Stage.on(sandbox) as made:
        yield made


@pytest.fixture
def close(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Close:
    """Close a run: its line is printed past pytest's capturing."""

    def closing(verdict: Verdict, floor: Floor) -> None:
        with capsys.disabled():
            print(f"\n{request.node.name}: ", end="")
            verdicts.close(verdict, floor)

    return closing
