"""What `--export` and `--get-user-env` put into a job's environment, as the real sbatch does (read from slurmdbd)."""

from __future__ import annotations

import pytest

from slurmjob_operator.sbatch import environment
from slurmjob_operator.sbatch.options import TABLE
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, R24_11, Release

LOGIN = {"SLURM_GET_USER_ENV": "1"}


def _given(release: Release, **options: str) -> dict[str, str]:
    rows = {name.replace("_", "-"): text for name, text in options.items()}
    types = {name: TABLE[name].type for name in rows}
    return environment.given(
        {name: value.parse(rows[name], release) for name, value in types.items() if value is not None}, release=release
    )


@pytest.mark.parametrize("release", [OLDEST, R24_11, NEWEST])
@pytest.mark.parametrize(
    ("export", "expected"),
    [
        ("ALL", {}),
        ("all", {}),
        ("NONE", {"SLURM_EXPORT_ENV": "NONE", **LOGIN}),
        ("none", {"SLURM_EXPORT_ENV": "none", **LOGIN}),
        ("", {"SLURM_EXPORT_ENV": "", **LOGIN}),
        ("A=1,B", {"A": "1", "SLURM_EXPORT_ENV": "A=1,B", **LOGIN}),
        ("ALL,A=1", {"A": "1", "SLURM_EXPORT_ENV": "ALL,A=1", **LOGIN}),
        ("A='1,2',C=", {"A": "'1,2'", "C": "", "SLURM_EXPORT_ENV": "A='1,2',C=", **LOGIN}),
        ("NONE,A=x=y", {"A": "x=y", "SLURM_EXPORT_ENV": "NONE,A=x=y", **LOGIN}),
    ],
)
def test_export(export: str, expected: dict[str, str], release: Release) -> None:
    assert _given(release, export=export) == expected


def test_nil_asks_for_the_login_environment_on_22_05_only() -> None:
    assert _given(OLDEST, export="NIL") == {"SLURM_EXPORT_ENV": "NIL", **LOGIN}
    assert _given(R24_11, export="nil") == {"SLURM_EXPORT_ENV": "nil"}


def test_get_user_env() -> None:
    assert _given(OLDEST, get_user_env="30L") == LOGIN
    assert _given(NEWEST, get_user_env="true", export="ALL") == LOGIN
    assert _given(NEWEST, get_user_env="false") == {}
    assert _given(NEWEST) == {}
