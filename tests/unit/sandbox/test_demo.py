"""The demo's own logic: what counts as success, that it cleans up, and that the examples it names are there."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import yaml

import demo
from sandboxlib import control_plane, slurm_cluster
from sandboxlib.daemons import SandboxError
from sandboxlib.paths import CHECKOUT, Paths

OVER = {"hello": "Complete", "exit-code": "Failed", "several-nodes": "Complete", "mistake": "Rejected"}


class _Kubectl:
    """Answers `get slurmjobs -o json` with one list of states after the other; remembers what was asked."""

    def __init__(self, *answers: dict[str, str]) -> None:
        self.asked: list[tuple[str, ...]] = []
        self._answers: Iterator[dict[str, str]] = iter(answers)

    def __call__(self, _paths: Paths, *arguments: str, stdin: str | None = None) -> str:
        self.asked.append(arguments)
        if arguments[-2:] != ("-o", "json"):
            return f"answer to {' '.join(arguments)}\n"
        items = [
            {"metadata": {"name": name}, "status": {"state": state}} for name, state in next(self._answers).items()
        ]
        return json.dumps({"items": items})


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """main() with every long step played."""
    done: list[str] = []

    def sandbox(arguments: Sequence[str]) -> int:
        done.append(" ".join(arguments))
        return 0

    def story(_paths: Paths) -> bool:
        done.append("story")
        return True

    monkeypatch.setattr(demo, "sandbox", sandbox)
    monkeypatch.setattr(demo, "install", lambda _paths: done.append("install"))
    monkeypatch.setattr(demo, "story", story)
    monkeypatch.delenv("KEEP", raising=False)
    return done


# --- Watching ---------------------------------------------------------------------------------------------------


def test_watch_prints_changes_only(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = {"hello": "Pending"}, {"hello": "Complete"}
    kubectl = _Kubectl(first, first, first, second)
    monkeypatch.setattr(control_plane, "kubectl", kubectl)
    assert demo.watch(paths, until=lambda states: states == second) == second
    assert capsys.readouterr().out.count("$ kubectl") == 2
    assert all(command[:2] == ("-n", demo.NAMESPACE) for command in kubectl.asked)


def test_watch_gives_up_and_says_where_things_stand(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10_000, 50))
    monkeypatch.setattr(control_plane, "kubectl", _Kubectl(*[{"hello": "Pending"}] * 10))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    with pytest.raises(SandboxError, match=r"after 120 s the jobs are: \{'hello': 'Pending'\}"):
        demo.watch(paths, until=lambda _states: False)


# --- The story --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "accounting", "ok"),
    [
        ({}, "long CANCELLED by 2001", True),
        ({}, "long COMPLETED", False),
        ({"hello": "Failed"}, "long CANCELLED", False),
        ({"exit-code": "Complete"}, "long CANCELLED", False),
        ({"long": "Failed"}, "long CANCELLED", False),
    ],
)
def test_success_is_that_each_job_came_to_its_own_end(
    paths: Paths, change: dict[str, str], accounting: str, ok: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = {**OVER, "hello": "Pending", "long": "Pending", "mistake": "Pending"}
    running = {**begun, "long": "Running", "mistake": "Rejected"}
    kubectl = _Kubectl(begun, running, {**OVER, "hello": "Running"}, {**OVER, **change})
    monkeypatch.setattr(control_plane, "kubectl", kubectl)
    monkeypatch.setattr(slurm_cluster, "exec_argv", lambda *_arguments: ["echo", accounting])
    assert demo.story(paths) is ok
    words = [command[2:] for command in kubectl.asked]
    applied = [command[2] for command in words if command[0] == "apply"]
    assert applied == [str(paths.checkout / "manifests" / "examples" / f"{name}.yaml") for name in demo.EXAMPLES]
    deleted = next(index for index, command in enumerate(words) if command[:3] == ("delete", "slurmjob", "long"))
    asked = [index for index, command in enumerate(words) if command[-2:] == ("-o", "json")]
    assert len([index for index in asked if index < deleted]) == 2, "it runs before it is deleted"


@pytest.mark.parametrize("name", demo.EXAMPLES)
def test_the_examples_are_shipped(name: str) -> None:
    (manifest,) = yaml.safe_load_all((CHECKOUT / "manifests" / "examples" / f"{name}.yaml").read_text())
    assert manifest["kind"] == "SlurmJob"
    assert manifest["metadata"] == {"name": name}
    assert manifest["spec"]["connectionRef"]["name"] == "campus"


def test_the_suite_is_known() -> None:
    assert demo.SUITE in slurm_cluster.SUITES


def test_the_reason_is_that_of_the_condition_submitted(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl = _Kubectl()
    monkeypatch.setattr(control_plane, "kubectl", kubectl)
    demo.message(paths, "mistake")
    assert kubectl.asked[0][:5] == ("-n", demo.NAMESPACE, "get", "slurmjob", "mistake")
    assert '"Submitted"' in kubectl.asked[0][-1]


def test_commands_are_shown_with_what_they_print(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(control_plane, "kubectl", _Kubectl())
    monkeypatch.setattr(slurm_cluster, "exec_argv", lambda _paths, suite, argv: ["echo", suite, *argv])
    demo.show(paths, "get", "pods")
    assert demo.inside(paths, "squeue", "-h") == f"{demo.SUITE} squeue -h"
    assert capsys.readouterr().out == "$ kubectl get pods\nanswer to get pods\n$ squeue -h\n"


# --- The whole --------------------------------------------------------------------------------------------------


def test_it_cleans_up_after_success(steps: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main() == 0
    assert steps == ["up --kube --slurm forky", "install", "story", "down --purge"]
    assert capsys.readouterr().out.endswith("demo: every job came to the end that it should\n")


def test_it_stays_up_if_wanted(
    steps: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEEP", "1")
    assert demo.main() == 0
    assert steps == ["up --kube --slurm forky", "install", "story"]
    assert "sandbox/sandbox down --purge" in capsys.readouterr().out


def _fail(_paths: Paths) -> Any:
    raise SandboxError("kubectl get: no such thing")


@pytest.mark.parametrize(
    ("name", "played", "words"),
    [("story", lambda _paths: False, "demo: FAILED"), ("install", _fail, "demo: kubectl get: no such thing")],
)
def test_it_cleans_up_after_a_failure(
    steps: list[str], name: str, played: object, words: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(demo, name, played)
    assert demo.main() == 1
    assert steps[-1] == "down --purge"
    said = capsys.readouterr().out
    assert words in said
    assert said.endswith("demo: FAILED, see above\n")


def test_a_sandbox_that_does_not_come_up_is_a_failure(steps: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def sandbox(arguments: Sequence[str]) -> int:
        steps.append(" ".join(arguments))
        return 1

    monkeypatch.setattr(demo, "sandbox", sandbox)
    assert demo.main() == 1
    assert steps == ["up --kube --slurm forky", "down --purge"]
