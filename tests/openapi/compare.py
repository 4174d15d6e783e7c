"""`make check-openapi`: the committed documents against those that the three daemons serve now.

Only what matters to us is compared: which API versions there are, the schemas of submission and update, and paths and
parameters that we use. Prints what differs; 0 where nothing does. Texts that describe are left out.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandboxlib import slurm_cluster
from sandboxlib.paths import Paths, default_paths
from sandboxlib.slurm_suites import SUITES
from tests.openapi.documents import METHODS, SERVED, Document, served

BODIES: Final = ("job/submit", "job/{job_id}")
PATHS: Final = (
    *(f"slurm/{{}}/{path}" for path in ("job/{{job_id}}", "job/submit", "jobs", "jobs/state")),
    *(f"slurm/{{}}/{path}" for path in ("diag", "ping", "nodes", "partitions")),
    *(f"slurmdb/{{}}/{path}" for path in ("job/{{job_id}}", "jobs", "clusters", "associations")),
)
WORDS: Final = frozenset({"description", "example", "default", "deprecated"})


def differences(ours: Document, theirs: Document) -> Iterator[str]:
    """One line for each thing that one document says and the other does not."""
    for version in sorted(set(ours.versions) ^ set(theirs.versions)):
        yield f"{version}: only in {ours.name if version in ours.versions else theirs.name}"
    for version in sorted(set(ours.versions) & set(theirs.versions)):
        said = [dict(_facts(document, version)) for document in (ours, theirs)]
        for place in sorted(said[0].keys() | said[1].keys()):
            pair = [facts.get(place, "absent") for facts in said]
            if pair[0] != pair[1]:
                yield f"{version} {place}: {pair[0]} -> {pair[1]}"


def _facts(document: Document, version: str) -> Iterator[tuple[str, str]]:
    for pattern in PATHS:
        path = f"/{pattern.format(version)}"
        for method in METHODS:
            operation = document.paths.get(path, {}).get(method)
            if operation is not None:
                names = sorted(parameter["name"] for parameter in operation.get("parameters", ()))
                yield f"{method.upper()} {path}", f"parameters {' '.join(names)}"
    for body in BODIES:
        path = f"/slurm/{version}/{body}"
        if path in document.paths:
            yield from _leaves(document.schema(path, "post"), f"POST {path}")


def _leaves(schema: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(schema, Mapping):
        for key, value in schema.items():
            if key not in WORDS or place.endswith(".properties"):
                yield from _leaves(value, f"{place}.{key}")
    else:
        yield place, json.dumps(sorted(schema, key=str) if isinstance(schema, list) else schema)


def fetch(paths: Paths, suite: str) -> Document:
    """What this suite's slurmrestd serves now."""
    token = slurm_cluster.token(paths, suite, user="alice", lifespan=60)
    request = urllib.request.Request(  # noqa: S310 - the sandbox's own address
        f"{slurm_cluster.rest_url(paths, suite)}/openapi/v3",
        headers={"X-SLURM-USER-NAME": "alice", "X-SLURM-USER-TOKEN": token},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own, on loopback
        return Document(f"{suite} now", json.load(answer))


def main() -> int:
    """Compare all three; the number of suites that differ."""
    differing = 0
    for suite, release in SERVED.items():
        found = list(differences(served(suite), fetch(default_paths(), suite)))
        differing += bool(found)
        print(f"{suite} ({SUITES[suite].release}): {len(found)} differences from the copy of {release}")
        print("".join(f"  {line}\n" for line in found), end="")
    return differing


if __name__ == "__main__":
    sys.exit(main())
