"""Who hears of the job, and when: mails and signals."""

from __future__ import annotations

from typing import Final

from slurmjob_operator.sbatch.option import Body, Option, Rest
from slurmjob_operator.sbatch.rest import made, plain
from slurmjob_operator.sbatch.types.mail import MAIL_EVENTS
from slurmjob_operator.sbatch.types.signals import WARNING_SIGNAL, WarningSignal
from slurmjob_operator.sbatch.types.words import TEXT

MAIL_WORDS: Final = {
    "INVALID_DEPEND": "INVALID_DEPENDENCY",
    "TIME_LIMIT": "TIME=100%",
    "TIME_LIMIT_90": "TIME=90%",
    "TIME_LIMIT_80": "TIME=80%",
    "TIME_LIMIT_50": "TIME=50%",
}
"""What v0.0.40 and newer call sbatch's events, where the names differ."""


def _signal_v38(warning: WarningSignal) -> Body:
    return {"signal": f"{warning.signal}@{warning.seconds}"}


def _shell_unsaid(warning: WarningSignal, api_version: str) -> str | None:
    del api_version
    if not warning.shell_only:
        return None
    return (
        "slurmrestd of 22.05 cannot say `B:`; leave it out, and let the steps ignore the signal, or use a cluster with "
        "Slurm 24.11 or newer"
    )


def _signal_v40(warning: WarningSignal) -> Body:
    """The number of seconds is 0 where it is left out, not sbatch's 60. `R:` leaves no trace in sbatch's request."""
    body = {
        "kill_warning_signal": str(warning.signal),
        "kill_warning_delay": {"set": True, "number": warning.seconds},
    }
    return {**body, "kill_warning_flags": ["BATCH_JOB"]} if warning.shell_only else body


ROWS: Final = (
    Option(
        name="mail-type",
        type=MAIL_EVENTS,
        help="Events that cause a mail, with commas: BEGIN, END, FAIL, REQUEUE, TIME_LIMIT_80 …, ALL or NONE.",
        v38=made(lambda events: {"mail_type": ",".join(events) or "NONE"}),
        v40=made(lambda events: {"mail_type": [MAIL_WORDS.get(event, event) for event in events]}),
    ),
    Option(
        name="mail-user",
        type=TEXT,
        help="Who gets the mails. Default: the Slurm user.",
        v38=plain("mail_user"),
        v40=plain("mail_user"),
    ),
    Option(
        name="signal",
        type=WARNING_SIGNAL,
        help='Signal before the time limit, "B:" before it for the shell alone, "@SECONDS" after it (default 60).',
        v38=Rest(encode=_signal_v38, unsaid=_shell_unsaid, observed=False),
        v40=made(_signal_v40, observed=False),
        inherited=True,
    ),
)
