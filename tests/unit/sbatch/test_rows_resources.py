"""What rows of resources become in bodies of job/submit. All was held against the real sbatch's job records."""

from __future__ import annotations

from typing import Any

import pytest

from slurmjob_operator.sbatch.errors import NotOverRest
from slurmjob_operator.sbatch.job import InvalidOption, body, body_of, parsed
from slurmjob_operator.sbatch.option import Argument, Handled, NotSaid, Option, Rest
from slurmjob_operator.sbatch.options import FIELDS, TABLE, cores, facilities, gpus, memory, placement, tasks
from slurmjob_operator.sbatch.settings import Setting, Settings
from slurmjob_operator.sbatch.value import NEWEST, OLDEST, R24_11, Release


def said(settings: Settings, *, release: Release, api_version: str) -> dict[str, Any]:
    """What a version is told of these settings."""
    return body(settings, parsed(settings, release=release), api_version=api_version)


ROWS = (*tasks.ROWS, *cores.ROWS, *memory.ROWS, *gpus.ROWS, *placement.ROWS, *facilities.ROWS)
NEWER = ("v0.0.39", "v0.0.40", "v0.0.41", "v0.0.42", "v0.0.43", "v0.0.44", "v0.0.45")

SAID: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("nodes", "2-4", {"nodes": "2-4"}, {"nodes": "2-4"}),
    ("ntasks", "3", {"tasks": 3}, {"tasks": 3}),
    ("ntasks-per-node", "3", {"tasks_per_node": 3}, {"tasks_per_node": 3}),
    ("ntasks-per-socket", "2", {"tasks_per_socket": 2}, {"tasks_per_socket": 2}),
    ("ntasks-per-core", "2", {"tasks_per_core": 2}, {"tasks_per_core": 2}),
    ("cpus-per-task", "4", {"cpus_per_task": 4}, {"cpus_per_task": 4}),
    ("mincpus", "4", {"minimum_cpus_per_node": 4}, {"minimum_cpus_per_node": 4}),
    ("sockets-per-node", "2", {"sockets_per_node": 2}, {"sockets_per_node": 2}),
    ("cores-per-socket", "2", {"cores_per_socket": 2}, {"cores_per_socket": 2}),
    ("threads-per-core", "1", {"threads_per_core": 1}, {"threads_per_core": 1}),
    ("extra-node-info", "2:2:1", {}, {}),
    ("hint", "nomultithread", {}, {}),
    ("distribution", "plane=4", {"distribution": "plane=4"}, {"distribution": "plane=4"}),
    ("core-spec", "1", {"core_specification": 1}, {"core_specification": 1}),
    ("thread-spec", "1", {"thread_specification": 1}, {"thread_specification": 1}),
    ("mem", "4G", {"memory_per_node": 4096}, {"memory_per_node": {"set": True, "number": 4096}}),
    ("mem", "0", {"memory_per_node": 0}, {"memory_per_node": {"set": True, "number": 0}}),
    ("mem-per-cpu", "1G", {"memory_per_cpu": 1024}, {"memory_per_cpu": {"set": True, "number": 1024}}),
    ("mem-per-gpu", "1G", {"memory_per_gpu": 1024}, {"memory_per_tres": "gres/gpu:1024"}),
    (
        "mem-bind",
        "map_mem:0,1",
        {"memory_binding": "map_mem:0,1"},
        {"memory_binding_type": ["MAP"], "memory_binding": "0,1"},
    ),
    ("mem-bind", "quiet", {"memory_binding": "quiet"}, {}),
    ("tmp", "1G", {"temporary_disk_per_node": 1024}, {"temporary_disk_per_node": 1024}),
    ("gpus", "a:2,b:1", {"gpus": "a:2,b:1"}, {"tres_per_job": "gres/gpu:a:2,gres/gpu:b:1"}),
    ("gpus", "", {}, {}),
    ("gpus-per-node", "2", {"gpus_per_node": "2"}, {"tres_per_node": "gres/gpu:2"}),
    ("gpus-per-socket", "2", {"gpus_per_socket": "2"}, {"tres_per_socket": "gres/gpu:2"}),
    ("gpus-per-task", "2", {"gpus_per_task": "2"}, {}),
    ("cpus-per-gpu", "2", {"cpus_per_gpu": 2}, {"cpus_per_tres": "gres/gpu:2"}),
    ("ntasks-per-gpu", "2", {"ntasks_per_gpu": 2}, {"ntasks_per_tres": 2}),
    ("ntasks-per-tres", "2", {"ntasks_per_tres": 2}, {"ntasks_per_tres": 2}),
    ("gpu-bind", "closest", {"gpu_binding": "closest"}, {"tres_bind": "gres/gpu:closest"}),
    ("gpu-freq", "high", {"gpu_frequency": "high"}, {"tres_freq": "gpu:high"}),
    ("gres", "gpu:2,nvme", {"gres": "gpu:2,nvme"}, {"tres_per_node": "gres/gpu:2,gres/nvme"}),
    ("gres", "none", {"gres": "none"}, {}),
    ("gres-flags", "disable-binding", {"gres_flags": "disable-binding"}, {"flags": ["GRES_BINDING_DISABLED"]}),
    ("constraint", "a&b", {"constraints": "a&b"}, {"constraints": "a&b"}),
    ("prefer", "a", {"prefer": "a"}, {"prefer": "a"}),
    ("exclusive", "node", {"exclusive": "exclusive"}, {"shared": ["none"]}),
    ("exclusive", "user", {"exclusive": "user"}, {"shared": ["user"]}),
    ("exclusive", "oversubscribe", {"oversubscribe": True}, {"shared": ["oversubscribe"]}),
    ("oversubscribe", "true", {"oversubscribe": True}, {"shared": ["oversubscribe"]}),
    ("oversubscribe", "false", {}, {}),
    ("use-min-nodes", "true", {"minimum_nodes": True}, {"flags": ["PREFER_MINIMUM_NODE_COUNT"]}),
    ("spread-job", "true", {"spread_job": True}, {"flags": ["SPREAD_JOB"]}),
    ("nodelist", "n[1-2]", {"nodelist": "n[1-2]"}, {"required_nodes": ["n[1-2]"]}),
    ("exclude", "n1,n2", {"exclude_nodes": "n1,n2"}, {"excluded_nodes": ["n1,n2"]}),
    ("licenses", "matlab:2", {"licenses": "matlab:2"}, {"licenses": "matlab:2"}),
    ("bb", "capacity=1G", {"burst_buffer": "capacity=1G"}, {"burst_buffer": "capacity=1G"}),
    ("cpu-freq", "high", {"cpu_frequency": "high"}, {"cpu_frequency": "high"}),
]


