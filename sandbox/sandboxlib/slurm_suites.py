"""The Slurm releases that the sandbox can run, each in a root file system of its own: one row each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A suite of Debian and the Slurm in it. `script` is debootstrap's, where it does not know the name.

    `takes_state_of` are the releases whose database and saved state it converts (three back, before 24.11 two).
    `valid_until` is false for suites whose archive metadata may be older than they say: testing moves on.
    `api_versions` are those that its slurmrestd serves and that we speak, newest first. `time_zone` is that of all
    its daemons and commands.
    """

    name: str
    release: str
    api_versions: tuple[str, ...]
    script: str
    takes_state_of: tuple[str, ...]
    valid_until: bool = True
    time_zone: str = "Etc/UTC"

    @property
    def knows_extra(self) -> bool:
        """Whether jobs have a field `extra` (since 23.11)."""
        return self.release >= "23.11"

    @property
    def knows_cgroup_disabled(self) -> bool:
        """Whether cgroup.conf takes `CgroupPlugin=disabled` (since 24.05)."""
        return self.release >= "24.05"


SUITES: dict[str, Suite] = {
    suite.name: suite
    for suite in (
        Suite(
            name="bookworm",
            release="22.05",
            api_versions=("v0.0.38",),
            script="bookworm",
            takes_state_of=("21.08", "20.11"),
            time_zone="Asia/Kolkata",
        ),
        Suite(
            name="trixie",
            release="24.11",
            api_versions=("v0.0.42", "v0.0.41", "v0.0.40"),
            script="sid",
            takes_state_of=("24.05", "23.11", "23.02"),
        ),
        Suite(
            name="forky",
            release="26.05",
            api_versions=("v0.0.45", "v0.0.44", "v0.0.43", "v0.0.42"),
            script="sid",
            takes_state_of=("25.11", "25.05", "24.11"),
            valid_until=False,
        ),
    )
}

PACKAGES: tuple[str, ...] = (
    "slurmctld",
    "slurmd",
    "slurmdbd",
    "slurmrestd",
    "slurm-client",
    "slurm-wlm-basic-plugins",
    "slurm-wlm-mysql-plugin",
    "slurm-wlm-jwt-plugin",
    "munge",
    "mariadb-server",
    "environment-modules",
    "passwd",
    "procps",
    "python3-minimal",
    "tzdata",
)

USERS: dict[str, int] = {"alice": 2001, "bob": 2002, "carol": 2003, "slurmrest": 2010}
"""carol has no association: Slurm refuses her jobs. slurmrest runs slurmrestd."""
