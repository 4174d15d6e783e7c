"""One attempt, once: by examples at each point of the protocol, and by histories that nobody thought of."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from slurmjob_operator.kube import errors as kube_errors
from slurmjob_operator.slurm import errors as slurm_errors
from tests.unit.engine.world import World

VERBS = ("submit_held", "job", "accounting", "search", "release", "cancel")


def test_a_quiet_life() -> None:
    world = World()
    uid = world.job()
    world.reconcile(uid)
    assert world.status(uid)["state"] == "Pending"
    assert world.status(uid)["jobId"] == "1"
    assert world.slurm.jobs[1].comment.endswith("released]")
    assert not world.slurm.jobs[1].held
    world.slurm.start(1)
    world.reconcile(uid)
    assert world.status(uid)["state"] == "Running"
    world.slurm.end(1)
    world.reconcile(uid)
    assert world.status(uid)["state"] == "Complete"
    assert world.kube.writes <= 6, "finalizer, opened, recorded, running, ended, let go"


def test_the_first_write_says_in_progress() -> None:
    world = World()
    uid = world.job()
    world.slurm.faults["submit_held"] = [slurm_errors.Unavailable("away")]
    world.reconcile(uid)
    assert world.condition(uid, "Reconciling")["status"] == "True"
    assert world.status(uid)["observedGeneration"] == 1
    assert not world.slurm.jobs


def test_nothing_is_written_when_nothing_changed() -> None:
    world = World()
    uid = world.job()
    world.reconcile(uid)
    world.slurm.start(1)
    world.reconcile(uid)
    before = world.kube.writes
    for _ in range(10):
        world.time += 10
        world.reconcile(uid)
    assert world.kube.writes == before


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", range(1, 8))
def test_killed_at_any_call_to_slurm(call: int, after: bool) -> None:
    world = World()
    uid = world.job()
    world.port.calls_left, world.port.after = call, after
    world.reconcile(uid)
    world.settle(uid)
    assert world.status(uid)["state"] == "Complete"
    assert sum(world.executions().values()) == 1


@pytest.mark.parametrize("write", range(1, 6))
@pytest.mark.parametrize("fault", ["lost", kube_errors.Unavailable("away"), kube_errors.Conflict("stale")])
def test_a_write_to_kubernetes_fails(write: int, fault: kube_errors.KubeError | str) -> None:
    world = World()
    uid = world.job()
    world.kube.faults = [None] * (write - 1) + [fault]  # type: ignore[list-item]  # None: this write succeeds
    world.reconcile(uid)
    world.settle(uid)
    assert world.status(uid)["state"] == "Complete"
    assert sum(world.executions().values()) == 1


def test_trap_f1_a_lost_answer_is_searched_for_before_anything_else() -> None:
    world = World()
    uid = world.job()
    world.slurm.faults["submit_held"] = ["lost"]
    world.reconcile(uid)
    assert world.status(uid)["jobId"] == "1"
    assert world.slurm.calls["submit_held"] == 1
    world.settle(uid)
    assert world.executions() == {1: 1}


def test_an_unknown_outcome_without_a_job_waits_before_the_next_try() -> None:
    world = World()
    uid = world.job()
    world.slurm.faults["submit_held"] = [slurm_errors.OutcomeUnknown("cut")]
    world.reconcile(uid)
    assert world.condition(uid, "Submitted")["reason"] == "SubmissionUnconfirmed"
    assert world.slurm.calls["submit_held"] == 1
    world.time += 16
    world.reconcile(uid)
    assert world.slurm.calls["submit_held"] == 2
    assert world.status(uid)["jobId"] == "1"


def test_two_unknown_outcomes_stop_and_ask() -> None:
    world = World()
    uid = world.job()
    world.slurm.faults["submit_held"] = [slurm_errors.OutcomeUnknown("cut")] * 5
    for _ in range(10):
        world.reconcile(uid)
        world.time += 20
    assert world.slurm.calls["submit_held"] == 2
    assert world.condition(uid, "Submitted")["status"] == "Unknown"
    assert world.condition(uid, "Stalled")["reason"] == "SubmissionUnconfirmed"


def test_trap_f2_a_strangers_job_under_our_id_is_left_alone() -> None:
    world = World()
    uid = world.job()
    world.reconcile(uid)
    stranger = world.slurm.jobs[1]
    del world.slurm.jobs[1], world.slurm.accounting[1]
    from dataclasses import replace

    world.slurm.put(replace(stranger, user="bob", name="theirs", comment=""))
    world.reconcile(uid)
    assert world.condition(uid, "Synced")["reason"] == "JobNotFound"
    assert world.condition(uid, "Failed")["status"] == "False"
    world.kube.delete(uid)
    world.reconcile(uid)
    assert world.slurm.calls["cancel"] == 0


def test_trap_f5_held_without_note_after_it_began_is_not_released_again() -> None:
    world = World()
    uid = world.job()
    world.reconcile(uid)
    world.slurm.start(1)
    from dataclasses import replace

    job = world.slurm.jobs[1]
    world.slurm.jobs[1] = replace(
        job, states=frozenset({"PENDING"}), held=True, start_time=None, comment=job.comment.replace(" released]", "]")
    )
    world.reconcile(uid)
    world.restart()
    world.reconcile(uid)
    assert world.slurm.releases == [1]
    assert world.condition(uid, "Stalled")["reason"] == "StateRolledBack"


def test_absence_is_never_an_end() -> None:
    world = World()
    uid = world.job()
    world.reconcile(uid)
    del world.slurm.jobs[1]
    for _ in range(5):
        world.time += 3600
        world.reconcile(uid)
    assert world.condition(uid, "Finished")["status"] == "False"
    assert world.condition(uid, "Synced")["reason"] == "JobNotFound"


def test_rejected_then_corrected() -> None:
    world = World()
    uid = world.job(partition="nope")
    world.reconcile(uid)
    assert world.status(uid)["state"] == "Rejected"
    world.restart()
    world.reconcile(uid)
    assert world.slurm.calls["submit_held"] == 1, "a refusal is not tried again before an edit"
    body = world.kube.body(uid)
    assert body is not None
    world.kube.edit(uid, template={**body["spec"]["template"], "partition": "debug"})
    world.settle(uid)
    assert world.status(uid)["state"] == "Complete"
    assert sum(world.executions().values()) == 1


def test_a_foreign_write_between_submit_and_record_changes_nothing() -> None:
    world = World()
    uid = world.job()
    world.kube.faults = [None, None, kube_errors.Conflict("a label was changed")]  # type: ignore[list-item]  # None: no fault
    world.reconcile(uid)
    assert world.status(uid)["jobId"] == "1"
    assert world.slurm.calls["submit_held"] == 1


class Histories(RuleBasedStateMachine):
    """Crashes, lost answers, outages, edits, a scheduler with a will of its own, in any order."""

    @initialize()
    def begin(self) -> None:
        self.world = World()
        self.uid = self.world.job()
        self.deleted = False
        self.ended_states: set[str] = set()

    @rule(seconds=st.sampled_from([0, 3, 20, 700]))
    def look(self, seconds: int) -> None:
        self.world.time += seconds
        self.world.reconcile(self.uid)

    @rule(call=st.integers(1, 5), after=st.booleans())
    def look_and_be_killed(self, call: int, after: bool) -> None:
        self.world.port.calls_left, self.world.port.after = call, after
        self.world.reconcile(self.uid)
        self.world.port.calls_left = None

    @rule()
    def restart(self) -> None:
        self.world.restart()

    @rule(verb=st.sampled_from(VERBS), lost=st.booleans())
    def fault_in_slurm(self, verb: str, lost: bool) -> None:
        changes = verb in ("submit_held", "release", "cancel")
        fault: slurm_errors.SlurmError | str = "lost" if lost and changes else slurm_errors.Unavailable("away")
        self.world.slurm.faults.setdefault(verb, []).append(fault)

    @rule(fault=st.sampled_from(["lost", "away", "stale"]))
    def fault_in_kubernetes(self, fault: str) -> None:
        kinds = {"away": kube_errors.Unavailable("away"), "stale": kube_errors.Conflict("stale")}
        self.world.kube.faults.append(kinds.get(fault, "lost"))

    @rule()
    def somebody_labels_it(self) -> None:
        if self.uid in self.world.kube.objects:
            self.world.kube.touch(self.uid)

    @rule()
    def slurm_schedules(self) -> None:
        for job_id in tuple(self.world.slurm.jobs):
            self.world.slurm.start(job_id)

    @rule(state=st.sampled_from(["COMPLETED", "FAILED", "TIMEOUT", "CANCELLED"]))
    def a_job_ends(self, state: str) -> None:
        for job_id in tuple(self.world.slurm.jobs):
            self.world.slurm.end(job_id, state)

    @rule()
    def slurmctld_forgets(self) -> None:
        for job_id in tuple(self.world.slurm.jobs):
            self.world.slurm.forget(job_id)

    @precondition(lambda self: not self.deleted)
    @rule()
    def delete(self) -> None:
        self.deleted = True
        self.world.kube.delete(self.uid)

    @invariant()
    def at_most_one_execution(self) -> None:
        if hasattr(self, "world"):
            assert sum(self.world.executions().values()) <= 1

    @invariant()
    def only_the_recorded_job_is_released(self) -> None:
        if hasattr(self, "world") and self.uid in self.world.kube.objects:
            recorded = self.world.status(self.uid).get("jobId")
            assert {str(job_id) for job_id in self.world.slurm.releases} <= {recorded}

    @invariant()
    def no_end_without_a_record(self) -> None:
        if not hasattr(self, "world") or self.uid not in self.world.kube.objects:
            return
        status = self.world.status(self.uid)
        if status.get("state") in ("Complete", "Failed"):
            job_id = int(status["jobId"])
            states = self.world.slurm.accounting[job_id][-1].states
            assert states & {"COMPLETED", "FAILED", "TIMEOUT", "CANCELLED"}
            assert (status["state"] == "Complete") == (states == {"COMPLETED"})

    def faults_stop(self) -> None:
        """From here on everything answers, and nobody is killed."""
        self.world.slurm.faults.clear()
        self.world.kube.faults.clear()
        self.world.port.calls_left = None

    def teardown(self) -> None:
        """Once faults stop, everything comes to its end: the object's, or nothing of it is left in Slurm."""
        if not hasattr(self, "world"):
            return
        self.faults_stop()
        for _ in range(30):
            self.world.settle(self.uid, rounds=1)
        self.at_most_one_execution()
        if self.uid in self.world.kube.objects:
            status = self.world.status(self.uid)
            assert not self.deleted, f"never let go: {status}"
            assert status.get("state") in ("Complete", "Failed", "Unknown"), status


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=250, stateful_step_count=25, deadline=None)
