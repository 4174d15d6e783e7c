"""Configuration of one cluster: slurm.conf, slurmdbd.conf, gres.conf, cgroup.conf and MariaDB's.

Paths are those inside the root file system; ports are the sandbox's own; everything listens on loopback.
"""

from __future__ import annotations

from dataclasses import dataclass

NODES = tuple(f"n{number}" for number in range(1, 9))
SPOOL = "/var/spool/slurm"
STATE = "/var/lib/slurm"
LOGS = "/var/log/slurm"
JWT_KEY = "/etc/slurm/jwt_hs256.key"
SITE_CONF = "/etc/slurm/site.conf"
NO_SITE = "# This site adds nothing of its own.\n"
"""26.05 complains of an included file that is empty, at every command."""
DATABASE_PASSWORD = "sandbox"  # noqa: S105 - of a throw-away database on loopback

MIN_JOB_AGE_SECONDS = 10
"""How long slurmctld remembers a job that has ended (Slurm's own default is 300)."""

MAX_JOB_COUNT = 30_000

NODE_SECONDS = 15
"""A node whose slurmd does not answer for so long is down, and its jobs end NODE_FAIL or are requeued (Slurm's own
default is 300). Nothing in it depends on the length; a machine that stalls for longer loses nodes."""

REQUEUE_SECONDS = 20
"""How long credentials of job steps hold, which is also how long Slurm lets a requeued job wait before it may start
again (Slurm's own default is 120)."""

BACKUP_HOST = "backup"
BACKUP_ADDRESS = "127.0.0.2"
"""Of the second slurmctld, where there is one."""

TAKEOVER_SECONDS = 10
"""A second slurmctld, where there is one, takes over when the first has been silent for so long (Slurm's default is
120)."""

SCHEDULE_SECONDS = 5
"""How often slurmctld looks for jobs whose time has come, besides when something happens (Slurm's default is 60)."""


ASSOCIATIONS = ("research|alice", "limited|alice", "research|bob", "research|root")
"""Account and user, as sacctmgr prints them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What differs from cluster to cluster.

    Job ids as well: with cgroups, two clusters on one machine would take the processes of a job of the same node
    and id for their own, and the end of one job would kill the other (seen).
    """

    cluster: str
    hostname: str
    slurmctld_port: int
    slurmdbd_port: int
    slurmd_ports: range
    mariadb_port: int
    first_job_id: int
    cgroup: bool
    job_extra: bool = True
    """Whether slurmdbd keeps a job's `extra`; 22.05 knows no such field."""
    cgroup_disabled: bool = True
    """Whether cgroup.conf can say `disabled`; slurmd of 22.05 ends when it does."""


def slurm_conf(settings: Settings) -> str:
    """8 nodes of 8 CPUs, 8,000 MB, 2 GPUs; partitions debug (default), gpu and tiny."""
    track = "proctrack/cgroup" if settings.cgroup else "proctrack/linuxproc"
    task = "task/cgroup" if settings.cgroup else "task/none"
    gather = "jobacct_gather/cgroup" if settings.cgroup else "jobacct_gather/linux"
    flags = "job_comment,job_env,job_script" + (",job_extra" if settings.job_extra else "")
    first, last = settings.slurmd_ports[0], settings.slurmd_ports[-1]
    return f"""\
ClusterName={settings.cluster}
SlurmctldHost={settings.hostname}(127.0.0.1)
SlurmUser=slurm
AuthType=auth/munge
AuthAltTypes=auth/jwt
AuthAltParameters=jwt_key={JWT_KEY}
AuthInfo=cred_expire={REQUEUE_SECONDS}
CredType=cred/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmctldPort={settings.slurmctld_port}
SlurmdPort={first}
StateSaveLocation={STATE}/ctld
SlurmdSpoolDir={SPOOL}/%n
SlurmctldPidFile=/run/slurm/slurmctld.pid
SlurmdPidFile=/run/slurm/slurmd-%n.pid
SlurmctldLogFile={LOGS}/slurmctld.log
SlurmdLogFile={LOGS}/slurmd-%n.log
SlurmctldDebug=info
SlurmdDebug=info
ProctrackType={track}
TaskPlugin={task}
JobAcctGatherType={gather}
JobAcctGatherFrequency=5
SchedulerType=sched/backfill
SchedulerParameters=sched_interval={SCHEDULE_SECONDS}
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
PriorityType=priority/multifactor
PreemptType=preempt/qos
PreemptMode=REQUEUE
JobRequeue=1
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={settings.slurmdbd_port}
AccountingStorageEnforce=associations,limits,qos
AccountingStoreFlags={flags}
AccountingStorageTRES=gres/gpu
GresTypes=gpu,widget
Licenses=matlab:3
MailProg=/bin/true
MpiDefault=none
ReturnToService=2
SlurmctldTimeout={TAKEOVER_SECONDS}
SlurmdTimeout={NODE_SECONDS}
KillWait=5
MinJobAge={MIN_JOB_AGE_SECONDS}
MaxJobCount={MAX_JOB_COUNT}
FirstJobId={settings.first_job_id}
SlurmdParameters=config_overrides
DefMemPerCPU=100
NodeName=n[1-8] NodeHostname={settings.hostname} NodeAddr=127.0.0.1 Port={first}-{last} CPUs=8 RealMemory=8000 \
Gres=gpu:2,widget:4 Feature=fast State=UNKNOWN
PartitionName=debug Nodes=n[1-6] Default=YES MaxTime=1-00:00:00 DefaultTime=10 State=UP
PartitionName=gpu Nodes=n[7-8] MaxTime=INFINITE State=UP
PartitionName=tiny Nodes=n1 MaxTime=5 State=UP
Include {SITE_CONF}
"""


