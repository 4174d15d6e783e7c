"""What one pass knows: the object as last seen, and the facts gathered about it in Slurm."""

from __future__ import annotations

from dataclasses import dataclass, field

from slurmjob_operator.api.conditions import Reason
from slurmjob_operator.api.slurmjob import DeletionPolicy, UnknownOutcomePolicy
from slurmjob_operator.api.status import SlurmJobStatus, Usage
from slurmjob_operator.core.marker import Marker
from slurmjob_operator.core.records import Accepted, JobRecord
from slurmjob_operator.core.tasks import Tasks
from slurmjob_operator.sbatch.types.arrays import ArraySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A SlurmJob, reduced to what decisions need.

    `slurm_name`: the job's name in Slurm. `hold`: its user wants it to stay held. `array`: its tasks, where it is an
    array. `sourced`: its template takes texts from ConfigMaps; what `template_hash` covers is what stands in the
    object. `resolve`: the annotation of that name, as it is. `deletion_time`: when its deletion was asked for.
    `suspend`: nothing of it is to wait in Slurm's queue, or to run. `abandoned`: somebody with the right to annotate
    it wants it gone, whatever lives on in Slurm.
    """

    uid: str
    namespace: str
    name: str
    generation: int
    resource_version: str
    connection: str
    deletion_policy: DeletionPolicy = DeletionPolicy.CANCEL
    template_hash: str
    slurm_name: str
    hold: bool = False
    priority: int | None = None
    array: ArraySpec | None = None
    sourced: bool = False
    backoff_limit: int = 0
    unknown_outcome_policy: UnknownOutcomePolicy = UnknownOutcomePolicy.ASK
    resolve: str = ""
    deleting: bool = False
    deletion_time: str | None = None
    abandoned: bool = False
    suspend: bool = False
    has_finalizer: bool = False
    status: SlurmJobStatus = field(default_factory=SlurmJobStatus)

    @property
    def recorded_id(self) -> int:
        """The recorded job id as a number; 0 where none is recorded."""
        return int(self.status.job_id or 0)

    def marker(self, installation: str) -> Marker:
        """The marker of the open attempt, for the template that it was opened for."""
        return Marker(
            installation=installation,
            namespace=self.namespace,
            name=self.name,
            uid=self.uid,
            attempt=self.status.attempt or 1,
            template_hash=self.status.template_hash or self.template_hash,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something outside does not work now; nothing is concluded from it. Tried again at `retry_at` (epoch). `since`
    (epoch) is when this process first met it. `secret_gone`: a token read before is used, since the Secret is gone."""

    reason: Reason
    message: str
    retry_at: float
    since: float | None = None
    secret_gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotKnown:
    """slurmctld is up and does not know the recorded id, since `since` (epoch). Not an end."""

    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Slurm refused this submission for good: what the object said in its generation `generation`."""

    message: str
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferral:
    """Slurm refused this submission for now; the next try is at `until` (epoch)."""

    message: str
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Unconfirmed:
    """A submission whose outcome nobody knows, sent at `at` (epoch)."""

    at: float


SentFor = tuple[int | None, str | None, str | None, str | None]
Submission = Accepted | Rejection | Deferral | Unconfirmed


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFacts:
    """The connection of a job as its session sees it. `problem` is None when it can be used. `accounting`: whether
    this Slurm has a slurmdbd; `accounting_lags`: whether that hears of a start only seconds after it."""

    user: str | None = None
    cluster_name: str | None = None
    deletion_deadline_seconds: int = 86400
    accounting: bool = True
    accounting_lags: bool = False
    problem: Trouble | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What the ConfigMaps that a template names say now. `missing`: why their texts cannot be had. `template_hash` is
    that of the template with the texts in their places, `script_hash` of a script that is among them."""

    missing: str | None = None
    template_hash: str | None = None
    script_hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageAnswer:
    """What slurmdbd said of what the run used; None: it could not, or does not know the end yet."""

    usage: Usage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What this process gathered about one SlurmJob; all of it can be lost without harm.

    `sources`: read in this pass; None: not read.
    `finalizer_here`: this process put the finalizer on the object. `fresh`: it also opened the attempt, and has sent
    no submission for it.
    `submission`: what the last submission of this process came to. `sent_for`: attempt, template hash, cluster and
    user that it was sent for. `unconfirmed`: how many of this attempt ended with an unknown outcome.
    `unconfirmed_elsewhere`: how many submissions of other SlurmJobs to this server as this user are open with an
    unknown outcome. `search`: jobs found by marker since then; None: not searched.
    `tasks`: what is known of those of an array, in this process; None: what status says.
    `usage`: what slurmdbd said of a run that has ended; None: not asked.
    `controller`, `accounting`, `backlog`: answers about the recorded id; None: to be asked.
    `up_since`: since when (epoch) slurmctld has been up, asked after `controller`; 0: it does not say; None: to be
    asked.
    `recorded_here`: the job id that this process itself recorded, in this very pass. `releases`: releases it has sent
    for that id, the last one at `released_at`. `noted_here`: it wrote `releaseTime` itself.
    `held_at`: when it last asked for the hold of a job in the queue.
    `cancelled_at`: when it last asked to cancel this attempt's job. `missing_since`: since when slurmctld has not shown
    a job under the recorded id that is proven to be ours, `missing_reads`: how often since then.
    `terminating`: its namespace takes no events any more. `blocked_told`: people were told why it is not let go.
    """

    connection: ConnectionFacts
    invalid: str | None = None
    notices: tuple[str, ...] = ()
    sources: Sources | None = None
    trouble: Trouble | None = None
    finalizer_here: bool = False
    fresh: bool = False
    submission: Submission | None = None
    sent_for: SentFor | None = None
    unconfirmed: int = 0
    unconfirmed_elsewhere: int = 0
    search: tuple[JobRecord, ...] | None = None
    searched_at: float = 0.0
    tasks: Tasks | None = None
    usage: UsageAnswer | None = None
    controller: JobRecord | NotKnown | None = None
    accounting: tuple[JobRecord, ...] | None = None
    backlog: int | None = None
    up_since: int | None = None
    recorded_here: str | None = None
    releases: int = 0
    released_at: float | None = None
    noted_here: bool = False
    release_refused: str | None = None
    held_at: float | None = None
    cancelled_at: float | None = None
    missing_since: float | None = None
    missing_reads: int = 0
    terminating: bool = False
    blocked_told: bool = False
