"""Manifests as a person would write them: block style, stable order, texts in quotes only where they need them, and
scripts as literal blocks, tabs and trailing blanks included (PyYAML would put such ones in quotes)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from slurmjob_operator.edge.offline import yaml_scalars

INDENT: Final = "  "

_PLAIN: Final = re.compile(r"[0-9]+[A-Za-z]+|(?:[A-Za-z_/]|\./)[A-Za-z0-9_./@%+=,^()\[\]-]*")
"""Texts that every reader of YAML takes for texts, but for words such as `no`: no numbers, times or dates."""
_LITERAL: Final = re.compile(r"[\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]+")
"""Characters that a literal block may hold. Others are forbidden in YAML, or are line ends there and none elsewhere."""
_SHORT_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}


def written(value: Mapping[str, Any]) -> str:
    """A document. There is no null in it; texts of several lines become literal blocks."""
    return "".join(f"{line}\n" for line in _mapping(value, ""))


def _mapping(value: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield f"{indent}{scalar(key)}:"
            yield from _mapping(item, indent + INDENT)
        elif isinstance(item, str) and "\n" in item and _is_literal(item):
            yield f"{indent}{scalar(key)}: |{_chomping(item)}"
            yield from _literal(item, indent + INDENT)
        else:
            yield f"{indent}{scalar(key)}: {scalar(item)}"


def scalar(value: str | int | bool) -> str:
    """A value on one line, that YAML 1.1 and 1.2 read as the same again."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return value if _means_itself(value) else _quoted(value)


def _means_itself(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and yaml_scalars.plain(text) == text


def _quoted(text: str) -> str:
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _is_literal(text: str) -> bool:
    return _LITERAL.fullmatch(text) is not None and not text.startswith((" ", "\t", "\n"))


def _chomping(text: str) -> str:
    """Which line ends of the block's end count: none, one, or all."""
    if not text.endswith("\n"):
        return "-"
    return "+" if text.endswith("\n\n") else ""


def _literal(text: str, indent: str) -> Iterator[str]:
    for line in text.removesuffix("\n").split("\n"):
        yield f"{indent}{line}" if line else ""
