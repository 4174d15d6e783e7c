"""Value types of resources, against what sbatch was measured to take on 22.05, 24.11 and 26.05."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slurmjob_operator.sbatch.errors import InvalidValue
from slurmjob_operator.sbatch.types import hosts, tres
from slurmjob_operator.sbatch.types.binding import CPU_SPEED, GPU_BINDING, GPU_SPEED, MEMORY_BINDING, TRES_BINDING
from slurmjob_operator.sbatch.types.counts import (
    COUNT,
    SHORT_COUNT,
    SHORT_OR_NONE,
    SPECIALIZED,
    SPECIALIZED_THREADS,
)
from slurmjob_operator.sbatch.types.expressions import BURST_BUFFER, FEATURES, LICENSES, NETWORK
from slurmjob_operator.sbatch.types.flag import FLAG
from slurmjob_operator.sbatch.types.hosts import HOSTS
from slurmjob_operator.sbatch.types.layout import DISTRIBUTION, HINT, PARTS, SHARING, SWITCHES
from slurmjob_operator.sbatch.types.nodes import NODES
from slurmjob_operator.sbatch.types.sizes import DISK, MEMORY_UPDATE, SIZE
from slurmjob_operator.sbatch.types.tres import GPUS, GRES, GRES_FLAGS, TRES_PER_TASK
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, R24_11, Json, Release, ValueType

RELEASES = (OLDEST, R24_11, NEWEST)
TYPES = (
    COUNT, SHORT_COUNT, SHORT_OR_NONE, SPECIALIZED, SPECIALIZED_THREADS, FLAG, SIZE, DISK, MEMORY_UPDATE,
    NODES, HOSTS, GPUS, GRES, GRES_FLAGS, TRES_PER_TASK, MEMORY_BINDING, GPU_BINDING, TRES_BINDING, GPU_SPEED,
    CPU_SPEED, DISTRIBUTION, HINT, PARTS, SHARING, SWITCHES, FEATURES, LICENSES, NETWORK, BURST_BUFFER,
)  # fmt: skip

named = pytest.mark.parametrize("value_type", TYPES, ids=lambda value_type: value_type.name)
released = pytest.mark.parametrize("release", RELEASES, ids=str)

TEXTS = st.text(max_size=24) | st.text(alphabet="0123456789kKmMgGtTb:,;@*[]-+=/. nagpucoreslivxw_", max_size=24)


@named
@released
def test_examples_are_read_and_printed_back(value_type: ValueType, release: Release) -> None:
    for text in value_type.examples:
        value = value_type.parse(text, release)
        assert value_type.parse(value_type.show(value), release) == value, text


@named
@released
def test_wrong_values_are_refused_with_the_value_and_a_rule(value_type: ValueType, release: Release) -> None:
    for text in value_type.wrong:
        with pytest.raises(InvalidValue) as refused:
            value_type.parse(text, release)
        assert refused.value.value == text
        assert refused.value.rule


@named
def test_the_schema_takes_the_examples(value_type: ValueType) -> None:
    schema = value_type.schema
    for text in value_type.examples:
        assert len(text) <= schema.get("maxLength", len(text)), text
        assert re.search(schema.get("pattern", ""), text), text
        if value_type.json is Json.INTEGER:
            assert schema["minimum"] <= int(text) <= schema["maximum"], text


@named
@settings(max_examples=60, deadline=None)
@given(text=TEXTS, release=st.sampled_from(RELEASES))
def test_any_text_is_read_or_refused(value_type: ValueType, text: str, release: Release) -> None:
    try:
        value = value_type.parse(text, release)
    except InvalidValue:
        return
    assert value_type.parse(value_type.show(value), release) == value


def test_names_of_types_differ() -> None:
    assert len({value_type.name for value_type in TYPES}) == len(TYPES)


MEASURED: list[tuple[ValueType, str, Release, str]] = [
    (COUNT, "+3", OLDEST, "3"),
    (COUNT, " 3", OLDEST, "3"),
    (COUNT, "05", OLDEST, "5"),
    (SIZE, "1025K", OLDEST, "2M"),
    (SIZE, "1024K", OLDEST, "1M"),
    (SIZE, "1gb", OLDEST, "1024M"),
    (SIZE, "2TB", OLDEST, "2097152M"),
    (SIZE, "0", OLDEST, "0M"),
    (MEMORY_UPDATE, "+10@05", NEWEST, "10@5"),
    (NODES, "2", OLDEST, "2"),
    (NODES, "-4", OLDEST, "1-4"),
    (NODES, "2k", OLDEST, "2048"),
    (NODES, "1K-2K", OLDEST, "1024-2048"),
    (NODES, "2-2", OLDEST, "2"),
    (NODES, "2 ", OLDEST, "2"),
    (NODES, "0-2", OLDEST, "0-2"),
    (NODES, "1,3-5", R24_11, "1,3-5"),
    (NODES, "1-15:2", R24_11, "1-15:2"),
    (HOSTS, " n1 ", OLDEST, "n1"),
    (HOSTS, "n1,", OLDEST, "n1"),
    (GPUS, "1,", OLDEST, "1"),
    (GPUS, "gpu:a100:2", R24_11, "gpu:a100:2"),
    (GRES, "NONE", OLDEST, "none"),
    (GRES, "gres:gpu:2", OLDEST, "gres:gpu:2"),
    (GRES, "gres/gpu:2", R24_11, "gres/gpu:2"),
    (GRES, "gpu=2", R24_11, "gpu=2"),
    (GRES, "gpu,", R24_11, "gpu,"),
    (GRES_FLAGS, "multiple-tasks-per-sharing,enforce-binding", R24_11, "multiple-tasks-per-sharing,enforce-binding"),
    (GRES_FLAGS, "", R24_11, ""),
    (GPU_BINDING, "map:0,1", R24_11, "map:0,1"),
    (MEMORY_BINDING, "sort", R24_11, "sort"),
    (CPU_SPEED, "1000-2000", OLDEST, "1000-2000"),
    (SHARING, "", OLDEST, "node"),
    (SHARING, "exclusive", OLDEST, "node"),
    (SHARING, "TOPO", R24_11, "topo"),
    (SHARING, "oversubscribe", OLDEST, "oversubscribe"),
    (PARTS, "1-2:1-4:1-2", OLDEST, "1:1:1"),
    (PARTS, "1:2:1:1", OLDEST, "1:2:1"),
    (PARTS, ":2", OLDEST, "*:2:*"),
    (SWITCHES, "2@60", OLDEST, "2@60:0"),
    (SWITCHES, "2@1:30", OLDEST, "2@1:30"),
    (SWITCHES, "2@1:00:00", OLDEST, "2@60:0"),
    (SWITCHES, "2@1-0", OLDEST, "2@1440:0"),
    (SWITCHES, "2@1-0:30", OLDEST, "2@1470:0"),
    (SWITCHES, "2@", OLDEST, "2"),
    (SWITCHES, "2@a", OLDEST, "2"),
    (SWITCHES, "2@UNLIMITED", OLDEST, "2"),
    (SWITCHES, "+2", OLDEST, "2"),
    (DISTRIBUTION, "plane=70000", OLDEST, "plane=70000"),
    (HINT, "NoMultiThread", OLDEST, "nomultithread"),
]


@pytest.mark.parametrize(("value_type", "text", "release", "shown"), MEASURED)
def test_as_sbatch_reads_it(value_type: ValueType, text: str, release: Release, shown: str) -> None:
    assert value_type.show(value_type.parse(text, release)) == shown


REFUSED: list[tuple[ValueType, str, Release, str]] = [
    (COUNT, "0", OLDEST, "'0': must be a whole number from 1 to 2147483646"),
    (SHORT_COUNT, "65536", OLDEST, "'65536': must be a whole number from 1 to 65533"),
    (SIZE, "1.5G", OLDEST, "'1.5G': must be a whole number of MiB, or one with K, M, G or T"),
    (DISK, "5000T", OLDEST, "'5000T': must be a whole number of MiB, or one with K, M, G or T, at most 2147483647M"),
    (MEMORY_UPDATE, "10", NEWEST, "'10': must be MARGIN@DELAY, percent and minutes from 1 to 65533, such as \"10@5\""),
    (NODES, "1,3-5", OLDEST, "'1,3-5': must be a number of nodes, or a range such as \"2-4\" that does not fall"),
    (
        NODES,
        "4-2",
        R24_11,
        "'4-2': must be a number of nodes, a range such as \"2-4\", one with a step (\"2-16:2\", without 16) "
        "or a list (\"1,3-5\")",
    ),
    (HOSTS, "n[1-", OLDEST, "'n[1-': must be a list of node names such as \"cn[1-4],gpu7\""),
    (
        HOSTS,
        "./nodes",
        OLDEST,
        "'./nodes': must be node names; one with \"/\" is a file for sbatch to read, which is not read here: name the "
        "nodes",
    ),
    (
        GPUS,
        "a100:",
        R24_11,
        "'a100:': must be COUNT or TYPE:COUNT, such as \"a100:2\", several separated by commas",
    ),
    (GPUS, "1.5", OLDEST, "'1.5': must be COUNT or TYPE:COUNT, such as \"a100:2\", several separated by commas"),
    (
        GRES,
        "gpu=2",
        OLDEST,
        "'gpu=2': must be NAME, NAME:COUNT or NAME:TYPE:COUNT, such as \"gpu:a100:2,nvme\", separated by commas",
    ),
    (GRES_FLAGS, "multiple-tasks-per-sharing", OLDEST, "'multiple-tasks-per-sharing': must be disable-binding or "
     "enforce-binding"),
    (GRES_FLAGS, "disable-binding,enforce-binding", R24_11, "'disable-binding,enforce-binding': disable-binding and "
     "enforce-binding exclude each other"),
    (GPU_BINDING, "map:0", OLDEST, "'map:0': must be closest, none, \"single:N\", \"per_task:N\", \"map_gpu:LIST\" or "
     "\"mask_gpu:LIST\", after \"verbose,\" if wanted"),
    (CPU_SPEED, "1000-2000", R24_11, "'1000-2000': a range needs a governor: LOWEST-HIGHEST:GOVERNOR"),
    (MEMORY_BINDING, "sort", NEWEST, "'sort': must be none, local, rank, \"map_mem:LIST\" or \"mask_mem:LIST\", with "
     "commas also prefer, verbose or quiet"),
    (SHARING, "topo", OLDEST, "'topo': must be \"node\", \"user\", \"mcs\" or, from 24.11 on, \"topo\""),
    (PARTS, "0", OLDEST, "'0': must be SOCKETS[:CORES[:THREADS]], each a number, a range or \"*\", such as \"2:8:1\", "
     "from 1 to 65533"),
    (SWITCHES, "@60", OLDEST, "'@60': must be COUNT or COUNT@TIME, the longest wait for them, such as \"1@30\" "
     "(minutes)"),
    (HINT, "foo", OLDEST, "'foo': must be compute_bound, memory_bound, multithread or nomultithread, separated by "
     "commas"),
    (FEATURES, "a\nb", OLDEST, "'a\\nb': must be an expression of features, without NUL and line breaks"),
]  # fmt: skip


@pytest.mark.parametrize(("value_type", "text", "release", "message"), REFUSED)
def test_the_message(value_type: ValueType, text: str, release: Release, message: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        value_type.parse(text, release)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [("2", 2, 2), ("2-4", 2, 4), ("1,3-5", 1, 5), ("5,3", 3, 5), ("1-15:2", 1, 13), ("2-5:3", 2, 2), ("1-2:5", 1, 1)],
)
def test_least_and_most_nodes(text: str, least: int, most: int) -> None:
    nodes: Any = NODES.parse(text, NEWEST)
    assert (nodes.minimum, nodes.maximum) == (least, most)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("n1", ("n1",)),
        ("n[1-3]", ("n1", "n2", "n3")),
        ("n[01-02,10],m", ("n01", "n02", "n10", "m")),
        ("r[1-2]n[1-2]x", ("r1n1x", "r1n2x", "r2n1x", "r2n2x")),
        ("n2,n1,n2", ("n2", "n1", "n2")),
    ],
)
def test_names_of_a_list(text: str, names: tuple[str, ...]) -> None:
    assert hosts.names(text) == names


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (("n1",), "n1"),
        (("n1", "n2"), "n[1-2]"),
        (("n2", "n1"), "n[2,1]"),
        (("n1", "n1", "n2"), "n[1,1-2]"),
        (("n09", "n10"), "n[09-10]"),
        (("n9", "n10"), "n[9-10]"),
        (("n1", "m1", "login"), "n1,m1,login"),
    ],
)
def test_a_list_as_slurm_writes_it(names: tuple[str, ...], text: str) -> None:
    assert hosts.folded(names) == text


@settings(deadline=None)
@given(st.lists(st.from_regex("[a-z]{1,2}(?:0[1-9]|[1-9][0-9]?)?", fullmatch=True), min_size=1, max_size=12))
def test_a_folded_list_has_the_same_names(names: list[str]) -> None:
    assert hosts.names(hosts.folded(names)) == tuple(names)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("2", {"": 2}),
        ("a100:2,v100:1", {"a100": 2, "v100": 1}),
        ("a100", {"a100": 1}),
        ("2k", {"": 2048}),
        ("a=3", {"a": 3}),
    ],
)
def test_amounts(text: str, found: dict[str, int]) -> None:
    assert tres.amounts(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("gpu", {("gpu", ""): 1}),
        ("gpu:a100:2,widget:1k,", {("gpu", "a100"): 2, ("widget", ""): 1024}),
        ("gres/gpu=2", {("gpu", ""): 2}),
    ],
)
def test_amounts_of_gres(text: str, found: dict[tuple[str, str], int]) -> None:
    assert tres.gres_amounts(text) == found


@pytest.mark.parametrize(
    ("text", "words", "places"),
    [
        ("local", ("LOCAL",), ""),
        ("v,rank,p", ("RANK", "VERBOSE", "PREFER"), ""),
        ("map_mem:0,1,verbose", ("MAP", "VERBOSE"), "0,1"),
        ("mask_mem:0x1,0x2", ("MASK",), "0x1,0x2"),
        ("map_mem:0,local", ("LOCAL",), ""),
        ("verbose,quiet", (), ""),
    ],
)
def test_memory_binding(text: str, words: tuple[str, ...], places: str) -> None:
    value: Any = MEMORY_BINDING.parse(text, OLDEST)
    assert (value.words, value.places) == (words, places)
