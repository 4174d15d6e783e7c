"""A template looked over for where it goes."""

from __future__ import annotations

from typing import Any

import pytest

from slurmjob_operator.engine.templates import LookedOver, look_over
from tests.fakes.slurm import PLACE
from tests.unit.engine.world import World

MINIMAL = {"script": "#!/bin/sh\ntrue\n", "chdir": "/home/alice"}


def _looked_over(*, room: int = 100, place: Any = PLACE, **template: Any) -> LookedOver:
    return look_over({**MINIMAL, **template}, name="wing", place=place, room=room)


def test_what_is_good_becomes_a_request_with_the_users_own_texts_beside_it() -> None:
    found = _looked_over(script="#!/bin/sh\n#SBATCH --wait --comment='run 7' --extra=x -q high\ntrue\n")
    assert found.request is not None
    assert (found.request.name, found.request.options["qos"]) == ("wing", "high")
    assert (found.invalid, found.comment, found.extra) == (None, "run 7", "x")
    assert [notice.split(": ")[1] for notice in found.notices] == ["--wait"]


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ({"mem": "lots"}, "template.mem: 'lots': must be"),
        ({"ntasks": "4"}, "template.ntasks: "),
        ({"script": "#!/bin/sh\n#SBATCH --wingspan=3\n"}, "template.script, line 2: "),
    ],
)
def test_what_is_wrong_is_said_and_is_no_request(template: dict[str, Any], words: str) -> None:
    found = _looked_over(**template)
    assert found.request is None
    assert (found.invalid or "").startswith(words)


def test_before_it_is_known_where_it_goes_only_types_are_looked_at() -> None:
    assert _looked_over(place=None, mem="lots") == LookedOver()
    assert (_looked_over(place=None, ntasks="4").invalid or "").startswith("template.ntasks: ")


@pytest.mark.parametrize(("comment", "fits"), [("x" * 10, True), ("x" * 11, False), ("ü" * 5, True), ("ü" * 6, False)])
def test_a_comment_has_the_room_in_bytes_that_the_marker_leaves(comment: str, fits: bool) -> None:
    found = _looked_over(room=10, comment=comment)
    assert (found.invalid is None) is fits
    if not fits:
        assert "template.comment: must have at most 10 bytes" in (found.invalid or "")


def test_the_next_attempt_is_looked_over_anew() -> None:
    """A process that begins while an id is recorded has no template to look at, and must not take that for one."""
    world = World()
    uid = world.job()
    world.kube.edit(uid, backoffLimit=1)
    world.reconcile(uid)
    world.restart()
    world.reconcile(uid)
    assert world.slurm.start(1)
    assert world.slurm.end(1, "FAILED", exit_code=3)
    world.settle(uid)
    assert [attempt["state"] for attempt in world.status(uid)["attempts"]] == ["FAILED", "COMPLETED"]
    assert world.condition(uid, "Complete")["status"] == "True"
