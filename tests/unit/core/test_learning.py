"""How facts change: what an answer adds, and what it makes doubtful."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from slurmjob_operator.core import learning
from slurmjob_operator.core.records import Accepted
from slurmjob_operator.core.view import Deferral, Facts, JobView, NotKnown, Rejection, Submission, Unconfirmed
from tests.unit.core.values import AWAY, HASH, NOW, OTHER_HASH, facts, held, opened, record, recorded, view

ASKED: dict[str, Any] = {"controller": record(), "accounting": (record(),), "backlog": 0, "search": (record(),)}
FULL = facts(**ASKED, trouble=AWAY, fresh=True, finalizer_here=True, releases=1, recorded_here="7", missing_since=NOW)
NEW, OPEN, RECORDED = view(), view(opened()), view(recorded())


def changed(before: Facts, after: Facts) -> dict[str, Any]:
    """The fields that differ, with their new values."""
    pairs = {field.name: (getattr(before, field.name), getattr(after, field.name)) for field in fields(Facts)}
    return {name: new for name, (old, new) in pairs.items() if new != old}


# --- Writes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "before", "fresh"),
    [
        (facts(), NEW, False),
        (facts(finalizer_here=True), NEW, True),
        (facts(finalizer_here=True, submission=Rejection(message="no", generation=1)), OPEN, True),
        (facts(finalizer_here=True, submission=Deferral(message="full", until=NOW)), OPEN, True),
        (facts(finalizer_here=True, submission=Rejection(message="no", generation=1), unconfirmed=1), OPEN, False),
        (facts(finalizer_here=True, submission=Unconfirmed(at=NOW), unconfirmed=1), OPEN, False),
        (facts(finalizer_here=True), OPEN, False),
        (facts(submission=Rejection(message="no", generation=1)), OPEN, False),
    ],
)
def test_an_attempt_is_fresh_when_nothing_of_it_can_be_in_slurm(known: Facts, before: JobView, fresh: bool) -> None:
    """The finalizer is ours from this process, and all that was sent was answered with a no."""
    after = view(replace(opened(), template_hash=OTHER_HASH), template_hash=OTHER_HASH)
    learned = learning.status_written(known, before=before, after=after)
    assert learned.fresh is fresh
    assert learned.search is None, "found under another template, or not at all"
    assert learned.unconfirmed == 0
    assert learned.submission is None


def test_a_job_in_hand_is_not_forgotten_when_the_attempt_is_opened_anew() -> None:
    after = view(replace(opened(), template_hash=OTHER_HASH))
    learned = learning.status_written(facts(submission=Accepted(job_id=7)), before=OPEN, after=after)
    assert learned.submission == Accepted(job_id=7)


def test_a_recorded_job_begins_with_nothing_known_of_it() -> None:
    known = replace(FULL, submission=Accepted(job_id=7), unconfirmed=1, cancelled_at=NOW, recorded_here=None)
    assert changed(known, learning.status_written(known, before=OPEN, after=RECORDED)) == {
        "fresh": False,
        "submission": None,
        "unconfirmed": 0,
        "search": None,
        "controller": None,
        "accounting": None,
        "recorded_here": "7",
        "releases": 0,
        "cancelled_at": None,
    }


@pytest.mark.parametrize(("before", "after"), [(RECORDED, RECORDED), (OPEN, OPEN), (NEW, NEW)])
def test_other_writes_teach_nothing(before: JobView, after: JobView) -> None:
    moved = replace(after, status=replace(after.status, state="Waiting"))
    assert learning.status_written(FULL, before=before, after=moved) is FULL


def test_the_finalizer_is_remembered() -> None:
    assert changed(facts(), learning.finalizer_added(facts())) == {"finalizer_here": True}


# --- Submissions ----------------------------------------------------------------------------------------------


def test_a_submission_may_exist_from_before_it_is_sent() -> None:
    known = changed(FULL, learning.submitting(FULL, view(opened())))
    assert known == {"fresh": False, "search": None, "sent_for": (1, HASH, "campus", "alice")}


@pytest.mark.parametrize(
    ("answer", "unconfirmed"),
    [
        (Accepted(job_id=7), 1),
        (Rejection(message="no", generation=1), 1),
        (Deferral(message="full", until=NOW), 1),
        (Unconfirmed(at=NOW), 2),
    ],
)
def test_answers_to_submissions(answer: Submission, unconfirmed: int) -> None:
    learned = learning.submission_answered(replace(FULL, unconfirmed=1), answer)
    assert (learned.submission, learned.unconfirmed) == (answer, unconfirmed)
    assert (learned.search, learned.trouble) == (None, None)


@pytest.mark.parametrize("found", [[], [held()]])
def test_a_search_that_found_nothing_is_a_search(found: list[Any]) -> None:
    learned = learning.searched(facts(trouble=AWAY), found, now=NOW)
    assert (learned.search, learned.searched_at, learned.trouble) == (tuple(found), NOW, None)


# --- Records --------------------------------------------------------------------------------------------------


def test_a_record_that_was_read_outdates_what_slurmdbd_said() -> None:
    learned = learning.job_read(FULL, held(), view=view(), ours=True, now=NOW)
    assert changed(FULL, learned) == {
        "controller": held(),
        "accounting": None,
        "backlog": None,
        "missing_since": None,
        "trouble": None,
    }


def test_when_it_was_first_missed_is_kept_until_it_is_seen() -> None:
    first = learning.job_not_known(facts(), now=NOW)
    assert first.controller == NotKnown(since=NOW)
    again = learning.job_not_known(learning.outdated(first), now=NOW + 600)
    assert again.controller == NotKnown(since=NOW)
    stranger = learning.job_read(again, record(), view=view(), ours=False, now=NOW + 700)
    assert stranger.missing_since == NOW, "somebody else's job under our id is no sight of ours"
    seen = learning.job_read(again, record(), view=view(), ours=True, now=NOW + 700)
    assert learning.job_not_known(seen, now=NOW + 900).controller == NotKnown(since=NOW + 900)


@pytest.mark.parametrize("backlog", [None, 0, 12])
def test_what_slurmdbd_said_stands_with_its_backlog(backlog: int | None) -> None:
    learned = learning.accounting_read(facts(trouble=AWAY), [record()], view=view(), backlog=backlog)
    assert (learned.accounting, learned.backlog, learned.trouble) == ((record(),), backlog, None)


# --- Changes --------------------------------------------------------------------------------------------------


def test_a_release_is_counted_and_read_back() -> None:
    assert changed(FULL, learning.released(FULL, now=NOW)) == {
        "releases": 2,
        "released_at": NOW,
        "controller": None,
        "accounting": None,
        "trouble": None,
    }


def test_a_refused_release_is_read_back_too() -> None:
    learned = learning.release_refused(FULL, "the site says no")
    assert (learned.release_refused, learned.releases, learned.controller) == ("the site says no", 2, None)


@pytest.mark.parametrize(
    ("submission", "left"),
    [
        (Accepted(job_id=9), None),
        (Accepted(job_id=7), Accepted(job_id=7)),
        (Unconfirmed(at=NOW), Unconfirmed(at=NOW)),
        (None, None),
    ],
)
def test_a_cancelled_twin_is_in_hand_no_more(submission: Submission | None, left: Submission | None) -> None:
    learned = learning.cancel_sent(replace(FULL, submission=submission), 9, now=NOW)
    assert learned.submission == left
    assert (learned.controller, learned.accounting, learned.search) == (None, None, None)


def test_a_cancellation_of_the_recorded_job_is_remembered() -> None:
    assert learning.cancel_sent(FULL, 7, now=NOW).cancelled_at == NOW


def test_trouble_concludes_nothing() -> None:
    known = replace(FULL, trouble=None)
    assert changed(known, learning.troubled(known, AWAY)) == {"trouble": AWAY}


def test_outdated_is_what_slurm_said_and_not_what_we_did() -> None:
    assert changed(FULL, learning.outdated(FULL)) == dict.fromkeys((*ASKED, "recorded_here"))


def test_of_an_attempt_that_somebody_else_opened_nothing_is_known_but_what_is_in_hand() -> None:
    after = learning.another_attempt(FULL)
    assert (after.unconfirmed, after.missing_since, after.search, after.recorded_here, after.fresh) == (
        *(0, None, None, None),
        False,
    )
    assert (after.finalizer_here, after.connection) == (FULL.finalizer_here, FULL.connection)
    in_hand = learning.another_attempt(replace(FULL, submission=Accepted(job_id=9)))
    assert in_hand.submission == Accepted(job_id=9)
    assert learning.another_attempt(replace(FULL, submission=Unconfirmed(at=NOW))).submission is None
