"""A template as an object has it, looked over for the Slurm that it is to be sent to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pydantic import ValidationError

from slurmjob_operator.api.connection import JobDefaults
from slurmjob_operator.api.template import JobTemplate
from slurmjob_operator.core import marker
from slurmjob_operator.slurm.request import Component, JobRequest, Target
from slurmjob_operator.slurm.template import (
    NO_VARIABLES,
    OWN_VARIABLES,
    InvalidTemplate,
    Wanted,
    build_request,
    components,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where jobs of a connection go: to which Slurm, as whom, with which defaults."""

    target: Target
    user: str
    defaults: JobDefaults


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedOver:
    """What became of it: a request, or what is wrong with it. `notices` are sentences about options without effect;
    `comment` and `extra` are the user's own. `others` are the components after the first, with comments of the user's
    own too."""

    request: JobRequest | None = None
    invalid: str | None = None
    notices: tuple[str, ...] = ()
    comment: str = ""
    extra: str | None = None
    others: tuple[Component, ...] = ()


def own_variables(*, name: str, namespace: str, uid: str, attempt: int) -> dict[str, str]:
    """What tells a script of which object, and which attempt, it is a run."""
    told = {"NAME": name, "NAMESPACE": namespace, "UID": uid, "ATTEMPT": str(attempt)}
    return {f"{OWN_VARIABLES}{what}": value for what, value in told.items()}


def look_over(
    raw: Mapping[str, Any],
    *,
    name: str,
    place: Place | None,
    room: int,
    own: Mapping[str, str] = NO_VARIABLES,
    array: str | None = None,
) -> LookedOver:
    """`name` is the job's in Slurm, `room` the bytes that the marker leaves for a comment, `own` are variables that the
    operator sets, `array` the tasks that are left of an array, if not all are. Without a place only what holds of every
    Slurm is looked at."""
    try:
        template = JobTemplate.model_validate(raw)
        if place is None:
            return LookedOver()
        parts = components(template, target=place.target, defaults=place.defaults)
        for asked in parts:
            _check_room(asked, room=room)
        build = partial(
            build_request,
            template,
            target=place.target,
            user=place.user,
            defaults=place.defaults,
            own=own,
            array=array,
        )
        several = len(parts) > 1
        request = build(parts[0], name=name, component=0 if several else None)
        others = tuple(
            _component(asked, build(asked, name=asked.text("job-name") or name, component=number))
            for number, asked in enumerate(parts[1:], start=1)
        )
        for other in others:  # the script runs once, in the first, and finds what is told of all
            request = replace(request, environment={**other.request.environment, **request.environment})
    except InvalidTemplate as error:
        return LookedOver(invalid=str(error))
    except ValidationError as error:
        first: Any = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(["template", *(str(part) for part in first["loc"])])
        return LookedOver(invalid=f"{where}: {first['msg']}")
    return LookedOver(
        request=request,
        notices=tuple(dict.fromkeys(notice for asked in parts for notice in asked.notices)),
        comment=parts[0].text("comment") or "",
        extra=parts[0].text("extra"),
        others=others,
    )


def _component(asked: Wanted, request: JobRequest) -> Component:
    """With its user's own comment; the marker is yet to come."""
    return Component(request=request, comment=asked.text("comment") or "", extra=asked.text("extra"))


def _check_room(asked: Wanted, *, room: int) -> None:
    setting = asked.settings.get("comment")
    if setting is None:
        return
    size = len(setting.text.encode())
    if size > room:
        raise InvalidTemplate(
            f"{setting.where}: must have at most {room} bytes, since Slurm keeps {marker.COMMENT_BYTES} and the "
            f"operator's marker needs the rest; it has {size}"
        )
