"""YAML as kubectl reads it: what a manifest says here is what it says there.

kubectl cuts a stream at lines that begin with `---`, and reads each piece with YAML 1.1 as Go's yaml.v2 has it: `on`,
`no` and `y` are booleans, `010` is 8, `1_000` is 1000, `1e3` and `2.0` are whole numbers, `1:30` and dates are texts;
of a key that is given twice the last one counts. PyYAML parses; what scalars, keys, merges and aliases mean is decided
here, since PyYAML's own rules are others. Measured with kubectl 1.37, against which tests/integration compares.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from slurmjob_operator.edge.offline import yaml_scalars

Path = tuple[str | int, ...]
"""Where a value stands in its document: keys and indexes."""

LARGEST_DOCUMENT: Final = 3 * 2**20
"""In characters. The API server takes no larger request."""
MOST_VALUES: Final = 100_000
"""In one document; what aliases repeat counts each time."""
DEEPEST: Final = 100
"""Levels in one document, those behind aliases included."""

_SEPARATOR: Final = "---"
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UnreadableYaml(ValueError):
    """Text that kubectl does not read either, or more than we take. `line` counts from 1 in the whole stream."""

    def __init__(self, rule: str, *, line: int) -> None:
        super().__init__(f"line {line}: {rule}")
        self.rule = rule
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """What kubectl drops without a word. `path`: the value that stays in its place."""

    line: int
    path: Path
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document of a stream. `index` counts from 1 and leaves out those that hold nothing.

    `lines` says in which line of the stream a value stands; for what an alias repeats, only where the alias is.
    """

    index: int
    value: Any
    first_line: int
    lines: Mapping[Path, int]
    dropped: tuple[Dropped, ...] = ()

    def line(self, path: Path) -> int:
        """The line of a value, or of the nearest thing around it that is known."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, self.first_line)


def documents(text: str) -> Iterator[Document]:
    """The documents of a stream of YAML or JSON, those that hold nothing left out.

    Raises `UnreadableYaml` where the stream stops making sense, after those before it.
    """
    text = text.removeprefix("\ufeff")
    objects = _json_objects(text) if text.lstrip().startswith("{") else None
    index = 0
    for document in _yaml_documents(text) if objects is None else objects:
        if document.value is not None:
            index += 1
            yield Document(
                index=index,
                value=document.value,
                first_line=document.first_line,
                lines=document.lines,
                dropped=document.dropped,
            )


# --- YAML -------------------------------------------------------------------------------------------------


def _yaml_documents(text: str) -> Iterator[Document]:
    for first_line, piece in _pieces(text):
        if len(piece) > LARGEST_DOCUMENT:
            raise UnreadableYaml(f"the document is larger than {LARGEST_DOCUMENT} characters", line=first_line)
        yield _Composer(piece, first_line).document()


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """The documents' texts, each with the line it begins in. A separator has nothing but a comment behind it."""
    begin, piece = 1, list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        if not line.startswith(_SEPARATOR):
            piece.append(line.removesuffix("\r"))
            continue
        behind = line.removeprefix(_SEPARATOR).strip()
        if behind and not behind.startswith("#"):
            raise UnreadableYaml(f"{_SEPARATOR!r} must stand alone in its line to separate documents", line=number)
        yield begin, "\n".join([*piece, ""])
        begin, piece = number + 1, []
    yield begin, "\n".join(piece)


@dataclass(frozen=True, slots=True)
class _Node:
    """A value, how many values it holds with itself, and how many levels."""

    value: Any
    values: int = 1
    levels: int = 1


