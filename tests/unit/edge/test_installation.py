"""The default id of an installation."""

from __future__ import annotations

import re

import pytest

from slurmjob_operator.core.marker import INSTALLATION_PATTERN
from slurmjob_operator.edge.installation import installation_id
from slurmjob_operator.kube.errors import Forbidden, KubeError, Unavailable

UID = "5f0c7b62-0b0e-4a55-9c83-0f1a7f0f9f31"


class Namespaces:
    def __init__(self, *answers: KubeError) -> None:
        self.answers = list(answers)

    async def namespace_uid(self, name: str) -> str:
        assert name == "ops"
        if self.answers:
            raise self.answers.pop(0)
        return UID


@pytest.mark.looptime
async def test_the_uid_of_the_own_namespace_once_the_api_server_is_there() -> None:
    found = await installation_id(Namespaces(Unavailable("away"), Unavailable("away")), namespace="ops")
    assert found == f"{UID}/slurmjob-operator"
    assert re.fullmatch(INSTALLATION_PATTERN, found)


async def test_a_missing_right_is_an_error() -> None:
    with pytest.raises(Forbidden):
        await installation_id(Namespaces(Forbidden("no")), namespace="ops")
