"""What options do to each other, against what the real sbatch sends (measured on 22.05, 24.11 and 26.05)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slurmjob_operator.sbatch import interactions
from slurmjob_operator.sbatch.errors import ConflictingOptions
from slurmjob_operator.sbatch.exclusions import EXCLUSIONS
from slurmjob_operator.sbatch.job import encoded
from slurmjob_operator.sbatch.option import Handled, Rest
from slurmjob_operator.sbatch.options import TABLE
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, R24_11, Release

VERSIONS = {OLDEST: "v0.0.38", R24_11: "v0.0.42", NEWEST: "v0.0.45"}
RELEASES = tuple(VERSIONS)


def values_of(directives: str, release: Release) -> dict[str, Any]:
    """Parsed values of `--option=value` words, in their order."""
    given: dict[str, Any] = {}
    for word in directives.split():
        name, equals, text = word.partition("=")
        value_type = TABLE[name].type
        assert value_type is not None
        given.pop(name, None)
        given[name] = value_type.parse(text if equals else "true", release)
    return given


def body(directives: str, release: Release) -> dict[str, Any]:
    """Keys of the body that the release's newest API version is sent."""
    job = interactions.applied(values_of(directives, release), release=release)
    return encoded(job, api_version=VERSIONS[release])


OLDER: list[tuple[str, dict[str, Any]]] = [
    ("", {}),
    ("nodes=4", {"nodes": "4", "tasks": 4}),
    ("nodes=0", {"nodes": "0"}),
    ("nodes=2-4", {"nodes": "2-4"}),
    ("nodes=2-4 ntasks-per-node=3", {"nodes": "2-4", "tasks_per_node": 3, "tasks": 6}),
    ("ntasks-per-node=3", {"tasks_per_node": 3, "tasks": 3}),
    ("ntasks-per-node=3 nodes=0", {"tasks_per_node": 3, "nodes": "0"}),
    ("ntasks=2 nodes=4", {"nodes": "2", "tasks": 2}),
    ("ntasks=3 nodes=2-4", {"nodes": "2-3", "tasks": 3}),
    ("ntasks=8 ntasks-per-node=3", {"tasks": 8, "tasks_per_node": 3}),
    ("nodelist=n[1-3]", {"nodelist": "n[1-3]"}),
    ("nodelist=n[1-3] cpus-per-task=2", {"nodelist": "n[1-3]", "cpus_per_task": 2, "tasks": 3}),
    ("nodelist=n[1-3] nodes=1-5", {"nodelist": "n[1-3]", "nodes": "3-5"}),
    ("nodelist=n[1-3] ntasks=2", {"nodelist": "n1,n2", "nodes": "2", "tasks": 2}),
    ("nodelist=n1,n1,n2 distribution=arbitrary", {"nodelist": "n1,n1,n2", "distribution": "arbitrary", "tasks": 2}),
    ("extra-node-info=2:4:1", {"sockets_per_node": 2, "cores_per_socket": 4, "threads_per_core": 1, "tasks": 8}),
    ("extra-node-info=2 nodes=2", {"sockets_per_node": 2, "nodes": "2", "tasks": 4}),
    ("hint=memory_bound", {"cores_per_socket": 1, "threads_per_core": 1}),
    ("hint=compute_bound sockets-per-node=2", {"threads_per_core": 1}),
    ("hint=multithread sockets-per-node=2 cores-per-socket=2", {}),
    ("hint=multithread,memory_bound", {"cores_per_socket": 1, "threads_per_core": 1}),
    ("hint=memory_bound,compute_bound", {"threads_per_core": 1}),
    ("nodes=1-3 ntasks-per-node=1", {"nodes": "1-3", "tasks_per_node": 1, "tasks": 1}),
    ("exclusive=node oversubscribe", {"oversubscribe": True}),
    ("oversubscribe exclusive=user", {"exclusive": "user"}),
    ("cpus-per-task=2", {"cpus_per_task": 2}),
    ("cpus-per-task=4 mincpus=2", {"cpus_per_task": 4, "minimum_cpus_per_node": 4}),
    ("gpus-per-task=1 nodes=2", {"gpus_per_task": "1", "nodes": "2", "tasks": 2}),
    ("ntasks-per-gpu=2 nodes=2", {"ntasks_per_gpu": 2, "nodes": "2", "tasks": 4}),
    ("gres=gpu gpus-per-node=1", {"gres": "gpu", "gpus_per_node": "1"}),
    ("gpu-bind=closest", {"gpu_binding": "closest"}),
]  # fmt: skip

