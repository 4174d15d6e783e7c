"""The command line."""

from __future__ import annotations

import pytest

from slurmjob_operator import __version__
from slurmjob_operator.edge import cli


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"slurmjob-operator {__version__}\n"


def test_defaults_are_those_of_the_manifests() -> None:
    flags = cli.parser().parse_args(["run"])
    assert (flags.namespace, flags.installation, flags.allow_plain_http) == ("slurmjob-system", None, False)
    assert (flags.liveness_port, flags.log_format, flags.log_level) == (8080, "json", "info")


@pytest.mark.parametrize("bad", ["", "two words", "a]b", "a=b", "x" * 129])
def test_an_installation_that_the_marker_cannot_carry(bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.parser().parse_args(["run", "--installation", bad])
    assert ended.value.code == 2
    assert "must match" in capsys.readouterr().err


def test_a_command_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([])
    assert ended.value.code == 2
    assert "COMMAND" in capsys.readouterr().err.upper()
