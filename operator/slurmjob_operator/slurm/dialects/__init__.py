"""How slurmrestd's API versions say things: one module per family, one value per version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from slurmjob_operator.slurm.dialects import family_v0038, family_v0040
from slurmjob_operator.slurm.dialects.dialect import Dialect

DIALECTS: Final[Mapping[str, Dialect]] = {
    dialect.version: dialect for dialect in (*family_v0040.DIALECTS, *family_v0038.DIALECTS)
}
"""By version, the newest first."""

DOCUMENT_ONLY: Final = frozenset({"v0.0.39"})
"""Versions that no daemon at hand serves. A slurmrestd that has one also has v0.0.38 (Slurm 23.02) or v0.0.40, so they
are spoken only where a connection names them."""

FOUND_BY_ITSELF: Final = tuple(version for version in DIALECTS if version not in DOCUMENT_ONLY)
"""In this order a connection that says Auto asks for them."""