EXACT = {"flags": ["EXACT_CPU_COUNT_REQUESTED"]}
BOTH: list[tuple[str, dict[str, Any]]] = [
    ("", {}),
    ("mem=0", {"memory_per_node": {"set": True, "number": 0}}),
    ("nodes=4", {"nodes": "4", "minimum_cpus": 4}),
    ("nodes=0", {"nodes": "0", "minimum_cpus": 0}),
    ("nodes=2-4", {"nodes": "2-4", "minimum_cpus": 1}),
    ("nodes=1,3-5", {"nodes": "1,3-5", "minimum_cpus": 1}),
    ("nodes=2-5:3", {"nodes": "2-5:3", "minimum_cpus": 2}),
    ("nodes=1,3-5 ntasks=4", {"nodes": "1-4", "tasks": 4, "minimum_cpus": 4}),
    ("nodes=2-4 ntasks-per-node=3", {"nodes": "2-4", "tasks_per_node": 3, "minimum_cpus": 1}),
    ("ntasks-per-node=3", {"tasks_per_node": 3, "minimum_cpus": 3}),
    ("ntasks=8 ntasks-per-node=3", {"tasks": 8, "tasks_per_node": 3, "minimum_cpus": 8, "minimum_nodes": 3}),
    ("ntasks=2 nodes=4", {"nodes": "2", "tasks": 2, "minimum_cpus": 2}),
    ("ntasks=3 nodes=2-4", {"nodes": "2-3", "tasks": 3, "minimum_cpus": 3}),
    ("cpus-per-task=3", {"cpus_per_task": 3, "tres_per_task": "cpu=3", "minimum_cpus": 3, **EXACT}),
    ("cpus-per-task=3 nodes=2-4",
     {"cpus_per_task": 3, "tres_per_task": "cpu=3", "minimum_cpus": 3, "nodes": "2-4", **EXACT}),
    ("cpus-per-task=2 mincpus=4",
     {"cpus_per_task": 2, "tres_per_task": "cpu=2", "minimum_cpus": 2, "minimum_cpus_per_node": 4, **EXACT}),
    ("tres-per-task=cpu:2", {"cpus_per_task": 2, "tres_per_task": "cpu:2", "minimum_cpus": 2, **EXACT}),
    ("overcommit ntasks=20", {"overcommit": True, "tasks": 20, "minimum_cpus": 1}),
    ("overcommit nodes=2 ntasks=4", {"overcommit": True, "nodes": "2", "tasks": 4, "minimum_cpus": 2}),
    ("nodelist=n[1-3]", {"required_nodes": ["n[1-3]"], "minimum_cpus": 3}),
    ("nodelist=n[1-3] ntasks=2", {"required_nodes": ["n[1-3]"], "nodes": "2", "tasks": 2, "minimum_cpus": 2}),
    ("nodelist=n2,n1 distribution=arbitrary",
     {"required_nodes": ["n[2,1]"], "distribution": "arbitrary", "tasks": 2, "minimum_cpus": 2}),
    ("threads-per-core=2 nodes=2", {"threads_per_core": 2, "nodes": "2", "tasks": 4, "minimum_cpus": 4}),
    ("hint=nomultithread threads-per-core=2", {"threads_per_core": 2}),
    ("hint=nomultithread ntasks-per-core=1", {"tasks_per_core": 1}),
    ("gpus=2 gres=gpu:1", {"tres_per_job": "gres/gpu:2", "tres_per_node": "gres/gpu:1"}),
    ("gpus=2 gres=gpu:1 nodes=1-4",
     {"tres_per_job": "gres/gpu:2", "tres_per_node": "gres/gpu:1", "nodes": "2", "minimum_cpus": 1}),
    ("gres=widget:1 gpus-per-node=1", {"tres_per_node": "gres/gpu:1,gres/widget:1"}),
    ("gpus-per-task=1 ntasks=2",
     {"tasks": 2, "minimum_cpus": 2, "tres_per_task": "gres/gpu=1", "tres_bind": "gres/gpu:per_task:1"}),
    ("gpus-per-task=1 ntasks=2 gpu-bind=closest",
     {"tasks": 2, "minimum_cpus": 2, "tres_per_task": "gres/gpu=1", "tres_bind": "gres/gpu:closest"}),
    ("gpus-per-task=2k ntasks=2",
     {"tasks": 2, "minimum_cpus": 2, "tres_per_task": "gres/gpu=2", "tres_bind": "gres/gpu:per_task:2"}),
    ("gpus-per-task=a ntasks=2", {"tasks": 2, "minimum_cpus": 2}),
    ("gpus-per-task=1 nodes=2",
     {"nodes": "2", "tasks": 2, "minimum_cpus": 2, "tres_per_task": "gres/gpu=1", "tres_bind": "gres/gpu:per_task:1"}),
    ("gpus-per-task=1 gpus-per-node=2 ntasks=4",
     {"tasks": 4, "minimum_cpus": 4, "tres_per_task": "gres/gpu=1", "tres_bind": "gres/gpu:per_task:1",
      "tres_per_node": "gres/gpu:2", "tasks_per_node": 2}),
    ("ntasks-per-gpu=2 gpus=2", {"ntasks_per_tres": 2, "tres_per_job": "gres/gpu:2", "tasks": 4, "minimum_cpus": 1}),
    ("ntasks-per-gpu=2 ntasks-per-tres=2 ntasks=4", {"ntasks_per_tres": 2, "tasks": 4, "minimum_cpus": 4}),
    ("cpus-per-gpu=2 gpus-per-task=1 ntasks=2",
     {"cpus_per_tres": "gres/gpu:2", "cpus_per_task": 2, "tasks": 2, "minimum_cpus": 4, "tres_per_task": "gres/gpu=1",
      "tres_bind": "gres/gpu:per_task:1"}),
    ("tres-bind=gres/gpu:closest gpu-bind=single:1", {"tres_bind": "gres/gpu:single:1"}),
    ("gpu-bind=single:1 tres-bind=gres/gpu:closest", {"tres_bind": "gres/gpu:closest"}),
    ("nodes=2-4 gpus=3", {"nodes": "2-3", "tres_per_job": "gres/gpu:3", "minimum_cpus": 1}),
]  # fmt: skip

