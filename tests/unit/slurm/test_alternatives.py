"""Refusals that name what there is instead: the sentences, and what is asked for them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest

from slurmjob_operator.api.cluster import PartitionOfCluster
from slurmjob_operator.slurm.alternatives import (
    SECONDS,
    Association,
    Refusal,
    associations,
    of_account,
    of_partition,
    of_qos,
)
from slurmjob_operator.slurm.client import SlurmrestdClient
from slurmjob_operator.slurm.errors import Refused
from slurmjob_operator.slurm.request import JobRequest
from tests.unit.slurm.answers import META, client, error

THERE = [
    PartitionOfCluster(name="debug", default=True),
    PartitionOfCluster(name="gpu", default=False),
    PartitionOfCluster(name="tiny"),
]


@pytest.mark.parametrize(
    ("code", "partition", "there", "words"),
    [
        (2000, "gpux", THERE, 'partition "gpux" does not exist on campus; there are debug (default), gpu, tiny'),
        (2000, "gpux", THERE[:1], 'partition "gpux" does not exist on campus; there is debug (default)'),
        (2000, "gpux,gpu,x", THERE, 'partitions "gpux", "x" do not exist on campus; there are debug (default), tiny'),
        (2000, "tiny", THERE, 'partition "tiny" of campus does not take this job; there are debug (default), gpu'),
        (2003, "tiny", THERE, 'partition "tiny" of campus does not take this job; there are debug (default), gpu'),
        (2001, None, THERE[1:], "no partition was named, and campus has no default; there are gpu, tiny"),
        (2000, "gpux", [], None),
        (2003, "tiny", THERE[2:], None),
    ],
)
def test_partitions(code: int, partition: str | None, there: Sequence[PartitionOfCluster], words: str | None) -> None:
    assert of_partition(Refusal(code=code, user="alice", cluster="campus", partition=partition), there) == words


def test_names_are_bounded_in_number_and_length() -> None:
    there = [PartitionOfCluster(name=f"p{number:03}{'x' * 200}") for number in range(75)]
    words = of_partition(Refusal(code=2000, user="alice", partition="y" * 900), there)
    assert words is not None
    assert words.startswith(f'partition "{"y" * 63}…" does not exist on this cluster; there are p000')
    assert words.endswith(" and 55 more")
    assert words.count(", ") == 19
    assert len(words) < 2000


RESEARCH = Association(account="research", qos=frozenset({"normal", "high"}), default_qos="normal", default=True)
LIMITED = Association(account="limited", qos=frozenset({"normal"}), default_qos="normal")
GUEST = Association(account="guest", partition="gpu")
NOT_NOPE = 'user alice may not charge account "nope" on campus'
ONLY_THERE = 'user alice may charge account "guest" on campus only in some partitions'


@pytest.mark.parametrize(
    ("account", "found", "words"),
    [
        ("nope", [RESEARCH, LIMITED], f"{NOT_NOPE}; there are limited, research (default)"),
        ("nope", [LIMITED], f"{NOT_NOPE}; there is limited"),
        ("nope", [], "user alice may charge no account on campus"),
        (None, [], "user alice may charge no account on campus"),
        (None, [LIMITED], "the default account of user alice does not take this job; there is limited"),
        ("guest", [RESEARCH, GUEST], f"{ONLY_THERE}; there is gpu"),
        ("research", [RESEARCH, LIMITED], None),
    ],
)  # fmt: skip
def test_accounts(account: str | None, found: Sequence[Association], words: str | None) -> None:
    assert of_account(Refusal(code=2045, user="alice", cluster="campus", account=account), found) == words


NOT_BY_ALICE = "may not be used by user alice with account"


@pytest.mark.parametrize(
    ("qos", "account", "words"),
    [
        ("gold", None, f'QOS "gold" {NOT_BY_ALICE} research on campus; there are high, normal (default)'),
        ("high", "limited", f'QOS "high" {NOT_BY_ALICE} limited on campus; there is normal (default)'),
        (None, "limited", f"the default QOS {NOT_BY_ALICE} limited on campus; there is normal (default)"),
        ("high", None, None),
        ("gold", "nope", None),
    ],
)  # fmt: skip
def test_qos(qos: str | None, account: str | None, words: str | None) -> None:
    refusal = Refusal(code=2066, user="alice", cluster="campus", qos=qos, account=account)
    assert of_qos(refusal, [RESEARCH, LIMITED]) == words


ROW_38 = {
    "account": "research", "cluster": "campus", "default": {"qos": "normal"}, "flags": ["DEFAULT"], "is_default": 1,
    "partition": None, "qos": ["high", "normal"], "user": "alice",
}  # fmt: skip
ROW_45 = {**ROW_38, "flags": [], "is_default": True, "partition": ""}


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (ROW_38, [RESEARCH]),
        (ROW_45, [RESEARCH]),
        ({**ROW_45, "user": "bob"}, []),
        ({**ROW_45, "user": ""}, []),
        ({**ROW_45, "cluster": "elsewhere"}, []),
        ({**ROW_45, "account": None}, []),
        ({"user": "alice", "cluster": "campus", "account": "guest", "partition": "gpu", "qos": None}, [GUEST]),
    ],
)
def test_associations_of_both_families(row: Mapping[str, Any], found: list[Association]) -> None:
    assert associations([row], Refusal(code=2045, user="alice", cluster="campus")) == found


def test_where_the_cluster_has_no_name_all_of_a_users_associations_count() -> None:
    assert associations([ROW_45], Refusal(code=2045, user="alice")) == [RESEARCH]


# --- Over HTTP ------------------------------------------------------------------------------------------------


class Site:
    """A slurmrestd that refuses each submission with one number, and tells what is asked then."""

    def __init__(self, code: int, **answers: tuple[int, Any]) -> None:
        self.asked: list[str] = []
        self._answers: dict[str, tuple[int, Any]] = {
            "submit": (422, {"errors": [error(code, "No")], "job_submit_user_msg": "see our pages"}),
            "diag": (200, {"statistics": {}, "meta": META}),
            "ping": (200, {"pings": []}),
            "1": (200, {"jobs": []}),
            "nodes": (200, {"nodes": []}),
            "partitions": (
                200,
                {"partitions": [{"name": "debug", "flags": ["DEFAULT"]}, {"name": "gpu", "flags": []}]},
            ),
            "associations": (200, {"associations": [ROW_45]}),
            **answers,
        }

    def __call__(self, request: httpx.Request) -> httpx.Response:
        what = request.url.path.rpartition("/")[2]
        self.asked.append(f"{what}?{request.url.query.decode()}".rstrip("?"))
        status, body = self._answers[what]
        return httpx.Response(status, json=body)


async def _refused(site: Site, *, port: SlurmrestdClient | None = None, **options: str) -> str:
    port = port or client(site)
    await port.info()
    site.asked.clear()
    request = JobRequest(script="#!/bin/sh\n", name="wing", chdir="/home/alice", options=options)
    with pytest.raises(Refused) as refusal:
        await port.submit_held(request, comment="[marker]")
    return str(refusal.value)


async def test_a_partition_is_answered_by_one_request() -> None:
    site = Site(2000)
    told = await _refused(site, partition="gpux")
    assert told.startswith('partition "gpux" does not exist on campus; there are debug (default), gpu. Slurm says: No')
    assert "[Slurm error 2000]" in told
    assert told.endswith("The site says: see our pages"), "nothing of the refusal is lost"
    assert site.asked == ["submit", "partitions"]


async def test_a_partition_is_answered_by_what_was_seen_a_while_ago() -> None:
    site = Site(2003)
    port = client(site)
    await port.facts()
    told = await _refused(site, port=port, partition="gpu")
    assert told.startswith('partition "gpu" of campus does not take this job; there is debug (default). Slurm says: No')
    assert site.asked == ["submit"]


@pytest.mark.parametrize("code", [2045, 2167])
async def test_an_account_is_answered_by_slurmdbd(code: int) -> None:
    site = Site(code)
    told = await _refused(site, account="nope")
    assert told.startswith(
        'user alice may not charge account "nope" on campus; there is research (default). Slurm says'
    )
    assert site.asked == ["submit", "associations?user=alice"]


async def test_a_qos_is_answered_by_slurmdbd() -> None:
    site = Site(2066)
    assert "; there are high, normal (default). Slurm says: No" in await _refused(site, qos="gold")
    assert site.asked == ["submit", "associations?user=alice"]


async def test_on_22_05_nothing_found_is_an_answer() -> None:
    site = Site(2045, associations=(500, {"errors": [error(9003, "Nothing found with query")]}))
    assert (await _refused(site)).startswith("user alice may charge no account on campus. Slurm says: No")


@pytest.mark.parametrize(
    "answer",
    [
        (502, {"errors": [error(7000, "Unable to connect to database")]}),
        (500, {"errors": [error(1007, "Protocol authentication error")]}),
        (200, {"associations": "nonsense", "errors": "nonsense"}),
    ],
)
async def test_where_slurmdbd_does_not_answer_the_refusal_stays_as_it_is(answer: tuple[int, Any]) -> None:
    site = Site(2066, associations=answer)
    assert (await _refused(site, qos="gold")).startswith("No [Slurm error 2066]")
    assert site.asked == ["submit", "associations?user=alice"]


async def test_where_partitions_are_hidden_the_refusal_stays_as_it_is() -> None:
    site = Site(2000, partitions=(422, {"errors": []}))
    assert (await _refused(site, partition="gpux")).startswith("No [Slurm error 2000]")


async def test_no_other_refusal_asks_for_anything() -> None:
    site = Site(2014)
    assert (await _refused(site)).startswith("No [Slurm error 2014]")
    assert site.asked == ["submit"]


@pytest.mark.looptime
async def test_a_slow_answer_is_not_waited_for_long() -> None:
    site = Site(2000)

    async def answer(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(25 if request.url.path.endswith("/partitions") else 0)
        return site(request)

    told = await _refused(site, port=client(answer), partition="gpux")
    assert told.startswith("No [Slurm error 2000]")
    assert asyncio.get_running_loop().time() <= SECONDS
