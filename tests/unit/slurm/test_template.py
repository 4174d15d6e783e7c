"""From a template to a request: each field arrives; what sbatch would refuse is refused, with field, value, rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from slurmjob_operator.api.template import JobTemplate
from slurmjob_operator.slurm.request import JobRequest, NodeRange, TimeLimit
from slurmjob_operator.slurm.template import DEFAULT_PATH, InvalidTemplate, build_request

NOW = 1_800_000_000.5
MINIMAL = {"script": "#!/bin/sh\ntrue\n", "chdir": "/home/alice"}


def _request(**template: Any) -> JobRequest:
    return build_request(JobTemplate.model_validate({**MINIMAL, **template}), name="wing", now=NOW)


def test_minimal() -> None:
    assert _request() == JobRequest(
        script="#!/bin/sh\ntrue\n", name="wing", chdir="/home/alice", environment={"PATH": DEFAULT_PATH}
    )


@pytest.mark.parametrize(
    ("template", "field", "value"),
    [
        ({"jobName": "other"}, "name", "other"),
        ({"account": "aero"}, "account", "aero"),
        ({"partition": "gpu,debug"}, "partition", "gpu,debug"),
        ({"qos": "high"}, "qos", "high"),
        ({"nodes": 2}, "nodes", NodeRange(minimum=2, maximum=2)),
        ({"nodes": "2-4"}, "nodes", NodeRange(minimum=2, maximum=4)),
        ({"ntasks": 7}, "ntasks", 7),
        ({"ntasksPerNode": 4}, "ntasks_per_node", 4),
        ({"cpusPerTask": 3}, "cpus_per_task", 3),
        ({"mem": "2G"}, "mem_per_node_mb", 2048),
        ({"mem": 4000}, "mem_per_node_mb", 4000),
        ({"mem": 0}, "mem_per_node_mb", 0),
        ({"memPerCpu": "1G"}, "mem_per_cpu_mb", 1024),
        ({"time": "1-00:00:00"}, "time_limit", TimeLimit(minutes=1440)),
        ({"time": "UNLIMITED"}, "time_limit", TimeLimit(minutes=None)),
        ({"gres": "widget:2"}, "tres_per_node", "gres/widget:2"),
        ({"gres": "none"}, "tres_per_node", None),
        ({"gpusPerNode": "a100:2"}, "tres_per_node", "gres/gpu:a100:2"),
        ({"gres": "widget:1", "gpusPerNode": 2}, "tres_per_node", "gres/widget:1,gres/gpu:2"),
        ({"gpus": 4}, "tres_per_job", "gres/gpu:4"),
        ({"dependency": "afterok:1:2,after:3+10"}, "dependency", "afterok:1:2,after:3+10"),
        ({"deadline": "now+2hours"}, "deadline", 1_800_007_200),
        ({"requeue": False}, "requeue", False),
        ({"constraint": "icelake&fast"}, "constraint", "icelake&fast"),
        ({"output": "out-%j"}, "output", "out-%j"),
        ({"output": "none"}, "output", "/dev/null"),
        ({"error": "/scratch/err"}, "error", "/scratch/err"),
        ({"error": "none"}, "error", "/dev/null"),
        ({"script": "#! /bin/sh -l\n"}, "script", "#! /bin/sh -l\n"),
        ({"chdir": "/scratch/a b"}, "chdir", "/scratch/a b"),
        ({"environment": [{"name": "A", "value": "1"}, {"name": "B"}]}, "environment",
         {"PATH": DEFAULT_PATH, "A": "1", "B": ""}),
        ({"environment": [{"name": "PATH", "value": "/opt/bin"}]}, "environment", {"PATH": "/opt/bin"}),
    ],
)  # fmt: skip
def test_each_field_arrives(template: dict[str, Any], field: str, value: Any) -> None:
    request = _request(**template)
    assert getattr(request, field) == value
    assert replace(request, **{field: getattr(_request(), field)}) == _request(), "and nothing else changes"


def test_a_comment_is_not_part_of_the_request() -> None:
    """It follows the marker, and the marker is the engine's."""
    assert _request(comment="mine") == _request()


