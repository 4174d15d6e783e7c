"""Each trap has a test here, or a word that says where it stands."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.model.guards import GUARDS
from tests.traps import register

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def names_of_tests(file: Path) -> set[str]:
    """Names of the test functions of a file."""
    nodes = ast.walk(ast.parse(file.read_text()))
    functions = (node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {node.name for node in functions if node.name.startswith("test_")}


def test_every_trap_is_met_somewhere_and_only_once() -> None:
    names = {name for file in HERE.glob("test_*.py") for name in names_of_tests(file)}
    tested = {name.split("_")[2].upper() for name in names if name.startswith("test_trap_")}
    places = [tested, set(register.WAITING), set(register.WITHOUT_DEFENCE), set(register.GUARDS)]
    assert set().union(*places) == register.ALL
    assert sum(map(len, places)) == len(register.ALL)


@pytest.mark.parametrize("trap", register.GUARDS)
def test_the_guard_against_what_only_a_fault_shows_is_there(trap: str) -> None:
    assert set(register.GUARDS[trap]) <= {guard.name for guard in GUARDS}
    for place in register.SHOWN[trap]:
        file, _, name = place.partition("::")
        assert name in names_of_tests(ROOT / file)
