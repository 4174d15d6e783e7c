"""Names and other texts, which sbatch hands on as they are, and words of a fixed set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.value import Json, Release, ValueType

LONGEST: Final = 1024
"""Bytes that slurmctld takes in a name, comment or list."""

ONE_LINE: Final = r"^[^\x00\n]*$"
"""What the API server checks of every text."""


def shown_as_is(value: Any) -> str:
    """`show` of values that are their own text."""
    return str(value)


def one_line(text: str, *, rule: str, longest: int = LONGEST) -> str:
    """The text, unless it could not stand in a directive, or is longer than what slurmctld takes (in bytes)."""
    if "\x00" in text or "\n" in text:
        raise InvalidValue(text, f"{rule}, without NUL and line breaks")
    if len(text.encode(errors="surrogatepass")) > longest:
        raise InvalidValue(text, f"{rule}, of at most {longest} bytes")
    return text


def checked_type(
    name: str,
    *,
    rule: str,
    check: Callable[[str, Release], str],
    examples: tuple[str, ...],
    wrong: tuple[str, ...],
    longest: int = LONGEST,
    json: Json = Json.STRING,
) -> ValueType:
    """Text on one line that is handed on as `check` returns it."""

    def parse(text: str, release: Release) -> str:
        return check(one_line(text, rule=rule, longest=longest), release)

    return ValueType(
        name=name,
        json=json,
        rule=rule,
        parse=parse,
        show=shown_as_is,
        schema={"maxLength": longest, "pattern": ONE_LINE},
        examples=examples,
        wrong=(*wrong, "a\x00b", "a\nb"),
    )


def word_type(
    name: str,
    *,
    rule: str,
    words: Mapping[str, Any],
    shown: Mapping[Any, str],
    json: Json = Json.STRING,
    schema: Mapping[str, Any] | None = None,
    examples: tuple[str, ...] = (),
    wrong: tuple[str, ...] = (),
) -> ValueType:
    """A word of a set, in any case. `words` says what each one means, `shown` which one stands for a meaning."""

    def parse(text: str, release: Release) -> Any:
        del release
        if text.lower() not in words:
            raise InvalidValue(text, rule)
        return words[text.lower()]

    return ValueType(
        name=name,
        json=json,
        rule=rule,
        parse=parse,
        show=lambda value: shown[value],
        schema=dict(schema or {"maxLength": LONGEST}) if json is Json.STRING else dict(schema or {}),
        examples=examples or tuple(words),
        wrong=wrong,
    )


def text_type(name: str, *, rule: str, examples: tuple[str, ...], longest: int = LONGEST) -> ValueType:
    """Text on one line that is handed on as it is."""
    return checked_type(name, rule=rule, check=_as_it_is, examples=examples, wrong=(), longest=longest)


def _as_it_is(text: str, release: Release) -> str:
    del release
    return text


def _not_empty(rule: str) -> Callable[[str, Release], str]:
    def check(text: str, release: Release) -> str:
        del release
        if not text:
            raise InvalidValue(text, rule)
        return text

    return check


NAME_RULE: Final = "must be a name"
TEXT_RULE: Final = "must be one line of text"
EMPTY_PARTITION: Final = Release(26, 5)
PARTITION_RULE: Final = "must be the name of a partition, or several with commas"

NAME: Final = checked_type(
    "name",
    rule=NAME_RULE,
    check=_not_empty(NAME_RULE),
    examples=("research", "a-b_c.d", "two words"),
    wrong=("",),
)
"""A name that Slurm looks up, and does not find where it is empty."""

TEXT: Final = checked_type(
    "text", rule=TEXT_RULE, check=_as_it_is, examples=("", "wing sweep, run 7", "a\tb"), wrong=()
)


def _partitions(text: str, release: Release) -> str:
    """Empty means the cluster's default on 26.05; older slurmctld refuse it."""
    if not text and release < EMPTY_PARTITION:
        raise InvalidValue(text, PARTITION_RULE)
    return text


PARTITIONS: Final = checked_type(
    "partitions", rule=PARTITION_RULE, check=_partitions, examples=("debug", "debug,gpu"), wrong=()
)

YES_OR_NO: Final = word_type(
    "yes or no",
    rule='must be "yes" or "no"',
    words={"yes": True, "no": False},
    shown={True: "yes", False: "no"},
    wrong=("", "y", "true", "1", "yess"),
)

UNLESS_OFF: Final = word_type(
    "flag that may be off",
    rule='must be "set", "off", or nothing at all',
    words={"true": True, "set": True, "": True, "false": False, "off": False, "no": False},
    shown={True: "true", False: "false"},
    json=Json.BOOLEAN,
    wrong=("on", "yes", "1"),
)
"""A flag that sbatch also takes with `=off`, to undo an earlier one."""
