"""The files that Slurm and MariaDB read, parsed back; and the table of suites they are written for."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from sandboxlib import slurm_config
from sandboxlib.slurm_config import NODES, Settings
from sandboxlib.slurm_suites import PACKAGES, SUITES, USERS
from slurmjob_operator.api.connection import SlurmConnectionSpec
from tests.unit.sandbox.conftest import Program

SETTINGS = Settings(
    cluster="campus",
    hostname="box",
    slurmctld_port=20001,
    slurmdbd_port=20002,
    slurmd_ports=range(20010, 20010 + len(NODES)),
    mariadb_port=20003,
    first_job_id=6001,
    cgroup=False,
)
OTHER = Settings(
    cluster="other",
    hostname="elsewhere",
    slurmctld_port=21001,
    slurmdbd_port=21002,
    slurmd_ports=range(21010, 21010 + len(NODES)),
    mariadb_port=21003,
    first_job_id=6_006_001,
    cgroup=False,
)


def _parse(text: str) -> dict[str, str]:
    """`Key=value` lines; those of nodes and partitions are left out."""
    lines = [line for line in text.splitlines() if line and not line.startswith(("NodeName=", "PartitionName=", "["))]
    pairs = [line.partition("=") for line in lines]
    assert len({key for key, _, _ in pairs}) == len(lines), "no key stands twice"
    return {key: value for key, _, value in pairs}


def _rows(text: str, kind: str) -> list[dict[str, str]]:
    lines = [line.split() for line in text.splitlines() if line.startswith(f"{kind}=")]
    return [dict(word.split("=", 1) for word in line) for line in lines]


def _expand(text: str) -> list[str]:
    """`n[1-3]` is n1, n2, n3; a plain name is itself."""
    match = re.fullmatch(r"(.*)\[(\d+)-(\d+)\]", text)
    return [f"{match[1]}{number}" for number in range(int(match[2]), int(match[3]) + 1)] if match else [text]


# --- slurm.conf and slurmdbd.conf -----------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [SETTINGS, OTHER])
def test_ports_and_names_are_the_sandboxs_own(settings: Settings) -> None:
    conf, dbd = _parse(slurm_config.slurm_conf(settings)), _parse(slurm_config.slurmdbd_conf(settings))
    maria = _parse(slurm_config.mariadb_conf(settings))
    assert conf["ClusterName"] == settings.cluster
    assert conf["SlurmctldPort"] == str(settings.slurmctld_port)
    assert conf["AccountingStoragePort"] == dbd["DbdPort"] == str(settings.slurmdbd_port)
    assert dbd["StoragePort"] == maria["port"] == str(settings.mariadb_port)
    assert conf["FirstJobId"] == str(settings.first_job_id)


def test_everything_is_on_loopback() -> None:
    conf, dbd = _parse(slurm_config.slurm_conf(SETTINGS)), _parse(slurm_config.slurmdbd_conf(SETTINGS))
    assert conf["SlurmctldHost"] == "box(127.0.0.1)"
    assert conf["CommunicationParameters"].split(",") == ["NoInAddrAny", "NoCtldInAddrAny"]
    assert conf["AccountingStorageHost"] == dbd["DbdAddr"] == dbd["StorageHost"] == "127.0.0.1"
    assert _parse(slurm_config.mariadb_conf(SETTINGS))["bind-address"] == "127.0.0.1"
    assert all(row["NodeAddr"] == "127.0.0.1" for row in _rows(slurm_config.slurm_conf(SETTINGS), "NodeName"))


@pytest.mark.parametrize("render", [slurm_config.slurm_conf, slurm_config.slurmdbd_conf])
def test_tokens_are_taken_beside_munge(render: object) -> None:
    assert callable(render)
    conf = _parse(render(SETTINGS))
    assert conf["AuthType"] == "auth/munge"
    assert conf["AuthAltTypes"] == "auth/jwt"
    assert conf["AuthAltParameters"] == "jwt_key=/etc/slurm/jwt_hs256.key"
    assert conf["SlurmUser"] == "slurm"


def test_the_database_is_the_one_that_is_made() -> None:
    dbd = _parse(slurm_config.slurmdbd_conf(SETTINGS))
    assert dbd["StorageType"] == "accounting_storage/mysql"
    assert (dbd["StorageUser"], dbd["StorageLoc"]) == ("slurm", "slurm_acct_db")
    assert dbd["StoragePass"] == slurm_config.DATABASE_PASSWORD
    assert "loose-innodb_snapshot_isolation=OFF" in slurm_config.mariadb_conf(SETTINGS).splitlines()
    assert slurm_config.mariadb_conf(SETTINGS).startswith("[mysqld]\n")


def test_each_node_has_a_port_of_its_own() -> None:
    (row,) = _rows(slurm_config.slurm_conf(SETTINGS), "NodeName")
    assert tuple(_expand(row["NodeName"])) == NODES
    first, last = (int(number) for number in row["Port"].split("-"))
    assert range(first, last + 1) == SETTINGS.slurmd_ports
    assert row["NodeHostname"] == "box"


def test_partitions_hold_nodes_that_exist() -> None:
    rows = {row["PartitionName"]: row for row in _rows(slurm_config.slurm_conf(SETTINGS), "PartitionName")}
    assert set(rows) == {"debug", "gpu", "tiny"}
    assert [name for name, row in rows.items() if row.get("Default") == "YES"] == ["debug"]
    assert all(set(_expand(row["Nodes"])) <= set(NODES) for row in rows.values())


def test_generic_resources_agree() -> None:
    """What nodes promise in slurm.conf is what gres.conf gives them."""
    conf = slurm_config.slurm_conf(SETTINGS)
    promised = dict(word.split(":") for word in _rows(conf, "NodeName")[0]["Gres"].split(","))
    given = {row["Name"]: row for row in _rows(slurm_config.gres_conf(), "NodeName")}
    assert set(promised) == set(given) == set(_parse(conf)["GresTypes"].split(","))
    assert all(tuple(_expand(row["NodeName"])) == NODES for row in given.values())
    assert len(_expand(given["gpu"]["File"])) == int(promised["gpu"])
    assert given["widget"]["Count"] == promised["widget"]


def test_memory_limits_only_with_the_controller() -> None:
    without, limited = SETTINGS, replace(SETTINGS, cgroup=True)
    keys = ("ProctrackType", "TaskPlugin", "JobAcctGatherType")
    assert [_parse(slurm_config.slurm_conf(limited))[key].split("/")[1] for key in keys] == ["cgroup"] * 3
    assert "cgroup" not in slurm_config.slurm_conf(without)
    assert _parse(slurm_config.cgroup_conf(limited))["ConstrainRAMSpace"] == "yes"
    assert slurm_config.cgroup_conf(without) == "CgroupPlugin=disabled\n"
    assert slurm_config.cgroup_conf(replace(without, cgroup_disabled=False)).strip() == "", "22.05 knows no such plugin"


def test_a_job_of_higher_quality_takes_the_nodes_of_a_normal_one() -> None:
    conf = _parse(slurm_config.slurm_conf(SETTINGS))
    assert (conf["PreemptType"], conf["PreemptMode"]) == ("preempt/qos", "REQUEUE")
    assert conf["JobRequeue"] == "1", "a job that says nothing may be requeued"
    assert "add qos high priority=1000 preempt=normal" in slurm_config.accounts_script("campus")


def test_ends_that_slurm_makes_do_not_take_minutes() -> None:
    """And a request that a daemon is slow to answer is not taken for the death of a node."""
    conf = _parse(slurm_config.slurm_conf(SETTINGS))
    message_timeout, least = 10, 5  # Slurm's defaults: of a message, and the shortest life of a credential
    requeue = int(conf["AuthInfo"].removeprefix("cred_expire="))
    assert message_timeout < int(conf["SlurmdTimeout"]) < requeue <= 30
    assert requeue >= least
    assert int(conf["SchedulerParameters"].removeprefix("sched_interval=")) <= 5
    assert int(conf["KillWait"]) <= 5
    assert int(conf["MinJobAge"]) <= 10


def test_paths_are_those_inside() -> None:
    folders = ("/var/lib/slurm/", "/var/spool/slurm/", "/run/slurm/", "/var/log/slurm/")
    conf, dbd = _parse(slurm_config.slurm_conf(SETTINGS)), _parse(slurm_config.slurmdbd_conf(SETTINGS))
    ours = ("StateSaveLocation", "SlurmdSpoolDir", "SlurmctldPidFile", "SlurmdPidFile", "SlurmctldLogFile")
    assert all(conf[key].startswith(folders) for key in ours)
    assert all(dbd[key].startswith(folders) for key in ("LogFile", "PidFile"))
    for key in ("SlurmdSpoolDir", "SlurmdPidFile", "SlurmdLogFile"):
        assert "%n" in conf[key], f"{key}: eight daemons do not share one place"


# --- Accounts -------------------------------------------------------------------------------------------------


@pytest.fixture
def accounts(tmp_path: Path, program: Program) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """The script, run by sh, where everything that it adds is there already."""
    log = tmp_path / "asked"
    found = "\n".join(slurm_config.ASSOCIATIONS)
    script = f'echo "$@" >> {log}; case $1 in -i) exit 1 ;; esac; echo "{found}"'
    program(tmp_path / "bin" / "sacctmgr", script)
    done = _run_accounts(tmp_path)
    return done, log.read_text().splitlines()


def _run_accounts(folder: Path) -> subprocess.CompletedProcess[str]:
    argv = ["sh", "-c", slurm_config.accounts_script("campus")]
    path = f"{folder / 'bin'}:/usr/bin:/bin"
    return subprocess.run(argv, env={"PATH": path}, capture_output=True, text=True, check=False)


def test_accounts_can_be_made_again(accounts: tuple[subprocess.CompletedProcess[str], list[str]]) -> None:
    done, asked = accounts
    assert done.returncode == 0
    assert "-i add cluster campus" in asked
    assert all(line.startswith("-i add ") for line in asked[:-1])
    assert len(set(asked)) == len(asked)


def test_who_has_an_association(accounts: tuple[subprocess.CompletedProcess[str], list[str]]) -> None:
    """carol has none: her jobs are refused."""
    _done, asked = accounts
    words = [line.split() for line in asked]
    users = {line[3] for line in words if line[2] == "user" and line[1] == "add"}
    made = {name for line in words if line[2] == "account" for name in line[3].split(",")}
    used = {word.partition("=")[2] for line in words for word in line if word.startswith("account=")}
    assert users & set(USERS) == {"alice", "bob"}
    assert used <= made


def test_qualities_of_service_are_made_before_they_are_given(
    accounts: tuple[subprocess.CompletedProcess[str], list[str]],
) -> None:
    known = {"normal"}
    for line in accounts[1]:
        words = line.split()
        if words[1:3] == ["add", "qos"]:
            known.add(words[3])
        given = {name for word in words if word.startswith("qos=") for name in word[4:].split(",")}
        assert given <= known


@pytest.mark.parametrize("lost", slurm_config.ASSOCIATIONS)
def test_an_association_that_was_not_made_is_an_error(lost: str, tmp_path: Path, program: Program) -> None:
    """Also where another one begins or ends as it does."""
    found = "\n".join([f"{lost}x", f"x{lost}", *(pair for pair in slurm_config.ASSOCIATIONS if pair != lost)])
    program(tmp_path / "bin" / "sacctmgr", f'case $1 in -i) exit 0 ;; esac; echo "{found}"')
    assert _run_accounts(tmp_path).returncode != 0


def test_what_is_added_at_once_is_there_before_the_rest(tmp_path: Path, program: Program) -> None:
    """A slow quality of service is waited for."""
    log = tmp_path / "done"
    program(tmp_path / "bin" / "sacctmgr", f'case "$3" in qos) sleep 0.3 ;; esac; echo "$3" >> {log}')
    _run_accounts(tmp_path)
    kinds = log.read_text().split()
    assert kinds.index("account") > max(place for place, kind in enumerate(kinds) if kind == "qos")


# --- Suites ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_is_under_its_name(name: str) -> None:
    suite = SUITES[name]
    assert suite.name == name
    assert re.fullmatch(r"[a-z]+", name), "it is part of file names and of names of variables"
    assert re.fullmatch(r"\d\d\.\d\d", suite.release)


@pytest.mark.parametrize("name", SUITES)
def test_its_api_versions_are_the_newest_first(name: str) -> None:
    versions = SUITES[name].api_versions
    assert versions
    assert list(versions) == sorted(set(versions), key=lambda version: int(version.rpartition(".")[2]), reverse=True)


@pytest.mark.parametrize("version", sorted({version for suite in SUITES.values() for version in suite.api_versions}))
def test_a_connection_can_name_each_version(version: str) -> None:
    auth = {"jwt": {"secretKeyRef": {"name": "token"}}}
    spec = {"servers": [{"url": "http://127.0.0.1:1"}], "auth": auth, "apiVersion": version}
    assert SlurmConnectionSpec.model_validate(spec).api_version == version


def test_users_have_ids_of_their_own() -> None:
    assert len(set(USERS.values())) == len(USERS)
    assert all(1000 < uid < 60000 for uid in USERS.values())
    assert {"alice", "bob", "carol", "slurmrest"} <= set(USERS)


def test_each_daemon_has_its_package() -> None:
    assert {"slurmctld", "slurmd", "slurmdbd", "slurmrestd", "munge", "mariadb-server", "slurm-client"} <= set(PACKAGES)
    assert "slurm-wlm-jwt-plugin" in PACKAGES, "AuthAltTypes=auth/jwt needs it"
    assert len(set(PACKAGES)) == len(PACKAGES)
