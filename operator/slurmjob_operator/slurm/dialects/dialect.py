"""What differs between API versions of slurmrestd, as one value that the client works by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from slurmjob_operator.core.records import JobRecord
from slurmjob_operator.slurm.request import JobRequest


def time_text(epoch: int) -> str:
    """Epoch seconds as Slurm's own parser of times takes them, on every release and in every time zone. Bare numbers
    are refused by 22.05 and by v0.0.40 and v0.0.41 of 24.11, and a date would be one of the cluster's zone
    (measured)."""
    return f"uts{epoch}"


class Encode(Protocol):
    """Makes the body of job/submit. The job is held; keys without a value are left out."""

    def __call__(self, request: JobRequest, *, comment: str, version: str, extra: str | None = None) -> dict[str, Any]:
        """The whole body; `comment` and `extra` are Slurm's fields of these names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One API version.

    `controller_record` and `accounting_record` make records of slurmctld's and slurmdbd's rows.
    """

    version: str
    encode: Encode
    controller_record: Callable[[Mapping[str, Any]], JobRecord]
    accounting_record: Callable[[Mapping[str, Any]], JobRecord]
    lists_states: bool
    """Whether jobs/state tells the states of many jobs in one request."""
    filters_by_user: bool
    """Whether slurmdb/jobs takes `users`; else jobs of whole accounts are asked for."""
    knows_extra: bool
    """Whether jobs have a field `extra`."""
    slurmdbd_lags: bool
    """Whether slurmdbd hears of a start seconds after it; else within some 20 ms."""
    drops_dependencies: bool
    """Whether a dependency on a job that slurmctld does not know is dropped without a word, and the job runs."""
    names_cluster: bool
    """Whether each answer names the cluster; else slurmdbd is asked."""
    number: Callable[[int], Any]
    """A number that may be unset, as the bodies of this version have it."""
    tells_bad_tokens: bool
    """Whether slurmctld's refusal of a token can be told from its silence; else slurmdbd is asked too."""
