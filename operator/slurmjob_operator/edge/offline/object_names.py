"""Names of objects made of names that Slurm or a file system has."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LONGEST: Final = 253
FALLBACK: Final = "job"

_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9.]+")
_LOOSE_DOTS: Final = re.compile(r"-*\.[-.]*")


def object_name(text: str) -> str:
    """A DNS subdomain as near to the text as may be: `Wing_sweep (2)` is `wing-sweep-2`."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = _LOOSE_DOTS.sub(".", _NOT_IN_NAMES.sub("-", plain))
    return name[:LONGEST].strip("-.") or FALLBACK
