"""Logs: the context of a SlurmJob on every line, and never a token."""

from __future__ import annotations

import json
import logging

import jwt
import pytest

from slurmjob_operator.edge.logs import JsonFormatter, TextFormatter, configure
from slurmjob_operator.slurm.token import REDACTED, redact

TOKEN = jwt.encode({"exp": 4_102_444_800, "sun": "alice"}, "k" * 64)
CONTEXT = {"job": "ns/wing", "uid": "u-1", "slurm_job_id": "7", "attempt": 1}


def _record(message: str, *arguments: object, error: bool = False) -> logging.LogRecord:
    raised = ValueError(f"with {TOKEN}")
    info = (type(raised), raised, None) if error else None
    record = logging.LogRecord("a.logger", logging.WARNING, "f.py", 1, message, arguments, info)
    record.__dict__.update(CONTEXT)
    return record


def test_json_has_its_keys() -> None:
    line = json.loads(JsonFormatter().format(_record("hello %s", "you")))
    assert line.pop("ts").endswith(tuple(f".{n:03d}Z" for n in range(1000)))
    assert line == {"level": "warning", "logger": "a.logger", "msg": "hello you", **CONTEXT}


def test_text_has_the_context_behind_it() -> None:
    line = TextFormatter().format(_record("hello"))
    assert line.endswith("WARNING hello  (job=ns/wing uid=u-1 slurm_job_id=7 attempt=1)")


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
def test_whatever_looks_like_a_token_is_blanked(formatter: logging.Formatter) -> None:
    line = formatter.format(_record("header %s", TOKEN, error=True))
    assert TOKEN not in line
    assert TOKEN.rpartition(".")[2] not in line
    assert line.count(REDACTED) >= 2


def test_names_and_versions_are_not_tokens() -> None:
    for text in ("slurm.example.org", "slurmjob.dev/v1alpha1", "26.05.5", "a.b.c", "slurmrestd.university.research"):
        assert redact(text) == text


def test_configured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", list(root.handlers))
    level = root.level
    configure(form="json", level="warning")
    configure(form="text", level="warning")
    assert [type(handler.formatter) for handler in root.handlers] == [TextFormatter]
    assert root.level == logging.WARNING
    root.setLevel(level)