def slurmdbd_conf(settings: Settings) -> str:
    """Accounting in MariaDB."""
    return f"""\
AuthType=auth/munge
AuthAltTypes=auth/jwt
AuthAltParameters=jwt_key={JWT_KEY}
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={settings.slurmdbd_port}
SlurmUser=slurm
DebugLevel=info
LogFile={LOGS}/slurmdbd.log
PidFile=/run/slurm/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={settings.mariadb_port}
StorageUser=slurm
StoragePass={DATABASE_PASSWORD}
StorageLoc=slurm_acct_db
"""


def gres_conf() -> str:
    """GPUs need a device file each (without one the nodes are drained); widgets are only counted."""
    return "NodeName=n[1-8] Name=gpu File=/etc/slurm/fakegpu[0-1]\nNodeName=n[1-8] Name=widget Count=4\n"


def cgroup_conf(settings: Settings) -> str:
    """True memory limits where the machine has the memory controller of cgroup v1."""
    if not settings.cgroup:
        return "CgroupPlugin=disabled\n" if settings.cgroup_disabled else "\n"
    return "CgroupPlugin=cgroup/v1\nConstrainRAMSpace=yes\nConstrainSwapSpace=no\n"


def mariadb_conf(settings: Settings) -> str:
    """slurmdbd ends when innodb_snapshot_isolation is on (MariaDB 11.8)."""
    return f"""\
[mysqld]
user=mysql
datadir=/var/lib/mysql
socket=/run/mysqld/mysqld.sock
pid-file=/run/mysqld/mysqld.pid
bind-address=127.0.0.1
port={settings.mariadb_port}
innodb_buffer_pool_size=64M
innodb_lock_wait_timeout=900
innodb_flush_log_at_trx_commit=2
performance_schema=OFF
skip-name-resolve
loose-innodb_snapshot_isolation=OFF
"""


def accounts_script(cluster: str) -> str:
    """Accounts, QOS and users, for sh inside the root file system; safe to repeat.

    Each call of 22.05's sacctmgr waits for a third of a second, so what does not depend on each other is added at
    the same time; associations are not, since each moves the others in one tree. The last lines fail the script
    when one of them was not made, which none is without its account and its QOS.
    """
    users = dict.fromkeys(pair.partition("|")[2] for pair in ASSOCIATIONS)
    at_once = (
        f"add cluster {cluster}",
        "add qos high priority=1000 preempt=normal",
        "add qos low",
        "add qos short maxwall=5 maxjobsperuser=2",
    )
    in_order = (
        "add account research,limited",
        "add user alice account=research defaultaccount=research qos=normal,high,low,short defaultqos=normal",
        "add user bob account=research defaultaccount=research qos=normal,low defaultqos=normal",
        "add user root account=research",
        "add user alice account=limited maxjobs=1 maxsubmitjobs=2 qos=normal defaultqos=normal",
    )
    lines = [
        *(f"sacctmgr -i {command} &" for command in at_once),
        "wait",
        *(f"sacctmgr -i {command} || true" for command in in_order),
        f"found=$(sacctmgr -nP show associations users={','.join(users)} format=account,user)",
        *(f'echo "$found" | grep -qx "{pair}"' for pair in ASSOCIATIONS),
    ]
    return "\n".join(["set -e", *lines])
