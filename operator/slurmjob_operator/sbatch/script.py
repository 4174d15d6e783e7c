"""Reading a script's options as the sbatch of a release does, and the settings that they come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from slurmjob_operator.sbatch import arguments, foreign, lines, tokens
from slurmjob_operator.sbatch.arguments import Given, Word
from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.foreign import Foreign
from slurmjob_operator.sbatch.foreign_options import MAIL_TYPE
from slurmjob_operator.sbatch.option import Option
from slurmjob_operator.sbatch.options import TABLE
from slurmjob_operator.sbatch.settings import Setting
from slurmjob_operator.sbatch.value import R24_11, Release

IGNORE_FOREIGN: Final = "ignore-pbs"
PACKJOB: Final = "packjob"
NO_MAIL: Final = "NONE"
FLAG_GIVEN: Final = "true"


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a heterogeneous job, or the whole of any other job. `given`: its options in the order in which they
    count, after those that it inherits from the component before it."""

    given: tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """What the directives of a script say; it has at least one component. `warnings` are sentences."""

    components: tuple[Component, ...]
    warnings: tuple[str, ...] = ()


def read(text: str, *, release: Release, table: Mapping[str, Option] = TABLE, ignore_foreign: bool = False) -> Script:
    """The options of a script. `ignore_foreign`: the command line has `--ignore-pbs`.

    Raises `InvalidScript` for the first thing in it that sbatch would refuse, though a later line says otherwise; what
    options do to each other apart.
    """
    lines.check(text)
    parts, warnings = _parts(text, release)
    components: list[Component] = []
    others: Foreign | None = None
    for words in parts:
        given = (*_inherited(components), *_given(words, release, table))
        if not ignore_foreign and all(one.option.name != IGNORE_FOREIGN for one in given):
            others = others or foreign.read(text, release=release, table=table)
            given += others.after(given, release=release)
        components.append(Component(given))
    return Script(tuple(components), (*warnings, *(others.warnings if others else ())))


def settings(component: Component, *, release: Release) -> dict[str, Setting]:
    """What the options of a component come to, by long name: the last of one name counts, and their order is the one in
    which they were given last."""
    found: dict[str, Setting] = {}
    for one in component.given:
        name = one.option.sets or one.option.name
        setting = Setting(text=_text(one), where=one.where)
        earlier = found.pop(name, None)
        adds = name == MAIL_TYPE and release <= R24_11
        found[name] = _both_mails(earlier, setting, one.option, release) if adds and earlier is not None else setting
    return found


def _parts(text: str, release: Release) -> tuple[list[list[Word]], list[str]]:
    """The words of each component, and warnings."""
    parts: list[list[Word]] = [[]]
    warnings: list[str] = []
    for line in lines.directives(text):
        words = tokens.words(line, release=release)
        if words.separator:
            parts.append([])
        if words.separator == PACKJOB:
            warnings.append(f"script, line {line.number}: packjob is the old name of hetjob")
        parts[-1] += [Word(word, line.number) for word in words.texts]
    return parts, warnings


def _inherited(components: list[Component]) -> Iterable[Given]:
    """What a component takes over from the one before: of each option the last."""
    before = components[-1].given if components else ()
    return {one.option.sets or one.option.name: one for one in before if one.option.inherited}.values()


def _given(words: list[Word], release: Release, table: Mapping[str, Option]) -> tuple[Given, ...]:
    known = arguments.grammar(release, table)
    return tuple(
        arguments.checked(Given(option=one.option, text=one.text, line=words[one.index].line), release)
        for one in arguments.read_directives(words, known)
    )


def _text(given: Given) -> str:
    if given.text is not None:
        return given.text
    return FLAG_GIVEN if given.option.default is None else given.option.default


def _both_mails(first: Setting, second: Setting, option: Option, release: Release) -> Setting:
    """Up to 24.11 the events of a second `--mail-type` are added to those of the first, so NONE takes nothing away."""
    shown: list[str] = []
    for setting in (first, second):
        try:
            text = option.type.show(option.type.parse(setting.text, release)) if option.type else setting.text
        except InvalidValue:
            return setting
        if text != NO_MAIL:
            shown.append(text)
    return Setting(text=",".join(shown) or NO_MAIL, where=second.where)
