"""What becomes of scripts as SlurmJobs with `hold: true`: applied to the API server, submitted by the operator."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from sandboxlib.daemons import SandboxError
from tests.differential.cases import HOME, Case, Held, Outcome, Refused
from tests.differential.reasons import SLURMCTLD, of_schema
from tests.real import api
from tests.real.cluster import Tenant

AT_ONCE: Final = 8
PATIENCE_SECONDS: Final = 90.0
"""For all of them together; some hundreds need half a minute."""

KIND: Final = "slurmjob"
SETTLED: Final = frozenset({"Held", "Rejected"})
REJECTED_BY_SLURM: Final = "SubmissionRejected"


def connect(tenant: Tenant) -> None:
    """A connection whose jobs run in alice's home, as those of sbatch that she runs there."""
    tenant.connect()
    tenant.edit_connection(jobDefaults={"chdir": HOME})


def submit(tenant: Tenant, cases: Sequence[Case], foreseen: Mapping[str, Outcome]) -> dict[str, Outcome]:
    """By name what became of each script. `foreseen` is what the same scripts came to without an operator: a refusal
    is for the same reason when its text is in the condition's message."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        at_once = dict(
            zip((case.name for case in cases), pool.map(lambda case: _create(tenant, case), cases), strict=True)
        )
    waited_for = {name for name, refusal in at_once.items() if refusal is None}
    objects = _settled(tenant, waited_for)
    return {name: refusal or _outcome(objects[name], foreseen[name]) for name, refusal in at_once.items()}


def _create(tenant: Tenant, case: Case) -> Refused | None:
    """The API server's refusal."""
    manifest = {
        "apiVersion": "slurmjob.dev/v1alpha1",
        "kind": "SlurmJob",
        "metadata": {"name": case.name},
        "spec": {"connectionRef": {"name": "campus"}, "template": {"script": case.script, "hold": True}},
    }
    try:
        api.create(tenant.paths, manifest, namespace=tenant.namespace, kind=KIND)
    except SandboxError as error:
        return Refused(reason=of_schema(str(error)), text=str(error))
    return None


def _settled(tenant: Tenant, names: set[str]) -> dict[str, dict[str, Any]]:
    """The objects, once each is held or rejected."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        objects = {
            str(item["metadata"]["name"]): item
            for item in api.read_all(tenant.paths, namespace=tenant.namespace, kind=KIND)
        }
        states = {name: objects[name].get("status", {}).get("state") for name in names}
        if all(state in SETTLED for state in states.values()):
            return objects
        late = {name: state for name, state in states.items() if state not in SETTLED}
        assert time.monotonic() < deadline, f"SlurmJobs that are neither held nor rejected: {late}"
        time.sleep(0.5)


def _outcome(found: Mapping[str, Any], foreseen: Outcome) -> Outcome:
    status = found["status"]
    if status["state"] == "Held":
        return Held(job_id=int(status["jobId"]))
    submitted = next(c for c in status["conditions"] if c["type"] == "Submitted")
    message = str(submitted["message"])
    if isinstance(foreseen, Refused) and _said(foreseen) in message:
        return Refused(reason=foreseen.reason, text=message)
    return Refused(reason=f"{submitted['reason']}: {message}", text=message)


def _said(foreseen: Refused) -> str:
    """What the message has to hold: slurmctld's words, or our own."""
    return foreseen.reason.removeprefix(SLURMCTLD) if foreseen.reason.startswith(SLURMCTLD) else foreseen.text
