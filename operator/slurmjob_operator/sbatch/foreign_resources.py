"""The list of `#PBS -l` as sbatch reads it: `nodes=2:ppn=4,walltime=1:00:00`, `select=2:ncpus=4:mpiprocs=2`."""

from __future__ import annotations

import re
from enum import Enum
from typing import Final, NamedTuple

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.lines import SPACE


class Place(Enum):
    """Where a text goes, beside the one that its option has by now."""

    INSTEAD = 0
    BEFORE = 1
    AFTER = 2


class Meant(NamedTuple):
    """An option of sbatch by its long name, and its argument."""

    option: str
    text: str | None
    place: Place = Place.INSTEAD


PLAIN: Final = {
    "walltime": "time",
    "cput": "time",
    "pcput": "time",
    "nice": "nice",
    "mppnodes": "nodelist",
    "select": "nodes",
    "ncpus": "mincpus",
    "mpiprocs": "ntasks-per-node",
}
"""What is another name for an option of sbatch."""

SIZES: Final = {"mem": "mem", "file": "tmp"}
"""The same, with a `b` at the end that is dropped: `gb` is G, and `b` alone is MB."""

PASSED_OVER: Final = ("arch", "host", "opsys", "other", "pmem", "pvmem", "software", "vmem")

CHUNK: Final = ("select", "ncpus", "mpiprocs")
"""What PBS Pro says in one value: colons end each, not commas."""

MOST_GPUS: Final = 2**31 - 1
MOST_DIGITS: Final = 18

_ANY_CASE: Final = "|".join((*CHUNK, "accelerator", "naccelerators"))
_EXACT: Final = "|".join((*PLAIN, *SIZES, *PASSED_OVER, "nodes", "proc"))
_NAME: Final = re.compile(rf"(?:(?i:{_ANY_CASE})|{_EXACT})=", re.ASCII)
"""Looked for at every place, within words too: `xmem=1gb` is `mem=1gb`. All else is passed over."""

_NODES: Final = re.compile(r"(?P<name>ppn|gpus)=(?P<value>[^+:]*)|(?P<bare>[0-9A-Za-z][^+:]*)")
_NUMBER: Final = re.compile(rf"[{SPACE}]*([+-]?[0-9]+)")


def meaning(text: str) -> list[Meant]:
    """sbatch's options for a list. Raises `InvalidValue`."""
    said: list[Meant] = []
    chunk: dict[str, str] = {}
    gpus = 0
    at = 0
    while found := _NAME.search(text, at):
        name = found[0].removesuffix("=").lower()
        value, at = _value(text, found.end(), ":" if name in CHUNK else ",")
        match name:
            case "accelerator":
                at = found.end()
                gpus = gpus or int(value[:4].lower() == "true")
            case "naccelerators":
                gpus = _gpus(value)
            case "nodes":
                said += _nodes(value)
            case "proc":
                said.append(Meant("constraint", value, Place.BEFORE))
                _, at = _value(text, at, ",")
            case "mppnodes" if not value:
                pass
            case _ if name in SIZES:
                said.append(Meant(SIZES[name], value[:-1] if value[-1:] in {"b", "B"} else value))
            case _ if name in PLAIN:
                said.append(Meant(PLAIN[name], value))
        if name in CHUNK:
            chunk[name] = value
    said += _cpus_per_task(chunk)
    if gpus:
        said.append(Meant("gres", f"gpu:{gpus}", Place.AFTER))
    return said


def _value(text: str, start: int, end: str) -> tuple[str, int]:
    """What stands there up to that character, and the place after it."""
    at = text.find(end, start)
    at = len(text) if at < 0 else at
    return text[start:at], at + 1


def _gpus(text: str) -> int:
    number = _NUMBER.fullmatch(text)
    count = _c_number(text) if number else 0
    if not 0 < count <= MOST_GPUS:
        raise InvalidValue(text, "naccelerators must be a whole number above 0")
    return count


def _nodes(text: str) -> list[Meant]:
    """`2:ppn=4:gpus=1`, `n1+n2:ppn=2`: numbers of nodes are added up, and so are the tasks on each; names are hosts."""
    count = tasks = 0
    gpus: str | None = None
    hosts: list[str] = []
    for part in _NODES.finditer(text):
        match part["name"]:
            case "ppn":
                tasks += _c_number(part["value"])
            case "gpus":
                gpus = part["value"]
            case _ if part["bare"][0].isdigit():
                count += _c_number(part["bare"])
            case _:
                hosts.append(part["bare"])
    said: list[Meant] = []
    if count:
        said.append(Meant("nodes", str(count)))
    if tasks:
        said.append(Meant("ntasks", str(tasks * (count or 1))))
    if gpus is not None:
        said.append(Meant("gpus-per-node", gpus))
    if hosts:
        said.append(Meant("nodelist", ",".join(hosts)))
    return said


def _cpus_per_task(chunk: dict[str, str]) -> list[Meant]:
    """CPUs of a chunk are shared out among its tasks, where there are more of them."""
    if len(chunk) < len(CHUNK) or not all(_NUMBER.fullmatch(chunk[name]) for name in ("ncpus", "mpiprocs")):
        return []
    cpus, tasks = _c_number(chunk["ncpus"]), _c_number(chunk["mpiprocs"])
    return [Meant("cpus-per-task", str(cpus // tasks))] if cpus > tasks > 0 else []


def _c_number(text: str) -> int:
    """The number that a text begins with, as C's strtol() finds it, in an int of 32 bits; 0 where there is none."""
    number = _NUMBER.match(text)
    if number is None or len(number[1]) > MOST_DIGITS:
        return 0 if number is None else MOST_GPUS
    return (int(number[1]) + 2**31) % 2**32 - 2**31
