"""Why a script was refused, in few words that sbatch's messages, ours and slurmctld's have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from slurmjob_operator.sbatch.errors import ConflictingOptions, InvalidScript, InvalidValue, NotOverRest

SCRIPT: Final = "not a batch script"
DOS: Final = "DOS line breaks"
NUL: Final = "NUL character"
QUOTE: Final = "unmatched quote"
COLON: Final = "unexpected colon"
OPTION: Final = "unknown or ambiguous option"
ARGUMENT: Final = "argument missing or not wanted"
OPERAND: Final = "operand"
VALUE: Final = "bad value"
CONFLICT: Final = "options that do not go together"
NOT_PERMITTED: Final = "root alone may"

ELSEWHERE: Final = "what only the machine of sbatch has"
"""A file that is not there, or a cluster that it cannot reach: we refuse the option, whatever is there."""

NOTHING_SUBMITTED: Final = "nothing submitted"
"""sbatch had nothing against it and made no job: `--test-only`, or a value `help`, for which it lists what there is."""

NOT_OVER_REST: Final = "not over REST"
"""Only we say that: the version of the API cannot say an option that sbatch has."""

SLURMCTLD: Final = "slurmctld: "
"""With its text behind it."""

SLURMRESTD: Final = "slurmrestd: "
"""slurmrestd did not understand what we sent, which is never right."""

OF_SBATCH: Final[tuple[tuple[str, str], ...]] = (
    (r"\A\s*\Z", NOTHING_SUBMITTED),
    (r"does not look like a batch script|Batch script (is empty|contains only whitespace)", SCRIPT),
    (r"DOS line breaks", DOS),
    (r"contain a NULL character", NUL),
    (r"Unmatched", QUOTE),
    (r"Unexpected `:`", COLON),
    (r"unrecognized option|invalid option --|is ambiguous", OPTION),
    (r"requires an argument|doesn't allow an argument", ARGUMENT),
    (r"Invalid directive found|Invalid argument:", OPERAND),
    (r"^sbatch: error: (?P<slurmctld>Invalid (generic resource|GRES) .*specification.*)\Z", SLURMCTLD),
    (r"error opening file|Could not open|Invalid --bbf|No cluster", ELSEWHERE),
    (r"Invalid --gres-flags combo", VALUE),
    (r"must be enabled to use|mutually exclusive|did not request any GPU|used without|option requires --", CONFLICT),
    (r"please use one or the other|is incompatible with|can not be bigger than|Inconsistent values", CONFLICT),
    (
        r"Incompatible begin and deadline|Too few processes for|does not fit the job size|With Arbitrary distribution",
        CONFLICT,
    ),
    (r"invalid number of nodes \(-N \d+-\d+\)", CONFLICT),
    (r"only permitted by root", NOT_PERMITTED),
    (r"Batch job submission failed: (?P<slurmctld>.*)", SLURMCTLD),
    (r"[Ii]nvalid|unrecognized|Bad |is not (a )?valid|not correct|too (large|big|small|long)|less than minimum", VALUE),
    (r"[Uu]nable to|[Cc]annot|missing list|requires .* format|only used with srun|Priority must be", VALUE),
)
"""Patterns in what sbatch writes on standard error, the first that matches; what none matches is its own reason."""

OF_OURS: Final[tuple[tuple[str, str], ...]] = (
    (r"must start with `#!`|byte order mark|is empty", SCRIPT),
    (r"as DOS does", DOS),
    (r"NUL character", NUL),
    (r"quote must end", QUOTE),
    (r"begin with a colon", COLON),
    (r"is no option of|is short for more than one option", OPTION),
    (r"takes no argument|needs an argument", ARGUMENT),
    (r"is no option", OPERAND),
    (r"must ", VALUE),
)
"""The same for the rules that `script.read` names."""

KINDS: Final[Mapping[type[BaseException], str]] = {
    InvalidValue: VALUE,
    ConflictingOptions: CONFLICT,
    NotOverRest: NOT_OVER_REST,
}

BY_VALUES: Final = frozenset(
    f"{SLURMCTLD}{text}"
    for text in (
        "Invalid account or account/partition combination specified",
        "Invalid partition name specified",
        "Invalid qos specification",
        "Requested reservation is invalid",
        "Invalid job array specification",
        "Job dependency problem",
        "Invalid --nice value",
        "Requested time limit is invalid (missing or exceeds some limit)",
        "Invalid generic resource (gres) specification",
        "Invalid GRES specification (with and without type identification)",
        "Invalid Trackable RESource (TRES) specification",
        "Invalid feature specification",
        "Task distribution specification invalid",
        "Invalid license specification",
        "Invalid node name specified",
    )
)
"""slurmctld's words for what is wrong with a value: we may find it before slurmctld is asked."""


def of_schema(text: str) -> str:
    """The reason in the schema's refusal of a template that is a script and nothing else."""
    return SCRIPT if re.search(r"\bscript\b", text) and re.search(r"\^#!|at least", text) else f"schema: {text}"


def of_sbatch(text: str) -> str:
    """The reason in what sbatch wrote on standard error."""
    for pattern, reason in OF_SBATCH:
        found = re.search(pattern, text, re.MULTILINE)
        if found is not None:
            return reason + found.group("slurmctld").strip() if reason is SLURMCTLD else reason
    return f"sbatch: {text}"


def of_ours(error: BaseException) -> str:
    """The reason of a refusal before anything is sent: the innermost cause tells."""
    chain = list(_causes(error))
    found = next((KINDS[type(cause)] for cause in chain if type(cause) in KINDS), None)
    if found is not None:
        return found
    rule = next((cause.rule for cause in chain if isinstance(cause, InvalidScript)), None)
    if rule is None:
        return of_schema(str(error))
    return next((reason for pattern, reason in OF_OURS if re.search(pattern, rule)), f"ours: {rule}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def same(*, ours: str, theirs: str) -> bool:
    """Whether both refuse for one reason. What the API version cannot say is found before slurmctld is asked."""
    if ours == theirs:
        return True
    if ours == NOT_OVER_REST:
        return theirs in (ELSEWHERE, NOTHING_SUBMITTED, NOT_PERMITTED, CONFLICT) or theirs.startswith(SLURMCTLD)
    if theirs == CONFLICT and ours in BY_VALUES:
        return True
    if theirs in (ELSEWHERE, NOTHING_SUBMITTED):
        return ours == VALUE
    return ours in (VALUE, CONFLICT) and theirs in BY_VALUES