BY_RELEASE: list[tuple[Release, str, dict[str, Any]]] = [
    (R24_11, "gpus-per-task=a:1,b:1 ntasks=2",
     {"tasks": 2, "minimum_cpus": 2, "tres_per_task": "gres/gpu:a=1", "tres_bind": "gres/gpu:per_task:1"}),
    (NEWEST, "gpus-per-task=a:1,b:1 ntasks=2",
     {"tasks": 2, "minimum_cpus": 2, "tres_per_task": "gres/gpu:b=1,gres/gpu:a=1", "tres_bind": "gres/gpu:per_task:2"}),
    (R24_11, "tres-per-task=gres/widget=1 gpus-per-task=2 ntasks=2",
     {"tasks": 2, "minimum_cpus": 2, "tres_per_task": "gres/gpu=2,gres/widget=1",
      "tres_bind": "gres/gpu:per_task:2+gres/widget:per_task:1"}),
    (NEWEST, "tres-per-task=gres/widget=1 gpus-per-task=2 ntasks=2",
     {"tasks": 2, "minimum_cpus": 2, "tres_per_task": "gres/gpu=2,gres/widget=1",
      "tres_bind": "gres/widget:per_task:1+gres/gpu:per_task:2"}),
    (R24_11, "gpus-per-task=2 gpus=4 cpus-per-task=3",
     {"tres_per_job": "gres/gpu:4", "tasks": 2, "minimum_cpus": 3, "cpus_per_task": 3,
      "tres_per_task": "cpu=3,gres/gpu=2", "tres_bind": "gres/gpu:per_task:2", **EXACT}),
    (NEWEST, "gpus-per-task=2 gpus=4 cpus-per-task=3",
     {"tres_per_job": "gres/gpu:4", "tasks": 2, "minimum_cpus": 6, "cpus_per_task": 3,
      "tres_per_task": "cpu=3,gres/gpu=2", "tres_bind": "gres/gpu:per_task:2", **EXACT}),
    (NEWEST, "hint=memory_bound sockets-per-node=2", {"sockets_per_node": 2}),
    (NEWEST, "hint=memory_bound cores-per-socket=2", {"cores_per_socket": 2}),
    (NEWEST, "hint=memory_bound nodes=2",
     {"cores_per_socket": 1, "threads_per_core": 1, "nodes": "2", "tasks": 2, "minimum_cpus": 2}),
    (NEWEST, "threads-per-core=2 extra-node-info=2:2",
     {"sockets_per_node": 2, "cores_per_socket": 2, "tasks": 4, "minimum_cpus": 4}),
    (NEWEST, "extra-node-info=2:2:1 sockets-per-node=4",
     {"sockets_per_node": 4, "cores_per_socket": 2, "threads_per_core": 1, "tasks": 8, "minimum_cpus": 8}),
    (NEWEST, "licenses=matlab resources=ansys:2", {"licenses": "matlab,ansys:2"}),
    (NEWEST, "resources=ansys:2", {"licenses": "ansys:2"}),
]  # fmt: skip