@pytest.mark.parametrize(("option", "text", "older", "newest"), SAID)
def test_said(option: str, text: str, older: dict[str, Any], newest: dict[str, Any]) -> None:
    value_type = TABLE[option].type
    assert value_type is not None
    assert body_of(option, value_type.parse(text, OLDEST), api_version="v0.0.38") == older
    assert body_of(option, value_type.parse(text, NEWEST), api_version="v0.0.45") == newest


SAID_NEWER: list[tuple[str, str, dict[str, Any]]] = [
    ("overcommit", "true", {"overcommit": True}),
    ("contiguous", "true", {"contiguous": True}),
    ("reboot", "true", {"reboot": True}),
    ("network", "sn_all", {"network": "sn_all"}),
    ("switches", "2", {"required_switches": {"set": True, "number": 2}}),
    ("switches", "2@1", {"required_switches": {"set": True, "number": 2}, "wait_for_switch": 60}),
    ("switches", "2@0", {"required_switches": {"set": True, "number": 2}, "wait_for_switch": 0}),
    ("segment", "2", {"segment_size": {"set": True, "number": 2}}),
    ("consolidate-segments", "true", {"flags": ["CONSOLIDATE_SEGMENTS"]}),
    ("spread-segments", "true", {"flags": ["SPREAD_SEGMENTS"]}),
    ("stepmgr", "true", {"flags": ["STEPMGR_ENABLED"]}),
    ("mem-update", "10@5", {"memory_update_margin": 10, "memory_update_delay": 5}),
    ("tres-per-task", "cpu=2", {"tres_per_task": "cpu=2"}),
    ("tres-bind", "gres/gpu:closest", {"tres_bind": "gres/gpu:closest"}),
    ("gres", "gres/gpu:2", {"tres_per_node": "gres/gpu:2"}),
    ("exclusive", "topo", {"shared": ["topo"]}),
]


@pytest.mark.parametrize(("option", "text", "newest"), SAID_NEWER)
def test_said_by_newer_versions_alone(option: str, text: str, newest: dict[str, Any]) -> None:
    value_type = TABLE[option].type
    assert value_type is not None
    value = value_type.parse(text, NEWEST)
    assert body_of(option, value, api_version="v0.0.45") == newest


