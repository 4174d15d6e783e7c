"""What `SlurmPort` promises, held against the in-memory Slurm and the real one over each API version it serves."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress

import pytest

from sandboxlib import slurm_cluster
from sandboxlib.paths import Paths
from sandboxlib.slurm_suites import SUITES
from slurmjob_operator.slurm.dialects import DIALECTS
from slurmjob_operator.slurm.discovery import AUTO
from slurmjob_operator.slurm.errors import CredentialsRejected, JobNotFound, OutcomeUnknown, Refused
from slurmjob_operator.slurm.http import SlurmrestdServer
from slurmjob_operator.slurm.port import SlurmPort
from slurmjob_operator.slurm.template import MOST_ENVIRONMENT_BYTES
from tests.contract.conftest import Contract, RealCluster
from tests.real.cluster import SUITE
from tests.real.releases import Differs, expected

ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT"}
SILENT_WHEN_CANCELLING = {"v0.0.40", "v0.0.41"}
"""They answer the cancellation of somebody else's job as if it had been done."""
TELLS_DEFAULT = {"v0.0.38", "v0.0.45"}
"""Those in between do not say which partition is the default."""
UNKNOWN_ID = 60_000_000
"""Far above any id that a cluster of these tests reaches."""


async def test_info(contract: Contract) -> None:
    info = await contract.port.info()
    assert (info.cluster_name, info.api_version) == (contract.cluster.name, contract.cluster.api_version)
    assert info.release.count(".") == 2
    assert contract.port.user == "alice"


async def test_submitted_held_and_readable(contract: Contract) -> None:
    job_id = await contract.held(comment="[marker] of ümläut ☃")
    record = await contract.port.job(job_id)
    assert (record.job_id, record.user, record.name) == (job_id, "alice", contract.request().name)
    assert record.states == {"PENDING"}
    assert record.held
    assert record.comment == "[marker] of ümläut ☃"
    assert (record.account, record.partition, record.qos) == ("research", "debug", "normal")
    assert record.time_limit_seconds == 300
    assert record.submit_time is not None
    assert contract.began - 2 <= record.submit_time <= contract.cluster.now() + 2
    assert record.start_time is None
    assert record.stdout_path == f"/home/alice/slurm-{job_id}.out"


async def test_a_comment_of_all_bytes_comes_back(contract: Contract) -> None:
    job_id = await contract.held(comment="x" * 1024)
    assert (await contract.port.job(job_id)).comment == "x" * 1024


async def test_held_never_starts_while_others_do(contract: Contract) -> None:
    held = await contract.held()
    other = await contract.held()
    await contract.port.release(other, comment="note")
    await contract.until(other, lambda record: bool(record.states & ENDED))
    record = await contract.port.job(held)
    assert record.states == {"PENDING"}
    assert (record.held, record.start_time) == (True, None)


async def test_released_with_the_note_runs_and_ends(contract: Contract) -> None:
    job_id = await contract.held()
    await contract.port.release(job_id, comment="[note] released")
    released = await contract.port.job(job_id)
    assert (released.held, released.comment) == (False, "[note] released")
    ended = await contract.until(job_id, lambda record: record.states == {"COMPLETED"})
    assert (ended.exit_code, ended.signal) == (0, None)
    assert ended.end_time is not None
    assert ended.start_time is not None
    assert ended.submit_time is not None
    assert ended.submit_time <= ended.start_time <= ended.end_time
    told = await contract.until_accounted(job_id, lambda record: record.states == {"COMPLETED"})
    assert (told.user, told.exit_code, told.comment) == ("alice", 0, "[note] released")


async def test_held_with_the_note_and_released_with_another(contract: Contract) -> None:
    """`suspend`: hold and note in one update, read back; slurmdbd goes on saying that it never began."""
    job_id = await contract.held()
    await contract.port.hold(job_id, comment="[note] suspended")
    record = await contract.port.job(job_id)
    assert record.states == {"PENDING"}
    assert (record.held, record.comment) == (True, "[note] suspended")
    told = await contract.until_accounted(job_id, lambda record: record.states == {"PENDING"})
    assert told.began_at is None
    await contract.port.release(job_id, comment="[note] released")
    ended = await contract.until(job_id, lambda record: record.states == {"COMPLETED"})
    assert ended.comment == "[note] released"


