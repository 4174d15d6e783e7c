"""`make check-options`: the committed copies against what the sbatch of the three clusters say now.

Prints what differs, and ends with the number of releases where something does. `--write` writes the copies anew.
"""

from __future__ import annotations

import difflib
import re
import string
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import Final

from sandboxlib import slurm_cluster
from sandboxlib.paths import Paths, default_paths
from slurmjob_operator.sbatch.option import Argument
from tests.sbatch_help import copies

HEADER: Final = """\
# Long options that this sbatch knows, and whether they have an argument.
# Names: what getopt_long says that `--a` to `--z` may stand for. Arguments: what it says to `--NAME` and `--NAME=x`.
"""

UNKNOWN: Final = "no-such-option"
"""What follows, so that nothing is submitted whatever goes before it (`--wrap=x` needs no script)."""

_ALONE = re.compile(r"option '--([a-z0-9-]+)' requires an argument")
_POSSIBLE = re.compile(r"'--([a-z0-9-]+)'")


def said(paths: Paths, suite: str, *, topic: str) -> str:
    """What a suite's sbatch says now."""
    return _options(paths, suite) if topic == "options" else _asked(paths, suite, [f"--{topic}"])[0]


def _options(paths: Paths, suite: str) -> str:
    beginnings = [f"--{letter}" for letter in string.ascii_lowercase]
    listed = {name for answer in _asked(paths, suite, beginnings) for name in _meant(answer)}
    texts = "".join(said(paths, suite, topic=topic) for topic in ("help", "usage"))
    names = sorted(listed | set(re.findall(r"(?<![\w-])--([a-z][a-z0-9-]*)", texts)))
    return HEADER + "".join(f"{name} {kind}\n" for name, kind in _kinds(paths, suite, names))


def _meant(answer: str) -> list[str]:
    """The names that a beginning may stand for: those listed, or the only one, which is asked for its argument."""
    alone = _ALONE.search(answer)
    return [alone[1]] if alone else _POSSIBLE.findall(answer.partition("possibilities:")[2])


def _kinds(paths: Paths, suite: str, names: list[str]) -> Iterator[tuple[str, str]]:
    alone = _asked(paths, suite, [f"--{name}" for name in names])
    given = _asked(paths, suite, [f"--{name}=x --{UNKNOWN}" for name in names])
    for name, without, with_one in zip(names, alone, given, strict=True):
        if f"unrecognized option '--{name}=x'" in with_one:
            continue
        if "doesn't allow an argument" in with_one:
            kind = Argument.NONE
        else:
            kind = Argument.REQUIRED if "requires an argument" in without else Argument.OPTIONAL
        yield name, kind.name.lower()


def _asked(paths: Paths, suite: str, words: Iterable[str]) -> list[str]:
    """What sbatch says to each word alone, with nothing to submit."""
    mark = "@@@"
    lines = [f"echo '{mark}'; sbatch {word} </dev/null 2>&1" for word in words]
    argv = slurm_cluster.exec_argv(paths, suite, ["sh", "-c", "; ".join(lines)], "alice")
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return [answer.removeprefix("\n") for answer in done.stdout.split(mark)[1:]]


def main(write: bool) -> int:
    """Compare all three; the number of suites that differ."""
    differing = 0
    for suite, version in copies.SUITES.items():
        found: list[str] = []
        for topic in copies.TOPICS:
            now = said(default_paths(), suite, topic=topic)
            path = copies.FOLDER / f"{version}.{topic}.txt"
            if write:
                path.write_text(now, encoding="utf-8")
            found += difflib.unified_diff(
                copies.text(version, topic).splitlines(), now.splitlines(), path.name, suite, n=0, lineterm=""
            )
        differing += bool(found)
        print(f"{suite}: {'as' if not found else 'not as'} the copies of {version} say")
        print("".join(f"  {line}\n" for line in found), end="")
    return differing


if __name__ == "__main__":
    sys.exit(main(write=sys.argv[1:] == ["--write"]))
