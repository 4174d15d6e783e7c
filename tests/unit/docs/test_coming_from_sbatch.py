"""Every command of the page is run as it is written, and prints what the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/coming-from-sbatch.md").read_text()

FENCE = re.compile(r"^```(?P<language>[a-z]+)(?: file=(?P<file>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


class Command(NamedTuple):
    line: str
    printed: str


def _commands() -> list[Command]:
    sessions = "".join(match["text"] for match in FENCE.finditer(PAGE) if match["language"] == "console")
    found = [part.partition("\n") for part in re.split(r"^\$ ", sessions, flags=re.MULTILINE) if part]
    return [Command(line, printed) for line, _, printed in found]


def test_every_command_prints_what_the_page_says(tmp_path: Path) -> None:
    """All in one shell and one folder, in the order of the page."""
    for match in FENCE.finditer(PAGE):
        if match["file"]:
            (tmp_path / match["file"]).write_text(match["text"])
    program = tmp_path / "bin/slurmjob-operator"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m slurmjob_operator "$@"\n')
    program.chmod(0o755)
    commands = _commands()
    assert len(commands) > 5
    mark = "=== next ==="
    script = f"\necho '{mark}'\n".join(_keeping_the_exit_code(command.line) for command in commands)
    done = subprocess.run(
        [shutil.which("bash") or "bash", "-c", script],
        cwd=tmp_path,
        env={"PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "operator")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    printed = done.stdout.split(f"{mark}\n")
    for command, text in zip(commands, printed, strict=True):
        assert text == command.printed, command.line


def _keeping_the_exit_code(line: str) -> str:
    """`echo $?` tells of the command before it, not of what stands between them."""
    return "echo $code" if line == "echo $?" else f"{line}; code=$?"


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)", PAGE))
def test_links(link: str) -> None:
    assert (ROOT / "docs" / link).exists()


def test_the_hook_that_the_page_names() -> None:
    hooks = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    (named,) = re.findall(r"- id: (\S+)", PAGE)
    assert hooks[named]["entry"] == "slurmjob-operator check"
