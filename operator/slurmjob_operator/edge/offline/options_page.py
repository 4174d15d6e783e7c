"""The documentation's page of options, made from the table: `make docs` writes it, a test fails when it is stale.

Run as `python -m slurmjob_operator.edge.offline.options_page FILE`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from slurmjob_operator.edge.offline.targets import SERVED
from slurmjob_operator.sbatch.input_environment import VARIABLES
from slurmjob_operator.sbatch.option import Argument, Handled, NotSaid, Option, Rest, Saying
from slurmjob_operator.sbatch.options import ROWS
from slurmjob_operator.sbatch.value import R24_11, Json, Release

OLDEST_FIRST: Final = tuple(reversed(SERVED))
RELEASES: Final = tuple(release for release, _ in OLDEST_FIRST)

HEAD: Final = """\
# Options of sbatch

Made from the table that the fields of `template`, the reader of `#SBATCH` lines and the requests to slurmrestd are made
from. A field is named by the option's long name in camelCase and takes sbatch's own values. Short options, abbreviated
long ones and `#SBATCH` lines work as with sbatch; [coming from sbatch](../coming-from-sbatch.md) says how.

*yes*: the job's record in Slurm is that of sbatch, as compared with the real sbatch of this release. *sent*: it is
sent, effect not observed. *no*: this release cannot say it over REST, or its sbatch does not have it.
"""

KINDS: Final = {
    Json.BOOLEAN: "true or false",
    Json.INTEGER: "whole number",
    Json.INT_OR_STRING: "whole number or text",
    Json.STRING: "text",
}


def page() -> str:
    """The whole page."""
    fields = [row for row in ROWS if row.field and row.means_nothing is None]
    quiet = [row for row in ROWS if row.means_nothing is not None]
    refused = [row for row in ROWS if row.refused is not None]
    opposites = [row for row in ROWS if row.sets is not None]
    parts = (
        HEAD,
        "\n".join(_table(fields)),
        "\n".join(_details(fields)),
        "\n".join(_opposites(opposites)),
        "\n".join(_sentences("Read, and without effect", "One warning says so; the job is run.", quiet)),
        "\n".join(_sentences("Refused", "No version of slurmrestd's API can say them.", refused)),
        "\n".join(_variables()),
    )
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


# --- The table --------------------------------------------------------------------------------------------


def _table(rows: Sequence[Option]) -> Iterator[str]:
    yield "## Which release can say what"
    yield ""
    yield f"| option | field | {' | '.join(f'Slurm {release}' for release in RELEASES)} |"
    yield "|---" * (2 + len(RELEASES)) + "|"
    for row in rows:
        cells = " | ".join(_state(row, release, versions) for release, versions in OLDEST_FIRST)
        yield f"| {_named(row)} | [`{row.field}`](#{row.name}) | {cells} |"


def _named(row: Option) -> str:
    short = f", `-{row.short}`" if row.short else ""
    return f"`--{row.name}`{short}"


def _state(row: Option, release: Release, versions: Sequence[str]) -> str:
    how = _saying(row, release)
    if how is None or isinstance(how, NotSaid):
        return "no"
    if not isinstance(how, Rest):
        return "yes"
    able = _able(how, versions)
    if not able:
        return "no"
    word = "yes" if how.observed else "sent"
    return word if len(able) == len(versions) else f"{word}, by {', '.join(reversed(able))}"


def _saying(row: Option, release: Release) -> Saying | None:
    """How a release says an option; None where its sbatch has no such option."""
    if not row.known_in(release):
        return None
    return row.v38 if release < R24_11 else row.v40


def _able(how: Rest, versions: Sequence[str]) -> list[str]:
    """The API versions that have a key for it."""
    return [version for version in versions if version >= how.since and version not in how.absent]


# --- Each option ------------------------------------------------------------------------------------------


def _details(rows: Sequence[Option]) -> Iterator[str]:
    yield "## Each option"
    for row in rows:
        yield ""
        yield f"### {row.name}"
        yield ""
        yield f"{_named(row)}{_aliases(row)} is `{row.field}`. {row.help}"
        yield ""
        yield from _syntax(row)
        yield from _exceptions(row)


def _aliases(row: Option) -> str:
    return "".join(f", `--{alias}`" for alias in row.aliases)


def _syntax(row: Option) -> Iterator[str]:
    if row.type is None:
        return
    examples = ", ".join(f"`{_shown(text)}`" for text in row.type.examples)
    yield f"- {KINDS[row.type.json]}; {row.type.rule}" + (f"; e.g. {examples}" if examples else "")
    if row.argument is Argument.OPTIONAL and row.default is not None:
        yield f"- `--{row.name}` alone is `{row.default}`"


def _exceptions(row: Option) -> Iterator[str]:
    """What differs between releases, and what another part of the request says."""
    for release, versions in OLDEST_FIRST:
        sentence = _exception(row, release, versions)
        if sentence is not None:
            yield f"- Slurm {release}: {sentence}"
    handled = dict.fromkeys(how.where for how in (row.v38, row.v40) if isinstance(how, Handled))
    yield from (f"- {where}" for where in handled)


def _exception(row: Option, release: Release, versions: Sequence[str]) -> str | None:
    how = _saying(row, release)
    if how is None:
        return "its sbatch does not have it" if not row.known_in(release) else None
    if isinstance(how, NotSaid):
        return f"not over REST: {how.reason}"
    if not isinstance(how, Rest):
        return None
    able = _able(how, versions)
    sent = "" if how.observed else "sent, effect not observed"
    if len(able) == len(versions):
        return sent or None
    said = (
        f"said by {', '.join(reversed(able))} of its API versions only" if able else "none of its API versions says it"
    )
    return "; ".join(part for part in (said, sent if able else "") if part)


def _shown(text: str) -> str:
    return text.replace("|", "\\|").replace("\t", "\\t") or '""'


# --- The rest ---------------------------------------------------------------------------------------------


def _opposites(rows: Sequence[Option]) -> Iterator[str]:
    yield "## Options that set another one"
    yield ""
    yield from (f"- {_named(row)} is `--{row.sets}` with `{row.default}`" for row in rows)


def _sentences(title: str, about: str, rows: Sequence[Option]) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield about
    yield ""
    yield "| option | why, and what to do |"
    yield "|---|---|"
    yield from (f"| {_named(row)}{_releases(row)} | {row.means_nothing or row.refused} |" for row in rows)


def _releases(row: Option) -> str:
    known = [release for release in RELEASES if row.known_in(release)]
    return "" if len(known) == len(RELEASES) else f" ({', '.join(str(release) for release in known)})"


def _variables() -> Iterator[str]:
    yield "## Variables of the environment"
    yield ""
    yield (
        "`slurmjob-operator manifest --use-sbatch-environment` takes options from the variables that sbatch takes them "
        "from. They win over `#SBATCH` lines, and the command line wins over them. The operator itself reads none."
    )
    yield ""
    yield "| variable | option |"
    yield "|---|---|"
    yield from (f"| `{variable}` | `--{name}` |" for variable, name in sorted(VARIABLES.items()))


def main(arguments: Sequence[str]) -> None:
    """Write the page into the file that is named."""
    file = Path(arguments[0])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page())


if __name__ == "__main__":
    main(sys.argv[1:])
