"""Which lines of a script count, and which scripts sbatch does not send at all: as the real one does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slurmjob_operator.sbatch import lines
from slurmjob_operator.sbatch.errors import InvalidScript

SH = "#!/bin/sh\n"
COMMANDS = "true\n" * 100


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("#SBATCH -n2\n", [(2, " -n2")]),
        ("#SBATCH -n2", [(2, " -n2")]),
        ("#SBATCH", [(2, "")]),
        ("#SBATCH-n2\n", [(2, "-n2")]),
        ("#SBATCHX -n2\n", [(2, "X -n2")]),
        ("#SBATCH -n2\n#SBATCH -N1\n", [(2, " -n2"), (3, " -N1")]),
        ("#SBATCH -n2\rtrue\n", [(2, " -n2\rtrue")]),
        ("\n\n  \t\n#SBATCH -n2\n", [(5, " -n2")]),
        ("\v\f\r \n#SBATCH -n2\n", [(3, " -n2")]),
        ("# a comment \\\n#SBATCH -n2\n", [(3, " -n2")]),
        ("  # an indented comment\n#SBATCH -n2\n", [(3, " -n2")]),
        ("  #SBATCH -N1\n#SBATCH -n2\n", [(3, " -n2")]),
        ("\f#SBATCH -N1\n#SBATCH -n2\n", [(3, " -n2")]),
        ("# SBATCH -N1\n##SBATCH -N1\n#sbatch -N1\n#Sbatch -N1\n#SBATCH -n2\n", [(6, " -n2")]),
        ("# comment\n" * 5000 + "#SBATCH -n2\n", [(5002, " -n2")]),
        (f"#{'x' * 70000}\n#SBATCH -n2\n", [(3, " -n2")]),
        ("true\n#SBATCH -n2\n", []),
        ("  true\n#SBATCH -n2\n", []),
        ("true # a comment\n#SBATCH -n2\n", []),
        (":\n#SBATCH -n2\n", []),
        ("\u00a0\n#SBATCH -n2\n", []),
        ("cat <<END\n#SBATCH -n2\nEND\n", []),
        ('"""A docstring."""\n#SBATCH -n2\n', []),
        ("", []),
    ],
)
def test_lines_that_count(script: str, found: list[tuple[int, str]]) -> None:
    assert list(lines.directives(SH + script)) == found


@pytest.mark.parametrize("shebang", ["#!", "#!bash", "#! /bin/sh", "#!/usr/bin/env python3", "#!#SBATCH -n9"])
def test_any_interpreter(shebang: str) -> None:
    script = f"{shebang}\n#SBATCH -n2"
    lines.check(script)
    assert list(lines.directives(script)) == [(2, " -n2")]


def test_what_follows_the_interpreter_is_no_directive() -> None:
    assert list(lines.directives("#!/bin/sh#SBATCH -n2\n")) == []


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("#PBS -N a\n", [(2, " -N a")]),
        ("#PBS-Na\n", [(2, "-Na")]),
        ("true\n#PBS -N a\n", [(3, " -N a")]),
        (f"{COMMANDS}#PBS -N a\n", [(102, " -N a")]),
        (f"{COMMANDS}true\n#PBS -N a\n", []),
        (f"{COMMANDS}\n#PBS -N a\n", []),
        (f"{COMMANDS}  # indented\n#PBS -N a\n", []),
        (f"{COMMANDS}# a comment\n#PBS -N a\n", [(103, " -N a")]),
        ("cat <<END\n#PBS -N a\nEND\n", [(3, " -N a")]),
        ("  #PBS -N a\n##PBS -N a\n#pbs -N a\n", []),
    ],
)
def test_lines_of_another_system_count_among_commands(script: str, found: list[tuple[int, str]]) -> None:
    assert list(lines.foreign(SH + script, lines.PBS)) == found


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("", "script: is empty"),
        ("\n", "script: is empty"),
        (" \t\r\n\v\f", "script: is empty"),
        ("#", "script, line 1: must start with `#!` and the path of an interpreter, as in `#!/bin/bash`"),
        ("true\r\n", "script, line 1: must start with `#!` and the path of an interpreter, as in `#!/bin/bash`"),
        ("\n#!/bin/sh\n", "script, line 1: must start with `#!` and the path of an interpreter, as in `#!/bin/bash`"),
        (" #!/bin/sh\n", "script, line 1: must start with `#!` and the path of an interpreter, as in `#!/bin/bash`"),
        ("#SBATCH -n2\n", "script, line 1: must start with `#!` and the path of an interpreter, as in `#!/bin/bash`"),
        (
            "\ufeff#!/bin/sh\n",
            "script, line 1: must not start with a byte order mark: its first two bytes must be `#!`",
        ),
        ("#!/bin/sh\n\ntr\0ue\r\n", "script, line 3: must not hold a NUL character"),
        ("#!/bin/sh\ntrue\n" + "true\n" * 5000 + "\0", "script, line 5003: must not hold a NUL character"),
        ("#!/bin/sh\r\ntrue\r\n", r"script, line 1: must end its lines with \n, not with \r\n as DOS does"),
        ("#!/bin/sh\ntrue\nx\r\n", r"script, line 3: must end its lines with \n, not with \r\n as DOS does"),
    ],
)
def test_scripts_that_are_not_sent(script: str, message: str) -> None:
    with pytest.raises(InvalidScript) as refused:
        lines.check(script)
    assert str(refused.value) == message


@pytest.mark.parametrize("script", ["#!", "#!/bin/sh\n#SBATCH -n2\rtrue\r", "#!/bin/sh\n\xff\xfe\n"])
def test_scripts_that_are_sent(script: str) -> None:
    lines.check(script)


@given(st.text(alphabet=st.sampled_from("a# \n\t\r"), max_size=60))
def test_lines_are_all_there_in_order(text: str) -> None:
    found = list(lines.numbered(text))
    assert [line.number for line in found] == list(range(1, len(found) + 1))
    assert [line.text for line in found] == text.removesuffix("\n").split("\n") or not text
