"""Names that stand in manifests, in Slurm's records and in the code alike."""

from typing import Final

GROUP: Final = "slurmjob.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"

MANAGER: Final = f"{GROUP}/operator"
"""`managedBy` of the objects that are ours to reconcile."""

JOB_FINALIZER: Final = f"{GROUP}/slurm-job"
"""On a SlurmJob from before anything exists in Slurm until nothing of it can run there any more."""

CONNECTION_FINALIZER: Final = f"{GROUP}/in-use"
"""On a connection while SlurmJobs that hold their own finalizer refer to it."""

RESOLVE_ANNOTATION: Final = f"{GROUP}/resolve"
"""`ATTEMPT/succeeded`, `ATTEMPT/failed` or `ATTEMPT/retry`: a person's word on an attempt of unknown outcome."""

ABANDON_ANNOTATION: Final = f"{GROUP}/abandon"
"""`true`: break-glass. A SlurmJob that is being deleted is let go at once, whatever lives on in Slurm."""

DEFAULT_TOKEN_KEY: Final = "SLURM_JWT"  # noqa: S105 - the key's name in a Secret, as `scontrol token` prints it

DEFAULT_CA_KEY: Final = "ca.crt"

HEADERS_SECRET_TYPE: Final = f"{GROUP}/headers"
"""Type of Secrets whose keys and values are headers of requests. Nobody else's Secret is sent as headers: the type
cannot be changed, so whoever made it meant it."""
