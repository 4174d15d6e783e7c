"""Arguments of a script: sent where they can be, else set by the script itself."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmjob_operator.api.connection import JobDefaults
from slurmjob_operator.api.template import JobTemplate
from slurmjob_operator.slurm.dialects import DIALECTS
from slurmjob_operator.slurm.request import Target
from slurmjob_operator.slurm.script_arguments import NoShell, interpreter, set_in
from slurmjob_operator.slurm.template import InvalidTemplate, build_request, components

SCRIPT = "#!/bin/sh\n#SBATCH --time=5\nprintf '%s\\0' \"$@\"\n"
ODD = ["", "a b", "$HOME", "`id`", "it's", '"', "\\", "-n", "two\nlines", "ü"]


def body(version: str, **template: Any) -> dict[str, Any]:
    made = JobTemplate.model_validate({"script": SCRIPT, "chdir": "/x", **template})
    target = Target.of(release="22.05.8" if version == "v0.0.38" else "26.05.5", api_version=version)
    asked = components(made, target=target, defaults=JobDefaults())[0]
    request = build_request(made, asked, name="wing", target=target)
    sent: dict[str, Any] = DIALECTS[version].encode(request, comment="[marker]", version=version)
    return sent


@pytest.mark.parametrize("version", [version for version in DIALECTS if version != "v0.0.38"])
def test_they_are_sent(version: str) -> None:
    """The first one is the script itself, whatever stands there (measured on 24.11 and 26.05)."""
    sent = body(version, args=ODD)
    assert (sent["script"], sent["job"]["argv"]) == (SCRIPT, ["wing", *ODD])
    assert "argv" not in body(version)["job"]


def test_trap_s4_the_script_sets_them_itself() -> None:
    sent = body("v0.0.38", args=["--case", "a b"])
    assert "argv" not in sent["job"]
    assert sent["script"] == SCRIPT.replace("#!/bin/sh\n", "#!/bin/sh\nset -- --case 'a b'\n")
    assert body("v0.0.38")["script"] == SCRIPT


def test_no_shell_no_arguments_on_that_release() -> None:
    script = "#!/usr/bin/python3\n#SBATCH --time=5\n"
    assert body("v0.0.40", script=script, args=["x"])["job"]["argv"] == ["wing", "x"]
    with pytest.raises(InvalidTemplate, match=r"^template.args: this release .* begins with '#!/usr/bin/python3'$"):
        body("v0.0.38", script=script, args=["x"])


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("#!/bin/bash", "bash"),
        ("#! /bin/sh -e", "sh"),
        ("#!/usr/bin/env bash", "bash"),
        ("#!/usr/bin/env -S bash -e", "bash"),
        ("#!/usr/bin/env -S A=1 zsh", "zsh"),
        ("#!/usr/bin/python3 -u", "python3"),
        ("#!/usr/bin/env python3", "python3"),
        ("#!/usr/bin/env", ""),
        ("#!", ""),
    ],
)
def test_what_runs_a_script(line: str, name: str) -> None:
    assert interpreter(line) == name


def test_a_script_of_one_line() -> None:
    assert set_in("#!/bin/sh", ["a"]) == "#!/bin/sh\nset -- a\n"
    with pytest.raises(NoShell):
        set_in("#!/bin/cat", ["a"])


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20), max_size=5))
def test_a_shell_gets_them_as_they_are(arguments: list[str]) -> None:
    done = subprocess.run(["/bin/sh", "-c", set_in(SCRIPT, arguments)], capture_output=True, check=True)
    expected = arguments or [""]  # printf prints its text once where there are none
    assert done.stdout.decode().split("\0")[:-1] == expected
