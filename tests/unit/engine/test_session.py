"""Sessions under a clock of their own: what is asked when, and what a connection's troubles do to its jobs."""

from __future__ import annotations

import asyncio

import pytest

from slurmjob_operator.api.names import ABANDON_ANNOTATION
from slurmjob_operator.core.recorded import RELEASE_AGAIN_SECONDS
from slurmjob_operator.core.records import ClusterInfo
from slurmjob_operator.engine.cluster_facts import PERIOD_SECONDS
from slurmjob_operator.kube import errors as kube_errors
from slurmjob_operator.kube.port import Kind, KubeEvent
from slurmjob_operator.slurm import errors as slurm_errors
from tests.fakes.slurm import InMemorySlurm, MemoryPort
from tests.unit.engine.cluster import POLL, Cluster, now

pytestmark = pytest.mark.looptime


async def test_a_quiet_life(cluster: Cluster) -> None:
    connection, job = cluster.connection(), cluster.job()
    await asyncio.sleep(1)
    assert cluster.reason(connection, "Ready") == "Connected"
    assert cluster.status(job)["state"] == "Pending"
    cluster.slurm.start(1)
    await asyncio.sleep(POLL)
    assert cluster.status(job)["state"] == "Running"
    cluster.slurm.end(1)
    await asyncio.sleep(POLL)
    assert cluster.status(job)["state"] == "Complete"
    assert cluster.slurm.executions == {1: 1}


async def test_one_request_a_tick_for_all_live_jobs(cluster: Cluster) -> None:
    cluster.connection()
    jobs = [cluster.job(f"j{number}") for number in range(40)]
    await asyncio.sleep(1)
    for job_id in range(1, 41):
        cluster.slurm.start(job_id)
    await asyncio.sleep(2 * POLL)
    assert {cluster.status(uid)["state"] for uid in jobs} == {"Running"}
    await asyncio.sleep(PERIOD_SECONDS)
    before, writes = cluster.slurm.calls.copy(), cluster.kube.writes
    await asyncio.sleep(10 * POLL)
    spent = cluster.slurm.calls - before
    assert spent.pop("facts") <= 2
    assert spent == {"states": 10}, "nothing changed, so nothing but the shared poll"
    assert cluster.kube.writes == writes


async def test_no_live_job_no_request(cluster: Cluster) -> None:
    cluster.connection()
    await asyncio.sleep(1)
    before = cluster.slurm.calls.copy()
    await asyncio.sleep(3590)
    assert set(cluster.slurm.calls - before) == {"facts"}, "looked at for people, once a minute"
    await asyncio.sleep(3600)
    spent = cluster.slurm.calls - before
    assert spent.pop("facts") <= 7200 / 60
    assert spent == {"held_jobs": 1}, "the hourly sweep"


async def test_a_pending_job_is_read_for_its_reason_ever_more_rarely(cluster: Cluster) -> None:
    cluster.connection()
    cluster.job()
    await asyncio.sleep(600)
    before = cluster.slurm.calls["job"]
    await asyncio.sleep(3600)
    assert 10 <= cluster.slurm.calls["job"] - before <= 13, "every five minutes"


async def test_losing_sight_is_told_and_is_no_end(cluster: Cluster) -> None:
    connection, job = cluster.connection(), cluster.job()
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    await asyncio.sleep(POLL)
    away = slurm_errors.Unavailable("away")
    cluster.slurm.faults = {verb: [away] * 50 for verb in ("states", "info", "job")}
    await asyncio.sleep(6 * POLL)
    assert cluster.reason(connection, "Ready") == "ClusterUnreachable"
    assert cluster.reason(job, "Synced") == "ClusterUnreachable"
    assert cluster.status(job)["state"] == "Running"
    cluster.slurm.faults.clear()
    cluster.slurm.end(1)
    await asyncio.sleep(3 * POLL)
    assert cluster.reason(connection, "Ready") == "Connected"
    assert cluster.status(job)["state"] == "Complete"


async def test_an_expiring_token_is_read_anew(cluster: Cluster) -> None:
    cluster.secret(lifespan=100)
    connection = cluster.connection()
    await asyncio.sleep(50)
    cluster.secret(lifespan=10_000)
    await asyncio.sleep(60)
    assert cluster.reason(connection, "Ready") == "Connected"
    assert len(cluster.opened) == 2


