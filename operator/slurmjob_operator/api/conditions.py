"""Condition types and reasons: one vocabulary for code, schema, documentation and tests.

Polarity and meaning follow the API conventions and kstatus: `Reconciling` and `Stalled` are present only
while true, `Suspended` from the first suspension on; the others are present from the first status write on.
"""

from enum import StrEnum


class ConditionType(StrEnum):
    """Types of conditions on SlurmJob and SlurmConnection."""

    SUBMITTED = "Submitted"
    COMPLETE = "Complete"
    FAILED = "Failed"
    FINISHED = "Finished"
    SYNCED = "Synced"
    SUSPENDED = "Suspended"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    READY = "Ready"
    CREDENTIALS_VALID = "CredentialsValid"
    CREDENTIALS_EXPIRING = "CredentialsExpiring"


class Reason(StrEnum):
    """Reasons of conditions; each stands beside a message that a person can act on."""

    # Submission
    SUBMISSION_PENDING = "SubmissionPending"
    SUBMISSION_REJECTED = "SubmissionRejected"
    SUBMISSION_UNCONFIRMED = "SubmissionUnconfirmed"
    INVALID_TEMPLATE = "InvalidTemplate"
    CONNECTION_NOT_FOUND = "ConnectionNotFound"
    CONNECTION_NOT_READY = "ConnectionNotReady"
    CONNECTION_CHANGED = "ConnectionChanged"
    SOURCE_NOT_FOUND = "SourceNotFound"
    SOURCE_CHANGED = "SourceChanged"
    ACCEPTED = "Accepted"
    # Following
    PENDING_IN_QUEUE = "PendingInQueue"
    NEVER_STARTS = "NeverStarts"
    HELD = "Held"
    RUNNING = "Running"
    SUSPENDED_IN_SLURM = "SuspendedInSlurm"
    COMPLETING = "Completing"
    CANCELLING = "Cancelling"
    POLL_SUCCEEDED = "PollSucceeded"
    CLUSTER_UNREACHABLE = "ClusterUnreachable"
    JOB_NOT_FOUND = "JobNotFound"
    IDENTITY_UNPROVEN = "IdentityUnproven"
    STATE_ROLLED_BACK = "StateRolledBack"
    JOB_RECORD_LOST = "JobRecordLost"
    RETRY_SCHEDULED = "RetryScheduled"
    RELEASE_REFUSED = "ReleaseRefused"
    SUSPENDING = "Suspending"
    JOB_SUSPENDED = "JobSuspended"
    JOB_RESUMED = "JobResumed"
    CANCELLATION_REFUSED = "CancellationRefused"
    ACCOUNTING_UNAVAILABLE = "AccountingUnavailable"
    NOT_FINISHED = "NotFinished"
    # Ends
    COMPLETED = "Completed"
    NON_ZERO_EXIT_CODE = "NonZeroExitCode"
    SIGNALED = "Signaled"
    TIME_LIMIT_EXCEEDED = "TimeLimitExceeded"
    OUT_OF_MEMORY = "OutOfMemory"
    NODE_FAILURE = "NodeFailure"
    BOOT_FAILURE = "BootFailure"
    PREEMPTED = "Preempted"
    CANCELLED = "Cancelled"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    LAUNCH_FAILED = "LaunchFailed"
    INDEX_SET_TOO_LARGE = "IndexSetTooLarge"
    RESOLVED = "Resolved"
    # Connections
    CONNECTED = "Connected"
    TOKEN_ACCEPTED = "TokenAccepted"  # noqa: S105 - a reason, not a token
    SECRET_NOT_FOUND = "SecretNotFound"  # noqa: S105 - a reason, not a secret
    INVALID_TOKEN = "InvalidToken"  # noqa: S105 - a reason, not a token
    TOKEN_EXPIRED = "TokenExpired"  # noqa: S105 - a reason, not a token
    AUTHENTICATION_FAILED = "AuthenticationFailed"
    INVALID_SERVER_URL = "InvalidServerUrl"
    INVALID_CONNECTION = "InvalidConnection"
    UNSUPPORTED_SERVER = "UnsupportedServer"
    NOT_CHECKED = "NotChecked"
    WRONG_USER = "WrongUser"
    CONFIG_MAP_NOT_FOUND = "ConfigMapNotFound"
    INVALID_CERTIFICATE = "InvalidCertificate"
    INVALID_HEADERS = "InvalidHeaders"
    UNTRUSTED_SERVER = "UntrustedServer"
    CLUSTER_CHANGED = "ClusterChanged"
    SUSPENDED = "Suspended"
    EXPIRES_WITHIN_A_WEEK = "ExpiresWithinAWeek"
    EXPIRES_WITHIN_A_DAY = "ExpiresWithinADay"


class EventReason(StrEnum):
    """Reasons of Kubernetes events: posted on transitions, never per poll."""

    SUBMITTED = "SlurmJobSubmitted"
    SUBMISSION_REJECTED = "SlurmJobSubmissionRejected"
    STARTED = "SlurmJobStarted"
    COMPLETED = "SlurmJobCompleted"
    FAILED = "SlurmJobFailed"
    CANCEL_REQUESTED = "SlurmJobCancelRequested"
    ORPHANED = "SlurmJobOrphaned"
    RETRYING = "SlurmJobRetrying"
    OUTCOME_UNKNOWN = "SlurmJobOutcomeUnknown"
    RESOLVED = "SlurmJobResolved"
    SUSPENDED = "SlurmJobSuspended"
    RESUMED = "SlurmJobResumed"
    NOT_HELD = "SlurmJobNotHeld"
    FINALIZER_BLOCKED = "FinalizerBlocked"
    INVALID_SPEC = "InvalidSlurmJobSpec"
    OPTIONS_WITHOUT_EFFECT = "SlurmJobOptionsWithoutEffect"
    PRIORITY_REFUSED = "SlurmJobPriorityRefused"
    CONNECTION_READY = "SlurmConnectionReady"
    CONNECTION_NOT_READY = "SlurmConnectionNotReady"
    CREDENTIALS_EXPIRING = "SlurmCredentialsExpiring"