WITHOUT: list[tuple[str, str, set[str]]] = [
    ("overcommit", "true", {"v0.0.38"}),
    ("contiguous", "true", {"v0.0.38"}),
    ("network", "x", {"v0.0.38"}),
    ("switches", "2", {"v0.0.38"}),
    ("reboot", "true", {"v0.0.38"}),
    ("cores-per-socket", "2", {"v0.0.39", "v0.0.41", "v0.0.42", "v0.0.43", "v0.0.44"}),
    ("distribution", "cyclic", {"v0.0.39", "v0.0.40"}),
    ("distribution", "pack", {"v0.0.39", "v0.0.40", "v0.0.41"}),
    ("segment", "2", {"v0.0.38", "v0.0.39", "v0.0.40"}),
    ("stepmgr", "true", {"v0.0.38", "v0.0.39", "v0.0.40"}),
    ("consolidate-segments", "true", {"v0.0.38", *NEWER} - {"v0.0.44", "v0.0.45"}),
    ("spread-segments", "true", {"v0.0.38", *NEWER} - {"v0.0.44", "v0.0.45"}),
    ("mem-update", "10@5", {"v0.0.38", *NEWER} - {"v0.0.45"}),
    ("resv-ports", "2", {"v0.0.38", *NEWER} - {"v0.0.41"}),
    ("exclusive", "topo", {"v0.0.39", "v0.0.40"}),
    ("core-spec", "0", set(NEWER)),
    ("gres-flags", "multiple-tasks-per-sharing", set(NEWER) - {"v0.0.40"}),
    ("gres-flags", "one-task-per-sharing", set(NEWER)),
]


@pytest.mark.parametrize(("option", "text", "without"), WITHOUT)
def test_not_over_rest(option: str, text: str, without: set[str]) -> None:
    """The versions that cannot say it refuse it with a sentence, the others say it."""
    value_type = TABLE[option].type
    assert value_type is not None
    value = value_type.parse(text, NEWEST)
    for version in (*(without & {"v0.0.38"}), *NEWER):
        if version in without:
            with pytest.raises(NotOverRest) as refused:
                body_of(option, value, api_version=version)
            assert len(refused.value.reason) > 15
        else:
            assert body_of(option, value, api_version=version)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_is_whole(row: Option) -> None:
    assert row.help.endswith(".")
    assert f"--{row.name}" not in row.help
    if row.refused:
        assert row.field is None
        return
    assert row.type is not None
    for how in (row.v38, row.v40):
        assert isinstance(how, Rest | NotSaid | Handled)
    assert row.field in FIELDS
    if row.argument is Argument.NONE:
        assert row.default == "true"
    if row.argument is Argument.OPTIONAL:
        assert row.default is not None
        row.type.parse(row.default, row.since)


@pytest.mark.parametrize("row", [row for row in ROWS if row.since > OLDEST], ids=lambda row: row.name)
def test_an_option_that_the_release_does_not_know(row: Option) -> None:
    assert row.type is not None
    settings = {row.name: Setting(text=row.type.examples[0], where=f"template.{row.field}")}
    before = OLDEST if row.since == R24_11 else R24_11
    with pytest.raises(InvalidOption, match=f"^template.{row.field}: Slurm {before} has no such option$"):
        said(settings, release=before, api_version="v0.0.38" if before == OLDEST else "v0.0.42")


@pytest.mark.parametrize(
    ("options", "release", "version", "message"),
    [
        ({"hint": "memory_bound"}, R24_11, "v0.0.42", "--hint: v0.0.42 of slurmrestd's API has no key for it"),
        ({"extra-node-info": "1:2"}, R24_11, "v0.0.42", "--extra-node-info: v0.0.42 of slurmrestd's API has no key"),
        ({"overcommit": "true"}, OLDEST, "v0.0.38", "--overcommit: Slurm 22.05 refuses it over REST"),
        ({"nodefile": "x"}, NEWEST, "v0.0.45", "--nodefile: the file would be read on the machine where sbatch runs"),
        ({"mem": "1G", "mem-per-cpu": "1G"}, NEWEST, "v0.0.45", "--mem-per-cpu: does not go together with --mem"),
    ],
)
def test_who_is_to_blame(options: dict[str, str], release: Release, version: str, message: str) -> None:
    settings = {name: Setting(text=text, where=f"--{name}") for name, text in options.items()}
    with pytest.raises(InvalidOption) as refused:
        said(settings, release=release, api_version=version)
    assert str(refused.value).startswith(message)


def test_flags_that_are_false_need_no_key() -> None:
    settings = {"overcommit": Setting(text="false", where="template.overcommit")}
    assert said(settings, release=OLDEST, api_version="v0.0.38") == {}