async def test_a_hold_does_not_stop_what_runs(contract: Contract) -> None:
    """Whatever it is answered: what runs is found running."""
    job_id = await contract.held("long")
    await contract.port.release(job_id, comment="[note] released")
    await contract.until(job_id, lambda record: record.states == {"RUNNING"})
    with suppress(Refused, OutcomeUnknown):
        await contract.port.hold(job_id, comment="[note] suspended")
    record = await contract.port.job(job_id)
    assert record.states == {"RUNNING"}
    await contract.port.cancel(job_id)


async def test_exit_code(contract: Contract) -> None:
    job_id = await contract.held("exit3")
    await contract.port.release(job_id, comment="note")
    ended = await contract.until(job_id, lambda record: record.states == {"FAILED"})
    assert ended.exit_code == 3
    told = await contract.until_accounted(job_id, lambda record: record.states == {"FAILED"})
    assert told.exit_code == contract.expected(Differs.LATE_EXIT_CODE)


async def test_released_twice_is_harmless(contract: Contract) -> None:
    job_id = await contract.held("long")
    await contract.port.release(job_id, comment="note")
    await contract.until(job_id, lambda record: record.states == {"RUNNING"})
    await contract.port.release(job_id, comment="note")
    record = await contract.port.job(job_id)
    assert record.states == {"RUNNING"}
    assert record.restarts == 0


async def test_cancel_of_a_held_job(contract: Contract) -> None:
    job_id = await contract.held()
    await contract.port.cancel(job_id)
    record = await contract.until(job_id, lambda record: "CANCELLED" in record.states)
    assert record.start_time in (None, record.end_time), "it never ran"
    await contract.until_accounted(job_id, lambda record: "CANCELLED" in record.states)


async def test_cancel_of_a_running_job(contract: Contract) -> None:
    job_id = await contract.held("long")
    await contract.port.release(job_id, comment="note")
    await contract.until(job_id, lambda record: record.states == {"RUNNING"})
    await contract.port.cancel(job_id)
    await contract.until(job_id, lambda record: "CANCELLED" in record.states)


async def test_cancel_of_what_has_ended_or_is_unknown_is_a_success(contract: Contract) -> None:
    job_id = await contract.held()
    await contract.port.cancel(job_id)
    await contract.until(job_id, lambda record: "CANCELLED" in record.states)
    await contract.port.cancel(job_id)
    await contract.port.cancel(UNKNOWN_ID)


async def test_unknown_ids(contract: Contract) -> None:
    with pytest.raises(JobNotFound):
        await contract.port.job(UNKNOWN_ID)
    with pytest.raises(JobNotFound):
        await contract.port.release(UNKNOWN_ID, comment="note")
    assert await contract.port.accounting(UNKNOWN_ID) == ()


async def test_states_of_many_in_one_request(contract: Contract) -> None:
    first, second = await contract.held(), await contract.held()
    states = await contract.port.states([first, second, UNKNOWN_ID])
    assert states == {first: {"PENDING"}, second: {"PENDING"}, UNKNOWN_ID: frozenset()}
    assert await contract.port.states([]) == {}


@pytest.mark.parametrize(
    ("changes", "user"),
    [({"options": {"partition": "nope"}}, "alice"), ({}, "carol")],
    ids=["no such partition", "a user without association"],
)
async def test_refused_for_good(contract: Contract, changes: dict[str, object], user: str) -> None:
    port = contract.cluster.port(user)
    await port.info()
    with pytest.raises(Refused) as refusal:
        await port.submit_held(contract.request(**changes), comment="x")  # type: ignore[arg-type]  # values of several types
    assert str(refusal.value)
    assert await contract.port.search(name=contract.request().name, since=contract.began - 60) == ()