async def test_an_expired_token_says_so_and_a_new_secret_mends_it(cluster: Cluster) -> None:
    cluster.secret(lifespan=100)
    connection, job = cluster.connection(), cluster.job()
    await asyncio.sleep(120)
    assert cluster.reason(connection, "Ready") == "TokenExpired"
    assert cluster.reason(connection, "CredentialsValid") == "TokenExpired"
    assert cluster.reason(job, "Synced") == "TokenExpired"
    cluster.secret()
    await asyncio.sleep(30)
    assert cluster.reason(connection, "Ready") == "Connected"
    assert cluster.reason(job, "Synced") == "PollSucceeded"


async def test_a_connection_in_use_is_not_let_go(cluster: Cluster) -> None:
    connection, job = cluster.connection(), cluster.job()
    await asyncio.sleep(1)
    cluster.kube.delete(connection)
    await asyncio.sleep(60)
    assert connection in cluster.kube.objects
    cluster.slurm.start(1)
    cluster.slurm.end(1)
    await asyncio.sleep(60)
    assert cluster.status(job)["state"] == "Complete"
    assert connection not in cluster.kube.objects


async def test_after_a_restart_a_connection_is_held_for_jobs_that_the_watch_has_not_shown_yet(
    cluster: Cluster,
) -> None:
    connection, _job = cluster.connection(), cluster.job()
    await asyncio.sleep(1)
    cluster.kube.delete(connection)
    await asyncio.sleep(1)
    await cluster.start()
    await asyncio.sleep(1)
    assert connection in cluster.kube.objects


async def test_a_namespace_is_deleted_with_all_that_is_in_it(cluster: Cluster) -> None:
    """The Secret goes first: the token that was read serves until the Slurm job is cancelled."""
    connection, job = cluster.connection(), cluster.job()
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    await asyncio.sleep(POLL)
    del cluster.kube.secrets["ns", "token"]
    cluster.kube.delete(connection)
    cluster.kube.delete(job)
    await asyncio.sleep(20)
    assert cluster.slurm.jobs[1].states == {"CANCELLED"}
    assert not cluster.kube.objects


async def test_the_same_while_slurm_is_away_for_a_while(cluster: Cluster) -> None:
    connection, job = cluster.connection(), cluster.job()
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    cluster.slurm.faults = {verb: [slurm_errors.Unavailable("away")] * 8 for verb in ("states", "info", "cancel")}
    await asyncio.sleep(2 * POLL)
    del cluster.kube.secrets["ns", "token"]
    cluster.kube.delete(connection)
    cluster.kube.delete(job)
    await asyncio.sleep(600)
    assert cluster.slurm.jobs[1].states == {"CANCELLED"}
    assert not cluster.kube.objects


async def test_two_objects_with_one_id_are_both_followed(cluster: Cluster) -> None:
    """Slurm has lost the first one's job, and gives its id to the second one's."""
    cluster.connection()
    first = cluster.job("first")
    await asyncio.sleep(1)
    cluster.slurm.jobs.clear()
    cluster.slurm.next_id = 1
    second = cluster.job("second")
    await asyncio.sleep(1)
    assert cluster.status(first)["jobId"] == cluster.status(second)["jobId"] == "1"
    cluster.slurm.start(1)
    await asyncio.sleep(2 * POLL)
    assert cluster.status(second)["state"] == "Running"
    await asyncio.sleep(660)
    assert cluster.reason(first, "Stalled") == "JobRecordLost"
    cluster.slurm.end(1)
    await asyncio.sleep(2 * POLL)
    assert cluster.status(second)["state"] == "Complete"


async def _blocked(cluster: Cluster) -> str:
    """A job runs, Slurm goes away, and the object is deleted in a namespace that is being deleted; its uid."""
    cluster.secret(lifespan=1_000_000)
    cluster.connection()
    job = cluster.job()
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    await asyncio.sleep(POLL)
    cluster.slurm.faults = {verb: [slurm_errors.Unavailable("away")] * 100_000 for verb in ("states", "info", "job")}
    await asyncio.sleep(2 * POLL)
    cluster.kube.terminating.add("ns")
    cluster.kube.delete(job)
    return job