CASES = [
    *((OLDEST, directives, expected) for directives, expected in OLDER),
    *((release, directives, expected) for directives, expected in BOTH for release in (R24_11, NEWEST)),
    *BY_RELEASE,
]


@pytest.mark.parametrize(("release", "directives", "expected"), CASES)
def test_what_is_sent(release: Release, directives: str, expected: dict[str, Any]) -> None:
    assert body(directives, release) == expected


CONFLICTS: list[tuple[tuple[Release, ...], str, str]] = [
    (RELEASES, "mem=1G mem-per-cpu=1G", "mem-per-cpu"),
    (RELEASES, "mem-per-cpu=1G mem=0", "mem"),
    (RELEASES, "gpus=1 mem-per-gpu=1G mem=0", "mem"),
    (RELEASES, "gpus=1 mem-per-gpu=1G mem-per-cpu=0", "mem-per-cpu"),
    (RELEASES, "core-spec=1 thread-spec=1", "thread-spec"),
    (RELEASES, "cpus-per-gpu=1 gpus=1 cpus-per-task=2", "cpus-per-task"),
    (RELEASES, "ntasks-per-gpu=1 gpus-per-task=1 ntasks=2", "gpus-per-task"),
    (RELEASES, "ntasks-per-gpu=1 gpus=1 ntasks-per-node=1", "ntasks-per-node"),
    (RELEASES, "ntasks-per-gpu=1 ntasks-per-tres=2 gpus=1", "ntasks-per-tres"),
    (RELEASES, "distribution=plane=4 nodes=3 ntasks=4", "distribution"),
    (RELEASES, "gpus-per-task=1 nodes=2 cpus-per-task=3", "gpus-per-task"),
    (RELEASES, "distribution=plane=2 nodes=0", "distribution"),
    (RELEASES, "ntasks-per-gpu=2", "ntasks-per-gpu"),
    (RELEASES, "nodelist=n[1-2] ntasks-per-tres=1", "ntasks-per-tres"),
    ((OLDEST,), "nodelist=n[1-3] nodes=2", "nodelist"),
    ((OLDEST,), "nodelist=n[1-2] gpus-per-task=1", "gpus-per-task"),
    ((R24_11, NEWEST), "exclusive=user oversubscribe", "oversubscribe"),
    ((R24_11, NEWEST), "hint=multithread,memory_bound", "hint"),
    ((R24_11, NEWEST), "nodes=0 gpus-per-task=1", "gpus-per-task"),
    ((R24_11, NEWEST), "ntasks-per-core=4 threads-per-core=2", "ntasks-per-core"),
    ((R24_11, NEWEST), "distribution=arbitrary nodelist=n1 nodes=1", "nodes"),
    ((R24_11, NEWEST), "distribution=plane=2 nodes=3 ntasks-per-node=2", "distribution"),
    ((R24_11, NEWEST), "gpus-per-task=1 ntasks-per-node=2", "gpus-per-task"),
    ((R24_11, NEWEST), "gpus=4 gpus-per-task=2 ntasks=3", "ntasks"),
    ((R24_11, NEWEST), "gpus=3 gpus-per-task=2", "gpus"),
    ((R24_11, NEWEST), "ntasks-per-gpu=2 ntasks=3", "ntasks"),
    ((R24_11, NEWEST), "tres-per-task=cpu=2 cpus-per-task=2", "tres-per-task"),
    ((R24_11, NEWEST), "tres-per-task=cpu=2 cpus-per-gpu=1 gpus=1", "tres-per-task"),
    ((R24_11, NEWEST), "tres-per-task=gres/gpu=1 gpus-per-task=1 ntasks=1", "tres-per-task"),
    ((R24_11, NEWEST), "tres-per-task=gres/widget=1", "tres-per-task"),
    ((R24_11, NEWEST), "resv-ports=2", "resv-ports"),
    ((NEWEST,), "gpus-per-node=1 gres=gpu", "gpus-per-node"),
    ((NEWEST,), "nodes=4 segment=3", "segment"),
    ((NEWEST,), "nodes=3-4 segment=2", "segment"),
    ((NEWEST,), "nodes=2,3 segment=2", "segment"),
    ((NEWEST,), "nodes=2-6:3 segment=2", "segment"),
]


