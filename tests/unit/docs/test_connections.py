"""The page on connections: its manifest is one, and it knows every reason."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from slurmjob_operator.api.conditions import Reason
from slurmjob_operator.api.connection import SlurmConnection
from slurmjob_operator.engine.problems import PERMANENT_REASONS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "connections.md").read_text(encoding="utf-8")


def test_the_manifest_is_a_connection() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    manifest = yaml.safe_load(block)
    spec = SlurmConnection.model_validate(manifest).spec
    told = spec.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)
    assert told.keys() == manifest["spec"].keys(), "no key of it is unknown"


def test_each_reason_has_its_row() -> None:
    rows = "".join(line for line in PAGE.splitlines() if line.startswith("| `"))
    wanted = {*PERMANENT_REASONS, Reason.CLUSTER_UNREACHABLE, Reason.SUSPENDED}
    assert {str(reason) for reason in wanted if f"`{reason}`" not in rows} == set()
