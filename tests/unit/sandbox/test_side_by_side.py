"""Parts that are brought up at once: all of them come to their end, and nothing that failed is lost."""

from __future__ import annotations

import threading

import pytest

from sandboxlib.daemons import SandboxError
from sandboxlib.side_by_side import side_by_side


def test_nothing_is_nothing() -> None:
    side_by_side([])


def test_all_run_at_once() -> None:
    everybody = threading.Barrier(3, timeout=5)
    side_by_side([lambda: (everybody.wait(), None)[1]] * 3)


def _fail(error: BaseException) -> None:
    raise error


def test_one_failure_is_raised_when_the_others_are_done() -> None:
    failed, done = threading.Event(), threading.Event()

    def first() -> None:
        failed.set()
        raise SandboxError("it broke")

    def second() -> None:
        assert failed.wait(5)
        done.set()

    with pytest.raises(SandboxError, match=r"^it broke$"):
        side_by_side([first, second])
    assert done.is_set()


def test_several_failures_are_all_told() -> None:
    missing = FileNotFoundError(2, "No such file", "x")
    with pytest.raises(SandboxError) as error:
        side_by_side([lambda: _fail(SandboxError("one")), lambda: _fail(missing), lambda: None])
    assert str(error.value) == "one\n[Errno 2] No such file: 'x'"


def test_an_error_of_ours_is_not_hidden_by_another() -> None:
    with pytest.raises(KeyError):
        side_by_side([lambda: _fail(SandboxError("one")), lambda: _fail(KeyError("bug"))])
