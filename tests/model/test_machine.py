"""All guards on: no history breaks anything.

`SLURMJOB_MODEL_EXAMPLES=N` searches N histories at random, instead of the same few hundred at each run.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

from tests.model.machine import Machine

EXAMPLES = os.environ.get("SLURMJOB_MODEL_EXAMPLES")

TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=int(EXAMPLES or 150),
    stateful_step_count=30,
    derandomize=EXAMPLES is None,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