@pytest.mark.parametrize(
    ("user", "options", "words"),
    [
        ("alice", {"partition": "nope"}, 'partition "nope" does not exist on CLUSTER; there are DEBUG, gpu, tiny'),
        (
            "alice",
            {"account": "nope"},
            'user alice may not charge account "nope" on CLUSTER; there are limited, research (default)',
        ),
        (
            "alice",
            {"qos": "nope"},
            'QOS "nope" may not be used by user alice with account research on CLUSTER; there are high, low, '
            "normal (default), short",
        ),
        (
            "alice",
            {"qos": "high", "account": "limited"},
            'QOS "high" may not be used by user alice with account limited on CLUSTER; there is normal (default)',
        ),
        ("carol", {}, "user carol may charge no account on CLUSTER"),
    ],
    ids=["partition", "account", "QOS", "QOS of another account", "no account at all"],
)
async def test_a_refusal_names_what_there_is(
    contract: Contract, user: str, options: dict[str, str], words: str
) -> None:
    port = contract.cluster.port(user)
    await port.info()
    debug = "debug (default)" if contract.cluster.api_version in TELLS_DEFAULT else "debug"
    with pytest.raises(Refused) as refusal:
        await port.submit_held(contract.request(options=options), comment="x")
    told, _, slurms = str(refusal.value).partition(". Slurm says: ")
    assert told == words.replace("CLUSTER", contract.cluster.name).replace("DEBUG", debug)
    assert slurms


async def test_a_server_that_answers_is_not_silent_whatever_it_says(contract: Contract) -> None:
    with pytest.raises(JobNotFound):
        await contract.port.job(60_000_000)
    assert not contract.port.silent


async def test_what_stands_in_the_cluster(contract: Contract) -> None:
    """Other tests use the same cluster at the same time: only what they cannot change is exact."""
    found = await contract.port.facts()
    assert [controller.up for controller in found.controllers] == [True]
    assert found.nodes is not None
    assert (found.nodes.total, found.nodes.cpus, found.nodes.gpus) == (8, 64, 16)
    assert 0 <= found.nodes.idle_cpus <= 64
    assert sum(count.nodes for count in found.nodes.states) == 8
    partitions = {one.name: one for one in found.partitions or ()}
    default = contract.cluster.api_version in TELLS_DEFAULT or None
    assert {name: (one.default, one.state, one.nodes, one.cpus, one.gpus) for name, one in partitions.items()} == {
        "debug": (default, "UP", 6, 48, 12),
        "gpu": (default and False, "UP", 2, 16, 4),
        "tiny": (default and False, "UP", 1, 8, 2),
    }
    assert partitions["debug"].time_limit_seconds == 86_400


async def test_a_running_job_takes_of_what_was_idle(contract: Contract) -> None:
    """On nodes that no other test fills: debug and tiny begin with the same one."""
    job_id = await contract.held("long", options={"partition": "gpu"})
    await contract.port.release(job_id, comment="note")
    await contract.until(job_id, lambda record: record.states == {"RUNNING"})
    found = await contract.port.facts()
    gpu = next(one for one in found.partitions or () if one.name == "gpu")
    assert gpu.idle_cpus is not None
    assert gpu.idle_cpus < 16
    assert found.nodes is not None
    assert found.nodes.idle_cpus < 64
    assert {count.state for count in found.nodes.states} & {"MIXED", "ALLOCATED"}


async def test_search_by_name_user_and_time(contract: Contract) -> None:
    held = await contract.held(comment="[marker]")
    await contract.held("long")
    found = []
    for _ in range(100):
        found = list(await contract.port.search(name=contract.request().name, since=contract.began - 60))
        if found:
            break
        await contract.cluster.turn()
    assert [(record.job_id, record.comment) for record in found] == [(held, "[marker]")]
    later = contract.cluster.now() + 3600
    assert await contract.port.search(name=contract.request().name, since=later) == ()


@pytest.mark.parametrize(
    "name",
    ["two words", "a+b", "a,b", "50%2C", "q'uote", 'd"uote', "ümläut", "a&b=c#d", "[1-3]", "a*b", "-dash", "x" * 256],
)
async def test_search_finds_every_name_that_sbatch_takes(contract: Contract, name: str) -> None:
    """A job that is not found after a lost answer would be submitted again."""
    name = f"{contract.prefix}{name}"[:256]
    accepted = await contract.port.submit_held(contract.request(name=name), comment="[marker]")
    found = []
    for _ in range(50):
        found = [record.job_id for record in await contract.port.search(name=name, since=contract.began - 60)]
        if found:
            break
        await contract.cluster.turn()
    await contract.port.cancel(accepted.job_id)
    assert found == [accepted.job_id]


