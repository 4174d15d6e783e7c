"""`slurmjob-operator check` finds at least what the real API server refuses, in the same manifests."""

from __future__ import annotations

import pytest

from sandboxlib import control_plane
from sandboxlib.daemons import SandboxError
from sandboxlib.paths import Paths
from slurmjob_operator.edge import check
from slurmjob_operator.edge.offline.problems import Level
from slurmjob_operator.edge.offline.targets import TARGETS

HEAD = """\
apiVersion: slurmjob.dev/v1alpha1
kind: SlurmJob
metadata:
  name: wing
spec:
  connectionRef:
    name: campus
  template:
    chdir: /home/alice
    script: |
      #!/bin/sh
      true
"""

GOOD = [
    "",
    "    account: ~\n    ntasks: ~\n",
    "    hold: on\n    mem: 1e3\n    ntasks: 2.0\n    cpusPerTask: 010\n",
    "    time: 1:30\n",
    "    environment:\n    - {name: A, value: ''}\n",
    "status: {state: Running}\n",
]
BAD = [
    "    acount: aero\n",
    "    time: 90\n",
    "    account: no\n",
    "    hold: 'yes'\n",
    "    ntasks: '4'\n",
    "    ntasks: 1.5\n",
    "    ntasks: 0\n",
    "    mem: [1]\n",
    "    mem: true\n",
    "    environment: {A: x}\n",
    "    environment:\n    - {name: 1A}\n",
    "    environment:\n    - {name: A}\n    - {name: A}\n",
    "    environment:\n    - {value: x}\n",
    "    comment: '[slurmjob.dev/1 x]'\n",
    "  backoffLimit: -1\n",
    "  deletionPolicy: Delete\n",
    "  suspended: true\n",
    "unknown: 1\n",
]


def _errors(text: str) -> list[str]:
    report = check.check_text(text, TARGETS)
    return [*report.unusable, *(str(problem) for problem in report.problems if problem.level is Level.ERROR)]


def _apply(paths: Paths, text: str) -> None:
    control_plane.kubectl(paths, "create", "--dry-run=server", "-f", "-", stdin=text)


@pytest.mark.parametrize("rest", GOOD)
def test_good(rights: Paths, rest: str) -> None:
    assert _errors(HEAD + rest) == []
    _apply(rights, HEAD + rest)


@pytest.mark.parametrize("rest", BAD)
def test_bad(rights: Paths, rest: str) -> None:
    assert _errors(HEAD + rest)
    with pytest.raises(SandboxError):
        _apply(rights, HEAD + rest)


@pytest.mark.parametrize(
    "metadata",
    [
        "name: Wing",
        "name: wing\n  uuid: x",
        "labels: {}",
        "name: wing\n  labels: {a: on}",
        "name: wing\n  namespace: A.b",
    ],
)
def test_bad_metadata(rights: Paths, metadata: str) -> None:
    text = HEAD.replace("name: wing", metadata)
    assert _errors(text)
    with pytest.raises(SandboxError):
        _apply(rights, text)
