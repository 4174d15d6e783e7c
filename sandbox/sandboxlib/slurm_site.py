"""What a site adds to its slurm.conf, switched on and off while the cluster runs: slurmctld alone is restarted.

slurm.conf includes one more file, which says nothing until then; `up` leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandboxlib import slurm_daemons, slurm_state
from sandboxlib.daemons import start, stop
from sandboxlib.paths import Paths, renew
from sandboxlib.slurm_config import BACKUP_ADDRESS, BACKUP_HOST, NO_SITE


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """slurmctld's own, for each user: `bucket` requests at once, and each `period_seconds`, at whole multiples of it by
    the clock, `more` of them. Since 23.02."""

    bucket: int
    more: int = 1
    period_seconds: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """`job_submit` is a job_submit.lua. `backup`: a second slurmctld may run (see `slurm_backup`). A site without
    anything is how the sandbox comes up."""

    rate_limit: RateLimit | None = None
    job_submit: str | None = None
    backup: bool = False


PLAIN = Site()


def site_conf(site: Site) -> str:
    """Lines of slurm.conf."""
    lines = []
    if site.rate_limit is not None:
        limit = site.rate_limit
        parameters = {"bucket_size": limit.bucket, "refill_rate": limit.more, "refill_period": limit.period_seconds}
        words = ",".join(f"rl_{name}={value}" for name, value in parameters.items())
        lines.append(f"SlurmctldParameters=rl_enable,{words}\n")
    if site.backup:
        lines.append(f"SlurmctldHost={BACKUP_HOST}({BACKUP_ADDRESS})\n")
    if site.job_submit is not None:
        lines.append("JobSubmitPlugins=lua\n")
    return "".join(lines) or NO_SITE


def apply(paths: Paths, suite: str, site: Site) -> None:
    """The cluster is this site's from now on. slurmctld is away for a moment; jobs run on."""
    etc = slurm_state.folder(paths, suite) / "etc-slurm"
    slurmctld = next(d for d in slurm_daemons.daemons(paths, suite) if d.name == f"{suite}-slurmctld")
    stop([slurmctld])
    _lua(etc / "job_submit.lua", site.job_submit)
    renew(slurm_state.site_file(paths, suite), site_conf(site))
    start(slurmctld)
    slurm_daemons.wait_answering(paths, suite)
    slurm_daemons.wait_idle(paths, suite)


def _lua(file: Path, text: str | None) -> None:
    if text is None:
        file.unlink(missing_ok=True)
    else:
        renew(file, text)


@contextmanager
def applied(paths: Paths, suite: str, site: Site) -> Iterator[None]:
    """Within the block the cluster is this site's."""
    try:
        apply(paths, suite, site)
        yield
    finally:
        apply(paths, suite, PLAIN)
