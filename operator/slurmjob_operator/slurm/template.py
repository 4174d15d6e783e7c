"""From a template to a request: every value checked, nothing sent unchecked.

slurmrestd ignores keys it does not know and takes -1 tasks (TRAPS S2, S5); what it would take and the node
would choke on (DOS line ends, NUL) is refused here, as sbatch does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from slurmjob_operator.api.template import JobTemplate
from slurmjob_operator.core.marker import PREFIX
from slurmjob_operator.slurm import values
from slurmjob_operator.slurm.request import JobRequest

DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
SHOWN_CHARACTERS = 60

Parsed = TypeVar("Parsed")

_DIRECTIVE = re.compile(r"#SBATCH(?P<rest>.*)")


class InvalidTemplate(ValueError):
    """A template that is not sent. The text names the field, the value and the rule."""

    def __init__(self, *, field: str, rule: str, value: str | None = None) -> None:
        shown = "" if value is None else f": {_short(value)!r}"
        super().__init__(f"template.{field}{shown}: {rule}")
        self.field = field
        self.rule = rule


def build_request(template: JobTemplate, *, name: str, now: float) -> JobRequest:
    """The request for a template; `name` is the job's name where the template has none, `now` is the time of the
    submission in epoch seconds.

    Raises `InvalidTemplate` for the first thing that is wrong, in the order of the fields.
    """
    _check_script(template.script)
    _check_environment(template)
    if template.mem is not None and template.mem_per_cpu is not None:
        raise InvalidTemplate(field="memPerCpu", value=str(template.mem_per_cpu), rule="must not be set beside `mem`")
    if template.comment is not None and PREFIX in template.comment:
        raise InvalidTemplate(field="comment", value=template.comment, rule=f"must not hold {PREFIX!r}, the marker")
    return JobRequest(
        script=template.script,
        name=template.job_name or name,
        chdir=template.chdir,
        environment=_environment(template),
        account=template.account,
        partition=template.partition,
        qos=template.qos,
        nodes=_parse("nodes", template.nodes, values.node_range),
        ntasks=template.ntasks,
        ntasks_per_node=template.ntasks_per_node,
        cpus_per_task=template.cpus_per_task,
        mem_per_node_mb=_parse("mem", template.mem, values.memory_mb),
        mem_per_cpu_mb=_parse("memPerCpu", template.mem_per_cpu, values.memory_mb),
        time_limit=_parse("time", template.time, values.time_limit),
        tres_per_node=_tres_per_node(template),
        tres_per_job=_parse("gpus", template.gpus, values.gpu_count),
        dependency=_parse("dependency", template.dependency, values.dependency),
        deadline=_parse("deadline", template.deadline, partial(values.deadline, now=now)),
        requeue=template.requeue,
        constraint=template.constraint,
        output=_file(template.output),
        error=_file(template.error),
    )


def _parse(field: str, value: Any, parse: Callable[[str], Parsed]) -> Parsed | None:
    if value is None:
        return None
    try:
        return parse(str(value))
    except values.InvalidValue as error:
        raise InvalidTemplate(field=field, value=error.value, rule=error.rule) from None


def _tres_per_node(template: JobTemplate) -> str | None:
    gres = _parse("gres", template.gres, values.gres_list)
    gpus = _parse("gpusPerNode", template.gpus_per_node, values.gpu_count)
    return ",".join(part for part in (gres, gpus) if part) or None


def _file(path: str | None) -> str | None:
    """`none` is no file for sbatch, and a file called none over REST."""
    return "/dev/null" if path == "none" else path


def _environment(template: JobTemplate) -> dict[str, str]:
    return {"PATH": DEFAULT_PATH, **{variable.name: variable.value for variable in template.environment}}


def _check_environment(template: JobTemplate) -> None:
    names = [variable.name for variable in template.environment]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidTemplate(field="environment", value=twice, rule="must be named only once")


def _check_script(script: str) -> None:
    if not script.startswith("#!"):
        raise InvalidTemplate(
            field="script", value=script.partition("\n")[0], rule="the first line must start with `#!`, as for sbatch"
        )
    if "\r\n" in script:
        raise InvalidTemplate(field="script", rule="must not hold DOS line ends (CR LF), as for sbatch")
    if "\x00" in script:
        raise InvalidTemplate(field="script", rule="must not hold a NUL character, as for sbatch")
    directive = first_directive(script)
    if directive is not None:
        raise InvalidTemplate(
            field="script",
            value=directive,
            rule="`#SBATCH` lines are not read yet, and slurmrestd ignores them; use the fields of `template`",
        )


def first_directive(script: str) -> str | None:
    """The first `#SBATCH` line that sbatch would read: before the first command, starting in column 1."""
    for line in script.split("\n")[1:]:
        if line.strip() and not line.lstrip().startswith("#"):
            return None
        if _DIRECTIVE.match(line):
            return line
    return None


def _short(value: str) -> str:
    return value if len(value) <= SHOWN_CHARACTERS else f"{value[:SHOWN_CHARACTERS]}…"
