"""Slurm's error number first, HTTP status second, never the text."""

from __future__ import annotations

import pytest

from slurmjob_operator.slurm.classify import Operation, classify
from slurmjob_operator.slurm.errors import (
    CredentialsRejected,
    JobNotFound,
    NotSupported,
    OutcomeUnknown,
    RateLimited,
    Refused,
    RefusedForNow,
    SlurmError,
    Unavailable,
)

READ, SUBMIT, UPDATE, CANCEL = Operation.READ, Operation.SUBMIT, Operation.UPDATE, Operation.CANCEL


@pytest.mark.parametrize(
    ("operation", "code", "status", "kind"),
    [
        # what Slurm said
        (SUBMIT, 2000, 500, Refused),
        (SUBMIT, 2045, 500, Refused),
        (SUBMIT, 2050, 500, RefusedForNow),
        (SUBMIT, 2017, 500, Refused),
        (READ, 2017, 500, JobNotFound),
        (READ, 2017, 404, JobNotFound),
        (UPDATE, 2017, 500, JobNotFound),
        (UPDATE, 2002, 500, Refused),
        (CANCEL, 2002, 403, Refused),
        (READ, 1007, 500, CredentialsRejected),
        (SUBMIT, 1007, 511, CredentialsRejected),
        (SUBMIT, 5005, 500, CredentialsRejected),
        (READ, 6010, 500, CredentialsRejected),
        # the daemon behind it did not answer
        (READ, 1800, 500, Unavailable),
        (SUBMIT, 1800, 500, OutcomeUnknown),
        (UPDATE, 5004, 504, OutcomeUnknown),
        (CANCEL, 1, 403, OutcomeUnknown),
        (READ, -1, 500, Unavailable),
        (READ, 7000, 502, Unavailable),
        # a number that nobody knows: the status decides
        (SUBMIT, 9999, 500, OutcomeUnknown),
        (READ, 9999, 500, Unavailable),
        (SUBMIT, 9999, 400, Refused),
        # no number
        (READ, None, 401, CredentialsRejected),
        (SUBMIT, None, 401, CredentialsRejected),
        (READ, None, 511, CredentialsRejected),
        (READ, None, 429, RateLimited),
        (SUBMIT, None, 429, RateLimited),
        (READ, None, 503, Unavailable),
        (SUBMIT, None, 503, OutcomeUnknown),
        (SUBMIT, None, 504, OutcomeUnknown),
        (SUBMIT, None, 400, Refused),
        (READ, None, 400, Unavailable),
        (SUBMIT, None, 302, OutcomeUnknown),
        (READ, None, 302, Unavailable),
        (SUBMIT, None, 200, OutcomeUnknown),
    ],
)
def test_table(operation: Operation, code: int | None, status: int, kind: type[SlurmError]) -> None:
    error = classify(operation=operation, code=code, status=status, message="words")
    assert type(error) is kind
    assert (error.code, error.status, str(error)) == (code, status, "words")


def test_trap_f4_a_403_on_cancel_may_mean_that_the_controller_is_down() -> None:
    """26.05 answers a cancellation that meets no slurmctld with 403 and EPERM: nothing is known of its outcome."""
    error = classify(operation=CANCEL, code=1, status=403, message="Operation not permitted")
    assert isinstance(error, OutcomeUnknown)


@pytest.mark.parametrize("status", [404, 405])
def test_a_path_that_something_else_than_slurm_does_not_know(status: int) -> None:
    error = classify(operation=READ, code=None, status=status, message="no", answered_by_slurm=False)
    assert isinstance(error, NotSupported)


@pytest.mark.parametrize("status", [404, 500, 502, 503])
def test_no_status_alone_says_that_a_job_is_unknown(status: int) -> None:
    error = classify(operation=READ, code=None, status=status, message="no")
    assert not isinstance(error, JobNotFound)
