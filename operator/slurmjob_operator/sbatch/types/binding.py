"""To what tasks are bound, and how fast processors run."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.value import OLDEST, R24_11, Json, Release, ValueType

MEMORY_RULE: Final = (
    'must be none, local, rank, "map_mem:LIST" or "mask_mem:LIST", with commas also prefer, verbose or quiet'
)
GPU_RULE: Final = (
    'must be closest, none, "single:N", "per_task:N", "map_gpu:LIST" or "mask_gpu:LIST", after "verbose," if wanted'
)
TRES_RULE: Final = 'must be gres/NAME:BINDING, such as "gres/gpu:closest", several joined with "+"'
GPU_SPEED_RULE: Final = 'must be low, medium, high, highm1 or MHz, with commas also "memory=" such a value or "verbose"'
CPU_SPEED_RULE: Final = (
    "must be low, medium, high, highm1 or kHz, or LOWEST-HIGHEST:GOVERNOR, or a governor: conservative, ondemand, "
    "performance, powersave, schedutil or userspace"
)

LONGEST: Final = 1024

_MEMORY_WORDS = {
    "q": "QUIET", "quiet": "QUIET", "v": "VERBOSE", "verbose": "VERBOSE", "no": "NONE", "none": "NONE",
    "p": "PREFER", "prefer": "PREFER", "rank": "RANK", "local": "LOCAL", "sort": "SORT", "nosort": "NOSORT",
}  # fmt: skip
_KINDS = frozenset({"NONE", "RANK", "MAP", "MASK", "LOCAL"})
_ONLY_OLDER = frozenset({"SORT", "NOSORT"})
_MEMORY_LIST = re.compile(r"(map|mask)_mem:(.+)", re.IGNORECASE)
_LIST_ITEM = re.compile(r"(?:0x[0-9a-f]+|[0-9]+|[0-9a-f]+)(?:\*[0-9]+)?", re.IGNORECASE)
_ITEMS = r"[0-9a-fx*]+(?:,[0-9a-fx*]+)*"
_GPU_OLDER = re.compile(
    rf"(?:verbose,)?(?:closest|none|(?:single|per_task):[^\s]+|(?:map|mask)_gpu:{_ITEMS})(?:,[^\s]*)?", re.IGNORECASE
)
_GPU = re.compile(
    rf"(?:verbose,)?(?:closest|none|(?:single|per_task):[^\s]+|(?:map|mask)(?:_gpu)?:{_ITEMS})(?:,[^\s]*)?",
    re.IGNORECASE,
)
_TRES = re.compile(r"gres/[^\s:=/+;]+:[^\s+;/]+(?:[+;]gres/[^\s:=/+;]+:[^\s+;/]+)*")
_SPEED = r"(?:low|medium|high|highm1|[0-9]+)"
_GPU_SPEED = re.compile(rf"(?:(?:memory=)?{_SPEED}|verbose)(?:,(?:(?:memory=)?{_SPEED}|verbose))*")
_GOVERNOR = r"(?:conservative|ondemand|performance|powersave|schedutil|userspace)"
_CPU_SPEED = re.compile(
    rf"{_GOVERNOR}|(?P<low>{_SPEED})(?:-(?P<high>{_SPEED})(?P<governor>:{_GOVERNOR})?)?", re.IGNORECASE
)
_NAMED_SPEEDS = {"low": 0, "medium": 1, "highm1": 2, "high": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryBinding:
    """`words` are those of slurmrestd's `memory_binding_type`; `places` is the list of a map or of masks; `text` is
    what sbatch was given."""

    words: tuple[str, ...]
    places: str
    text: str


def _parse_memory(text: str, release: Release) -> MemoryBinding:
    """Of several kinds the last counts."""
    kind: str | None = None
    others: dict[str, bool] = {}
    places = ""
    for token in _memory_tokens(text):
        listed = _MEMORY_LIST.fullmatch(token)
        if listed is not None:
            kind, places = listed[1].upper(), listed[2]
            continue
        word = _MEMORY_WORDS.get(token.lower())
        if word is None or (word in _ONLY_OLDER and release > R24_11):
            raise InvalidValue(text, MEMORY_RULE)
        if word in _KINDS:
            kind, places = word, ""
        else:
            others[{"QUIET": "VERBOSE", "NOSORT": "SORT"}.get(word, word)] = not word.startswith(("QUIET", "NO"))
    words = (*(() if kind is None else (kind,)), *(word for word, said in others.items() if said))
    return MemoryBinding(words=words, places=places, text=text)


def _memory_tokens(text: str) -> list[str]:
    """Split at commas, but for those inside the list of a map or of masks."""
    if not text or len(text) > LONGEST:
        raise InvalidValue(text, MEMORY_RULE)
    tokens: list[str] = []
    for piece in text.split(","):
        if tokens and _MEMORY_LIST.fullmatch(tokens[-1]) and _LIST_ITEM.fullmatch(piece):
            tokens[-1] += f",{piece}"
        else:
            tokens.append(piece)
    for token in tokens:
        listed = _MEMORY_LIST.fullmatch(token)
        if listed is not None and not all(_LIST_ITEM.fullmatch(item) for item in listed[2].split(",")):
            raise InvalidValue(text, MEMORY_RULE)
    return tokens


def _parse_gpu(text: str, release: Release) -> str:
    pattern = _GPU_OLDER if release == OLDEST else _GPU
    return _matching(pattern, text, GPU_RULE)


def _parse_tres(text: str, release: Release) -> str:
    """Empty means none."""
    del release
    return _matching(_TRES, text, TRES_RULE) if text else text


def _parse_gpu_speed(text: str, release: Release) -> str:
    del release
    return _matching(_GPU_SPEED, text, GPU_SPEED_RULE)


def _parse_cpu_speed(text: str, release: Release) -> str:
    _matching(_CPU_SPEED, text, CPU_SPEED_RULE)
    match = _CPU_SPEED.fullmatch(text)
    assert match is not None  # noqa: S101 - as `_matching` has seen
    low, high = match["low"], match["high"]
    if low == "0" or (high is not None and not _rising(low, high)):
        raise InvalidValue(text, CPU_SPEED_RULE)
    if release > OLDEST and high is not None and match["governor"] is None:
        raise InvalidValue(text, "a range needs a governor: LOWEST-HIGHEST:GOVERNOR")
    return text


def _rising(low: str, high: str) -> bool:
    """Whether two speeds can be a range; a named one and a number cannot be compared."""
    if low.isdigit() and high.isdigit():
        return int(low) < int(high)
    named = _NAMED_SPEEDS.get(low.lower()), _NAMED_SPEEDS.get(high.lower())
    return None in named or (named[0] or 0) < (named[1] or 0)


def _matching(pattern: re.Pattern[str], text: str, rule: str) -> str:
    if len(text) > LONGEST or not pattern.fullmatch(text):
        raise InvalidValue(text, rule)
    return text


def _show_memory(value: Any) -> str:
    return str(value.text)


def _type(
    name: str,
    rule: str,
    parse: Callable[[str, Release], Any],
    *,
    examples: tuple[str, ...],
    wrong: tuple[str, ...],
    show: Callable[[Any], str] = str,
) -> ValueType:
    return ValueType(
        name=name,
        json=Json.STRING,
        rule=rule,
        parse=parse,
        show=show,
        schema={"maxLength": LONGEST},
        examples=examples,
        wrong=wrong,
    )


MEMORY_BINDING: Final = _type(
    "memory binding",
    MEMORY_RULE,
    _parse_memory,
    examples=("local", "none", "rank", "map_mem:0,1", "mask_mem:0x1,0x2", "v,local", "verbose,rank,p", "LOCAL", "q"),
    wrong=("", "foo", "help", "map_mem", "map_mem:", "map_mem:0;1", "pre", "local,", "mask_mem:xyz"),
    show=_show_memory,
)
GPU_BINDING: Final = _type(
    "gpu binding",
    GPU_RULE,
    _parse_gpu,
    examples=("closest", "none", "single:2", "per_task:1", "map_gpu:0,1", "mask_gpu:0x3", "verbose,closest"),
    wrong=("", "foo", "single", "verbose", "v,closest", "map_gpu", "map_gpu:z", "closest foo"),
)
TRES_BINDING: Final = _type(
    "tres binding",
    TRES_RULE,
    _parse_tres,
    examples=("gres/gpu:closest", "gres/gpu:single:2", "gres/gpu:map:0,1", "gres/gpu:closest+gres/nic:closest", ""),
    wrong=("gpu:closest", "gres/gpu", "gres/gpu:", "gres/gpu:a b", "closest"),
)
GPU_SPEED: Final = _type(
    "gpu speed",
    GPU_SPEED_RULE,
    _parse_gpu_speed,
    examples=("high", "900", "medium,memory=high", "memory=900", "highm1,verbose", "verbose"),
    wrong=("", "foo", "HIGH", "gpu=high", "graphics=900", "high,foo", "memory=foo", "9a"),
)
CPU_SPEED: Final = _type(
    "cpu speed",
    CPU_SPEED_RULE,
    _parse_cpu_speed,
    examples=("high", "2000000", "low-high:OnDemand", "1000-2000:Performance", "Performance", "HIGH", "highm1"),
    wrong=(
        "",
        "foo",
        "0",
        "high-low",
        "2000-1000",
        "1000:foo",
        "high:performance",
        "performance:high",
        "1000-2000:foo",
    ),
)
