"""Why a script was refused, out of what sbatch writes and of what we raise."""

from __future__ import annotations

import pytest

from slurmjob_operator.sbatch import script
from slurmjob_operator.sbatch.errors import InvalidScript, InvalidValue
from slurmjob_operator.sbatch.value import NEWEST
from tests.differential import reasons

WRITTEN = [
    ("sbatch: error: Batch script is empty!", reasons.SCRIPT),
    ("sbatch: error: Batch script contains DOS line breaks (\r\n)", reasons.DOS),
    ('sbatch: fatal: x: line 2: Unmatched `"` in [ "abc]', reasons.QUOTE),
    ("sbatch: fatal: x: line 2: Unexpected `:` in [: -n3]", reasons.COLON),
    ("sbatch: unrecognized option '--foo'\nTry \"sbatch --help\" for more information", reasons.OPTION),
    ("sbatch: option '--tim=3' is ambiguous; possibilities: '--time' '--time-min'", reasons.OPTION),
    ("sbatch: option requires an argument -- 'n'", reasons.ARGUMENT),
    ("sbatch: error: Invalid directive found in batch script: foo", reasons.OPERAND),
    ('sbatch: error: Invalid numeric value "0" for --ntasks.', reasons.VALUE),
    ("sbatch: error: Invalid --mem specification", reasons.VALUE),
    ("sbatch: fatal: --mem, --mem-per-cpu, and --mem-per-gpu are mutually exclusive.", reasons.CONFLICT),
    ("sbatch: error: --uid only permitted by root user", reasons.NOT_PERMITTED),
    (
        "sbatch: error: invalid partition specified: nope\n"
        "sbatch: error: Batch job submission failed: Invalid partition name specified",
        "slurmctld: Invalid partition name specified",
    ),
    (
        "sbatch: error: Invalid generic resource (gres) specification",
        "slurmctld: Invalid generic resource (gres) specification",
    ),
    ("sbatch: error: something new", "sbatch: sbatch: error: something new"),
]


@pytest.mark.parametrize(("text", "reason"), WRITTEN)
def test_of_sbatch(text: str, reason: str) -> None:
    assert reasons.of_sbatch(text) == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", reasons.SCRIPT),
        ("true\n", reasons.SCRIPT),
        ("#!/bin/sh\r\n", reasons.DOS),
        ("#!/bin/sh\n\0", reasons.NUL),
        ('#!/bin/sh\n#SBATCH -J "a\n', reasons.QUOTE),
        ("#!/bin/sh\n#SBATCH -J :a\n", reasons.COLON),
        ("#!/bin/sh\n#SBATCH --foo\n", reasons.OPTION),
        ("#!/bin/sh\n#SBATCH --tim=3\n", reasons.OPTION),
        ("#!/bin/sh\n#SBATCH -n\n", reasons.ARGUMENT),
        ("#!/bin/sh\n#SBATCH --hold=3\n", reasons.ARGUMENT),
        ("#!/bin/sh\n#SBATCH foo\n", reasons.OPERAND),
        ("#!/bin/sh\n#SBATCH -n 0 foo\n", reasons.VALUE),
    ],
)
def test_of_ours(text: str, reason: str) -> None:
    with pytest.raises(InvalidScript) as raised:
        script.read(text, release=NEWEST)
    assert reasons.of_ours(raised.value) == reason


def test_the_innermost_cause_tells() -> None:
    outer = ValueError("template.script, line 2: --mem: '1.5G': a rule")
    outer.__cause__ = InvalidValue("1.5G", "a rule")
    assert reasons.of_ours(outer) == reasons.VALUE


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        (reasons.VALUE, reasons.VALUE, True),
        (reasons.VALUE, reasons.OPTION, False),
        (reasons.VALUE, "slurmctld: Invalid job array specification", True),
        (reasons.OPTION, "slurmctld: Invalid job array specification", False),
        (reasons.NOT_OVER_REST, "slurmctld: Invalid qos specification", True),
        (reasons.NOT_OVER_REST, reasons.ELSEWHERE, True),
        (reasons.NOT_OVER_REST, reasons.OPTION, False),
        (f"{reasons.SLURMRESTD}500", "slurmctld: Invalid qos specification", False),
    ],
)
def test_same(ours: str, theirs: str, same: bool) -> None:
    assert reasons.same(ours=ours, theirs=theirs) is same
