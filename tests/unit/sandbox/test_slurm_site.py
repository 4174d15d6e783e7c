"""What a site adds to slurm.conf, as text; and that it is gone again, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from sandboxlib import slurm_config, slurm_daemons, slurm_site, slurm_state
from sandboxlib.daemons import Daemon, SandboxError
from sandboxlib.paths import Paths
from sandboxlib.slurm_site import PLAIN, RateLimit, Site, site_conf
from tests.unit.sandbox.test_slurm_config import SETTINGS

SUITE = "forky"


@pytest.fixture
def steps(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done to slurmctld, with its configuration as it is then."""
    done: list[str] = []
    (slurm_state.folder(paths, SUITE) / "etc-slurm").mkdir(parents=True)
    names = (f"{SUITE}-slurmdbd", f"{SUITE}-slurmctld", f"{SUITE}-slurmrestd")
    daemons = tuple(Daemon(name=name, argv=(), log=Path("log"), pid_file=Path("pid")) for name in names)

    def stop(stopped: Iterable[Daemon]) -> None:
        done.extend(f"stop {daemon.name}" for daemon in stopped)

    def start(daemon: Daemon) -> None:
        lua = (slurm_state.folder(paths, SUITE) / "etc-slurm/job_submit.lua").exists()
        text = slurm_state.site_file(paths, SUITE).read_text().removesuffix(slurm_config.NO_SITE).strip()
        done.append(f"start {daemon.name} [{text}]{' lua' if lua else ''}")

    monkeypatch.setattr(slurm_daemons, "daemons", lambda _paths, _suite: daemons)
    monkeypatch.setattr(slurm_site, "stop", stop)
    monkeypatch.setattr(slurm_site, "start", start)
    monkeypatch.setattr(slurm_daemons, "wait_answering", lambda _paths, _suite: done.append("answers"))
    monkeypatch.setattr(slurm_daemons, "wait_idle", lambda _paths, _suite: done.append("idle"))
    return done


def test_its_lines() -> None:
    assert site_conf(PLAIN) == slurm_config.NO_SITE
    assert all(line.startswith("#") for line in slurm_config.NO_SITE.splitlines())
    assert site_conf(Site(backup=True)) == "SlurmctldHost=backup(127.0.0.2)\n"
    assert site_conf(Site(job_submit="return 0")) == "JobSubmitPlugins=lua\n"
    limited = site_conf(Site(rate_limit=RateLimit(bucket=4, more=2), job_submit="return 0"))
    parameters = "rl_enable,rl_bucket_size=4,rl_refill_rate=2,rl_refill_period=1"
    assert limited == f"SlurmctldParameters={parameters}\nJobSubmitPlugins=lua\n"


def test_slurm_conf_includes_them_and_says_nothing_of_its_own_there() -> None:
    """Of two lines with one key Slurm takes one, and does not say which."""
    text = slurm_config.slurm_conf(SETTINGS)
    assert text.splitlines()[-1] == f"Include {slurm_config.SITE_CONF}"
    for line in site_conf(Site(rate_limit=RateLimit(bucket=4), job_submit="")).splitlines():
        assert f"\n{line.partition('=')[0]}=" not in text


def test_slurmctld_alone_is_restarted_and_in_the_end_plain_again(paths: Paths, steps: list[str]) -> None:
    with slurm_site.applied(paths, SUITE, Site(job_submit="return 0")):
        assert (slurm_state.folder(paths, SUITE) / "etc-slurm/job_submit.lua").read_text() == "return 0"
        steps.append("inside")
    assert steps == [
        "stop forky-slurmctld",
        "start forky-slurmctld [JobSubmitPlugins=lua] lua",
        "answers",
        "idle",
        "inside",
        "stop forky-slurmctld",
        "start forky-slurmctld []",
        "answers",
        "idle",
    ]


def test_plain_again_also_where_slurmctld_did_not_take_it(
    paths: Paths, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    start = vars(slurm_site)["start"]

    def fail_once(daemon: Daemon) -> None:
        monkeypatch.setattr(slurm_site, "start", start)
        raise SandboxError(f"{daemon.name} ended at once.")

    monkeypatch.setattr(slurm_site, "start", fail_once)
    with pytest.raises(SandboxError, match="ended at once"), slurm_site.applied(paths, SUITE, Site(job_submit="x")):
        raise AssertionError("it is not this site's")
    assert steps[-3:] == ["start forky-slurmctld []", "answers", "idle"]