def _orphaned(cluster: Cluster) -> list[KubeEvent]:
    return [event for event in cluster.kube.events if event.reason == "SlurmJobOrphaned"]


async def test_a_deletion_waits_for_slurm_for_a_day_and_no_longer(cluster: Cluster) -> None:
    job = await _blocked(cluster)
    await asyncio.sleep(86_400 - 1)
    assert job in cluster.kube.objects
    assert cluster.reason(job, "Synced") == "ClusterUnreachable"
    await asyncio.sleep(2 * POLL)
    assert job not in cluster.kube.objects
    assert [event.at_home for event in _orphaned(cluster)] == [True]


@pytest.mark.parametrize("seconds", [60, 3600])
async def test_a_deletion_waits_as_long_as_the_connection_says(cluster: Cluster, seconds: int) -> None:
    job = await _blocked(cluster)
    connection = next(uid for uid, body in cluster.kube.objects.items() if body["kind"] == Kind.SLURM_CONNECTION.value)
    cluster.kube.edit(connection, deletionDeadlineSeconds=seconds)
    await asyncio.sleep(seconds - 1)
    assert job in cluster.kube.objects
    await asyncio.sleep(2 * POLL)
    assert job not in cluster.kube.objects


async def test_ten_minutes_in_a_namespace_that_goes_with_its_secret(cluster: Cluster) -> None:
    """After a restart nobody has the token any more. The event is posted where it can be: at home."""
    job = await _blocked(cluster)
    cluster.slurm.faults.clear()
    del cluster.kube.secrets["ns", "token"]
    await cluster.start()
    await asyncio.sleep(600 - 10)
    assert cluster.reason(job, "Synced") == "SecretNotFound"
    await asyncio.sleep(10 + 2 * POLL)
    assert job not in cluster.kube.objects
    (event,) = _orphaned(cluster)
    assert (event.at_home, event.warning, event.regarding.uid) == (True, True, job)
    assert event.message == (
        "ns/job is let go although Slurm job 1 of user alice on memory was not cancelled: Secret token is not there, "
        "or the operator may not read it."
    )


