"""The options of one job, from wherever they come: defaults, `#SBATCH` lines, the command line, fields of a manifest.

A layer maps long names to texts; later layers win, as the command line does over a script.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One option as it was given: `text` in sbatch's own syntax ("true" or "false" of a flag), `where` for messages:
    `template.mem`, `script, line 3: --mem`, `jobDefaults.qos`, `--mem`."""

    text: str
    where: str


Settings = Mapping[str, Setting]
"""By the option's long name."""


def together(*layers: Settings) -> dict[str, Setting]:
    """One layer of several; the later ones win. Its order is the one in which options were given last."""
    whole: dict[str, Setting] = {}
    for layer in layers:
        for name, setting in layer.items():
            whole.pop(name, None)
            whole[name] = setting
    return whole
