"""Scripts that hypothesis makes from the table: some options, their values, written in one of the ways there are.

At most one value of a script is a wrong one: sbatch tells of one mistake, and so do we, but not always of the same.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from slurmjob_operator.sbatch.option import Argument, Option
from slurmjob_operator.sbatch.options import TABLE
from slurmjob_operator.sbatch.value import Release
from tests.differential.cases import ANCHOR, Case

IN_THE_SANDBOX: Final[Mapping[str, tuple[str, ...]]] = {
    "account": ("research",),
    "partition": ("debug", "gpu", "debug,gpu", "tiny"),
    "qos": ("normal", "high", "low", "short"),
    "constraint": ("fast", "[fast]", "fast*1"),
    "prefer": ("fast",),
    "licenses": ("matlab", "matlab:2"),
    "nodelist": ("n1", "n[1-2]", "n1,n2"),
    "exclude": ("n3", "n[3-4],n6"),
    "gres": ("gpu", "gpu:2", "widget:1", "gpu:1,widget:2", "none"),
    "gpus": ("1", "2", "gpu:2"),
    "dependency": (f"afterok:{ANCHOR}", f"afterany:{ANCHOR}:{ANCHOR}", f"after:{ANCHOR}+10?afternotok:{ANCHOR}"),
    "time": ("1", "5", "4:30", "0-0:3", "UNLIMITED"),
    "mem": ("0", "500", "1025K", "1G", "1gb"),
    "mem-per-cpu": ("0", "100", "1025K", "200M"),
    "acctg-freq": ("5", "task=5"),
    "begin": ("now+1hour", "2035-01-31T10:00", "tomorrow"),
    "comment": ("sweep 7", "a=b", "it's", 'say "no"', "#1", "back\\slash", ": first"),
    "job-name": ("wing", "two words", "a#b", "x:y", "-n", "Überprüfung"),
}
"""Values that mean something there; those of a row's type are taken besides, less often."""

NO_OTHERS: Final = frozenset({"dependency"})
"""Options whose values of the type are not taken: jobs that do not exist."""

LEFT_OUT: Final = frozenset({"wait", "test-only", "get-user-env", "bb"})
"""sbatch waits, submits nothing, or asks a shell; slurmctld takes the tasks of an array apart, one by one, at some time
or other. `scripts` has these, and what is refused in any case."""

LONGEST_VALUE: Final = 100
PLAIN: Final = frozenset(string.ascii_letters + string.digits + "-_=.,/%+@*[]|&?!~$()<>{}^;`ÜüÄäß")
WORDS_BETWEEN: Final = (" ", "  ", "\t")
BETWEEN: Final = ("", "\n", "# a comment\n", "##SBATCH --ntasks=99\n", "  # indented\n", "#SBATCH\n", "\n   \n")
ONE_IN: Final = 6
"""So many scripts for one with a wrong value."""


def batch(count: int, *, release: Release, number: int = 0) -> tuple[Case, ...]:
    """So many scripts, always the same for a number and a table, no two with the same options in the same order: what
    hypothesis tries next is often little else than what it tried before."""
    made: dict[tuple[str, ...], str] = {}

    @seed(number)
    @settings(max_examples=5 * count, phases=[Phase.generate], database=None, deadline=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(scripts(release))
    def collect(script: tuple[tuple[str, ...], str]) -> None:
        made.setdefault(*script)

    collect()
    chosen = enumerate(list(made.items())[:count])
    return tuple(
        Case(name=f"made-{at}", script=script, at_random=len(set(names)) > 1) for at, (names, script) in chosen
    )


@st.composite
def scripts(draw: st.DrawFn, release: Release) -> tuple[tuple[str, ...], str]:
    """The names of some options of that release's sbatch, and a script with them."""
    known = [row for row in TABLE.values() if row.since <= release <= row.until]
    rows = [row for row in known if row.name not in LEFT_OUT and not row.refused]
    chosen = draw(st.lists(st.sampled_from(rows), min_size=1, max_size=6))
    wrong = draw(st.integers(0, ONE_IN - 1)) == 0
    words = [draw(options(row, wrong=wrong and at == 0)) for at, row in enumerate(chosen)]
    lines = ["#!/bin/sh\n"]
    while words:
        taken = draw(st.integers(1, 3))
        blank = draw(st.sampled_from(WORDS_BETWEEN))
        lines.append(f"#SBATCH {blank.join(words[:taken])}{draw(st.sampled_from(('', '  # why', '   ')))}\n")
        lines.append(draw(st.sampled_from(BETWEEN)))
        words = words[taken:]
    return tuple(row.name for row in chosen), "".join([*lines, "srun true\n"])


@st.composite
def options(draw: st.DrawFn, row: Option, *, wrong: bool) -> str:
    """One option as it may be written."""
    if row.argument is Argument.NONE or (row.argument is Argument.OPTIONAL and draw(st.booleans())):
        return draw(st.sampled_from([f"--{row.name}", *([f"-{row.short}"] if row.short else [])]))
    value = draw(written(draw(values(row, wrong=wrong))))
    ways = [f"--{draw(st.sampled_from([row.name, *row.aliases]))}={value}"]
    if row.argument is Argument.REQUIRED and value not in ('""', "''"):
        ways.append(f"--{row.name} {value}")
        ways += [f"-{row.short}{value}", f"-{row.short} {value}"] if row.short else []
    return draw(st.sampled_from(ways))


def values(row: Option, *, wrong: bool) -> st.SearchStrategy[str]:
    """Texts for an option."""
    usual = IN_THE_SANDBOX.get(row.name, ())
    examples = _writable(row.type.examples if row.type and row.name not in NO_OTHERS else ())
    bad = _writable(row.type.wrong if row.type else ())
    if wrong and bad:
        return st.sampled_from(bad)
    return st.sampled_from((*usual * 4, *examples) or ("x",))


def _writable(texts: Sequence[str]) -> tuple[str, ...]:
    """Those that can stand in a line of a script."""
    return tuple(text for text in texts if len(text) <= LONGEST_VALUE and not set(text) & set("\0\n\r"))


@st.composite
def written(draw: st.DrawFn, value: str) -> str:
    """A value in quotes, with escapes, or as it is."""
    ways = [_quoted(value, '"'), _quoted(value, "'")]
    if value and set(value) <= PLAIN:
        half = len(value) // 2
        quoted = _quoted(value[half:], '"')
        ways += [value, value, value, f"{value[:half]}{quoted}", f"\\{value}"]
    return draw(st.sampled_from(ways))


def _quoted(text: str, quote: str) -> str:
    """A backslash escapes in both kinds of quotes, as sbatch has it."""
    escaped = text.replace("\\", "\\\\").replace(quote, f"\\{quote}")
    return f"{quote}{escaped}{quote}"
