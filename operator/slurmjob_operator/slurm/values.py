"""sbatch's value syntax, as the real sbatch reads it (measured on 22.05, 24.11 and 26.05)."""

from __future__ import annotations

import re
from typing import Final

from slurmjob_operator.slurm.request import NodeRange, TimeLimit

LARGEST: Final = 2**31 - 2
"""Above this Slurm's 32-bit counters have meanings of their own (INFINITE, NO_VAL)."""

TIME_RULE: Final = (
    'must be minutes, "MM:SS", "HH:MM:SS", "D-HH", "D-HH:MM", "D-HH:MM:SS" or "UNLIMITED", as for sbatch --time'
)
MEMORY_RULE: Final = "must be a whole number of MiB, or one with K, M, G or T, as for sbatch --mem"
NODES_RULE: Final = 'must be a number of nodes or a range such as "2-4", as for sbatch --nodes'
GRES_RULE: Final = 'must be a list of NAME, NAME:COUNT or NAME:TYPE:COUNT, e.g. "gpu:a100:2,nvme", as for sbatch --gres'
GPUS_RULE: Final = 'must be COUNT or TYPE:COUNT, e.g. "a100:2", as for sbatch --gpus'

DEPENDENCY_RULE: Final = (
    'must be "singleton" or TYPE:JOBID[:JOBID…] with after, afterany, afterburstbuffer, aftercorr, afternotok or '
    "afterok, several separated by all commas or all question marks, as for sbatch --dependency"
)
DEADLINE_RULE: Final = (
    'must be "now+COUNT" with seconds (the default), minutes, hours, days or weeks, e.g. "now+2hours"; a date would '
    "need the cluster's time zone, which slurmrestd does not tell"
)

_DEPENDENCY = re.compile(
    r"singleton|after(?:any|burstbuffer|corr|notok|ok)?(?::[0-9]{1,10}(?:_(?:[0-9]{1,10}|\*))?(?:\+[0-9]{1,9})?)+"
)
_DEADLINE = re.compile(r"now\+([0-9]{1,9})(second|minute|hour|day|week)?s?")
_SECONDS = {None: 1, "second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_DAYS = re.compile(r"([0-9]{1,9})-([0-9]{1,9})(?::([0-9]{1,9})(?::([0-9]{1,9}))?)?")
_CLOCK = re.compile(r"([0-9]{1,9})(?::([0-9]{1,9}))?(?::([0-9]{1,9}))?")
_MEMORY = re.compile(r"([0-9]{1,18})([KMGT]?)B?", re.IGNORECASE)
_NODES = re.compile(r"([0-9]{1,9}[KM]?)?(?:(-)([0-9]{1,9}[KM]?))?", re.IGNORECASE)
_GRES = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)(?::([A-Za-z][A-Za-z0-9_.-]*))?(?::([0-9]{1,9}[KMGT]?))?")
_GPUS = re.compile(r"(?:([A-Za-z][A-Za-z0-9_.-]*):)?([0-9]{1,9})")

_UNITS = {"K": 1024, "M": 1024**2}


class InvalidValue(ValueError):
    """A value that sbatch would refuse. `rule` says what it must be."""

    def __init__(self, value: str, rule: str) -> None:
        super().__init__(f"{value!r}: {rule}")
        self.value = value
        self.rule = rule


def time_limit(text: str) -> TimeLimit:
    """`--time`. Seconds round up to minutes; 0, -1, INFINITE and UNLIMITED mean no limit at all."""
    if text.upper() in {"UNLIMITED", "INFINITE", "-1"}:
        return TimeLimit(minutes=None)
    seconds = _seconds(text)
    if seconds is None:
        raise InvalidValue(text, TIME_RULE)
    minutes = -(-seconds // 60)
    return TimeLimit(minutes=None if minutes == 0 or minutes > LARGEST else minutes)


def _seconds(text: str) -> int | None:
    days = _DAYS.fullmatch(text)
    if days:
        day, hour, minute, second = (int(part or 0) for part in days.groups())
        return ((day * 24 + hour) * 60 + minute) * 60 + second
    clock = _CLOCK.fullmatch(text)
    if not clock:
        return None
    first, second_part, third = clock.groups()
    if third is not None:
        return (int(first) * 60 + int(second_part)) * 60 + int(third)
    if second_part is not None:
        return int(first) * 60 + int(second_part)
    return int(first) * 60


def memory_mb(text: str) -> int:
    """`--mem`, `--mem-per-cpu`: MiB. K rounds up."""
    match = _MEMORY.fullmatch(text)
    if match is None or (text[-1:] in "bB" and not match[2]):
        raise InvalidValue(text, MEMORY_RULE)
    number, unit = int(match[1]), match[2].upper() or "M"
    mebibytes = -(-number // 1024) if unit == "K" else number * {"M": 1, "G": 1024, "T": 1024**2}[unit]
    if mebibytes > 2**53:
        raise InvalidValue(text, f"{MEMORY_RULE}; it is too large")
    return mebibytes


def node_range(text: str) -> NodeRange:
    """`--nodes`: `2`, `2-4`, `-4` (1 to 4), `2k` (2048)."""
    match = _NODES.fullmatch(text)
    if not text or match is None or (match[1] is None and match[3] is None):
        raise InvalidValue(text, NODES_RULE)
    low = _count(match[1]) if match[1] else 1
    high = _count(match[3]) if match[3] else low
    if not 1 <= low <= high <= LARGEST:
        raise InvalidValue(text, f"{NODES_RULE}; at least 1, and not falling")
    return NodeRange(minimum=low, maximum=high)


def _count(text: str) -> int:
    unit = text[-1].upper()
    return int(text[:-1]) * _UNITS[unit] if unit in _UNITS else int(text)


def gres_list(text: str) -> str | None:
    """`--gres` in Slurm's TRES spelling: `gpu:a100:2,nvme` becomes `gres/gpu:a100:2,gres/nvme`; `none` is none."""
    if text.lower() == "none":
        return None
    entries = [_GRES.fullmatch(entry.removeprefix("gres/")) for entry in text.split(",")]
    found = [entry for entry in entries if entry is not None]
    if len(found) != len(entries):
        raise InvalidValue(text, GRES_RULE)
    return ",".join(f"gres/{entry[0]}" for entry in found)


def gpu_count(text: str) -> str:
    """`--gpus`, `--gpus-per-node` in Slurm's TRES spelling: `a100:2` becomes `gres/gpu:a100:2`."""
    match = _GPUS.fullmatch(text)
    if match is None or int(match[2]) < 1:
        raise InvalidValue(text, GPUS_RULE)
    return f"gres/gpu:{text}"


def dependency(text: str) -> str:
    """`--dependency`, sent as it is: Slurm's own syntax, checked since 22.05 drops what it cannot read."""
    separators = {character for character in text if character in ",?"}
    parts = re.split(r"[,?]", text)
    if len(separators) > 1 or not all(_DEPENDENCY.fullmatch(part) for part in parts):
        raise InvalidValue(text, DEPENDENCY_RULE)
    return text


def deadline(text: str, *, now: float) -> int:
    """`--deadline` in epoch seconds. `now` is when the job is submitted."""
    match = _DEADLINE.fullmatch(text)
    if match is None:
        raise InvalidValue(text, DEADLINE_RULE)
    return int(now) + int(match[1]) * _SECONDS[match[2]]
