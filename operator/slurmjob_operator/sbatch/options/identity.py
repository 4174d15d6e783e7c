"""Under which names the job runs: whose account, and what is written about it."""

from __future__ import annotations

from typing import Final

from slurmjob_operator.sbatch.option import Handled, NotSaid, Option
from slurmjob_operator.sbatch.rest import plain
from slurmjob_operator.sbatch.types.words import NAME, TEXT
from slurmjob_operator.sbatch.value import R24_11

COMMENT: Final = Handled(where="it stands in `comment` after the operator's marker")
JOB_NAME: Final = Handled(where="it is the request's `name`")

ROWS: Final = (
    Option(
        name="account",
        short="A",
        type=NAME,
        late=True,
        help="Account that the job is charged to. Default: that of the Slurm user.",
        v38=plain("account"),
        v40=plain("account"),
        inherited=True,
    ),
    Option(
        name="comment",
        type=TEXT,
        help="Text about the job, one line. In Slurm's record the operator's marker stands before it.",
        v38=COMMENT,
        v40=COMMENT,
        inherited=True,
    ),
    Option(
        name="context",
        type=TEXT,
        help="SELinux context that the job runs in.",
        v38=NotSaid(reason="slurmrestd of 22.05 has no key for it; use a cluster with Slurm 24.11 or newer"),
        v40=plain("selinux_context", observed=False),
        inherited=True,
    ),
    Option(
        name="extra",
        type=TEXT,
        help="Text about the job that the cluster may choose nodes by, if it is set up so. At most 1,024 bytes.",
        since=R24_11,
        v40=plain("extra"),
        inherited=True,
    ),
    Option(
        name="job-name",
        short="J",
        type=TEXT,
        help="Name of the job in Slurm. Default: the name of the object.",
        v38=JOB_NAME,
        v40=JOB_NAME,
        inherited=True,
    ),
    Option(
        name="mcs-label",
        type=TEXT,
        help="Label for multi-category security, on clusters that have it; mostly one of the user's groups.",
        v38=plain("mcs_label"),
        v40=plain("mcs_label"),
        inherited=True,
    ),
    Option(
        name="qos",
        short="q",
        type=NAME,
        late=True,
        help="Quality of service. Default: that of the Slurm user's account.",
        v38=plain("qos"),
        v40=plain("qos"),
        inherited=True,
    ),
    Option(
        name="wckey",
        type=TEXT,
        help="Workload characterization key, on clusters that count by it.",
        v38=plain("wckey"),
        v40=plain("wckey"),
        inherited=True,
    ),
)