def test_every_template_field_is_looked_at_here() -> None:
    """A new field that `build_request` forgets would be ignored without a word."""
    tried = {name for mark in test_each_field_arrives.pytestmark for row in mark.args[1] for name in row[0]}
    known = {info.alias or name for name, info in JobTemplate.model_fields.items()}
    assert known - tried == {"comment", "hold"}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ({"script": "#!/bin/sh\r\ntrue\r\n"}, "template.script: must not hold DOS line ends (CR LF), as for sbatch"),
        ({"script": "#!/bin/sh\n\x00\n"}, "template.script: must not hold a NUL character, as for sbatch"),
        ({"mem": "1.5G"}, "template.mem: '1.5G': must be a whole number of MiB"),
        ({"memPerCpu": "lots"}, "template.memPerCpu: 'lots': must be a whole number of MiB"),
        ({"mem": "1G", "memPerCpu": "1G"}, "template.memPerCpu: '1G': must not be set beside `mem`"),
        ({"time": "1:2:3:4"}, "template.time: '1:2:3:4': must be minutes"),
        ({"nodes": 0}, "template.nodes: '0': must be a number of nodes"),
        ({"nodes": "4-2"}, "template.nodes: '4-2': must be a number of nodes"),
        ({"gres": "gpu:"}, "template.gres: 'gpu:': must be a list of NAME"),
        ({"gpus": 0}, "template.gpus: '0': must be COUNT or TYPE:COUNT"),
        ({"dependency": "afterok:1,afterany:2?after:3"}, "template.dependency: 'afterok:1,afterany:2?after:3'"),
        ({"deadline": "tomorrow"}, "template.deadline: 'tomorrow': must be \"now+COUNT\""),
        ({"gpusPerNode": "a100"}, "template.gpusPerNode: 'a100': must be COUNT or TYPE:COUNT"),
        ({"comment": "x [slurmjob.dev/1 i=a]"}, "template.comment: 'x [slurmjob.dev/1 i=a]': must not hold"),
        ({"environment": [{"name": "A"}, {"name": "A"}]}, "template.environment: 'A': must be named only once"),
        ({"mem": "9" * 64}, f"template.mem: '{'9' * 60}…': must be"),
    ],
)  # fmt: skip
def test_refused_with_field_value_and_rule(template: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidTemplate) as refusal:
        _request(**template)
    assert str(refusal.value).startswith(text)


def test_the_first_thing_that_is_wrong_is_named() -> None:
    with pytest.raises(InvalidTemplate) as refusal:
        _request(script="#!/bin/sh\r\n", mem="lots", time="soon")
    assert (refusal.value.field, "DOS line ends" in refusal.value.rule) == ("script", True)


@pytest.mark.parametrize("script", ["echo hello\n", "\n#!/bin/sh\n", " #!/bin/sh\n", "\ufeff#!/bin/sh\n"])
def test_a_script_without_a_first_line_for_the_kernel(script: str) -> None:
    """Checked by the API server and once more before it is sent: an object may be older than its schema."""
    template = JobTemplate.model_construct(**{**MINIMAL, "script": script})
    with pytest.raises(InvalidTemplate, match="the first line must start with `#!`, as for sbatch"):
        build_request(template, name="wing", now=NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"script": "echo no shebang"},
        {"script": ""},
        {"chdir": "relative"},
        {"chdir": None},
        {"ntasks": -1},
        {"ntasks": 10**12},
        {"cpusPerTask": -5},
        {"output": ""},
        {"error": ""},
        {"jobName": "two\nlines"},
        {"environment": [{"name": "1A"}]},
        {"environment": [{"name": "A", "value": "\x00"}]},
    ],
)
def test_trap_s5_and_poison_values_that_slurmrestd_would_take_never_become_a_request(change: dict[str, Any]) -> None:
    """slurmrestd takes -1 tasks, and an empty file name kills it at the next read of the job."""
    template = {key: value for key, value in {**MINIMAL, **change}.items() if value is not None}
    with pytest.raises(ValidationError):
        JobTemplate.model_validate(template)


@pytest.mark.parametrize(
    ("script", "refused"),
    [
        ("#!/bin/sh\n#SBATCH -n 4\ntrue\n", True),
        ("#!/bin/sh\n\n# a comment\n#SBATCH --time=5\n", True),
        ("#!/bin/sh\n#SBATCH\n", True),
        ("#!/bin/sh\ntrue\n#SBATCH -n 4\n", False),
        ("#!/bin/sh\n #SBATCH -n 4\ntrue\n", False),
        ("#!/bin/sh\n##SBATCH -n 4\ntrue\n", False),
        ("#!/bin/sh\n#sbatch -n 4\ntrue\n", False),
        ("#!/bin/sh\ncat <<X\n#SBATCH -n 4\nX\n", False),
    ],
)
def test_directives_are_refused_not_ignored(script: str, refused: bool) -> None:
    """slurmrestd ignores them, so a job would run with other values than its script says."""
    if not refused:
        assert _request(script=script).script == script
        return
    with pytest.raises(InvalidTemplate, match="slurmrestd ignores them; use the fields of `template`"):
        _request(script=script)
