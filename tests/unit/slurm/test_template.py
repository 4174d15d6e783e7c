"""From a template and its `#SBATCH` lines to a request: what wins, what arrives, and what is refused in which words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from slurmjob_operator.api.connection import JobDefaults
from slurmjob_operator.api.template import JobTemplate
from slurmjob_operator.slurm.dialects import DIALECTS
from slurmjob_operator.slurm.request import JobRequest, Target
from slurmjob_operator.slurm.template import DEFAULT_PATH, InvalidTemplate, Outline, build_request, components, outline

MINIMAL = {"script": "#!/bin/sh\ntrue\n", "chdir": "/home/alice"}
OLD = Target.of(release="22.05.8", api_version="v0.0.38")


def _request(*, target: Target = OLD, defaults: dict[str, Any] | None = None, **template: Any) -> JobRequest:
    whole = {key: value for key, value in {**MINIMAL, **template}.items() if value is not None}
    parsed = JobTemplate.model_validate(whole)
    given = JobDefaults.model_validate(defaults or {})
    asked = components(parsed, target=target, defaults=given)[0]
    return build_request(parsed, asked, name="wing", target=target, user="alice", defaults=given)


ALWAYS = {
    "USER": "alice",
    "LOGNAME": "alice",
    "SLURM_SUBMIT_DIR": "/home/alice",
    "SLURM_PRIO_PROCESS": "0",
}
"""In the environment of each job on the oldest release."""


def _script(*directives: str) -> str:
    return "\n".join(("#!/bin/sh", *(f"#SBATCH {line}" for line in directives), "true", ""))


def test_minimal() -> None:
    assert _request() == JobRequest(
        script="#!/bin/sh\ntrue\n",
        name="wing",
        chdir="/home/alice",
        environment={**ALWAYS, "PATH": DEFAULT_PATH},
        options={"chdir": "/home/alice", "input": "/dev/null"},
    )


@pytest.mark.parametrize(
    ("template", "directive", "default", "sent"),
    [
        (None, None, None, None),
        (None, None, "low", "low"),
        (None, "normal", "low", "normal"),
        ("high", "normal", "low", "high"),
        ("high", None, "low", "high"),
        ("high", "normal", None, "high"),
    ],
)
def test_fields_win_over_directives_over_defaults(
    template: str | None, directive: str | None, default: str | None, sent: str | None
) -> None:
    fields = {} if template is None else {"qos": template}
    script = _script() if directive is None else _script(f"--qos={directive}")
    request = _request(script=script, defaults=None if default is None else {"qos": default}, **fields)
    assert request.options.get("qos") == sent


@pytest.mark.parametrize(
    ("field", "directive", "default", "folder"),
    [
        ("/field", "/directive", "/default", "/field"),
        (None, "/directive", "/default", "/directive"),
        (None, None, "/home/%u/runs", "/home/alice/runs"),
        (None, "/data/%u", None, "/data/%u"),
        (None, "runs", "/home/%u", "/home/alice/runs"),
        ("./runs", "/directive", "/home/%u", "/home/alice/./runs"),
    ],
)
def test_where_the_folder_comes_from(
    field: str | None, directive: str | None, default: str | None, folder: str
) -> None:
    """`%u` is the connection's own word: sbatch's --chdir has no patterns."""
    script = _script() if directive is None else _script(f"-D {directive}")
    request = _request(script=script, chdir=field, defaults={} if default is None else {"chdir": default})
    assert request.chdir == folder


@pytest.mark.parametrize(
    ("template", "sent"),
    [
        ([], {"PATH": DEFAULT_PATH, "A": "default", "B": "default"}),
        ([{"name": "A", "value": "1"}, {"name": "C"}], {"PATH": DEFAULT_PATH, "A": "1", "B": "default", "C": ""}),
        ([{"name": "PATH", "value": "/opt/bin"}], {"PATH": "/opt/bin", "A": "default", "B": "default"}),
        (
            [{"name": "SLURM_SUBMIT_DIR", "value": "/y"}],
            {"PATH": DEFAULT_PATH, "A": "default", "B": "default", "SLURM_SUBMIT_DIR": "/y"},
        ),
    ],
)
def test_the_environment(template: list[dict[str, str]], sent: dict[str, str]) -> None:
    defaults = {"environment": [{"name": "A", "value": "default"}, {"name": "B", "value": "default"}]}
    assert _request(environment=template, defaults=defaults).environment == {**ALWAYS, **sent}


@pytest.mark.parametrize(
    ("text", "value"),
    [("/home/%u", "/home/alice"), ("%u%%u%U", "alice%u%U"), ("100%", "100%"), ("%%%u", "%alice"), ("", "")],
)
def test_defaults_may_name_the_user(text: str, value: str) -> None:
    variable = [{"name": "HOME", "value": text}]
    assert _request(defaults={"environment": variable}).environment["HOME"] == value
    assert _request(environment=variable).environment["HOME"] == text, "a job's own are sent as they are"


def test_export_gives_the_variables_that_have_a_value() -> None:
    """There is no environment that one submits from: a bare name has nothing to be taken from."""
    request = _request(
        script=_script("--export=ALL,HOME,A=1,B=2"), environment=[{"name": "B", "value": "of the field"}]
    )
    said = {"SLURM_EXPORT_ENV": "ALL,HOME,A=1,B=2", "SLURM_GET_USER_ENV": "1"}
    assert request.environment == {**ALWAYS, "A": "1", "B": "of the field", **said}


@pytest.mark.parametrize(
    ("output", "sent"),
    [("out-%j", "/home/alice/out-%j"), ("/o", "/o"), ("none", "/dev/null"), ("", "/home/alice/"), (None, None)],
)
def test_trap_poison_names_of_files_are_absolute_and_never_empty(output: str | None, sent: str | None) -> None:
    request = _request(output=output)
    job = DIALECTS["v0.0.42"].encode(request, comment="c", version="v0.0.42")["job"]
    assert job.get("standard_output") == sent
    assert (job["standard_input"], "standard_error" in job) == ("/dev/null", False)


def test_what_has_no_effect_is_told() -> None:
    template = JobTemplate.model_validate({**MINIMAL, "script": _script("--parsable", "--wait")})
    asked = components(template, target=Target())[0]
    assert len(asked.notices) == 2
    assert asked.notices[0].startswith("template.script, line 2: --parsable: ")


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ({"script": "#!/bin/sh\r\ntrue\r\n"}, "template.script, line 1: must end its lines with"),
        ({"script": "#!/bin/sh\n\x00\n"}, "template.script, line 2: must not hold a NUL"),
        ({"script": _script("--ntask=3")}, "template.script, line 2: "),
        ({"script": _script("--wingspan=3")}, "template.script, line 2: "),
        ({"script": _script("--mem=lots")}, "template.script, line 2: --mem: 'lots': must be a whole number"),
        ({"script": _script("-n1", "hetjob", "--array=1-3")}, "template.script, line 4: --array: a heterogeneous job"),
        ({"script": _script("hetjob", "-n2"), "array": "1-3"}, "template.array: a heterogeneous job"),
        ({"script": _script(*["hetjob"] * 128)}, "template.script: has 129 components; Slurm takes at most 128"),
        ({"script": _script("--array=3-0")}, "template.script, line 2: --array: '3-0': must be indexes and rising"),
        ({"array": "0-999999:2"}, "template.array: '0-999999:2': must name at most 100000 indexes"),
        ({"array": "12345678901"}, "template.array: '12345678901': must have indexes of at most 9 digits"),
        ({"mem": "1.5G"}, "template.mem: '1.5G': must be a whole number of MiB"),
        ({"memPerCpu": "lots"}, "template.memPerCpu: 'lots': must be a whole number of MiB"),
        ({"time": "1:2:3:4"}, "template.time: '1:2:3:4': must be minutes"),
        ({"nodes": "4-2"}, "template.nodes: '4-2': must be a number of nodes"),
        ({"mem": "9" * 64}, f"template.mem: '{'9' * 60}…': must be"),
        ({"comment": "x [slurmjob.dev/1 i=a]"}, "template.comment: must not hold '[slurmjob.dev/'"),
        ({"script": _script("--comment='[slurmjob.dev/1 i=a]'")}, "template.script, line 2: --comment: must not hold"),
        ({"environment": [{"name": "A"}, {"name": "A"}]}, "template.environment: 'A': must be named only once"),
        ({"chdir": "relative"}, "template.chdir: 'relative': must be an absolute path where"),
        ({"switches": "2@60"}, "template.switches: "),
    ],
)
def test_refused_with_place_value_and_rule(template: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidTemplate) as refusal:
        _request(**template)
    assert str(refusal.value).startswith(text)


def test_without_a_folder_it_says_where_one_can_come_from() -> None:
    with pytest.raises(InvalidTemplate, match="by `#SBATCH --chdir` or by the connection's `jobDefaults`"):
        _request(chdir=None)


@pytest.mark.parametrize("script", ["echo hello\n", "\n#!/bin/sh\n", " #!/bin/sh\n", "\ufeff#!/bin/sh\n"])
def test_a_script_without_a_first_line_for_the_kernel(script: str) -> None:
    """Checked by the API server and once more before it is sent: an object may be older than its schema."""
    template = JobTemplate.model_construct(**{**MINIMAL, "script": script})
    with pytest.raises(InvalidTemplate, match="#!"):
        components(template, target=OLD)


@pytest.mark.parametrize(
    "change",
    [
        {"chdir": None},
        {"ntasks": -1},
        {"ntasks": 10**12},
        {"cpusPerTask": -5},
        {"jobName": "two\nlines"},
        {"environment": [{"name": "1A"}]},
        {"environment": [{"name": "A", "value": "\x00"}]},
    ],
)
def test_trap_s5_and_poison_values_that_slurmrestd_would_take_never_become_a_request(change: dict[str, Any]) -> None:
    """slurmrestd takes -1 tasks, and an empty file name kills it at the next read of the job."""
    with pytest.raises((ValidationError, InvalidTemplate)):
        _request(**change)


@pytest.mark.parametrize(
    ("template", "known"),
    [
        ({}, Outline(slurm_name="obj", hold=False, priority=None)),
        ({"jobName": "a", "hold": True, "priority": 7}, Outline(slurm_name="a", hold=True, priority=7)),
        ({"script": _script("-J b -H", "--priority=9")}, Outline(slurm_name="b", hold=True, priority=9)),
        ({"priority": 0}, Outline(slurm_name="obj", hold=False, priority=None)),
        ({"priority": "TOP"}, Outline(slurm_name="obj", hold=False, priority=4294967293)),
        ({"script": _script("-J b -H"), "hold": False}, Outline(slurm_name="b", hold=False, priority=None)),
        ({"script": _script("-J b --power=x")}, Outline(slurm_name="b", hold=False, priority=None)),
        ({"script": _script("-J b --mem=lots")}, Outline(slurm_name="obj", hold=False, priority=None)),
        ({"script": _script("-J b --wingspan=3")}, Outline(slurm_name="obj", hold=False, priority=None)),
        ({"script": 7}, Outline(slurm_name="obj", hold=False, priority=None)),
    ],
)
def test_what_is_known_of_a_template_before_it_is_known_where_it_goes(template: dict[str, Any], known: Outline) -> None:
    """Options of one release alone are no reason not to know the name: a lost job is searched for by it."""
    assert outline({**MINIMAL, **template}, name="obj") == known


# --- Components -----------------------------------------------------------------------------------------------


def _ntasks(template: dict[str, Any]) -> list[tuple[str | None, ...]]:
    parts = components(JobTemplate.model_validate({**MINIMAL, **template}), target=Target())
    return [tuple(part.text(option) for option in ("ntasks", "time", "comment")) for part in parts]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (
            {"script": _script("-n9 -t3 --comment=all"), "components": [{"ntasks": 1}, {"ntasks": 2, "time": "4"}]},
            [("1", "3", "all"), ("2", "4", "all")],
        ),
        (
            {"script": _script("-n1 -t3", "hetjob", "-n2 --comment=second"), "components": [{}, {"ntasks": 5}]},
            [("1", "3", None), ("5", "3", "second")],
        ),
        (
            {"script": _script("-n1"), "ntasks": 7, "components": [{"ntasks": 2}, {"comment": "x"}]},
            [("2", None, None), ("7", None, "x")],
        ),
        ({"script": _script("-n1", "hetjob", "-n2"), "time": "9"}, [("1", "9", None), ("2", "9", None)]),
    ],
)
def test_options_of_components(template: dict[str, Any], expected: list[tuple[str | None, ...]]) -> None:
    """A component's own win over the template's, and these over the script's."""
    assert _ntasks(template) == expected


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (
            {"script": _script("-n1", "hetjob", "-n2"), "components": [{}, {}, {}]},
            "template.components: has 3 items, and the script has 2 components: there must be as many",
        ),
        ({"components": [{}, {"mem": "lots"}]}, "template.components[1].mem: 'lots': must be a whole number"),
        ({"array": "1-3", "components": [{}, {}]}, "template.array: a heterogeneous job"),
    ],
)
def test_components_that_are_refused(template: dict[str, Any], text: str) -> None:
    parsed = JobTemplate.model_validate({**MINIMAL, **template})
    with pytest.raises(InvalidTemplate) as refusal:
        build_request(parsed, components(parsed, target=Target())[-1], name="n", target=Target())
    assert str(refusal.value).startswith(text)


@pytest.mark.parametrize("given", [[{"ntasks": 1}], [{"ntasks": "many"}, {}], [{}] * 129])
def test_components_that_are_none(given: list[dict[str, Any]]) -> None:
    with pytest.raises(ValidationError):
        JobTemplate.model_validate({**MINIMAL, "components": given})


def test_an_environment_that_no_program_starts_with() -> None:
    large = [{"name": f"V{number}", "value": "ü" * 16_000} for number in range(62)]
    assert len(_request(environment=large).environment) == 67
    with pytest.raises(InvalidTemplate, match=r"template.environment: has 20\d\d\d\d\d bytes.* at most 2000000: Linux"):
        _request(environment=[*large, {"name": "W", "value": "x" * 30_000}])