class _Composer:
    """Makes the value of one document from PyYAML's events."""

    def __init__(self, text: str, first_line: int) -> None:
        self._events = yaml.parse(text, Loader=_LOADER)
        self._first_line = first_line
        self._line = first_line
        self._anchors: dict[str, _Node | None] = {}
        self._lines: dict[Path, int] = {}
        self._dropped: list[Dropped] = []
        self._values = 0

    def document(self) -> Document:
        """The first document of the text."""
        value = None
        self._next()
        if isinstance(self._next(), yaml.DocumentStartEvent):
            value = self._node(self._next(), ()).value
            self._next()
            self._see_the_end()
        return Document(
            index=0, value=value, first_line=self._first_line, lines=self._lines, dropped=tuple(self._dropped)
        )

    def _see_the_end(self) -> None:
        """yaml.v2 reads one document, and looks at nothing behind it: a line `...`, a second value."""
        try:
            ends = isinstance(self._next(), yaml.StreamEndEvent)
        except UnreadableYaml as error:
            ends, self._line = False, error.line
        if not ends:
            self._drop(self._line, (), "kubectl drops what follows here, behind the end of the document")

    def _next(self) -> yaml.Event:
        try:
            event = next(self._events)
        except yaml.MarkedYAMLError as error:
            line = self._line if error.problem_mark is None else self._first_line + error.problem_mark.line
            raise UnreadableYaml(_sentence(error), line=line) from None
        except yaml.YAMLError as error:
            raise UnreadableYaml(str(error).partition("\n")[0], line=self._line) from None
        if event.start_mark is not None:
            self._line = self._first_line + event.start_mark.line
        return event

    def _node(self, event: yaml.Event, path: Path) -> _Node:
        self._lines.setdefault(path, self._line)
        if len(path) > DEEPEST:
            raise self._refused(f"nested deeper than {DEEPEST} levels")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path)
        self._count(1)
        anchor = event.anchor if isinstance(event, yaml.NodeEvent) else None
        if anchor is not None:
            self._anchors[anchor] = None
        node = self._made(event, path)
        if anchor is not None:
            self._anchors[anchor] = node
        return node

    def _made(self, event: yaml.Event, path: Path) -> _Node:
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if not isinstance(event, yaml.ScalarEvent):
            raise TypeError(event)
        try:
            return _Node(yaml_scalars.scalar(event.value, tag=event.tag, unquoted=event.implicit[0]))
        except yaml_scalars.BadScalar as error:
            raise self._refused(str(error)) from None

    def _alias(self, event: yaml.AliasEvent, path: Path) -> _Node:
        if event.anchor not in self._anchors:
            raise self._refused(f"unknown anchor {event.anchor!r}")
        node = self._anchors[event.anchor]
        if node is None:
            raise self._refused(f"anchor {event.anchor!r} holds itself")
        if len(path) + node.levels > DEEPEST:
            raise self._refused(f"nested deeper than {DEEPEST} levels")
        self._count(node.values)
        return node

    def _count(self, values: int) -> None:
        self._values += values
        if self._values > MOST_VALUES:
            raise self._refused(f"more than {MOST_VALUES} values in a document, those that aliases repeat included")

    def _sequence(self, path: Path) -> _Node:
        items = list[_Node]()
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(event, (*path, len(items))))
        return _holding([item.value for item in items], items)

    def _mapping(self, path: Path) -> _Node:
        """Go's yaml.v2 takes entries as they come, merged ones too: a later one replaces an earlier one."""
        value: dict[str, Any] = {}
        held = list[_Node]()
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            if _is_merge(event):
                merged = self._node(self._next(), (*path, "<<"))
                self._merge(value, merged.value, path)
                held.append(merged)
                continue
            line, key = self._line, self._key(event, path)
            if (*path, key) in self._lines:
                self._drop(line, (*path, key), f"given again: kubectl drops that of line {self._known(path, key)}")
                self._lines.pop((*path, key), None)
            held.append(self._node(self._next(), (*path, key)))
            self._lines[*path, key] = line
            value[key] = held[-1].value
        return _holding(value, held)

    def _key(self, event: yaml.Event, path: Path) -> str:
        key = yaml_scalars.key(self._node(event, (*path, "?")).value)
        self._lines.pop((*path, "?"), None)
        if key is None:
            raise self._refused("a key must be a text, a number or a boolean")
        return key

    def _merge(self, value: dict[str, Any], merged: Any, path: Path) -> None:
        sources = [merged] if isinstance(merged, dict) else merged
        if not isinstance(sources, list) or not all(isinstance(source, dict) for source in sources):
            raise self._refused("`<<` takes a mapping or a list of mappings")
        for source in reversed(sources):
            for key, new in source.items():
                if (*path, key) in self._lines and value.get(key, new) != new:
                    self._drop(self._line, (*path, key), f"kubectl lets `<<` replace line {self._known(path, key)}")
                value[key] = new

    def _known(self, path: Path, key: str) -> int:
        return self._lines.get((*path, key), self._line)

    def _drop(self, line: int, path: Path, rule: str) -> None:
        self._dropped.append(Dropped(line=line, path=path, rule=rule))

    def _refused(self, rule: str) -> UnreadableYaml:
        return UnreadableYaml(rule, line=self._line)


