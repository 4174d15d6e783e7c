"""Arguments of a script, as the real sbatch gives them to the same script."""

from __future__ import annotations

import shlex

from sandboxlib import slurm_cluster
from tests.real.cluster import SUITE, Tenant

ARGUMENTS = ["--case", "a b", "", "$HOME", "it's", 'say "x"', "-n", "two\nlines", "ü"]
SHOW = "printf '<%s>' \"$@\" >"


def _written(tenant: Tenant, file: str) -> str:
    return (slurm_cluster.home(tenant.paths, tenant.suite, "alice") / file).read_text()


def test_a_script_gets_what_sbatch_would_give_it(tenant: Tenant) -> None:
    ours, theirs = f"{tenant.namespace}.ours", f"{tenant.namespace}.theirs"
    tenant.job("ours", script=f"{SHOW} {ours}", args=ARGUMENTS)
    script = slurm_cluster.home(tenant.paths, tenant.suite, "alice") / f"{tenant.namespace}.sh"
    script.write_text(f"#!/bin/bash\n{SHOW} {theirs}\n")
    words = shlex.join(["sbatch", "--wait", "--chdir=/home/alice", f"/home/alice/{script.name}", *ARGUMENTS])
    tenant.slurm("sh", "-c", words, user="alice")
    tenant.wait("ours", "Complete")
    assert tenant.executions("ours").total() == 1
    assert _written(tenant, ours) == _written(tenant, theirs)
    assert _written(tenant, ours) == "".join(f"<{one}>" for one in ARGUMENTS)


def test_of_another_interpreter(tenant: Tenant) -> None:
    """Where Slurm takes no arguments only a shell can set them."""
    out = f"{tenant.namespace}.perl"
    body = tenant.manifest("perl", args=["a b"])
    body["spec"]["template"]["script"] = f"#!/usr/bin/perl\nopen(F, '>', '{out}'); print F \"<@ARGV>\"; close F;\n"
    tenant.apply(body)
    if SUITE == "bookworm":
        tenant.wait_state("perl", "Rejected")
        said = tenant.condition("perl", "Submitted")["message"]
        assert said.startswith("template.args: this release of Slurm takes no arguments over REST")
        assert said.endswith("begins with '#!/usr/bin/perl'")
        return
    tenant.wait("perl", "Complete")
    assert _written(tenant, out) == "<a b>"
