"""What one cluster keeps on disk: its folders, its configuration, its keys, and which release it runs on."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

from sandboxlib import ports, slurm_config, slurm_rootfs, slurm_view
from sandboxlib.paths import Paths, renew
from sandboxlib.slurm_suites import SUITES, USERS, Suite

IDS_PER_PORT = 6000
"""Job ids that a cluster has to itself, for each port between its slurmctld's and the next one's: some ten ports.
The last port there is still stays below Slurm's own highest id (67,043,328)."""

MEMORY_CONTROLLER = Path("/sys/fs/cgroup/memory")


def folder(paths: Paths, suite: str) -> Path:
    """State of one cluster."""
    return paths.state / "slurm" / suite


def home(paths: Paths, suite: str, user: str) -> Path:
    """A user's home as the host sees it; inside it is /home/USER."""
    return folder(paths, suite) / "home" / user


def row(paths: Paths, suite: str) -> Suite:
    """The suite whose root file system the cluster runs on: its own, or since an upgrade another one."""
    try:
        return SUITES[_runs_on(paths, suite).read_text()]
    except FileNotFoundError:
        return SUITES[suite]


def set_row(paths: Paths, suite: str, name: str) -> None:
    """From now on the cluster runs on the root file system of this suite, until its state is forgotten."""
    _runs_on(paths, suite).write_text(name)


def _runs_on(paths: Paths, suite: str) -> Path:
    return folder(paths, suite) / "runs-on"


def root(paths: Paths, suite: str) -> Path:
    """The root file system that the cluster runs on, whether it was made or not."""
    return slurm_rootfs.location(paths, row(paths, suite))


def choose_ports(paths: Paths, suite: str) -> None:
    """All ports of a cluster at once, so that they are neighbours and job ids have room (`IDS_PER_PORT`)."""
    widths = {"mariadbd": 1, "slurmdbd": 1, "slurmctld": 1, "slurmd": len(slurm_config.NODES), "slurmrestd": 1}
    ports.choose(paths, {f"{suite}-{name}": width for name, width in widths.items()})


def slurmd_ports(paths: Paths, suite: str) -> range:
    """One port for each node."""
    return ports.port_range(paths, f"{suite}-slurmd", len(slurm_config.NODES))


def settings(paths: Paths, suite: str) -> slurm_config.Settings:
    """Ports, job ids and what this machine and this release can do."""
    return slurm_config.Settings(
        cluster=suite,
        hostname=socket.gethostname(),
        slurmctld_port=ports.port(paths, f"{suite}-slurmctld"),
        slurmdbd_port=ports.port(paths, f"{suite}-slurmdbd"),
        slurmd_ports=slurmd_ports(paths, suite),
        mariadb_port=ports.port(paths, f"{suite}-mariadbd"),
        first_job_id=1 + IDS_PER_PORT * (ports.port(paths, f"{suite}-slurmctld") - ports.FIRST),
        cgroup=has_memory_controller(),
        job_extra=row(paths, suite).knows_extra,
        cgroup_disabled=row(paths, suite).knows_cgroup_disabled,
    )


def has_memory_controller() -> bool:
    """Whether memory limits can be true here."""
    return (MEMORY_CONTROLLER / "memory.limit_in_bytes").exists() and os.access(MEMORY_CONTROLLER, os.W_OK)


def make_folders(paths: Paths, suite: str, root: Path) -> None:
    """All folders, each with the owner that the root file system knows."""
    state = folder(paths, suite)
    ids = users(root)
    owners = {
        "etc-munge": "munge",
        "lib-munge": "munge",
        "lib-mysql": "mysql",
        "lib-slurm": "slurm",
        "lib-slurm/ctld": "slurm",
        "log/munge": "munge",
        "log/slurm": "slurm",
        "run/munge": "munge",
        "run/mysqld": "mysql",
        "run/slurm": "slurm",
        "spool/slurm": "root",
        **{f"home/{name}": name for name in USERS},
    }
    for name in ("root", *slurm_view.BOUND, *owners):
        (state / name).mkdir(parents=True, exist_ok=True)
    for name, owner in owners.items():
        os.chown(state / name, *ids[owner])
    (state / "tmp").chmod(0o1777)
    for name in ("etc-munge", "lib-munge"):
        (state / name).chmod(0o700)
    for name in USERS:
        (state / "home" / name).chmod(0o755)


def users(root: Path) -> dict[str, tuple[int, int]]:
    """User and group id of each user of a root file system."""
    lines = (line.split(":") for line in (root / "etc/passwd").read_text().splitlines())
    return {name: (int(uid), int(gid)) for name, _, uid, gid, *_ in lines}


def write_configuration(paths: Paths, suite: str, root: Path) -> None:
    """Write all files of /etc/slurm, and once the keys."""
    state, chosen, owner = folder(paths, suite), settings(paths, suite), users(root)
    etc = state / "etc-slurm"
    texts = {
        "slurm.conf": slurm_config.slurm_conf(chosen),
        "gres.conf": slurm_config.gres_conf(),
        "cgroup.conf": slurm_config.cgroup_conf(chosen),
        "mariadb.cnf": slurm_config.mariadb_conf(chosen),
        "slurmdbd.conf": slurm_config.slurmdbd_conf(chosen),
    }
    for name, text in texts.items():
        renew(etc / name, text)
    if not site_file(paths, suite).exists():
        renew(site_file(paths, suite), slurm_config.NO_SITE)
    _owned(etc / "slurmdbd.conf", owner["slurm"])
    _secret(etc / "jwt_hs256.key", owner["slurm"])
    _secret(state / "etc-munge/munge.key", owner["munge"])
    for number in (0, 1):
        device = etc / f"fakegpu{number}"
        if not device.exists():
            os.mknod(device, 0o600 | 0o020000, os.makedev(1, 3))
            device.chmod(0o666)
    renew(
        state / "hosts",
        f"127.0.0.1 localhost {chosen.hostname}\n{slurm_config.BACKUP_ADDRESS} {slurm_config.BACKUP_HOST}\n",
    )


def site_file(paths: Paths, suite: str) -> Path:
    """What slurm.conf includes at its end (see `slurm_site`)."""
    return folder(paths, suite) / "etc-slurm" / Path(slurm_config.SITE_CONF).name


def _secret(path: Path, owner: tuple[int, int]) -> None:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(secrets.token_bytes(64))
    _owned(path, owner)


def _owned(path: Path, owner: tuple[int, int]) -> None:
    path.chmod(0o600)
    os.chown(path, *owner)
