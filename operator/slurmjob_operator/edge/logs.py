"""Structured logs, as text or JSON lines. Every line about a SlurmJob carries its name, uid and Slurm id."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any, Final

from slurmjob_operator.slurm.token import redact

KEYS: Final = ("job", "uid", "slurm_job_id", "attempt")


class JsonFormatter(logging.Formatter):
    """One JSON object a line, keys in a fixed order."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        line: dict[str, Any] = {
            "ts": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "msg": redact(record.getMessage()),
        }
        line |= {key: value for key in KEYS if (value := getattr(record, key, None)) is not None}
        if record.exc_info:
            line["error"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """One line for people; the context stands behind the message."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        context = " ".join(f"{key}={value}" for key in KEYS if (value := getattr(record, key, None)) is not None)
        line = f"{self.formatTime(record)} {record.levelname:<7} {record.getMessage()}"
        line = f"{line}  ({context})" if context else line
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return redact(line)


def configure(*, form: str, level: str) -> None:
    """Send all logs to standard error. Kopf's line per handled event is switched off."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = JsonFormatter() if form == "json" else TextFormatter()
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in ("kopf.objects", "kopf.activities", "httpx", "httpcore", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
