"""What is fuzzed, as functions of bytes. An input may be refused, by `SbatchError` (an answer of slurmrestd by
`SlurmError`); whatever else is raised is a bug.

The first bytes choose, the others are the text, so that inputs can be read and written by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from slurmjob_operator.sbatch import job, printing, script
from slurmjob_operator.sbatch.errors import InvalidValue, SbatchError
from slurmjob_operator.sbatch.options import TABLE
from slurmjob_operator.sbatch.settings import Settings
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, R24_11, Release, ValueType
from tests.differential.scripts import parsing
from tests.fuzz import mutation
from tests.fuzz.answers import read_answers

VERSIONS: Final = (
    (OLDEST, "v0.0.38"),
    (R24_11, "v0.0.40"),
    (R24_11, "v0.0.42"),
    (NEWEST, "v0.0.42"),
    (NEWEST, "v0.0.45"),
)

TYPES: Final[tuple[ValueType, ...]] = tuple(
    {row.type.name: row.type for row in TABLE.values() if row.type is not None}.values()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`run` takes an input, and gives how many lines it had. `seeds` are inputs to begin with, `words` what they are
    made of."""

    run: Callable[[bytes], int]
    seeds: Callable[[], Iterator[bytes]]
    words: Callable[[], Sequence[str]]


def read_script(data: bytes) -> int:
    """Read a script, make of it what is sent, print what was read, and read that again: it must be the same."""
    release, api_version = VERSIONS[data[0] % len(VERSIONS)] if data else VERSIONS[0]
    text = data[1:].decode("utf-8", "ignore")
    lines = text.count("\n") + 1
    try:
        components = _settings(text, release)
    except SbatchError:
        return lines
    for settings in components:
        _send(settings, release, api_version)
    foreign_counts = not any(script.IGNORE_FOREIGN in settings for settings in components)
    directives = printing.directives(components, release=release)
    again = _settings(printing.with_directives(text, directives, foreign_counts=foreign_counts), release)
    if _texts(again) != _texts(components):
        raise AssertionError(f"{_texts(components)} was printed, {_texts(again)} was read")
    return lines


def read_value(data: bytes) -> int:
    """Read a value, show it, and read that again: it must be the same."""
    kind, release = TYPES[data[0] % len(TYPES)] if data else TYPES[0], VERSIONS[(data[1:2] or b"\\0")[0] % 5][0]
    text = data[2:].decode("utf-8", "ignore")
    try:
        value = kind.parse(text, release)
    except InvalidValue:
        return 1
    shown = kind.show(value)
    again = kind.parse(shown, release)
    if again != value:
        raise AssertionError(f"{kind.name}: {text!r} is {value!r}, shown as {shown!r}, which is {again!r}")
    return 1


def _settings(text: str, release: Release) -> list[Settings]:
    read = script.read(text, release=release)
    return [script.settings(component, release=release) for component in read.components]


def _send(settings: Settings, release: Release, api_version: str) -> None:
    try:
        job.body(settings, job.parsed(settings, release=release), api_version=api_version)
    except SbatchError:
        return


def _texts(components: Sequence[Settings]) -> list[dict[str, str]]:
    return [
        {name: setting.text for name, setting in settings.items() if name != script.IGNORE_FOREIGN}
        for settings in components
    ]


def _scripts() -> Iterator[bytes]:
    for index, (_, text) in enumerate(parsing.CASES):
        yield bytes([index % len(VERSIONS)]) + text.encode()
    for name, row in TABLE.items():
        examples = row.type.examples if row.type is not None else ("1",)
        header = "".join(f"#SBATCH --{name}={example}\n" for example in examples)
        yield f"\0#!/bin/sh\n{header}#SBATCH hetjob\n#SBATCH --{name}\n".encode()


def _values() -> Iterator[bytes]:
    for index, kind in enumerate(TYPES):
        for text in (*kind.examples, *kind.wrong):
            yield bytes([index, index % len(VERSIONS)]) + text.encode()


def _words_of_scripts() -> Sequence[str]:
    magic = (
        "#SBATCH ",
        "#PBS ",
        "#BSUB ",
        "hetjob",
        "#!/bin/sh\n",
        "-l nodes=",
        ":ppn=",
        ":gpus=",
        "select=",
        ":ncpus=",
    )
    return (*magic, *(f"--{name}=" for name in TABLE), *(f"-{row.short}" for row in TABLE.values() if row.short))


def _words_of_values() -> Sequence[str]:
    return tuple({text for kind in TYPES for text in kind.examples if text})


def _words_of_answers() -> Sequence[str]:
    return (*(f'"{key}":' for key in mutation.KEYS), *map(str, mutation.STATUSES), "null", '{"set":false}', "RUNNING")


TARGETS: Final = {
    "directives": Target(run=read_script, seeds=_scripts, words=_words_of_scripts),
    "values": Target(run=read_value, seeds=_values, words=_words_of_values),
    "answers": Target(run=read_answers, seeds=mutation.seeds, words=_words_of_answers),
}