def _holding(value: Any, held: list[_Node]) -> _Node:
    return _Node(
        value, values=1 + sum(node.values for node in held), levels=1 + max((node.levels for node in held), default=0)
    )


def _is_merge(event: yaml.Event) -> bool:
    if not isinstance(event, yaml.ScalarEvent) or event.value != "<<":
        return False
    return bool(event.implicit[0]) or event.tag == f"{yaml_scalars.STANDARD}merge"


def _sentence(error: yaml.MarkedYAMLError) -> str:
    return " ".join(part for part in (error.context, error.problem) if part)


# --- JSON -------------------------------------------------------------------------------------------------


def _json_objects(text: str) -> list[Document] | None:
    """The objects of a stream of JSON; None where it is not one, but YAML that begins like it."""
    found, at = list[Document](), _next_value(text, 0)
    while at < len(text):
        line = text.count("\n", 0, at) + 1
        again = list[str]()
        try:
            value, end = _json_decoder(again).raw_decode(text, at)
        except RecursionError:
            raise UnreadableYaml(f"nested deeper than {DEEPEST} levels", line=line) from None
        except ValueError:
            return None
        if end - at > LARGEST_DOCUMENT:
            raise UnreadableYaml(f"the document is larger than {LARGEST_DOCUMENT} characters", line=line)
        _check_size(value, line)
        dropped = tuple(
            Dropped(line=line, path=(), rule=f"{key} is given again: kubectl drops the first one") for key in again
        )
        found.append(Document(index=0, value=value, first_line=line, lines={(): line}, dropped=dropped))
        at = _next_value(text, end)
    return found


def _json_decoder(again: list[str]) -> json.JSONDecoder:
    """A decoder that notes keys that are given again."""

    def pairs(given: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(given)
        if len(value) < len(given):
            keys = [key for key, _ in given]
            again.extend(key for key in value if keys.count(key) > 1)
        return value

    return json.JSONDecoder(
        object_pairs_hook=pairs,
        parse_int=lambda text: yaml_scalars.in_json(int(text)),
        parse_float=lambda text: yaml_scalars.in_json(float(text)),
        parse_constant=_not_in_json,
    )


def _not_in_json(text: str) -> Any:
    raise ValueError(text)


def _next_value(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _check_size(value: Any, line: int) -> None:
    """Level by level, so that depth costs nothing."""
    level, values = [value], 1
    for depth in range(DEEPEST + 2):
        level = [item for held in level for item in _held(held)]
        values += len(level)
        if values > MOST_VALUES:
            raise UnreadableYaml(f"more than {MOST_VALUES} values in a document", line=line)
        if not level:
            return
        if depth >= DEEPEST:
            raise UnreadableYaml(f"nested deeper than {DEEPEST} levels", line=line)


def _held(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
