"""`suspend` set and taken away at any moment, among crashes, faults and a scheduler with a will of its own."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from slurmjob_operator.slurm import errors as slurm_errors
from tests.unit.engine.test_once import Histories

LIVE = frozenset({"PENDING", "RUNNING"})


class SuspendedHistories(Histories):
    """Each attempt runs at most once; while it is suspended nothing waits or runs; resumed it comes to an end."""

    suspend = False

    @precondition(lambda self: self.uid in self.world.kube.objects)
    @rule(suspend=st.booleans())
    def suspend_or_resume(self, suspend: bool) -> None:
        self.suspend = suspend
        self.world.kube.edit(self.uid, suspend=suspend)

    @rule(lost=st.booleans())
    def fault_in_a_hold(self, lost: bool) -> None:
        self.world.slurm.faults.setdefault("hold", []).append("lost" if lost else slurm_errors.Unavailable("away"))

    @invariant()
    def at_most_one_execution(self) -> None:
        if hasattr(self, "world"):
            assert all(count <= 1 for count in self.world.executions().values())

    @invariant()
    def only_the_recorded_job_is_released(self) -> None:
        if hasattr(self, "world") and self.uid in self.world.kube.objects:
            status = self.world.status(self.uid)
            recorded = {status.get("jobId"), *(attempt.get("jobId") for attempt in status.get("attempts", ()))}
            assert {str(job_id) for job_id in self.world.slurm.releases} <= recorded

    @invariant()
    def backoff_limit_is_kept(self) -> None:
        if hasattr(self, "world") and self.uid in self.world.kube.objects:
            status = self.world.status(self.uid)
            assert status.get("attempt", 1) <= 1 + status.get("suspendedAttempts", 0)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.faults_stop()
        if self.suspend and not self.deleted:
            self._rests()
            self.world.kube.edit(self.uid, suspend=False)
        super().teardown()

    def _rests(self) -> None:
        """Nothing of it waits or runs, and nothing is written any more; unless it has ended, or nobody knows."""
        for _ in range(30):
            self.world.time += 30
            self.world.reconcile(self.uid)
        state = self.world.status(self.uid).get("state")
        assert state in ("Suspended", "Complete", "Failed", "Unknown")
        if state == "Suspended":
            jobs = self.world.slurm.jobs.values()
            assert not [job for job in jobs if job.states & LIVE and not job.held]
        before = self.world.kube.writes
        self.world.time += 30
        self.world.reconcile(self.uid)
        assert self.world.kube.writes == before


TestSuspendedHistories = SuspendedHistories.TestCase
TestSuspendedHistories.settings = settings(max_examples=250, stateful_step_count=25, deadline=None)