async def test_what_needs_no_slurm_does_not_wait_for_one_that_is_away(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slurmrestd without slurmctld says so only after 20 s, again and again; meanwhile one object is given up, and
    one that was never submitted is deleted."""

    async def say_after_a_while(_port: MemoryPort, *_arguments: object) -> ClusterInfo:
        await asyncio.sleep(20)
        raise slurm_errors.Unavailable("away")

    cluster.secret()
    connection, job = cluster.connection(), cluster.job()
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    await asyncio.sleep(POLL)
    for verb in ("info", "states", "job"):
        monkeypatch.setattr(MemoryPort, verb, say_after_a_while)
    await asyncio.sleep(3 * POLL)
    assert cluster.reason(connection, "Ready") == "ClusterUnreachable"
    cluster.kube.delete(job)
    for seconds in range(60):
        await asyncio.sleep(1)
        unsent = cluster.job(f"unsent-{seconds}")
        await asyncio.sleep(0.5)
        assert cluster.reason(unsent, "Submitted") == "ClusterUnreachable"
        cluster.kube.delete(unsent)
        await asyncio.sleep(0.5)
        assert unsent not in cluster.kube.objects
    assert job in cluster.kube.objects
    cluster.kube.annotate(job, ABANDON_ANNOTATION, "true")
    await asyncio.sleep(0.5)
    assert job not in cluster.kube.objects


async def test_a_job_whose_connection_comes_later(cluster: Cluster) -> None:
    job = cluster.job()
    await asyncio.sleep(4)
    assert cluster.reason(job, "Submitted") is None, "the watch may show it yet"
    await asyncio.sleep(2)
    assert cluster.reason(job, "Submitted") == "ConnectionNotFound"
    cluster.connection()
    await asyncio.sleep(1)
    assert cluster.status(job)["state"] == "Pending"


async def test_an_edited_connection_is_opened_anew(cluster: Cluster) -> None:
    connection = cluster.connection()
    await asyncio.sleep(1)
    cluster.kube.edit(connection, servers=[{"url": "https://other:6820"}])
    await asyncio.sleep(1)
    assert cluster.opened == ["https://slurm:6820", "https://other:6820"]


async def test_edited_while_it_is_being_connected(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes of the old spec counts no more, whether it works or not."""
    answer = MemoryPort.info

    async def answer_slowly(port: MemoryPort) -> ClusterInfo:
        await asyncio.sleep(5)
        return await answer(port)

    monkeypatch.setattr(MemoryPort, "info", answer_slowly)
    cluster.secret()
    connection = cluster.connection()
    await asyncio.sleep(2)
    cluster.kube.edit(connection, servers=[{"url": "https://other:6820"}])
    await asyncio.sleep(20)
    assert cluster.opened == ["https://slurm:6820", "https://other:6820"]
    assert cluster.reason(connection, "Ready") == "Connected"


async def test_edited_just_before_its_status_is_written(cluster: Cluster) -> None:
    """The edit is learned from the conflict; the watch event that follows shows nothing newer."""
    cluster.kube.watch = lambda _event, _body: None
    connection = cluster.connection()
    body = cluster.kube.body(connection)
    assert body is not None
    assert cluster.engine is not None
    cluster.engine.observe_connection(body)
    cluster.kube.edit(connection, servers=[{"url": "https://other:6820"}])
    await asyncio.sleep(1)
    assert cluster.opened == ["https://slurm:6820", "https://other:6820"]
    assert cluster.reason(connection, "Ready") == "Connected"


async def test_touched_just_before_its_status_is_written(cluster: Cluster) -> None:
    """A label, or our own finalizer when the first job comes: it is told all the same, and not only when the token is
    read again."""
    cluster.kube.watch = lambda _event, _body: None
    connection = cluster.connection()
    body = cluster.kube.body(connection)
    assert body is not None
    assert cluster.engine is not None
    cluster.engine.observe_connection(body)
    cluster.kube.annotate(connection, "of", "somebody")
    await asyncio.sleep(1)
    assert cluster.reason(connection, "Ready") == "Connected"
    assert len(cluster.opened) == 1


async def test_a_status_that_could_not_be_written_is_told_soon(cluster: Cluster) -> None:
    cluster.kube.faults = [kube_errors.Unavailable("the API server is away")]
    connection = cluster.connection()
    await asyncio.sleep(1)
    assert cluster.reason(connection, "Ready") is None
    await asyncio.sleep(2 * POLL)
    assert cluster.reason(connection, "Ready") == "Connected"


async def test_a_poll_that_fails_again_and_again_is_no_flapping(cluster: Cluster) -> None:
    """Connecting works and the poll does not: not ready all the time, and few tries."""
    connection, job = cluster.connection(), cluster.job()
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    await asyncio.sleep(2 * POLL)
    cluster.slurm.faults = {"states": [slurm_errors.Unavailable("reset")] * 10_000}
    await asyncio.sleep(2 * POLL)
    events, writes = len(cluster.kube.events), cluster.kube.writes
    asked = cluster.slurm.calls["info"]
    await asyncio.sleep(600)
    assert cluster.reason(connection, "Ready") == "ClusterUnreachable"
    assert cluster.status(job)["state"] == "Running"
    assert (len(cluster.kube.events), cluster.kube.writes) == (events, writes)
    assert cluster.slurm.calls["info"] - asked <= 61


async def test_a_limit_that_lasts_is_met_ever_more_rarely(cluster: Cluster) -> None:
    cluster.connection()
    cluster.slurm.faults = {"submit_held": [slurm_errors.RefusedForNow("full", code=2050)] * 10_000}
    cluster.job()
    await asyncio.sleep(1200)
    assert cluster.slurm.calls["submit_held"] <= 20


async def test_what_one_error_says_in_many_words_is_written_once(cluster: Cluster) -> None:
    cluster.connection()
    job = cluster.job()
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    await asyncio.sleep(POLL)
    words = [slurm_errors.Unavailable(f"error {number}") for number in range(2000)]
    cluster.slurm.faults = {verb: list(words) for verb in ("states", "info", "job")}
    await asyncio.sleep(4 * POLL)
    version = cluster.kube.objects[job]["metadata"]["resourceVersion"]
    await asyncio.sleep(600)
    assert cluster.reason(job, "Synced") == "ClusterUnreachable"
    assert cluster.kube.objects[job]["metadata"]["resourceVersion"] == version


async def test_a_connection_that_leads_to_another_cluster_says_nothing_about_a_job(cluster: Cluster) -> None:
    connection, job = cluster.connection(), cluster.job()
    await asyncio.sleep(1)
    cluster.slurm.start(1)
    await asyncio.sleep(POLL)
    there, cluster.slurm = cluster.slurm, InMemorySlurm(now=now, name="elsewhere")
    cluster.kube.edit(connection, servers=[{"url": "https://elsewhere:6820"}], unknownOutcomePolicy="Fail")
    await asyncio.sleep(3600)
    assert cluster.reason(job, "Synced") == "ConnectionChanged"
    assert cluster.status(job)["state"] == "Running"
    there.end(1)
    cluster.slurm = there
    cluster.kube.edit(connection, servers=[{"url": "https://slurm:6820"}])
    await asyncio.sleep(60)
    assert cluster.status(job)["state"] == "Complete"


async def test_a_restart_that_sees_the_job_before_its_connection_lets_nothing_go(cluster: Cluster) -> None:
    job = await _blocked(cluster)
    await asyncio.sleep(1200)
    assert job in cluster.kube.objects
    hidden = cluster.kube.objects.copy()
    body = next(body for body in hidden.values() if body["kind"] == Kind.SLURM_JOB.value)
    assert cluster.engine is not None
    await cluster.engine.close()
    cluster.kube.objects = {job: body}
    await cluster.start()
    await asyncio.sleep(30)
    assert job in cluster.kube.objects
    cluster.kube.objects = hidden


async def test_ten_minutes_too_with_a_token_that_is_remembered(cluster: Cluster) -> None:
    """The namespace goes, the Secret has gone, and Slurm is away: the namespace should end, token in memory or not."""
    job = await _blocked(cluster)
    del cluster.kube.secrets["ns", "token"]
    await asyncio.sleep(600 - POLL)
    assert cluster.reason(job, "Synced") == "ClusterUnreachable"
    await asyncio.sleep(6 * POLL)
    assert job not in cluster.kube.objects
    assert len(_orphaned(cluster)) == 1
    assert _orphaned(cluster)[0].at_home


async def test_a_token_that_is_remembered_goes_where_it_was_meant_for(cluster: Cluster) -> None:
    """The Secret is gone, and while its jobs are cancelled somebody lets the connection lead elsewhere."""
    job = await _blocked(cluster)
    del cluster.kube.secrets["ns", "token"]
    connection = next(uid for uid, body in cluster.kube.objects.items() if uid != job)
    before = len(cluster.opened)
    cluster.kube.edit(connection, servers=[{"url": "https://elsewhere:6820"}])
    await asyncio.sleep(60)
    assert "https://elsewhere:6820" not in cluster.opened[before:]
    assert cluster.reason(connection, "Ready") == "SecretNotFound"


async def test_the_echo_of_our_own_write_is_no_news(cluster: Cluster) -> None:
    """The watch shows it before its answer comes: the job is not read a second time."""
    cluster.connection()
    job = cluster.job()
    await asyncio.sleep(2 * POLL)
    cluster.slurm.start(1)
    before = cluster.slurm.calls["job"]
    await asyncio.sleep(1.5 * POLL)
    assert cluster.status(job)["state"] == "Running"
    assert cluster.slurm.calls["job"] - before == 1


async def test_a_closed_engine_takes_nothing_in(cluster: Cluster) -> None:
    assert cluster.engine is not None
    await cluster.engine.close()
    cluster.secret()
    cluster.connection()
    job = cluster.job()
    await asyncio.sleep(60)
    assert cluster.status(job) == {"observedGeneration": -1}
    assert not cluster.opened


async def test_a_release_that_does_nothing_is_sent_again_every_few_seconds(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy answers it with an empty success: no loop, and no long silence once it works."""
    sent = []

    async def release(_port: MemoryPort, job_id: int, **_how: object) -> None:
        sent.append(job_id)

    cluster.connection()
    with monkeypatch.context() as patch:
        patch.setattr(MemoryPort, "release", release)
        cluster.job()
        await asyncio.sleep(21)
        assert 4 <= len(sent) <= 6
    await asyncio.sleep(RELEASE_AGAIN_SECONDS + 1)
    assert not cluster.slurm.jobs[1].held
