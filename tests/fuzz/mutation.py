"""Answers made of recorded ones: an input is a recorded call and edits of its answers, four bytes each, or raw text.

Edits keep an answer JSON, so that what reads its values is reached; raw text reaches what reads JSON.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent / "recorded"
MOST_EDITS: Final = 64
RAW: Final = 0xFF
"""As the first byte: what follows is raw text, answers separated by NUL, each a status of three digits and a body."""

NESTED: Final[Any] = json.loads("[" * 200 + "]" * 200)
TOKEN: Final = "eyJhbGciOiJIUzI1NiJ9.eyJzdW4iOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLWEtdG9rZW4"
VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 7, 2**31, 2**32 - 2, 2**32 - 1, 2**63, 2**64 - 2, -(2**70), 10**400, 0.5, 7.0,
    1e308, float("inf"), float("nan"), "", "0", "7", "-7", "9" * 400, "٣", "²", "1e3", "x", "RUNNING",
    "running,requeued", "PENDING+COMPLETING", "NEW_FLAG", "None assigned", "\ud800", "\0", "a" * 20_000, TOKEN, [],
    [None], [[]], [0],
    ["x"], ["RUNNING"], ["RUNNING", "NEW_FLAG"], ["x"] * 40, {}, {"set": False, "infinite": False, "number": 0},
    {"set": True, "infinite": True, "number": 0}, {"set": True, "infinite": False, "number": 5}, {"set": True},
    {"number": "7"}, {"number": {"number": 7}}, {"set": "true", "number": None}, {"error_number": 2017}, {"error": "x"},
    [{"error_number": 1007, "error": "no"}], [{"error_number": "2050", "description": TOKEN}], "an error", NESTED,
    {"current": ["RUNNING"]}, {"job_id": 8}, [{"job_id": 8, "job_state": ["RUNNING"]}], "n[1][2][3][4][5][6]", "n[²-9]",
    "%9999999999j%999a", "404",
)  # fmt: skip
KEYS: Final = (
    "job_id", "job_state", "state", "user_name", "user", "name", "comment", "errors", "jobs", "error_number", "set",
    "number", "meta", "slurm", "Slurm", "release", "result", "status", "code", "time", "exit_code", "hold",
    "submission",
)  # fmt: skip
STATUSES: Final = (
    200,
    204,
    301,
    400,
    401,
    403,
    404,
    405,
    408,
    409,
    413,
    415,
    422,
    425,
    429,
    500,
    501,
    502,
    503,
    504,
    511,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer: `body` is its text."""

    status: int
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A call of the port, and what it is answered, in turn; the last answer stays."""

    version: str
    call: str
    job_id: int
    answers: tuple[Answer, ...]


@cache
def recorded() -> tuple[tuple[str, Any], ...]:
    """Version and call of all recorded ones."""
    files = sorted(FOLDER.glob("*.json"))
    return tuple(
        (version, call) for file in files for version, calls in json.loads(file.read_text()).items() for call in calls
    )


def case(data: bytes) -> Case:
    """What an input stands for."""
    if not data:
        data = b"\0"
    which, rest = data[0], data[1:]
    raw = which == RAW
    if raw:
        which, rest = rest[0] if rest else 0, rest[1:]
    version, call = recorded()[which % len(recorded())]
    answers = tuple(_raw(rest)) if raw else _edited(call["answers"], rest)
    return Case(version=version, call=call["call"], job_id=call["job_id"], answers=answers)


def seeds() -> Iterator[bytes]:
    """Each recorded call as it was, with edits of each kind, and as raw text where it is short."""
    for index, (_, call) in enumerate(recorded()):
        yield bytes([index])
        yield bytes([index]) + bytes((7 * index + 13 * step) % 256 for step in range(40))
        text = "\0".join(
            f"{answer['status']}{json.dumps(answer['body'], separators=(',', ':'))}" for answer in call["answers"]
        )
        if len(text) < 6000:
            yield bytes([RAW, index]) + text.encode()


def _raw(rest: bytes) -> Iterator[Answer]:
    for part in rest.split(b"\0")[:8]:
        digits, body = part[:3], part[3:]
        status = int(digits) if digits.isdigit() and 200 <= int(digits) < 600 else 200
        yield Answer(status=status, body=body.decode("latin-1"))


def _edited(answers: Sequence[Any], rest: bytes) -> tuple[Answer, ...]:
    edited = copy.deepcopy(list(answers))
    for at in range(0, min(len(rest) - 3, 4 * MOST_EDITS), 4):
        _edit(edited, *rest[at : at + 4])
    return tuple(Answer(status=_status(answer), body=_text(answer)) for answer in edited)


def _status(answer: Any) -> int:
    status = answer.get("status") if isinstance(answer, dict) else None
    return status if isinstance(status, int) and 200 <= status < 600 else 200


def _text(answer: Any) -> str:
    body = answer.get("body") if isinstance(answer, dict) else answer
    return json.dumps(body)


def _edit(answers: list[Any], high: int, low: int, kind: int, which: int) -> None:
    """One edit of the node that is chosen: another value, gone, another key, twice, in the place of another, nested."""
    nodes = [*_nodes(answers)]
    holder, key = nodes[(high << 8 | low) % len(nodes)]
    kind %= 8
    if kind <= 2:
        holder[key] = copy.deepcopy(VALUES[which % len(VALUES)])
    elif kind == 3 and not (holder is answers and len(answers) == 1):
        del holder[key]
    elif kind == 4 and isinstance(holder, dict):
        holder[KEYS[which % len(KEYS)]] = holder.pop(key)
    elif kind == 5:
        other, other_key = nodes[(which * 257) % len(nodes)]
        if _is_small(other[other_key]):
            holder[key] = copy.deepcopy(other[other_key])
    elif kind == 6 and _is_small(holder[key]):
        holder[key] = [copy.deepcopy(holder[key]), holder[key]] if which % 2 else {"number": holder[key]}
    elif isinstance(answers[0], dict):
        answers[0]["status"] = STATUSES[which % len(STATUSES)]


def _is_small(value: Any) -> bool:
    """Whether answers do not get out of hand by having it twice."""
    return len(json.dumps(value)) < 20_000


def _nodes(answers: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Whatever stands in a list or object, as its holder and key; the longest first stay the same as it grows."""
    todo: list[Any] = [answers]
    while todo:
        holder = todo.pop(0)
        for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
            yield holder, key
            value = holder[key]
            if isinstance(value, dict | list) and len(value) < 60:
                todo.append(value)