async def test_somebody_elses_job(contract: Contract) -> None:
    job_id = await contract.held()
    bob = contract.cluster.port("bob")
    await bob.info()
    refusal = nullcontext() if contract.cluster.api_version in SILENT_WHEN_CANCELLING else pytest.raises(Refused)
    with refusal:
        await bob.cancel(job_id)
    with pytest.raises(Refused):
        await bob.release(job_id, comment="mine now")
    assert await bob.search(name=contract.request().name, since=contract.began - 60) == ()
    record = await contract.port.job(job_id)
    assert record.states == {"PENDING"}
    assert (record.held, record.comment) == (True, "of a contract test")


async def test_accounting_backlog(contract: Contract) -> None:
    backlog = await contract.port.accounting_backlog()
    assert backlog is not None
    assert backlog >= 0


async def test_since_when_slurmctld_is_up(contract: Contract) -> None:
    """Never later than now; right after a start it may not say."""
    since = await contract.port.up_since()
    assert since is None or 0 < since <= contract.cluster.now()


async def test_a_token_with_a_wrong_signature_is_rejected(contract: Contract) -> None:
    port = contract.cluster.port("alice", accepted=False)
    with pytest.raises(CredentialsRejected):
        await port.info()
    for reading in (port.job(1), port.states([1])):
        with pytest.raises(CredentialsRejected):
            await reading
    told = contract.expected(Differs.REFUSED_TOKEN)
    changes: tuple[Callable[[SlurmPort], Awaitable[object]], ...] = (
        lambda port: port.submit_held(contract.request(), comment="x"),
        lambda port: port.cancel(1),
        lambda port: port.release(1, comment="x"),
    )
    for change in changes:
        another = contract.cluster.port("alice", accepted=False)
        with pytest.raises(CredentialsRejected if told else OutcomeUnknown):
            await change(another)


def test_the_api_versions_are_those_that_this_slurmrestd_serves(sandbox: Paths) -> None:
    token = slurm_cluster.token(sandbox, SUITE, user="alice", lifespan=600)
    request = urllib.request.Request(  # noqa: S310 - the sandbox's own address
        f"{slurm_cluster.rest_url(sandbox, SUITE)}/openapi/v3",
        headers={"X-SLURM-USER-NAME": "alice", "X-SLURM-USER-TOKEN": token},
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own, on loopback
        paths = json.load(answer)["paths"]
    served = {path.split("/")[2] for path in paths if path.startswith("/slurm/v")}
    spoken = [version for version in DIALECTS if version in served]
    assert spoken == [expected(Differs.VERSION), *expected(Differs.OTHERS)]


async def test_what_discovery_finds(sandbox: Paths) -> None:
    server = SlurmrestdServer(slurm_cluster.rest_url(sandbox, SUITE), allow_plain_http=True)
    info = await RealCluster(paths=sandbox, server=server, api_version=AUTO).port("alice").info()
    await server.close()
    dialect = DIALECTS[info.api_version]
    assert info.api_version == expected(Differs.VERSION)
    assert dialect.lists_states is expected(Differs.FOLLOWED)
    assert dialect.names_cluster is expected(Differs.CLUSTER_NAME)
    assert info.cluster_name == SUITE


@pytest.mark.parametrize("contract", [SUITES[SUITE].api_versions[0]], indirect=True)
@pytest.mark.parametrize(
    ("size", "state"), [(MOST_ENVIRONMENT_BYTES - 10_000, "COMPLETED"), (MOST_ENVIRONMENT_BYTES + 300_000, "FAILED")]
)
async def test_with_a_larger_environment_the_node_starts_no_script(contract: Contract, size: int, state: str) -> None:
    """What the operator refuses, sent all the same; just below its bound the script runs."""
    variables = {f"V{number}": "x" * 30_000 for number in range(size // 30_000)}
    job_id = await contract.held(environment={"PATH": "/usr/bin:/bin", **variables})
    await contract.port.release(job_id, comment="note")
    await contract.until(job_id, lambda record: record.states == {state})
