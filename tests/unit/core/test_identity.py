"""Whose job is it? A record under our id is believed only when it proves to be of our attempt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slurmjob_operator.api.status import SlurmJobStatus, SlurmView
from slurmjob_operator.core.identity import Identity, identify, same_name
from slurmjob_operator.core.records import JobRecord, Source
from slurmjob_operator.core.times import rfc3339
from slurmjob_operator.core.view import JobView

T = 1_800_000_000
VIEW = JobView(
    uid="u-1",
    namespace="ns",
    name="wing",
    generation=1,
    resource_version="1",
    connection="campus",
    template_hash="ab",
    slurm_name="wing",
    status=SlurmJobStatus(
        attempt=1, attempt_time=rfc3339(T), template_hash="ab", user="alice", job_id="7", submit_time=rfc3339(T + 1)
    ),
)
MARKER = "[slurmjob.dev/1 i=x o=ns/wing u=u-1 a=1 h=ab released]"
RECORD = JobRecord(
    source=Source.CONTROLLER,
    job_id=7,
    user="alice",
    name="wing",
    states=frozenset({"RUNNING"}),
    comment=MARKER,
    submit_time=T + 1,
)


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, Identity.OURS),
        ({"name": "renamed"}, Identity.OURS),
        ({"submit_time": T + 9999, "restarts": 1}, Identity.OURS),
        ({"comment": MARKER + " words of the user"}, Identity.OURS),
        ({"user": "bob"}, Identity.NOT_OURS),
        ({"comment": MARKER.replace("u=u-1", "u=u-2")}, Identity.NOT_OURS),
        ({"comment": MARKER.replace("a=1", "a=2")}, Identity.NOT_OURS),
        # sites and administrators rewrite comments: that alone disowns nothing
        ({"comment": ""}, Identity.OURS),
        ({"comment": "rewritten by the site"}, Identity.OURS),
        ({"comment": "", "name": "other"}, Identity.UNPROVEN),
        ({"comment": "", "submit_time": None}, Identity.UNPROVEN),
        ({"comment": "", "submit_time": T - 3600}, Identity.NOT_OURS),
        ({"comment": "", "submit_time": T + 3600}, Identity.UNPROVEN),
        # a requeue moves the submit time and raises the restart count
        ({"comment": "", "submit_time": T + 3600, "restarts": 1}, Identity.OURS),
    ],
)
def test_table(change: dict[str, Any], verdict: Identity) -> None:
    assert identify(VIEW, replace(RECORD, **change)) is verdict


def test_a_restart_that_is_known_already_explains_nothing() -> None:
    view = replace(VIEW, status=replace(VIEW.status, slurm=SlurmView(restarts=1)))
    record = replace(RECORD, comment="", submit_time=T + 3600, restarts=1)
    assert identify(view, record) is Identity.UNPROVEN


def test_nothing_is_proven_without_a_submit_time_of_ours() -> None:
    view = replace(VIEW, status=replace(VIEW.status, submit_time=None))
    assert identify(view, replace(RECORD, comment="")) is Identity.UNPROVEN


@pytest.mark.parametrize(
    ("kept", "name", "same"),
    [
        ("wing", "wing", True),
        ("wing", "wings", False),
        ("say `hi`", 'say "hi"', True),
        ("x" * 255, "x" * 256, True),
        ("x" * 200, "x" * 256, False),
        ("x" * 255, "x" * 255, True),
        ("", "x" * 256, False),
    ],
)
def test_names_as_slurmdbd_keeps_them(kept: str, name: str, same: bool) -> None:
    assert same_name(kept, name) is same
