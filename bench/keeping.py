"""The last result of each benchmark, kept beside its code."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"


def keep(name: str, **found: Any) -> None:
    """Replace the last result of this benchmark; the date is today's."""
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps({"date": time.strftime("%Y-%m-%d"), **found}, indent=1)
    (FOLDER / f"{name}.json").write_text(f"{text}\n")
