"""Histories that nobody thought of: everything that can happen to a SlurmJob, in any order.

The machine plays users, administrators, strangers, Slurm, its daemons' crashes, the API server's moods and two
operators that run the real core and the real `Actor`. What must hold is in `truth`; it is looked at after each
step, and at the end the world is healed and has to come to rest.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from slurmjob_operator.api.names import RESOLVE_ANNOTATION
from slurmjob_operator.core import marker
from slurmjob_operator.engine.effects import Effect
from slurmjob_operator.kube import errors as kube_errors
from slurmjob_operator.slurm import errors as slurm_errors
from tests.fakes.slurm import ENDED
from tests.model.rest import come_to_rest
from tests.model.world import Killed, World

MOST_OBJECTS = 2
CHANGING = ("submit_held", "release", "cancel")
VERBS = (*CHANGING, "job", "accounting", "search", "accounting_backlog", "up_since")
TEMPLATES: tuple[dict[str, Any], ...] = (
    {"partition": "debug"},
    {"partition": "gpu"},
    {"partition": "nope"},
    {"partition": "debug", "hold": True},
)
"""Two that are taken, one that is refused, one that its user wants to stay held."""

EFFECTS = st.sampled_from([*3 * [Effect.SUBMIT], *2 * [Effect.RECORD, Effect.RELEASE, Effect.CANCEL], *Effect])


def template(which: int) -> dict[str, Any]:
    """One of the templates, complete."""
    return {"script": "#!/bin/sh\ntrue\n", "chdir": "/home/alice", **TEMPLATES[which]}


def pick_of(ids: list[int], only: int) -> list[int]:
    """The first, second … of these, or (0) all of them."""
    return ids if only == 0 else ids[only - 1 : only]


class Machine(RuleBasedStateMachine):
    """See above. Subclasses take a guard away by overriding `new_world`."""

    def new_world(self) -> World:
        """A world with all guards on."""
        return World()

    @initialize(
        which=st.sampled_from([0, 0, 0, 1, 2, 3]),
        limit=st.sampled_from([0, 0, 1, 2]),
        policy=st.sampled_from(["Ask", "Fail", "Retry"]),
        deletion=st.sampled_from(["Cancel", "Cancel", "Orphan"]),
        accounting=st.sampled_from([True, True, True, False]),
        lags=st.sampled_from([False, False, True]),
    )
    def begin(self, which: int, limit: int, policy: str, deletion: str, accounting: bool, lags: bool) -> None:
        self.world = self.new_world()
        self.world.give(accounting=accounting, lags=lags)
        self.uids: list[str] = []
        self._create(which, limit, policy, deletion)

    def _create(self, which: int, limit: int, policy: str, deletion: str) -> None:
        spec = {
            "connectionRef": {"name": "campus"},
            "backoffLimit": limit,
            "unknownOutcomePolicy": policy,
            "deletionPolicy": deletion,
            "template": template(which),
        }
        self.uids.append(self.world.job("job", spec))

    def _object(self, pick: int) -> dict[str, Any] | None:
        """One of the objects that exist; the newest most of the time."""
        return self.world.kube.objects.get(self.uids[-1 - pick % len(self.uids)])

    def _alive(self, *states: str) -> list[int]:
        """Jobs in Slurm's queue in one of these base states."""
        return [job_id for job_id, job in self.world.slurm.jobs.items() if job.states & set(states)]

    # --- Users --------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.uids) < MOST_OBJECTS)
    @rule(which=st.integers(0, 3), limit=st.integers(0, 1), policy=st.sampled_from(["Ask", "Retry"]))
    def somebody_creates_another(self, which: int, limit: int, policy: str) -> None:
        self._create(which, limit, policy, "Cancel")

    @precondition(lambda self: self.world.kube.objects)
    @rule(pick=st.integers(0, 1))
    def somebody_deletes_it(self, pick: int) -> None:
        body = self._object(pick)
        if body is not None:
            self.world.kube.delete(body["metadata"]["uid"])

    @precondition(lambda self: self.world.kube.objects)
    @rule(pick=st.integers(0, 1), which=st.integers(0, 3), limit=st.integers(0, 2), what=st.integers(0, 3))
    def somebody_edits_it(self, pick: int, which: int, limit: int, what: int) -> None:
        """The template, until it is frozen; the limit; or a label, which changes nothing."""
        body = self._object(pick)
        if body is None:
            return
        uid, spec = body["metadata"]["uid"], body["spec"]
        if what > 1 and "firstSubmitTime" not in body["status"] and template(which) != spec["template"]:
            self.world.kube.edit(uid, template=template(which))
        elif what == 1 and limit != spec["backoffLimit"]:
            self.world.kube.edit(uid, backoffLimit=limit)
        else:
            self.world.kube.touch(uid)

    @precondition(lambda self: self.world.kube.objects)
    @rule(pick=st.integers(0, 1), attempt=st.integers(1, 2), word=st.sampled_from(["succeeded", "failed", "retry"]))
    def somebody_says_how_it_ended(self, pick: int, attempt: int, word: str) -> None:
        body = self._object(pick)
        if body is not None:
            uid = body["metadata"]["uid"]
            self.world.truth.words.add((uid, attempt))
            self.world.kube.annotate(uid, RESOLVE_ANNOTATION, f"{attempt}/{word}")

    # --- Operators ----------------------------------------------------------------------------------------

    @rule(
        who=st.sampled_from([0, 0, 1]),
        pick=st.integers(0, 1),
        lag=st.sampled_from([0, 0, 0, 1, 2, 4]),
        seconds=st.sampled_from([0, 0, 3, 16, 61]),
    )
    def an_operator_looks(self, who: int, pick: int, lag: int, seconds: int) -> None:
        self.world.passes(seconds)
        self.world.processes[who].look(self.uids[-1 - pick % len(self.uids)], lag=lag)

    @rule(who=st.sampled_from([0, 0, 1]), ends=st.sampled_from(["", "", "COMPLETED", "FAILED"]), heard=st.booleans())
    def all_goes_well_for_a_while(self, who: int, ends: str, heard: bool) -> None:
        """An operator looks, Slurm starts what may start, and it may end; slurmdbd hears of that, or later."""
        for uid in self.uids:
            self.world.processes[who].look(uid)
        self.world.save()
        self.world.slurm.slurmdbd_keeps_up &= heard
        for job_id in self._alive("PENDING"):
            self.world.slurm.start(job_id)
        for job_id in self._alive("RUNNING") if ends else ():
            self.world.slurm.end(job_id, ends)

    @rule(pick=st.integers(0, 1), effect=EFFECTS, after=st.booleans(), seconds=st.sampled_from([0, 0, 16]))
    def an_operator_is_killed(self, pick: int, effect: Effect, after: bool, seconds: int) -> None:
        def die() -> None:
            raise Killed

        self.world.passes(seconds)
        first = self.world.processes[0]
        first.witness.plan = (effect, after, die)
        first.look(self.uids[-1 - pick % len(self.uids)])
        first.witness.plan = None

    @rule(pick=st.integers(0, 1), effect=EFFECTS, after=st.booleans(), lag=st.integers(0, 2), who=st.integers(0, 1))
    def both_look_at_the_same_time(self, pick: int, effect: Effect, after: bool, lag: int, who: int) -> None:
        uid = self.uids[-1 - pick % len(self.uids)]
        first, second = self.world.processes[who], self.world.processes[1 - who]
        first.witness.plan = (effect, after, lambda: second.look(uid))
        first.look(uid, lag=lag)
        first.witness.plan = None

    @rule(who=st.integers(0, 1))
    def an_operator_is_restarted(self, who: int) -> None:
        self.world.processes[who].restart()

    @rule(who=st.integers(0, 1), seconds=st.sampled_from([0, 130]))
    def an_operator_sweeps(self, who: int, seconds: int) -> None:
        self.world.passes(seconds)
        self.world.processes[who].sweep()

    # --- Requests -----------------------------------------------------------------------------------------

    @rule(
        verb=st.sampled_from((*CHANGING, "submit_held", *VERBS)),
        fault=st.sampled_from(["lost", "late", "late", "cut", "away", "not now"]),
    )
    def a_request_will_fail(self, verb: str, fault: str) -> None:
        """Its answer will be lost, before, after or long before its effect; or Slurm says no."""
        changes, submits = verb in CHANGING, verb == "submit_held"
        faults: dict[str, slurm_errors.SlurmError | str] = {"away": slurm_errors.Unavailable("away")}
        if changes:
            faults |= {"lost": "lost", "cut": slurm_errors.OutcomeUnknown("cut before the effect")}
        if submits:
            faults |= {"late": "late", "not now": slurm_errors.RefusedForNow("queue full")}
        self.world.slurm.faults.setdefault(verb, []).append(faults.get(fault, faults["away"]))

    @rule(fault=st.sampled_from(["lost", "away", "stale", "unread"]))
    def a_request_to_kubernetes_will_fail(self, fault: str) -> None:
        kinds = {"away": kube_errors.Unavailable("away"), "stale": kube_errors.Conflict("stale")}
        if fault == "unread":
            self.world.kube.read_faults.append(kube_errors.Unavailable("away"))
        else:
            self.world.kube.faults.append(kinds.get(fault, "lost"))

    # --- Slurm --------------------------------------------------------------------------------------------

    @precondition(lambda self: self._alive("PENDING"))
    @rule(only=st.sampled_from([0, 0, 1, 2]))
    def slurm_starts_jobs(self, only: int) -> None:
        for job_id in pick_of(self._alive("PENDING"), only):
            self.world.slurm.start(job_id)

    @precondition(lambda self: self._alive("RUNNING"))
    @rule(
        only=st.sampled_from([0, 0, 1, 2]),
        state=st.sampled_from(["COMPLETED", "FAILED", "TIMEOUT", "requeue", "requeuehold"]),
    )
    def running_jobs_end(self, only: int, state: str) -> None:
        for job_id in pick_of(self._alive("RUNNING"), only):
            if state in ("requeue", "requeuehold"):
                self.world.slurm.requeue(job_id, held=state == "requeuehold")
            else:
                self.world.slurm.end(job_id, state)

    @precondition(lambda self: self._alive(*ENDED))
    @rule()
    def slurmctld_forgets_what_ended(self) -> None:
        self.world.passes(301)
        for job_id in tuple(self.world.slurm.jobs):
            self.world.slurm.forget(job_id)

    @rule(
        back=st.integers(0, 4),
        strangers=st.sampled_from([0, 0, 1, 2]),
        user=st.sampled_from(["alice", "bob"]),
        with_operators=st.booleans(),
    )
    def slurmctld_is_killed(self, back: int, strangers: int, user: str, with_operators: bool) -> None:
        """It comes back with an older state, and others may get the ids of the jobs that it lost. A node that
        fails may take operators with it."""
        self.world.kill_slurmctld(back)
        for number in range(strangers):
            self.world.stranger(user, started=number == 0)
        for process in self.world.processes if with_operators else ():
            process.restart()

    @rule(what=st.sampled_from(["slurmctld away", "slurmctld back", "slurmdbd away", "slurmdbd slow", "slurmdbd back"]))
    def a_daemon_goes_or_comes(self, what: str) -> None:
        slurm = self.world.slurm
        if what.startswith("slurmctld"):
            slurm.slurmctld_up = what.endswith("back")
        elif what.endswith("back"):
            slurm.hear()
        else:
            slurm.slurmdbd_up = what.endswith("slow")
            slurm.slurmdbd_keeps_up = False

    @rule(user=st.sampled_from(["alice", "bob"]))
    def a_stranger_submits(self, user: str) -> None:
        self.world.stranger(user, started=False)

    # --- Administrators -----------------------------------------------------------------------------------

    @precondition(lambda self: self._alive("PENDING", "RUNNING"))
    @rule(only=st.integers(1, 3), deed=st.sampled_from(["hold", "hold", "release", "cancel", "comment"]))
    def somebody_changes_a_job(self, only: int, deed: str) -> None:
        """`scontrol` by an administrator or by the job's user. Only what we have let go of is released: whoever
        releases what we hold back knows what they do."""
        for job_id in pick_of(self._alive("PENDING", "RUNNING"), only):
            job, mark = self.world.slurm.jobs[job_id], marker.parse(self.world.slurm.jobs[job_id].comment)
            if deed == "cancel":
                self.world.slurm.cancel(job_id)
            elif deed == "comment":
                self.world.truth.rewritten.add(self.world.slurm.births[job_id].serial)
                self.world.change(job_id, comment="ticket 4711")
            elif deed == "hold" and job.states == {"PENDING"} and not job.held:
                self.world.change(job_id, held=True, reason="JobHeldAdmin")
            elif deed == "release" and job.waits_held and mark is not None and mark.released:
                self.world.change(job_id, held=False, reason="None")

    @rule(seconds=st.sampled_from([3, 11, 61, 700, 4000, 90000]))
    def time_passes(self, seconds: int) -> None:
        self.world.passes(seconds)

    # --- What must hold -----------------------------------------------------------------------------------

    @invariant()
    def nothing_is_broken(self) -> None:
        self.world.save()
        self.world.truth.check()

    def teardown(self) -> None:
        """Once nothing fails any more, everything comes to rest."""
        if hasattr(self, "world"):
            come_to_rest(self.world, tuple(self.uids))