@pytest.mark.parametrize(
    ("release", "directives", "option"),
    [(release, directives, option) for releases, directives, option in CONFLICTS for release in releases],
)
def test_what_sbatch_refuses_together(release: Release, directives: str, option: str) -> None:
    with pytest.raises(ConflictingOptions) as refused:
        body(directives, release)
    assert refused.value.option == option
    assert refused.value.rule


@pytest.mark.parametrize(
    ("release", "directives"),
    [
        (OLDEST, "exclusive=user oversubscribe"),
        (OLDEST, "ntasks-per-core=4 threads-per-core=2"),
        (OLDEST, "distribution=arbitrary nodelist=n1 nodes=1"),
        (OLDEST, "distribution=plane=2 nodes=3 ntasks-per-node=2"),
        (OLDEST, "gpus-per-task=1 ntasks-per-node=2"),
        (R24_11, "gpus-per-node=1 gres=gpu"),
        (R24_11, "nodes=4 segment=3"),
        (R24_11, "nodelist=n[1-3] nodes=2"),
        (NEWEST, "nodes=2-4 segment=2"),
        (NEWEST, "nodes=1-3 segment=2"),
        (NEWEST, "nodes=2-9:3 segment=2"),
        (NEWEST, "nodes=2,4 segment=5"),
        (NEWEST, "stepmgr gpus-per-node=1 gres=widget"),
    ],
)
def test_what_a_release_takes_and_another_refuses(release: Release, directives: str) -> None:
    assert body(directives, release)


def test_flags_that_are_false_exclude_nothing() -> None:
    values = {"exclusive": "user", "oversubscribe": False}
    assert interactions.applied(values, release=NEWEST) == {"exclusive": "user"}


def test_what_was_given_is_not_changed() -> None:
    values = values_of("nodes=4 ntasks=2 nodelist=n[1-3]", OLDEST)
    before = dict(values)
    interactions.applied(values, release=OLDEST)
    assert values == before


@pytest.mark.parametrize("name", interactions.DERIVED)
def test_derived_entries_are_no_options(name: str) -> None:
    derived = interactions.DERIVED[name]
    assert name not in TABLE
    assert set(derived.of) <= set(TABLE)
    assert isinstance(derived.v38, Handled | Rest)
    assert isinstance(derived.v40, Rest)


def test_tables_name_known_options() -> None:
    named = {exclusion.one for exclusion in EXCLUSIONS} | {name for one in EXCLUSIONS for name in one.others}
    givers = {name for names in interactions.GIVERS.values() for name in names}
    assert named | givers | set(interactions.GIVERS) <= set(TABLE)


SIZING = ("nodes", "ntasks", "ntasks-per-node", "cpus-per-task", "nodelist", "extra-node-info", "hint", "gpus",
          "gpus-per-node", "gpus-per-task", "gres", "ntasks-per-gpu", "threads-per-core", "distribution",
          "exclusive", "mem", "cpus-per-gpu", "mincpus", "sockets-per-node", "gpus-per-socket")  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(data=st.data(), release=st.sampled_from(RELEASES))
def test_any_options_together_are_sent_or_refused(data: st.DataObject, release: Release) -> None:
    names = data.draw(st.lists(st.sampled_from(SIZING), unique=True, max_size=7))
    values = {}
    for name in names:
        value_type = TABLE[name].type
        assert value_type is not None
        values[name] = value_type.parse(data.draw(st.sampled_from(value_type.examples)), release)
    try:
        job = interactions.applied(values, release=release)
    except ConflictingOptions:
        return
    assert set(job) <= set(TABLE) | set(interactions.DERIVED)
    assert job.get("ntasks", 1) >= 1
    assert job.get("minimum-cpus", 0) >= 0
