"""Slurm releases that no daemon at hand is of, as answers: those that real daemons gave in the nearest API version,
under the name of the release. Of v0.0.39 they are written by hand, after its document. A test holds them against the
documents of their own versions.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import httpx

from slurmjob_operator.slurm.client import SlurmrestdClient
from tests.fuzz.mutation import recorded
from tests.real.releases import NotRun
from tests.unit.slurm.answers import client, error

JOB_ID: Final = 4711
UNKNOWN_ID: Final = 60_000_000
NOT_SERVED: Final = "Unable to find requested URL."


NEAREST: Final = {
    "v0.0.38": "v0.0.38",
    "v0.0.40": "v0.0.40",
    "v0.0.41": "v0.0.40",
    "v0.0.42": "v0.0.42",
    "v0.0.43": "v0.0.42",
    "v0.0.44": "v0.0.45",
}
"""The version whose recorded answers stand for it."""

KINDS: Final = {
    "diag": ("info", 0, 0),
    "nothing accounted": ("accounting", 1, 0),
    "clusters": ("info", 0, 2),
    "submitted": ("submit", 0, 0),
    "refused": ("submit", 1, 0),
    "held": ("job", 0, 0),
    "ended": ("job", 1, 0),
    "unknown": ("job", 2, 0),
    "states": ("states", 0, 0),
    "accounted": ("accounting", 0, 0),
    "updated": ("release", 0, 0),
    "cancelled": ("cancel", 0, 0),
    "unknown cancelled": ("cancel", 1, 0),
}
"""Of the recorded calls of that name the so manieth, and of its answers which."""

NUMBER: Final = {"set": True, "infinite": False, "number": 5}
JOB_39: Final[dict[str, Any]] = {
    "job_id": JOB_ID, "user_name": "alice", "name": "recorded", "job_state": "PENDING", "state_reason": "JobHeldUser",
    "comment": "[marker]", "extra": "", "hold": True, "priority": {**NUMBER, "number": 0}, "restart_cnt": 0,
    "submit_time": 1_800_000_000, "start_time": 0, "end_time": 0, "exit_code": {**NUMBER, "number": 0},
    "time_limit": NUMBER, "node_count": NUMBER, "cpus": NUMBER, "nodes": "", "account": "research",
    "partition": "debug", "qos": "normal", "standard_output": "/home/alice/slurm-4711.out", "standard_error": "",
}  # fmt: skip
ENDED_39: Final[dict[str, Any]] = {
    **JOB_39, "job_state": "FAILED", "hold": False, "priority": NUMBER, "nodes": "n1", "start_time": 1_800_000_010,
    "end_time": 1_800_000_020, "exit_code": {**NUMBER, "number": 768},
}  # fmt: skip
ACCOUNTED_39: Final[dict[str, Any]] = {
    "job_id": JOB_ID, "name": "recorded", "association": {"user": "alice", "account": "research", "cluster": "campus"},
    "state": {"current": "FAILED", "reason": "None"}, "comment": {"job": "note", "administrator": "", "system": ""},
    "exit_code": {"status": "ERROR", "return_code": 3},
    "time": {"submission": 1_800_000_000, "start": 1_800_000_010, "end": 1_800_000_020, "elapsed": 10},
}  # fmt: skip
ANSWERS_39: Final[dict[str, tuple[int, dict[str, Any]]]] = {
    "diag": (200, {"statistics": {"dbd_agent_queue_size": 0}}),
    "nothing accounted": (200, {"jobs": []}),
    "submitted": (200, {"job_id": JOB_ID, "step_id": "BATCH", "job_submit_user_msg": ""}),
    "refused": (500, {"errors": [error(2000, "Invalid partition name specified")]}),
    "held": (200, {"jobs": [JOB_39]}),
    "ended": (200, {"jobs": [ENDED_39]}),
    "unknown": (500, {"errors": [error(2017, "Invalid job id specified")], "jobs": []}),
    "accounted": (200, {"jobs": [ACCOUNTED_39]}),
    "updated": (200, {"results": []}),
    "cancelled": (200, {}),
    "unknown cancelled": (500, {"errors": [error(2017, "Invalid job id specified")]}),
}


def answers(version: str, release: str, *, cluster: str = "campus") -> dict[str, tuple[int, dict[str, Any]]]:
    """Status and body of each kind."""
    found = ANSWERS_39 if version == "v0.0.39" else _recorded(NEAREST[version])
    return {kind: (status, _named(body, version, release, cluster)) for kind, (status, body) in found.items()}


@cache
def _recorded(version: str) -> dict[str, tuple[int, dict[str, Any]]]:
    calls: dict[str, list[Any]] = {}
    for name, call in recorded():
        if name == version:
            text = json.dumps(call["answers"])
            calls.setdefault(call["call"], []).append(
                json.loads(text if call["job_id"] == UNKNOWN_ID else text.replace(_job_id(version), str(JOB_ID)))
            )
    chosen = {kind: calls[call][number] for kind, (call, number, _) in KINDS.items()}
    return {
        kind: (chosen[kind][which]["status"], chosen[kind][which]["body"])
        for kind, (_, _, which) in KINDS.items()
        if which < len(chosen[kind])
    }


def _job_id(version: str) -> str:
    return str(next(call["job_id"] for name, call in recorded() if name == version and call["call"] == "states"))


def _named(body: dict[str, Any], version: str, release: str, cluster: str) -> dict[str, Any]:
    """Under the name of a release; before v0.0.40 answers do not name the cluster."""
    major, minor, micro = release.split(".")
    old = version in ("v0.0.38", "v0.0.39")
    parts: dict[str, Any] = {"major": major, "minor": minor, "micro": micro}
    slurm: dict[str, Any] = {"release": release, "version": {k: int(v) for k, v in parts.items()} if old else parts}
    meta = {**body.get("meta", {}), "Slurm" if version == "v0.0.38" else "slurm": slurm}
    if not old:
        slurm["cluster"] = cluster
    return {"errors": [], **body, "meta": meta}


@dataclass
class Daemon:
    """A slurmrestd of such a release with one job, that remembers the paths that it was asked for. `lacks` are paths
    that it does not serve; `errors` stand in all answers of slurmctld's plug-in."""

    release: NotRun
    cluster: str = "campus"
    ended: bool = False
    lacks: frozenset[str] = frozenset()
    errors: tuple[dict[str, Any], ...] = ()
    asked: list[str] = field(default_factory=list)

    def port(self, *, api_version: str = "Auto") -> SlurmrestdClient:
        """A client of it, whatever it becomes."""
        return client(lambda request: self.answer(request), api_version=api_version)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """In the version that is asked for."""
        if request.url.path == "/openapi/v3":
            paths: dict[str, Any] = {f"/slurm/{version}/ping": {} for version in self.release.served}
            return httpx.Response(200, json={"paths": paths})
        _, plugin, version, path = request.url.path.split("/", 3)
        self.asked.append(f"{request.method} {plugin} {version} {path}")
        if version not in self.release.served or path in self.lacks:
            return httpx.Response(404, text=NOT_SERVED)
        status, body = answers(version, self.release.name, cluster=self.cluster)[self._kind(request, plugin, path)]
        if self.errors and plugin == "slurm":
            return httpx.Response(500, json={**body, "errors": [*self.errors, *body["errors"]]})
        return httpx.Response(status, json=body)

    def _kind(self, request: httpx.Request, plugin: str, path: str) -> str:
        if path == "job/submit":
            return "refused" if "nope" in json.loads(request.content)["job"].get("partition", "") else "submitted"
        if path in ("diag", "clusters"):
            return path
        if path == "jobs/state":
            return "states"
        ours = path in (f"job/{JOB_ID}", "jobs")
        if plugin == "slurmdb":
            return "accounted" if ours else "nothing accounted"
        if request.method == "GET":
            return ("ended" if self.ended else "held") if ours else "unknown"
        if request.method == "POST":
            return "updated" if ours else "unknown"
        return "cancelled" if ours else "unknown cancelled"
