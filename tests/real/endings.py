"""How a SlurmJob ended, as one value that a test can compare with what it expects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.real.cluster import Tenant


@dataclass(frozen=True, kw_only=True)
class Ending:
    """State, reason, message, exit code and signal; in the message the job id is written `N`."""

    state: str = "Failed"
    reason: str
    message: str
    exit_code: int | None = None
    signal: int | None = None


def ending_of(tenant: Tenant, name: str, *, seconds: int = 45) -> Ending:
    """Wait for the end, and read it; everything in status that tells of it has to agree."""
    tenant.wait(name, "Finished", seconds=seconds)
    status = tenant.status(name)
    conditions = {condition["type"]: condition for condition in status["conditions"]}
    succeeded = status["state"] == "Complete"
    end = conditions["Complete" if succeeded else "Failed"]
    assert end["status"] == "True"
    _check_agreement(status, conditions, succeeded=succeeded)
    return Ending(
        state=status["state"],
        reason=end["reason"],
        message=end["message"].replace(f"job {status['jobId']}", "job N"),
        exit_code=status.get("exitCode"),
        signal=status.get("signal"),
    )


def _check_agreement(status: dict[str, Any], conditions: dict[str, dict[str, Any]], *, succeeded: bool) -> None:
    end = conditions["Complete" if succeeded else "Failed"]
    other = conditions["Failed" if succeeded else "Complete"]
    finished = conditions["Finished"]
    assert other["status"] == "False"
    assert (finished["status"], finished["reason"], finished["message"]) == ("True", end["reason"], end["message"])
    assert (status["active"], status["succeeded"], status["failed"]) == (0, int(succeeded), int(not succeeded))
    assert conditions["Synced"]["status"] == "True"
    assert "Reconciling" not in conditions
    assert ("Stalled" in conditions) is not succeeded
    assert ("completionTime" in status) is succeeded
    assert status["endTime"] >= status["submitTime"]
    last = status["attempts"][-1]
    assert (last["attempt"], last["jobId"], last["reason"]) == (status["attempt"], status["jobId"], end["reason"])
    assert (last.get("exitCode"), last.get("signal")) == (status.get("exitCode"), status.get("signal"))
