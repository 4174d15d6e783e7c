"""TRAP S7: options whose key kills slurmrestd, on the daemon that has it, and what becomes of them in a template."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from sandboxlib.daemons import is_running
from slurmjob_operator.sbatch.options import TABLE
from slurmjob_operator.sbatch.rest import plain
from slurmjob_operator.slurm.template import InvalidTemplate
from tests.real.own_slurmrestd import own_slurmrestd
from tests.traps.defended import defended
from tests.traps.slurm import Slurm
from tests.traps.test_submission import built

MOST_TRIES = 20
"""The memory is damaged at once; when the daemon stumbles over that is a matter of luck."""


@pytest.mark.parametrize(
    ("suite", "version", "key", "field", "value"),
    [
        ("bookworm", "v0.0.38", "batch_features", "batch", "fast"),
        ("trixie", "v0.0.41", "distribution", "distribution", "pack"),
    ],
)
async def test_trap_s7_a_key_that_kills_slurmrestd(
    slurm: Callable[[str], Slurm],
    suite: str,
    version: str,
    key: str,
    field: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = slurm(suite)
    with own_slurmrestd(there.paths, suite, there.name) as (port, daemon):
        url = f"http://127.0.0.1:{port}"
        for _ in range(MOST_TRIES):
            try:
                there.submit({key: value}, url=url, version=version)
            except httpx.TransportError:
                break
        there.until(lambda: not is_running(daemon))

    async def probe() -> bool:
        try:
            built({field: value}, version=version)
        except InvalidTemplate as refusal:
            return f"template.{field}" in str(refusal)
        return False

    def without(patch: pytest.MonkeyPatch) -> None:
        row: Any = TABLE[field]
        said = plain(key)
        patch.setitem(TABLE, field, replace(row, v38=said, v40=said))

    await defended(monkeypatch, probe=probe, without=without)
