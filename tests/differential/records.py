"""What Slurm says of jobs: `scontrol show job`, and the record of slurmrestd's newest API version."""

from __future__ import annotations

import json
import re
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sandboxlib import slurm_cluster
from sandboxlib.paths import Paths
from sandboxlib.slurm_suites import SUITES
from tests.differential.theirs import inside_command

SHOWN: Final = "scontrol"
REST: Final = "rest"
CHUNK: Final = 200
"""Ids in one call of scancel."""

ANYTHING: Final = frozenset({"Comment", "Command", "SubmitLine", "WorkDir", "StdErr", "StdIn", "StdOut"})
"""Names that have a line to themselves, with any text behind them."""

_PAIR: Final = re.compile(r"(\S+?)=(.*?)(?= \S+?=|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One job, or one component of a heterogeneous one. Names of fields begin with `scontrol.` or `rest.`; nested
    objects are flat, with dots."""

    job_id: int
    fields: Mapping[str, str]

    @property
    def dependency_is_fresh(self) -> bool:
        """Whether the scheduler has not looked at its dependency yet. Until then its time is that of the submission."""
        dependency, evaluated = (self.fields[f"{SHOWN}.{name}"] for name in ("Dependency", "LastSchedEval"))
        return "(unfulfilled)" in dependency and evaluated <= self.fields[f"{SHOWN}.SubmitTime"]


def read(paths: Paths, suite: str) -> dict[int, list[Record]]:
    """All jobs that slurmctld knows, by id; components of a heterogeneous job stand in order under its first id."""
    shown = list(_shown(paths, suite))
    answered = {int(raw["job_id"]): raw for raw in _answered(paths, suite)}
    jobs: dict[int, list[Record]] = defaultdict(list)
    for block in sorted(shown, key=lambda block: int(block["JobId"])):
        job_id = int(block["JobId"])
        if job_id in answered:
            fields = {f"{SHOWN}.{name}": value for name, value in block.items()} | dict(_flat(REST, answered[job_id]))
            jobs[int(block.get("HetJobId", job_id))].append(Record(job_id=job_id, fields=fields))
    return jobs


def cancel(paths: Paths, suite: str, job_ids: Iterable[int]) -> None:
    """As alice, whose jobs they are. Of a heterogeneous job the first id is enough."""
    wanted = sorted(job_ids)
    for start in range(0, len(wanted), CHUNK):
        inside_command(paths, suite, ["scancel", *map(str, wanted[start : start + CHUNK])], user="alice")


def _shown(paths: Paths, suite: str) -> Iterator[dict[str, str]]:
    for block in inside_command(paths, suite, ["scontrol", "show", "job"], user="root").split("\n\n"):
        if block.strip().startswith("JobId="):
            yield dict(_pairs(block.strip().splitlines()))


def _pairs(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """`NAME=VALUE`, several on most lines."""
    for line in map(str.strip, lines):
        name, _, value = line.partition("=")
        if name in ANYTHING:
            yield name, value
        else:
            yield from _PAIR.findall(line)


def _answered(paths: Paths, suite: str) -> Sequence[Mapping[str, Any]]:
    newest = SUITES[suite].api_versions[0]
    token = slurm_cluster.token(paths, suite, user="alice", lifespan=600)
    request = urllib.request.Request(  # noqa: S310 - our own address
        f"{slurm_cluster.rest_url(paths, suite)}/slurm/{newest}/jobs",
        headers={"X-SLURM-USER-NAME": "alice", "X-SLURM-USER-TOKEN": token},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
        jobs: list[dict[str, Any]] = json.load(answer)["jobs"]
    return jobs


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """`{set: false}` is unset whatever number stands beside it; words of a list have no order."""
    if isinstance(value, Mapping) and value.get("set") is False:
        yield name, "unset"
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}", inner)
    elif isinstance(value, list):
        yield name, ",".join(sorted(map(str, value)))
    else:
        yield name, str(value)
