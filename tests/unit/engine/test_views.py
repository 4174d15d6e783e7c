"""From bodies to views and back; and how views of one object follow each other."""

from __future__ import annotations

from typing import Any

import pytest

from slurmjob_operator.api.slurmjob import DeletionPolicy
from slurmjob_operator.engine.registry import Registry
from slurmjob_operator.engine.views import job_view, newer, status_body, template_hash

BODY: dict[str, Any] = {
    "metadata": {
        "namespace": "ns",
        "name": "wing",
        "uid": "u-1",
        "generation": 2,
        "resourceVersion": "10",
        "finalizers": ["other", "slurmjob.dev/slurm-job"],
    },
    "spec": {"connectionRef": {"name": "campus"}, "template": {"script": "#!/bin/sh\n", "chdir": "/x"}},
    "status": {
        "observedGeneration": 2,
        "state": "Running",
        "jobId": "7",
        "slurm": {"states": ["RUNNING"], "aFieldOfTomorrow": 1},
        "conditions": [
            {"type": "Submitted", "status": "True", "reason": "Accepted", "lastTransitionTime": "2026-01-01T00:00:00Z"}
        ],
        "somethingOfTomorrow": {"a": 1},
    },
}


def _body(**changes: Any) -> dict[str, Any]:
    return {**BODY, **changes}


def _at(version: str, **metadata: Any) -> dict[str, Any]:
    return _body(metadata={**BODY["metadata"], "resourceVersion": version, **metadata})


def test_a_view() -> None:
    view = job_view(BODY)
    assert (view.connection, view.slurm_name, view.has_finalizer, view.deleting) == ("campus", "wing", True, False)
    assert view.deletion_policy is DeletionPolicy.CANCEL
    assert (view.status.state, view.status.job_id) == ("Running", "7")
    assert view.status.slurm is not None
    assert view.status.slurm.states == ("RUNNING",)


def test_a_status_of_a_newer_release_stays_readable_and_is_written_back_without_what_is_unknown() -> None:
    body = status_body(job_view(BODY).status)
    assert body["state"] == "Running"
    assert "somethingOfTomorrow" not in body


def test_status_round_trip() -> None:
    status = job_view(BODY).status
    assert job_view(_body(status=status_body(status))).status == status
    assert None not in status_body(status).values()


def test_the_hash_is_of_content() -> None:
    assert template_hash({"a": 1, "b": "ü"}) == template_hash({"b": "ü", "a": 1})
    assert template_hash({"a": 1}) != template_hash({"a": 2})
    assert len(template_hash({})) == 16


@pytest.mark.parametrize(("left", "right", "is_newer"), [("10", "9", True), ("9", "10", False), ("9", "9", False)])
def test_versions_are_numbers(left: str, right: str, is_newer: bool) -> None:
    assert newer(left, right) is is_newer


def test_an_older_body_is_ignored() -> None:
    registry = Registry()
    entry, _ = registry.observe(_at("10"))
    same, changed = registry.observe(_at("9", finalizers=[]))
    assert same is entry
    assert not changed
    assert entry.view.has_finalizer


def test_a_label_is_no_change_for_decisions() -> None:
    registry = Registry()
    registry.observe(_at("10"))
    entry, changed = registry.observe(_at("11", labels={"a": "b"}))
    assert not changed
    assert entry.view.resource_version == "11"


@pytest.mark.parametrize(
    ("change", "at_once"),
    [
        ({}, False),
        ({"spec": {**BODY["spec"], "deletionPolicy": "Orphan"}}, False),
        ({"status": {**BODY["status"], "observedGeneration": 1}}, True),
        ({"status": {**BODY["status"], "slurm": {"states": ["PENDING"]}}}, True),
        ({"status": {"observedGeneration": -1}}, True),
        ({"metadata": {**BODY["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}, True),
    ],
)
def test_at_a_start_only_those_are_brought_forward_that_may_need_it(change: dict[str, Any], at_once: bool) -> None:
    """10,000 running jobs are left to the next poll."""
    _, changed = Registry().observe(_body(**change))
    assert changed is at_once


def test_the_template_is_not_kept_once_a_job_id_is_recorded() -> None:
    entry, _ = Registry().observe(BODY)
    assert entry.template is None
    entry, _ = Registry().observe(_body(status={}))
    assert entry.template == BODY["spec"]["template"]
