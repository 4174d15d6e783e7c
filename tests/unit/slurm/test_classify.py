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
        (READ, 5005, 500, CredentialsRejected),
        (READ, 1007, 502, CredentialsRejected),
        (UPDATE, 2050, 422, Unavailable),
        (READ, 2002, 422, Unavailable),
        (READ, 6010, 500, CredentialsRejected),
        # the daemon behind it did not answer
        (READ, 1800, 500, Unavailable),
        (SUBMIT, 1800, 500, OutcomeUnknown),
        (UPDATE, 5004, 504, OutcomeUnknown),
        (CANCEL, 1, 403, OutcomeUnknown),
        (READ, -1, 500, Unavailable),
        (READ, 7000, 502, Unavailable),
        (READ, 7000, 200, Unavailable),
        (READ, -1, 200, Unavailable),
        (CANCEL, 1800, 500, OutcomeUnknown),
        (SUBMIT, 1800, 502, OutcomeUnknown),
        (SUBMIT, 5004, 504, OutcomeUnknown),
        # it passes, or it does not
        (SUBMIT, 2007, 500, RefusedForNow),
        (SUBMIT, 2019, 500, RefusedForNow),
        (SUBMIT, 2070, 500, RefusedForNow),
        (SUBMIT, 2101, 422, RefusedForNow),
        (SUBMIT, 2131, 500, RefusedForNow),
        (UPDATE, 2020, 500, Unavailable),
        (SUBMIT, 2062, 500, Refused),
        (SUBMIT, 2087, 500, Refused),
        (UPDATE, 2098, 500, Refused),
        (SUBMIT, 2186, 500, Refused),
        # Slurm's own rate limiter: nothing was done
        (READ, 1804, 502, RateLimited),
        (SUBMIT, 1804, 502, RateLimited),
        (CANCEL, 1805, 502, RateLimited),
        # slurmrestd itself
        (READ, 9006, 404, NotSupported),
        (SUBMIT, 9001, 400, Refused),
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
        (SUBMIT, None, 413, Refused),
        (SUBMIT, None, 408, OutcomeUnknown),
        (UPDATE, -1, 422, OutcomeUnknown),
        (CANCEL, None, 425, OutcomeUnknown),
        (READ, None, 408, Unavailable),
        (CANCEL, None, 404, Refused),
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


@pytest.mark.parametrize("operation", [SUBMIT, UPDATE, CANCEL])
def test_trap_f1_a_controller_that_hung_up_may_have_taken_the_request(operation: Operation) -> None:
    """Zero bytes received: 22.05 says it of a bad token, every release of a connection that was cut."""
    error = classify(operation=operation, code=5005, status=500, message="Zero Bytes were transmitted or received")
    assert isinstance(error, OutcomeUnknown)


@pytest.mark.parametrize(
    "code",
    [4003, 2000, 2002, 2014, 2029, 2038, 2045, 2048, 2051, 2053, 2063, 2066, 2072, 2081, 2123, 2127],
)
@pytest.mark.parametrize("status", [200, 400, 422, 500])
def test_what_slurm_refuses_is_refused_whatever_the_status(code: int, status: int) -> None:
    """24.11 says 500 where 26.05 says 422: only the number is the same."""
    error = classify(operation=SUBMIT, code=code, status=status, message="words")
    assert type(error) is Refused


@pytest.mark.parametrize("code", [1007, 6010])
@pytest.mark.parametrize("status", [200, 500, 502, 511])
@pytest.mark.parametrize("operation", list(Operation))
def test_trap_j1_a_bad_token_has_many_statuses_and_one_number(operation: Operation, code: int, status: int) -> None:
    error = classify(operation=operation, code=code, status=status, message="words")
    assert type(error) is CredentialsRejected


@pytest.mark.parametrize("operation", list(Operation))
@pytest.mark.parametrize("status", [404, 405])
def test_a_path_that_something_else_than_slurm_does_not_know(status: int, operation: Operation) -> None:
    error = classify(operation=operation, code=None, status=status, message="no", answered_by_slurm=False)
    assert isinstance(error, NotSupported)


@pytest.mark.parametrize("status", [404, 500, 502, 503])
def test_no_status_alone_says_that_a_job_is_unknown(status: int) -> None:
    error = classify(operation=READ, code=None, status=status, message="no")
    assert not isinstance(error, JobNotFound)
